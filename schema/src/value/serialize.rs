//! Converts a row struct to its values, through serde.

use serde::ser::{Error as _, Impossible, SerializeStruct};
use serde::{Serialize, Serializer};

use crate::value::sql_value::{Value, ValueError};

/// Returns the column names and values of a row struct, in the order of its fields.
///
/// Fails unless `row` is a struct whose fields each serialise to one value.
pub fn named_values<T: Serialize>(row: &T) -> Result<Vec<(&'static str, Value)>, ValueError> {
    row.serialize(RowSerializer)
}

type NoCompound = Impossible<Vec<(&'static str, Value)>, ValueError>;

/// Serialises a struct, and returns an error for everything else.
struct RowSerializer;

/// Collects the fields of a struct.
struct Fields(Vec<(&'static str, Value)>);

impl SerializeStruct for Fields {
    type Ok = Vec<(&'static str, Value)>;
    type Error = ValueError;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), ValueError> {
        let value = value
            .serialize(ValueSerializer)
            .map_err(|error| ValueError::custom(format_args!("column `{name}`: {error}")))?;
        self.0.push((name, value));
        Ok(())
    }

    fn end(self) -> Result<Self::Ok, ValueError> {
        Ok(self.0)
    }
}

fn not_a_row<T>() -> Result<T, ValueError> {
    Err(ValueError::custom("a row is a struct of columns"))
}

fn not_a_value<T>() -> Result<T, ValueError> {
    Err(ValueError::custom("a column holds a text, a number or nothing"))
}

/// Implements serializer methods that return the error of `$refusal`. Each is listed with its
/// parameter types.
macro_rules! refuse {
    ($refusal:ident, $ok:ty: $($name:ident($($parameter:ty),*)),+ $(,)?) => {
        $(fn $name(self, $(_: $parameter),*) -> Result<$ok, ValueError> { $refusal() })+
    };
}

/// Implements the methods for compound types except structs; all return the error of `$refusal`.
macro_rules! refuse_compounds {
    ($refusal:ident, $no:ty) => {
        type SerializeSeq = $no;
        type SerializeTuple = $no;
        type SerializeTupleStruct = $no;
        type SerializeTupleVariant = $no;
        type SerializeMap = $no;
        type SerializeStructVariant = $no;

        refuse!($refusal, $no: serialize_seq(Option<usize>), serialize_tuple(usize),
            serialize_tuple_struct(&'static str, usize),
            serialize_tuple_variant(&'static str, u32, &'static str, usize),
            serialize_map(Option<usize>),
            serialize_struct_variant(&'static str, u32, &'static str, usize));

        fn serialize_newtype_variant<T: Serialize + ?Sized>(
            self,
            _: &'static str,
            _: u32,
            _: &'static str,
            _: &T,
        ) -> Result<Self::Ok, ValueError> {
            $refusal()
        }
    };
}

impl Serializer for RowSerializer {
    type Ok = Vec<(&'static str, Value)>;
    type Error = ValueError;
    type SerializeStruct = Fields;

    refuse_compounds!(not_a_row, NoCompound);
    refuse!(not_a_row, Self::Ok: serialize_bool(bool), serialize_i8(i8), serialize_i16(i16),
        serialize_i32(i32), serialize_i64(i64), serialize_u8(u8), serialize_u16(u16),
        serialize_u32(u32), serialize_u64(u64), serialize_f32(f32), serialize_f64(f64),
        serialize_char(char), serialize_str(&str), serialize_bytes(&[u8]), serialize_none(),
        serialize_unit(), serialize_unit_struct(&'static str),
        serialize_unit_variant(&'static str, u32, &'static str));

    fn serialize_some<T: Serialize + ?Sized>(self, _: &T) -> Result<Self::Ok, ValueError> {
        not_a_row()
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<Self::Ok, ValueError> {
        value.serialize(self)
    }

    fn serialize_struct(self, _: &'static str, fields: usize) -> Result<Fields, ValueError> {
        Ok(Fields(Vec::with_capacity(fields)))
    }
}

/// Serialises one value.
struct ValueSerializer;

impl Serializer for ValueSerializer {
    type Ok = Value;
    type Error = ValueError;
    type SerializeStruct = Impossible<Value, ValueError>;

    refuse_compounds!(not_a_value, Impossible<Value, ValueError>);
    refuse!(not_a_value, Self::SerializeStruct: serialize_struct(&'static str, usize));

    fn serialize_bool(self, flag: bool) -> Result<Value, ValueError> {
        Ok(flag.into())
    }

    fn serialize_i8(self, integer: i8) -> Result<Value, ValueError> {
        self.serialize_i64(integer.into())
    }

    fn serialize_i16(self, integer: i16) -> Result<Value, ValueError> {
        self.serialize_i64(integer.into())
    }

    fn serialize_i32(self, integer: i32) -> Result<Value, ValueError> {
        self.serialize_i64(integer.into())
    }

    fn serialize_i64(self, integer: i64) -> Result<Value, ValueError> {
        Ok(Value::Integer(integer))
    }

    fn serialize_u8(self, integer: u8) -> Result<Value, ValueError> {
        self.serialize_i64(integer.into())
    }

    fn serialize_u16(self, integer: u16) -> Result<Value, ValueError> {
        self.serialize_i64(integer.into())
    }

    fn serialize_u32(self, integer: u32) -> Result<Value, ValueError> {
        self.serialize_i64(integer.into())
    }

    fn serialize_u64(self, integer: u64) -> Result<Value, ValueError> {
        i64::try_from(integer)
            .map(Value::Integer)
            .map_err(|_| ValueError::custom(format_args!("{integer} is past 64 bits with sign")))
    }

    fn serialize_f32(self, real: f32) -> Result<Value, ValueError> {
        self.serialize_f64(real.into())
    }

    fn serialize_f64(self, real: f64) -> Result<Value, ValueError> {
        Ok(Value::Real(real))
    }

    fn serialize_char(self, letter: char) -> Result<Value, ValueError> {
        Ok(Value::Text(letter.into()))
    }

    fn serialize_str(self, text: &str) -> Result<Value, ValueError> {
        Ok(text.into())
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Result<Value, ValueError> {
        Ok(Value::Blob(bytes.to_vec()))
    }

    fn serialize_none(self) -> Result<Value, ValueError> {
        Ok(Value::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Value, ValueError> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Value, ValueError> {
        Ok(Value::Null)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<Value, ValueError> {
        Ok(Value::Null)
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<Value, ValueError> {
        Ok(variant.into())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<Value, ValueError> {
        value.serialize(self)
    }
}
