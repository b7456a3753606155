//! Paths that a checkout could not change to the tree's version, and left as it found them.
//!
//! A pull changes what it can, and records here what it could not change. For a scan such a path
//! has the head's version, whatever is really there. Each later checkout tries again.
//! `docs/formats-workspace.md` specifies the encoding.

use std::fmt;
use std::io;

use crate::object::id::ID_BYTES;
use crate::object::varint;
use crate::worktree::state_dir::{LEFT, StateDir};

/// Version of the file's encoding.
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
    /// Something else is there, or in the place of one of its parents.
    InTheWay,
    /// It is a SQLite database that an application has open.
    InUse,
    /// Permissions forbid reading it, or writing to its folder.
    Denied,
    /// It is a working copy or repository of its own.
    NestedRepo,
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
            Self::NestedRepo => "it is a working copy or a repository of its own",
        })
    }
}

impl LeftWhy {
    fn tag(self) -> u8 {
        match self {
            Self::InTheWay => 0,
            Self::InUse => 2,
            Self::Denied => 3,
            Self::NestedRepo => 4,
        }
    }
}

/// Returns what earlier checkouts left, sorted by path.
///
/// # Errors
/// If the file cannot be read, or is damaged. Without the list, whatever is in the way of
/// content would be taken for content.
pub fn load(state: &StateDir) -> io::Result<Vec<Left>> {
    let Some(bytes) = state.read(LEFT)? else { return Ok(Vec::new()) };
    let Some(lists) = decode(&bytes) else {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "it is damaged, or of a newer version; delete it, and what stands at the paths that it \
             listed counts as edits: look at `fastest status` before the next push",
        ));
    };
    match lists.next {
        Some(next) if state.head()?.is_some_and(|head| head.as_bytes() == next.head) => {
            Ok(next.left)
        }
        _ => Ok(lists.now),
    }
}

/// Saves the list, durably.
///
/// # Errors
/// If the file cannot be written.
pub fn save(state: &StateDir, left: &[Left]) -> io::Result<()> {
    if !left.is_empty() {
        return state.replace(LEFT, &encode(&Lists { now: sorted(left), next: None }));
    }
    state.remove(LEFT)
}

/// Saves two lists: one that is valid now, and one that will be valid once the working copy is
/// based on `head`. So the list matches the tree whether or not a crash comes before the head is
/// saved.
pub(crate) fn save_both(
    state: &StateDir,
    now: &[Left],
    head: &[u8],
    then: &[Left],
) -> io::Result<()> {
    let next = Some(Next { head: head.to_vec(), left: sorted(then) });
    state.replace(LEFT, &encode(&Lists { now: sorted(now), next }))
}

fn sorted(left: &[Left]) -> Vec<Left> {
    let mut sorted = left.to_vec();
    sorted.sort_unstable();
    sorted.dedup_by(|a, b| a.path == b.path);
    sorted
}

/// The content of the file.
#[derive(Debug, PartialEq, Eq)]
struct Lists {
    now: Vec<Left>,
    next: Option<Next>,
}

/// The list that is valid once the working copy is based on `head`.
#[derive(Debug, PartialEq, Eq)]
struct Next {
    head: Vec<u8>,
    left: Vec<Left>,
}

/// Returns whether `path` is in `left`, which is sorted.
pub fn is_left(left: &[Left], path: &[u8]) -> bool {
    left.binary_search_by(|left| left.path.as_slice().cmp(path)).is_ok()
}

/// Returns whether `path` or a folder above it is in `left`, which is sorted.
pub fn is_in_left(left: &[Left], path: &[u8]) -> bool {
    let slashes = path.iter().enumerate().filter(|(_, byte)| **byte == b'/');
    let ends = slashes.map(|(slash, _)| slash).chain([path.len()]);
    ends.into_iter().any(|end| is_left(left, &path[..end]))
}

fn encode(lists: &Lists) -> Vec<u8> {
    let mut bytes = [&MAGIC[..], &LEFT_VERSION.to_le_bytes()].concat();
    put_list(&mut bytes, &lists.now);
    bytes.push(u8::from(lists.next.is_some()));
    if let Some(next) = &lists.next {
        varint::put(&mut bytes, next.head.len() as u64);
        bytes.extend_from_slice(&next.head);
        put_list(&mut bytes, &next.left);
    }
    let checksum = blake3::hash(&bytes);
    bytes.extend_from_slice(checksum.as_bytes());
    bytes
}

