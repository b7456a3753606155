//! Paths that a checkout could not bring to what the tree has, and left as it found them.
//!
//! A pull brings what it can, and records here what it could not. A scan takes such a path to be as
//! the head has it, whatever stands there; each later checkout tries again. The encoding is in
//! `docs/formats-workspace.md`.

use std::fmt;
use std::io;

use crate::id::ID_BYTES;
use crate::state_dir::StateDir;
use crate::varint;

/// Version of the file.
pub const LEFT_VERSION: u32 = 2;
const MAGIC: &[u8; 8] = b"FSTLEFTS";

/// A path that was left as it was found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Left {
    /// Relative to the root.
    pub path: Vec<u8>,
    /// Why.
    pub why: LeftWhy,
}

/// Why a path was left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LeftWhy {
    /// Something else stands there, or where one of its parents should be.
    InTheWay,
    /// A SQLite database that an application has open.
    InUse,
    /// Permissions forbid reading it, or writing in its folder.
    Denied,
    /// A working copy or repository of its own.
    OfItsOwn,
}

impl fmt::Display for LeftWhy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InTheWay => {
                "something that is not part of the project stands there; move or rename it, and \
                 pull again"
            }
            Self::InUse => "an application has this database open; close it, and pull again",
            Self::Denied => {
                "permissions forbid reading or replacing it; change them, and pull again"
            }
            Self::OfItsOwn => "it is a working copy or a repository of its own",
        })
    }
}

impl LeftWhy {
    fn tag(self) -> u8 {
        match self {
            Self::InTheWay => 0,
            Self::InUse => 2,
            Self::Denied => 3,
            Self::OfItsOwn => 4,
        }
    }
}

/// Returns what earlier checkouts left, sorted by path.
///
/// # Errors
/// Where the file cannot be read, or is damaged: without it, what stands in the way of content
/// would be taken for content.
pub fn load(state: &StateDir) -> io::Result<Vec<Left>> {
    match std::fs::read(state.left()) {
        Ok(bytes) => decode(&bytes).ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::InvalidData,
                "it is damaged, or of a newer version; delete it, and what stands at the paths \
                 that it listed counts as edits: look at `fastest status` before the next push",
            )
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// Records what is left, durably.
///
/// # Errors
/// Where the file cannot be written.
pub fn save(state: &StateDir, left: &[Left]) -> io::Result<()> {
    if !left.is_empty() {
        let mut sorted = left.to_vec();
        sorted.sort_unstable();
        sorted.dedup_by(|a, b| a.path == b.path);
        return state.replace(&state.left(), &encode(&sorted));
    }
    match std::fs::remove_file(state.left()) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Whether `path` is among `left`, which is sorted.
pub fn is_left(left: &[Left], path: &[u8]) -> bool {
    left.binary_search_by(|left| left.path.as_slice().cmp(path)).is_ok()
}

/// Whether `path` or a folder above it is among `left`, which is sorted.
pub fn is_in_left(left: &[Left], path: &[u8]) -> bool {
    let slashes = path.iter().enumerate().filter(|(_, byte)| **byte == b'/');
    let ends = slashes.map(|(slash, _)| slash).chain([path.len()]);
    ends.into_iter().any(|end| is_left(left, &path[..end]))
}

fn encode(left: &[Left]) -> Vec<u8> {
    let mut bytes = [&MAGIC[..], &LEFT_VERSION.to_le_bytes()].concat();
    varint::put(&mut bytes, left.len() as u64);
    for Left { path, why } in left {
        varint::put(&mut bytes, path.len() as u64);
        bytes.extend_from_slice(path);
        bytes.push(why.tag());
    }
    let checksum = blake3::hash(&bytes);
    bytes.extend_from_slice(checksum.as_bytes());
    bytes
}

/// Version 1 had two tags: 0, and 1 with the id of what stood there.
fn decode(bytes: &[u8]) -> Option<Vec<Left>> {
    let (body, checksum) = bytes.split_at_checked(bytes.len().checked_sub(ID_BYTES)?)?;
    let (version, mut rest) = body.strip_prefix(MAGIC)?.split_first_chunk::<4>()?;
    let is_known = (1..=LEFT_VERSION).contains(&u32::from_le_bytes(*version));
    if !is_known || blake3::hash(body).as_bytes()[..] != *checksum {
        return None;
    }
    let count = varint::take(&mut rest)?;
    let mut left = Vec::new();
    for _ in 0..count {
        let length = usize::try_from(varint::take(&mut rest)?).ok()?;
        let (path, tail) = rest.split_at_checked(length)?;
        let (&tag, tail) = tail.split_first()?;
        let (why, tail) = match tag {
            0 => (LeftWhy::InTheWay, tail),
            1 => (LeftWhy::InTheWay, tail.split_first_chunk::<ID_BYTES>()?.1),
            2 => (LeftWhy::InUse, tail),
            3 => (LeftWhy::Denied, tail),
            4 => (LeftWhy::OfItsOwn, tail),
            _ => return None,
        };
        left.push(Left { path: path.to_vec(), why });
        rest = tail;
    }
    left.sort_unstable();
    rest.is_empty().then_some(left)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from_hex(hex: &str) -> Vec<u8> {
        let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
        (0..hex.len()).step_by(2).map(byte).collect()
    }

    #[test]
    fn files_of_version_1_are_read() {
        let frozen = [
            "4653544c45465453010000000203612f62000a2e67697469676e6f7265012222222222222222",
            "22222222222222222222222222222222222222222222222207a2fa58aae5fd2e26b719aeb1c9",
            "5332a2fbaa79ba7f622ccca842f3f669d9db",
        ];
        let why = LeftWhy::InTheWay;
        let left = [&b".gitignore"[..], b"a/b"].map(|path| Left { path: path.to_vec(), why });
        assert_eq!(decode(&from_hex(&frozen.concat())).as_deref(), Some(&left[..]));
    }

    #[test]
    fn the_encoding_is_frozen() {
        let all = [LeftWhy::InTheWay, LeftWhy::InUse, LeftWhy::Denied, LeftWhy::OfItsOwn];
        let left = all.map(|why| Left { path: vec![b'a', b'0' + why.tag()], why });
        let bytes = encode(&left);
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let body = "4653544c45465453020000000402613000026132020261330302613404".to_owned();
        let checksum = "9e42a63a30811ea4abe13aab6e7b9615020d82c3fdfab0c5f7bbf9ebc8fb860c";
        assert_eq!(hex, body + checksum);
        assert_eq!(decode(&bytes).as_deref(), Some(&left[..]));
        for at in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1;
            assert_eq!(decode(&flipped), None, "flipped at {at}");
            assert_eq!(decode(&bytes[..at]), None, "cut at {at}");
        }
    }

    #[test]
    fn what_lies_below_a_left_folder_is_in_it() {
        let left = [Left { path: b"a/b".to_vec(), why: LeftWhy::InTheWay }];
        for (path, is, is_in) in [
            ("a", false, false),
            ("a/b", true, true),
            ("a/b/c", false, true),
            ("a/bc", false, false),
        ] {
            assert_eq!(is_left(&left, path.as_bytes()), is, "{path}");
            assert_eq!(is_in_left(&left, path.as_bytes()), is_in, "{path}");
        }
    }
}
