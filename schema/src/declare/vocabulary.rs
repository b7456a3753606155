//! Vocabularies: enums in Rust, plain text in SQL.

/// Declares an enum of words, the type of a text column.
///
/// A newer build or another application may write a word that this build does not know. Such a row
/// must neither be refused nor lose the word, so each enum has one more variant, `Other`, which
/// holds it. For the same reason the column has no `CHECK`.
///
/// ```
/// fastest_schema::vocabulary! {
///     /// The tone of a note.
///     pub enum Mood {
///         /// Meant literally.
///         Plain = "plain",
///         /// Meant ironically.
///         Ironic = "ironic",
///     }
/// }
///
/// assert_eq!(Mood::Ironic.as_str(), "ironic");
/// assert_eq!(Mood::from("plain".to_owned()), Mood::Plain);
/// assert_eq!(Mood::ALL.len(), 2);
/// let sad: Mood = serde_json::from_str(r#""sad""#)?;
/// assert_eq!(sad, Mood::Other("sad".to_owned()));
/// assert_eq!(serde_json::to_string(&sad)?, r#""sad""#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[macro_export]
macro_rules! vocabulary {
    (
        $(#[$attribute:meta])*
        $visibility:vis enum $name:ident { $($(#[$doc:meta])* $variant:ident = $text:literal),+ $(,)? }
    ) => {
        $(#[$attribute])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        $visibility enum $name {
            $($(#[$doc])* $variant,)+
            /// A word that this build does not know, unchanged.
            Other(::std::string::String),
        }

        impl $name {
            /// All variants but `Other`, in declaration order.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];

            /// The word, as it is stored and sent.
            pub const fn as_str(&self) -> &str {
                match self {
                    $($name::$variant => $text,)+
                    $name::Other(word) => word.as_str(),
                }
            }
        }

        /// Returns the variant of a known word, and `Other` for any other word.
        impl ::std::convert::From<::std::string::String> for $name {
            fn from(word: ::std::string::String) -> $name {
                match word.as_str() {
                    $($text => $name::$variant,)+
                    _ => $name::Other(word),
                }
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                formatter.write_str(self.as_str())
            }
        }

        impl $crate::declare::macro_support::serde::Serialize for $name {
            fn serialize<S: $crate::declare::macro_support::serde::Serializer>(
                &self,
                serializer: S,
            ) -> ::std::result::Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> $crate::declare::macro_support::serde::Deserialize<'de> for $name {
            fn deserialize<D: $crate::declare::macro_support::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::std::result::Result<$name, D::Error> {
                let word: ::std::string::String =
                    $crate::declare::macro_support::serde::Deserialize::deserialize(deserializer)?;
                ::std::result::Result::Ok($name::from(word))
            }
        }

        impl $crate::declare::macro_support::ColumnType for $name {
            const KIND: $crate::declare::macro_support::Kind = $crate::declare::macro_support::Kind::Text;
        }
    };
}

pub(crate) use vocabulary;

#[cfg(test)]
mod tests {
    use crate::tables::workspaces::Source;

    fn read(word: &str) -> Source {
        serde_json::from_value(word.into()).unwrap()
    }

    #[test]
    fn known_words_are_their_variants() {
        for word in Source::ALL {
            assert_eq!(serde_json::to_value(word).unwrap(), word.as_str());
            assert_eq!(read(word.as_str()), *word);
        }
        assert_eq!(read("cli"), Source::Cli);
    }

    #[test]
    fn an_unknown_word_survives_the_round_trip() {
        for word in ["", "CLI", "robot", "it's \u{1f600}"] {
            let read = read(word);
            assert_eq!(read, Source::Other(word.to_owned()));
            assert_eq!(read.to_string(), word);
            assert_eq!(serde_json::to_value(&read).unwrap(), word);
        }
        assert!(serde_json::from_str::<Source>("7").is_err());
    }
}
