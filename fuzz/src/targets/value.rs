//! Values in wire form, and hex.

use fastest_schema::value::wire::{list_from_wire, list_to_wire};
use fastest_schema::{Kind, Value};

/// Parts of the format.
pub const TOKENS: &[&[u8]] = &[
    b"[1,-1074]",
    b"[1,-1075]",
    b"[9007199254740991,971]",
    b"[1,1024]",
    b"[-1,1024]",
    b"[0,0]",
    b"[\"real\",\"inf\"]",
    b"[\"real\",\"NaN\"]",
    b"{\"blob\":\"00ff\"}",
    b"{\"blob\":\"0g\"}",
    b"1e308",
    b"5e-324",
    b"-0.0",
    b"9223372036854775807",
    b"18446744073709551615",
    b"null",
    b"true",
    b"\"\\u0000\"",
    b"-9223372036854775808",
];

/// Returns lists with each kind of value.
pub fn seeds() -> Vec<Vec<u8>> {
    let reals = [0.1, -2.5, 1e300, 5e-324, f64::INFINITY, 9_007_199_254_740_993.0];
    let reals: Vec<Value> = reals.map(Value::Real).to_vec();
    let others = vec![
        Value::Null,
        Value::Integer(i64::MIN),
        Value::Text("a\0\u{1f600}".to_owned()),
        Value::Blob(vec![0, 255]),
    ];
    [reals, others].iter().map(|values| list_to_wire(values).into_bytes()).collect()
}

/// Decodes a list for columns of each kind. What is decoded is encoded, and decodes as the same.
pub fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    for kind in [Kind::Text, Kind::Integer, Kind::Real] {
        let decode = |text: &str| list_from_wire(text, std::iter::repeat_n(kind, 10_000));
        let Ok(values) = decode(text) else { continue };
        let again = decode(&list_to_wire(&values)).expect("what is encoded is decoded");
        assert_eq!(values.len(), again.len());
        for (value, again) in values.iter().zip(&again) {
            assert!(is_same(value, again, kind), "{value:?} became {again:?}");
        }
    }
}

/// NaN is sent as null, and a real that is an integer is one in a column of another kind.
fn is_same(value: &Value, again: &Value, kind: Kind) -> bool {
    match (value, again) {
        (Value::Real(real), Value::Null) => real.is_nan(),
        (Value::Real(real), Value::Real(other)) => real == other,
        (Value::Real(real), Value::Integer(integer)) => {
            kind != Kind::Real && *integer as f64 == *real
        }
        _ => value == again,
    }
}
