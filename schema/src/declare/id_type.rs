//! Typed ids, so that one kind of id cannot be passed where another is expected.

/// Declares id types, each a text that a column may hold.
///
/// Any text is a valid id: other programs create ids too, and a row with an unusual id must still
/// sync. A text is converted to an id (`From`) where it enters the program. No id type converts to
/// another, and none converts to `&str` implicitly.
///
/// ```
/// fastest_schema::id_type! {
///     /// The id of a note.
///     pub struct NoteId;
/// }
///
/// let id = NoteId::from("n1");
/// assert_eq!(id.as_str(), "n1");
/// assert_eq!(id.to_string(), "n1");
/// assert_eq!(serde_json::to_string(&id)?, r#""n1""#);
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// ```compile_fail
/// # fastest_schema::id_type! { struct NoteId; }
/// # fastest_schema::id_type! { struct UserId; }
/// let id: NoteId = UserId::from("u1").into();
/// ```
#[macro_export]
macro_rules! id_type {
    ($($(#[$attribute:meta])* $visibility:vis struct $name:ident;)+) => {$(
        $(#[$attribute])*
        #[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $visibility struct $name(::std::string::String);

        impl $name {
            /// Returns the id as text.
            $visibility fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl ::std::convert::From<::std::string::String> for $name {
            fn from(text: ::std::string::String) -> $name {
                $name(text)
            }
        }

        impl ::std::convert::From<&str> for $name {
            fn from(text: &str) -> $name {
                $name(::std::convert::Into::into(text))
            }
        }

        impl ::std::convert::From<$name> for ::std::string::String {
            fn from(id: $name) -> ::std::string::String {
                id.0
            }
        }

        impl ::std::convert::AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl ::std::cmp::PartialEq<str> for $name {
            fn eq(&self, text: &str) -> bool {
                self.0 == text
            }
        }

        impl ::std::cmp::PartialEq<&str> for $name {
            fn eq(&self, text: &&str) -> bool {
                self.0 == *text
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                ::std::fmt::Display::fmt(&self.0, formatter)
            }
        }

        impl ::std::fmt::Debug for $name {
            fn fmt(&self, formatter: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                ::std::fmt::Debug::fmt(&self.0, formatter)
            }
        }

        impl $crate::declare::macro_support::serde::Serialize for $name {
            fn serialize<S: $crate::declare::macro_support::serde::Serializer>(
                &self,
                serializer: S,
            ) -> ::std::result::Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> $crate::declare::macro_support::serde::Deserialize<'de> for $name {
            fn deserialize<D: $crate::declare::macro_support::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::std::result::Result<$name, D::Error> {
                let text: ::std::string::String =
                    $crate::declare::macro_support::serde::Deserialize::deserialize(deserializer)?;
                ::std::result::Result::Ok($name(text))
            }
        }

        impl $crate::declare::macro_support::ColumnType for $name {
            const KIND: $crate::declare::macro_support::Kind = $crate::declare::macro_support::Kind::Text;
        }

        $crate::declare::id_in_sqlite::id_in_sqlite!($name);
    )+};
}

pub(crate) use id_type;
