//! Ids: BLAKE3-256, and what exactly is hashed for each kind.
//!
//! | id | hash of |
//! |---|---|
//! | [`BlobId`] | the bytes of a file, a symlink's target, or a chunk; `b3sum FILE` prints it |
//! | [`TreeId`] | an encoded tree node, in `derive_key` mode with [`TREE_CONTEXT`] |
//! | [`ListId`] | an encoded chunk list, in `derive_key` mode with [`LIST_CONTEXT`] |
//! | [`PackId`] | the bytes of a pack file |
//!
//! The two contexts separate the kinds: no blob has the id of a tree node or of a chunk list.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasherDefault, Hasher};
use std::str::FromStr;
use std::sync::LazyLock;

/// The BLAKE3 `derive_key` context of tree nodes.
pub const TREE_CONTEXT: &str = "fastest 2026-11-21 tree node v1";
/// The BLAKE3 `derive_key` context of chunk lists.
pub const LIST_CONTEXT: &str = "fastest 2026-11-21 chunk list v1";

/// Length of every id in bytes.
pub const ID_BYTES: usize = 32;

/// The error for text that is not 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not an id: 64 hexadecimal digits are needed")]
pub struct ParseIdError {
    /// The text that was to be parsed.
    pub text: String,
}

macro_rules! id_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; ID_BYTES]);

        impl $name {
            /// Returns the 32 bytes.
            pub const fn as_bytes(&self) -> &[u8; ID_BYTES] {
                &self.0
            }

            /// Returns 64 lower-case hexadecimal digits.
            pub fn to_hex(&self) -> String {
                blake3::Hash::from_bytes(self.0).to_hex().to_string()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&blake3::Hash::from_bytes(self.0).to_hex())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let hex = blake3::Hash::from_bytes(self.0).to_hex();
                write!(f, "{}({})", stringify!($name), &hex[..12])
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                blake3::Hash::from_hex(text)
                    .map(|hash| Self(*hash.as_bytes()))
                    .map_err(|_| ParseIdError { text: text.to_owned() })
            }
        }
    };
}

id_type! {
    /// Names the bytes of a file, of a symlink's target, or of one chunk.
    BlobId
}
id_type! {
    /// Names an encoded tree node; the root's is the manifest hash.
    TreeId
}
id_type! {
    /// Names the list of chunks that make up a large file.
    ListId
}
id_type! {
    /// Names a pack file.
    PackId
}
id_type! {
    /// Names any stored object, whatever its kind.
    ObjectId
}

impl BlobId {
    /// Returns the id of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }
}

impl TreeId {
    /// Returns the id of an encoded tree node.
    pub fn of(encoded: &[u8]) -> Self {
        static KEYED: LazyLock<blake3::Hasher> =
            LazyLock::new(|| blake3::Hasher::new_derive_key(TREE_CONTEXT));
        Self(*KEYED.clone().update(encoded).finalize().as_bytes())
    }
}

impl ListId {
    /// Returns the id of an encoded chunk list.
    pub fn of(encoded: &[u8]) -> Self {
        static KEYED: LazyLock<blake3::Hasher> =
            LazyLock::new(|| blake3::Hasher::new_derive_key(LIST_CONTEXT));
        Self(*KEYED.clone().update(encoded).finalize().as_bytes())
    }
}

macro_rules! into_object_id {
    ($($name:ident),*) => {$(
        impl From<$name> for ObjectId {
            fn from(id: $name) -> Self {
                Self(id.0)
            }
        }
    )*};
}
into_object_id!(BlobId, TreeId, ListId);

/// A map keyed by the ids of objects whose bytes were hashed here. Ids that are only claimed need
/// the standard hasher: see [`IdHasher`].
pub(crate) type IdMap<Id, Value> = HashMap<Id, Value, BuildHasherDefault<IdHasher>>;

/// Uses the last eight bytes of an id as its hash, since an id is a hash already. Finding contents
/// whose ids share these bytes costs an attacker far more than the collisions cost us. An id that
/// is only claimed costs nothing to make up: such ids are kept in maps with the standard hasher.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct IdHasher(u64);

impl Hasher for IdHasher {
    fn write(&mut self, bytes: &[u8]) {
        let tail = bytes.last_chunk().expect("ids alone are hashed, and have 32 bytes");
        self.0 = u64::from_le_bytes(*tail);
    }

    /// Ignores the length prefix: all ids have the same length.
    fn write_usize(&mut self, _: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_of_the_same_bytes_differ() {
        let bytes = b"the same bytes";
        let ids = [BlobId::of(bytes).0, TreeId::of(bytes).0, ListId::of(bytes).0];
        assert!(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2]);
    }

    #[test]
    fn blob_id_is_what_b3sum_prints() {
        // `printf '' | b3sum`, and `printf abc | b3sum`
        assert_eq!(
            BlobId::of(b"").to_hex(),
            "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"
        );
        assert_eq!(
            BlobId::of(b"abc").to_hex(),
            "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85"
        );
    }

    #[test]
    fn text_round_trips_and_bad_text_is_refused() {
        let id = BlobId::of(b"x");
        assert_eq!(id.to_hex().parse(), Ok(id));
        for bad in ["", "00", "zz", &id.to_hex()[1..], "é"] {
            assert!(bad.parse::<BlobId>().is_err(), "{bad:?}");
        }
    }
}
