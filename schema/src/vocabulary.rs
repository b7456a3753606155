//! Fixed vocabularies: enums in Rust, plain text in SQL.

/// Declares an enum of words, each variant with its text.
macro_rules! vocabulary {
    ($(#[$attribute:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$attribute])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $($(#[$doc])* #[serde(rename = $text)] $variant,)+
        }

        impl $name {
            /// Every word, in declared order.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];

            /// The word as SQL and the wire know it.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $($name::$variant => $text,)+
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(self.as_str())
            }
        }

        impl $crate::ColumnType for $name {
            const KIND: $crate::Kind = $crate::Kind::Text;
        }
    };
}

pub(crate) use vocabulary;
