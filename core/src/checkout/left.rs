//! Paths of the working copy's tree that are not in its folder, since something else stands there.
//!
//! A pull brings what it can, and notes here what it could not. A scan takes such a path to be as the
//! head has it, whatever stands there; each later checkout tries again. `docs/formats-workspace.md`
//! gives the encoding.

use std::io;

use crate::id::ID_BYTES;
use crate::state_dir::StateDir;
use crate::varint;

/// Version of the file.
pub const LEFT_VERSION: u32 = 1;
const MAGIC: &[u8; 8] = b"FSTLEFTS";

/// A path that was left as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// Relative to the root.
    pub path: Vec<u8>,
    /// The content of the ignore file that stands there, of an earlier tree: it is replaced once
    /// nothing is left that it hides. `None` for what stands in the way.
    pub stood: Option<[u8; ID_BYTES]>,
}

impl Left {
    /// What the last checkout left.
    ///
    /// # Errors
    /// Where the file cannot be read, or is damaged: without it, what stands in the way of content
    /// would be taken for content.
    pub fn load(state: &StateDir) -> io::Result<Vec<Self>> {
        match std::fs::read(state.left()) {
            Ok(bytes) => decode(&bytes).ok_or_else(|| {
                io::Error::new(io::ErrorKind::InvalidData, "it is damaged, or of a newer version")
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Notes what is left, durably.
    pub(super) fn save(state: &StateDir, left: &[Self]) -> io::Result<()> {
        if !left.is_empty() {
            return state.replace(&state.left(), &encode(left));
        }
        match std::fs::remove_file(state.left()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

fn encode(left: &[Left]) -> Vec<u8> {
    let mut bytes = [&MAGIC[..], &LEFT_VERSION.to_le_bytes()].concat();
    varint::put(&mut bytes, left.len() as u64);
    for Left { path, stood } in left {
        varint::put(&mut bytes, path.len() as u64);
        bytes.extend_from_slice(path);
        bytes.push(u8::from(stood.is_some()));
        bytes.extend_from_slice(stood.as_ref().map_or(&[], |id| &id[..]));
    }
    let checksum = blake3::hash(&bytes);
    bytes.extend_from_slice(checksum.as_bytes());
    bytes
}

fn decode(bytes: &[u8]) -> Option<Vec<Left>> {
    let (body, checksum) = bytes.split_at_checked(bytes.len().checked_sub(ID_BYTES)?)?;
    let rest = body.strip_prefix(MAGIC)?.strip_prefix(&LEFT_VERSION.to_le_bytes())?;
    if blake3::hash(body).as_bytes()[..] != *checksum {
        return None;
    }
    let mut rest = rest;
    let count = varint::take(&mut rest)?;
    let mut left = Vec::new();
    for _ in 0..count {
        let length = usize::try_from(varint::take(&mut rest)?).ok()?;
        let (path, tail) = rest.split_at_checked(length)?;
        let (&tag, tail) = tail.split_first()?;
        let (stood, tail) = match tag {
            0 => (None, tail),
            1 => {
                let (id, tail) = tail.split_first_chunk::<ID_BYTES>()?;
                (Some(*id), tail)
            }
            _ => return None,
        };
        left.push(Left { path: path.to_vec(), stood });
        rest = tail;
    }
    rest.is_empty().then_some(left)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_encoding_is_frozen() {
        let left = [
            Left { path: b"a/b".to_vec(), stood: None },
            Left { path: b".gitignore".to_vec(), stood: Some([0x22; 32]) },
        ];
        let bytes = encode(&left);
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let frozen = [
            "4653544c45465453010000000203612f62000a2e67697469676e6f7265012222222222222222",
            "22222222222222222222222222222222222222222222222207a2fa58aae5fd2e26b719aeb1c9",
            "5332a2fbaa79ba7f622ccca842f3f669d9db",
        ];
        assert_eq!(hex, frozen.concat());
        assert_eq!(decode(&bytes).as_deref(), Some(&left[..]));
        for at in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1;
            assert_eq!(decode(&flipped), None, "flipped at {at}");
            assert_eq!(decode(&bytes[..at]), None, "cut at {at}");
        }
    }
}