/// Decodes a file, and encodes it again: for fuzzing.
pub(crate) fn reencoded(bytes: &[u8]) -> Option<Vec<u8>> {
    decode(bytes).map(|lists| encode(&lists))
}

fn put_list(bytes: &mut Vec<u8>, left: &[Left]) {
    varint::put(bytes, left.len() as u64);
    for Left { path, why } in left {
        varint::put(bytes, path.len() as u64);
        bytes.extend_from_slice(path);
        bytes.push(why.tag());
    }
}

/// Version 1 had one list and two tags: 0, and 1 followed by the id of what was there.
fn decode(bytes: &[u8]) -> Option<Lists> {
    let (body, checksum) = bytes.split_at_checked(bytes.len().checked_sub(ID_BYTES)?)?;
    let (version, mut rest) = body.strip_prefix(MAGIC)?.split_first_chunk::<4>()?;
    let version = u32::from_le_bytes(*version);
    let is_known = (1..=LEFT_VERSION).contains(&version);
    if !is_known || blake3::hash(body).as_bytes()[..] != *checksum {
        return None;
    }
    let now = take_list(&mut rest)?;
    let has_next = version > 1 && take_byte(&mut rest)? == 1;
    let next = if has_next {
        let head = take_bytes(&mut rest)?.to_vec();
        Some(Next { head, left: take_list(&mut rest)? })
    } else {
        None
    };
    rest.is_empty().then_some(Lists { now, next })
}

fn take_byte(rest: &mut &[u8]) -> Option<u8> {
    let (&byte, tail) = rest.split_first()?;
    *rest = tail;
    Some(byte)
}

fn take_bytes<'b>(rest: &mut &'b [u8]) -> Option<&'b [u8]> {
    let length = usize::try_from(varint::take(rest)?).ok()?;
    let (bytes, tail) = rest.split_at_checked(length)?;
    *rest = tail;
    Some(bytes)
}

fn take_list(rest: &mut &[u8]) -> Option<Vec<Left>> {
    let count = varint::take(rest)?;
    let mut left = Vec::new();
    for _ in 0..count {
        let path = take_bytes(rest)?.to_vec();
        let why = match take_byte(rest)? {
            0 => LeftWhy::InTheWay,
            1 => {
                *rest = rest.get(ID_BYTES..)?;
                LeftWhy::InTheWay
            }
            2 => LeftWhy::InUse,
            3 => LeftWhy::Denied,
            4 => LeftWhy::NestedRepo,
            _ => return None,
        };
        left.push(Left { path, why });
    }
    left.sort_unstable();
    Some(left)
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
        let lists = Lists { now: left.to_vec(), next: None };
        assert_eq!(decode(&from_hex(&frozen.concat())), Some(lists));
    }

    #[test]
    fn the_encoding_is_frozen() {
        let all = [LeftWhy::InTheWay, LeftWhy::InUse, LeftWhy::Denied, LeftWhy::NestedRepo];
        let left = all.map(|why| Left { path: vec![b'a', b'0' + why.tag()], why });
        let next = Next { head: b"snap".to_vec(), left: left[..1].to_vec() };
        let lists = Lists { now: left.to_vec(), next: Some(next) };
        let bytes = encode(&lists);
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let now = "4653544c45465453020000000402613000026132020261330302613404";
        let next = "0104736e61700102613000";
        let checksum = "221aa820c20534eb2134c51f60efabe31556c9989e4a0adaeedc89d40cdecb2d";
        assert_eq!(hex, [now, next, checksum].concat());
        assert_eq!(decode(&bytes), Some(lists));
        for at in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1;
            assert_eq!(decode(&flipped), None, "flipped at {at}");
            assert_eq!(decode(&bytes[..at]), None, "cut at {at}");
        }
    }

    #[test]
    fn the_list_that_counts_is_that_of_the_head() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateDir::of(folder.path());
        std::fs::create_dir(state.path()).unwrap();
        let left = |name: &str| Left { path: name.into(), why: LeftWhy::InTheWay };
        save_both(&state, &[left("b"), left("a")], b"snap-2", &[left("c")]).unwrap();
        assert_eq!(load(&state).unwrap(), [left("a"), left("b")]);
        std::fs::write(state.path().join("head"), "snap-1\n").unwrap();
        assert_eq!(load(&state).unwrap(), [left("a"), left("b")]);
        std::fs::write(state.path().join("head"), "snap-2\n").unwrap();
        assert_eq!(load(&state).unwrap(), [left("c")]);
        save(&state, &[]).unwrap();
        assert!(!state.left().exists());
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
