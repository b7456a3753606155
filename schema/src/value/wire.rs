//! Wire form 2 of values (`docs/protocol.md`). A replica stores lists of values in this form too.
//!
//! JSON numbers carry only integers: D1 and sqld print the digits of a real inexactly, and D1 also
//! parses them inexactly. A real that is not a small integer is `[m, e]`, which means m * 2^e. Both
//! servers compute that exactly, because a product with a power of two is never rounded.

use serde_json::Value as Json;

use crate::value::hex::{from_hex, to_hex};
use crate::value::kind::Kind;
use crate::value::sql_value::{Value, ValueError};

/// 2^53. An integral real below it is sent as a JSON integer; beyond it, some JSON parsers round.
const INTEGRAL_MAX: f64 = 9_007_199_254_740_992.0;

/// The exponent that means infinity.
const INFINITE: i64 = 1024;

/// The exponent of the smallest positive real.
const SMALLEST: i64 = -1074;

/// JSON that does not encode a value of its column.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{json} is no value")]
pub struct Misfit {
    /// The JSON, cut to 80 characters.
    json: String,
}

impl From<Misfit> for ValueError {
    fn from(error: Misfit) -> Self {
        serde::de::Error::custom(error)
    }
}

impl Value {
    /// Returns the value in wire form. NaN becomes null.
    pub fn to_wire(&self) -> Json {
        match self {
            Self::Null => Json::Null,
            Self::Integer(integer) => (*integer).into(),
            Self::Real(real) => real_to_wire(*real),
            Self::Text(text) => text.as_str().into(),
            Self::Blob(bytes) => {
                serde_json::json!({ "blob": to_hex(bytes) })
            }
        }
    }

    /// Decodes a value in wire form, for a column of this kind.
    ///
    /// The result may be of another storage class than the column: only an integer in a column of
    /// reals is converted. A decimal number, which older builds sent and stored, becomes the
    /// nearest real.
    pub fn from_wire(json: Json, kind: Kind) -> Result<Self, Misfit> {
        let misfit = |json: &Json| Misfit { json: json.to_string().chars().take(80).collect() };
        Ok(match json {
            Json::Null => Self::Null,
            Json::String(text) => Self::Text(text),
            Json::Number(number) => match number.as_i64() {
                Some(integer) if kind == Kind::Real => Self::Real(integer as f64),
                Some(integer) => Self::Integer(integer),
                None => Self::Real(number.as_f64().ok_or_else(|| misfit(&Json::Number(number)))?),
            },
            Json::Array(pair) => match (&pair[..], pair.len()) {
                // `["real", text]` is a real in a column of another kind. The caller reports it and
                // does not store it.
                ([Json::String(what), Json::String(real)], 2)
                    if what == "real" && kind != Kind::Real =>
                {
                    Self::Real(real.parse().map_err(|_| misfit(&Json::String(real.clone())))?)
                }
                ([mantissa, exponent], 2) => match (mantissa.as_i64(), exponent.as_i64()) {
                    (Some(mantissa), Some(exponent)) => Self::Real(real(mantissa, exponent)),
                    _ => return Err(misfit(&Json::Array(pair))),
                },
                _ => return Err(misfit(&Json::Array(pair))),
            },
            Json::Object(object) => match object.get("blob").and_then(Json::as_str).map(from_hex) {
                Some(Some(bytes)) if object.len() == 1 => Self::Blob(bytes),
                _ => return Err(misfit(&Json::Object(object))),
            },
            Json::Bool(_) => return Err(misfit(&json)),
        })
    }
}

/// Encodes values as the text of a JSON array.
pub fn list_to_wire(values: &[Value]) -> String {
    Json::Array(values.iter().map(Value::to_wire).collect()).to_string()
}

/// Decodes values from the text of a JSON array. `kinds` are those of the columns, in order; values
/// beyond the last kind are decoded without conversion.
pub fn list_from_wire(
    text: &str,
    kinds: impl IntoIterator<Item = Kind>,
) -> Result<Vec<Value>, ValueError> {
    let list: Vec<Json> = serde_json::from_str(text)?;
    let kinds = kinds.into_iter().map(Some).chain(std::iter::repeat(None));
    let pairs = list.into_iter().zip(kinds);
    let value = |(json, kind): (Json, Option<Kind>)| {
        Value::from_wire(json, kind.unwrap_or(Kind::Text)).map_err(ValueError::from)
    };
    pairs.map(value).collect()
}

