//! Ids as parameters and columns of rusqlite, with the feature `rusqlite`.

/// Implements rusqlite's `ToSql` and `FromSql` for an id; without the feature `rusqlite`, expands
/// to nothing.
#[cfg(feature = "rusqlite")]
#[doc(hidden)]
#[macro_export]
macro_rules! id_in_sqlite {
    ($name:ident) => {
        impl $crate::declare::macro_support::rusqlite::types::ToSql for $name {
            fn to_sql(
                &self,
            ) -> $crate::declare::macro_support::rusqlite::Result<
                $crate::declare::macro_support::rusqlite::types::ToSqlOutput<'_>,
            > {
                $crate::declare::macro_support::rusqlite::types::ToSql::to_sql(self.as_str())
            }
        }

        impl $crate::declare::macro_support::rusqlite::types::FromSql for $name {
            fn column_result(
                value: $crate::declare::macro_support::rusqlite::types::ValueRef<'_>,
            ) -> $crate::declare::macro_support::rusqlite::types::FromSqlResult<$name> {
                $crate::declare::macro_support::rusqlite::types::FromSql::column_result(value)
                    .map($name)
            }
        }
    };
}

#[cfg(not(feature = "rusqlite"))]
#[doc(hidden)]
#[macro_export]
macro_rules! id_in_sqlite {
    ($name:ident) => {};
}

pub use id_in_sqlite;
