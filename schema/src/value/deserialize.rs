//! Converts the values of a row to its struct, through serde.

use serde::de::value::{MapDeserializer, StringDeserializer};
use serde::de::{DeserializeOwned, Deserializer, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;

use crate::value::sql_value::{Value, ValueError};

impl Value {
    /// Builds a row from its column names and values.
    pub(crate) fn read_row<T: DeserializeOwned>(
        columns: impl Iterator<Item = (&'static str, Value)>,
    ) -> Result<T, ValueError> {
        T::deserialize(MapDeserializer::new(columns))
    }
}

impl IntoDeserializer<'_, ValueError> for Value {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Value {
    type Error = ValueError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        match self {
            Value::Null => visitor.visit_unit(),
            Value::Integer(integer) => visitor.visit_i64(integer),
            Value::Real(real) => visitor.visit_f64(real),
            Value::Text(text) => visitor.visit_string(text),
            Value::Blob(bytes) => visitor.visit_byte_buf(bytes),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        match self {
            Value::Null => visitor.visit_none(),
            value => visitor.visit_some(value),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        match self {
            Value::Integer(flag @ (0 | 1)) => visitor.visit_bool(flag == 1),
            value => value.deserialize_any(visitor),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        match self {
            Value::Text(text) => {
                let text: StringDeserializer<ValueError> = text.into_deserializer();
                text.deserialize_enum(name, variants, visitor)
            }
            value => value.deserialize_any(visitor),
        }
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    use super::*;
    use crate::declare::column_type::{Flag, Json};
    use crate::value::serialize::named_values;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Row {
        id: String,
        level: f64,
        least: Option<f64>,
        count: i64,
        loud: Flag,
        tags: Json<Vec<String>>,
        note: Option<String>,
    }

    #[test]
    fn a_row_comes_back_as_it_was() {
        let row = Row {
            id: "a\0".into(),
            level: f64::INFINITY,
            least: Some(5e-324),
            count: i64::MIN,
            loud: Flag(true),
            tags: Json(vec!["\"".into()]),
            note: None,
        };
        let values = named_values(&row).unwrap();
        assert_eq!(values[1], ("level", Value::Real(f64::INFINITY)));
        assert_eq!(values[5].1, Value::from(r#"["\""]"#));
        assert_eq!(Value::read_row::<Row>(values.into_iter()).unwrap(), row);
    }

    #[test]
    fn what_does_not_fit_is_named() {
        #[derive(Serialize)]
        struct Odd {
            list: Vec<i64>,
        }
        let error = named_values(&Odd { list: vec![1] }).unwrap_err();
        assert_eq!(error.to_string(), "column `list`: a column holds a text, a number or nothing");
        assert!(named_values(&7).is_err());
        let columns = [("id", Value::Integer(1))];
        let error = Value::read_row::<Row>(columns.into_iter()).unwrap_err();
        assert!(error.to_string().contains("invalid type: integer"), "{error}");
    }
}