fn real_to_wire(real: f64) -> Json {
    if real.is_nan() {
        return Json::Null;
    }
    if real.is_infinite() {
        return serde_json::json!([real.signum() as i64, INFINITE]);
    }
    if real.fract() == 0.0 && real.abs() < INTEGRAL_MAX {
        return (real as i64).into();
    }
    let bits = real.to_bits();
    let (exponent, fraction) = ((bits >> 52 & 0x7ff) as i64, (bits & ((1 << 52) - 1)) as i64);
    let (mantissa, exponent) = match exponent {
        0 => (fraction, SMALLEST),
        _ => (fraction | 1 << 52, exponent - 1075),
    };
    let shift = mantissa.trailing_zeros();
    let (mantissa, exponent) = (mantissa >> shift, exponent + i64::from(shift));
    serde_json::json!([if real < 0.0 { -mantissa } else { mantissa }, exponent])
}

/// Returns m * 2^e, rounded to a real.
fn real(mantissa: i64, exponent: i64) -> f64 {
    if mantissa == 0 {
        return 0.0;
    }
    let shift = mantissa.trailing_zeros();
    let exponent = exponent.saturating_add(i64::from(shift));
    let mantissa = (mantissa >> shift) as f64;
    if exponent >= SMALLEST {
        return mantissa * power(exponent.min(INFINITE));
    }
    mantissa * power(SMALLEST) * power((exponent - SMALLEST).max(SMALLEST))
}

/// Returns 2^e for e >= -1074; infinity for e >= 1024.
fn power(exponent: i64) -> f64 {
    match exponent {
        INFINITE.. => f64::INFINITY,
        -1022..INFINITE => f64::from_bits(((exponent + 1023) as u64) << 52),
        _ => f64::from_bits(1 << (exponent - SMALLEST).clamp(0, 51)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn check(value: Value, wire: Json) {
        assert_eq!(value.to_wire(), wire);
        let kind = if matches!(value, Value::Real(_)) { Kind::Real } else { Kind::Integer };
        assert_eq!(Value::from_wire(wire, kind), Ok(value));
    }

    #[test]
    fn reals_are_small_integers_or_a_mantissa_and_an_exponent() {
        check(Value::Real(2.0), json!(2));
        check(Value::Real(-0.0), json!(0));
        check(Value::Real(0.5), json!([1, -1]));
        check(Value::Real(-0.75), json!([-3, -2]));
        check(Value::Real(9_007_199_254_740_991.0), json!(9_007_199_254_740_991_i64));
        check(Value::Real(9_007_199_254_740_992.0), json!([1, 53]));
        check(Value::Real(5e-324), json!([1, -1074]));
        check(Value::Real(f64::MIN_POSITIVE), json!([1, -1022]));
        check(Value::Real(f64::MAX), json!([9_007_199_254_740_991_i64, 971]));
        check(Value::Real(f64::INFINITY), json!([1, 1024]));
        check(Value::Real(f64::NEG_INFINITY), json!([-1, 1024]));
    }

    #[test]
    fn a_reader_takes_any_mantissa() {
        for (wire, real) in [
            (json!([1_i64 << 52, -1126]), 5e-324),
            (json!([4, 0]), 4.0),
            (json!([0, 5000]), 0.0),
            (json!([3, 1023]), f64::INFINITY),
            (json!([1, -1075]), 0.0),
            (json!([i64::MIN, 0]), -9_223_372_036_854_775_808.0),
            (json!(0.1), 0.1),
            (json!(1e300), 1e300),
        ] {
            assert_eq!(Value::from_wire(wire.clone(), Kind::Real), Ok(Value::Real(real)), "{wire}");
        }
    }

    #[test]
    fn other_classes_and_what_is_none() {
        check(Value::Integer(i64::MAX), json!(i64::MAX));
        check(Value::Integer(i64::MIN), json!(i64::MIN));
        check(Value::Text("a\0\u{fffd}".into()), json!("a\0\u{fffd}"));
        check(Value::Blob(vec![0, 255]), json!({ "blob": "00ff" }));
        check(Value::Null, Json::Null);
        for wire in [
            json!(true),
            json!([1]),
            json!([1, 2, 3]),
            json!([0.5, 1]),
            json!({}),
            json!({ "blob": "0" }),
            json!({ "blob": "é" }),
            json!({ "blob": "zz" }),
            json!({ "blob": "00", "x": 1 }),
        ] {
            assert!(Value::from_wire(wire.clone(), Kind::Real).is_err(), "{wire}");
        }
    }

    proptest! {
        #[test]
        fn every_real_comes_back(bits in any::<u64>()) {
            let value = Value::Real(f64::from_bits(bits));
            prop_assume!(!value.is_nan());
            let text = list_to_wire(std::slice::from_ref(&value));
            prop_assert_eq!(list_from_wire(&text, [Kind::Real]).unwrap(), [value]);
        }
    }
}
