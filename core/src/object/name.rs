//! Which names a tree may hold, and the names that mean something to us.

/// The folder of a working copy that holds our own state; never part of a tree.
pub const STATE_DIR: &str = ".fastest";

/// The longest name that an entry may have, in bytes, as on every common file system.
pub const NAME_BYTES_MAX: usize = 255;

/// Whether a tree may hold this name.
pub fn name_is_allowed(name: &[u8]) -> bool {
    !name.is_empty()
        && name.len() <= NAME_BYTES_MAX
        && name != b"."
        && name != b".."
        && name != STATE_DIR.as_bytes()
        && !has_slash_or_nul(name)
}

/// Eight bytes at a time: every name of every node that is read passes here.
fn has_slash_or_nul(name: &[u8]) -> bool {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const HIGH: u64 = u64::from_le_bytes([0x80; 8]);
    // Nonzero if, and only if, some byte is zero.
    let zeros = |word: u64| word.wrapping_sub(ONES) & !word & HIGH;
    let in_word = |word: &[u8; 8]| {
        let word = u64::from_le_bytes(*word);
        zeros(word) | zeros(word ^ (ONES * u64::from(b'/'))) != 0
    };
    match name.last_chunk() {
        // The last eight bytes may have been looked at in part.
        Some(tail) => in_word(tail) || name.as_chunks().0.iter().any(in_word),
        None => name.iter().any(|byte| matches!(byte, 0 | b'/')),
    }
}

/// The names of ignore files, the weaker first.
pub const IGNORE_FILES: [&str; 2] = [".gitignore", ".fastestignore"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_no_tree_may_hold() {
        for bad in [&b""[..], b".", b"..", b"a/b", b"/", b"a\0", b".fastest", &[b'x'; 256]] {
            assert!(!name_is_allowed(bad), "{bad:?}");
        }
        for at in 0..40 {
            for bad in [0, b'/'] {
                let mut name = [b'.'; 40];
                name[at] = bad;
                assert!(!name_is_allowed(&name), "{bad} at {at}");
                assert!(!name_is_allowed(&name[..=at]), "{bad} at the end, {at}");
            }
            // One off either, and with the high bit.
            for good in [1, b'/' - 1, b'/' + 1, 0x80, b'/' | 0x80, 0xff] {
                let mut name = [1; 40];
                name[at] = good;
                assert!(name_is_allowed(&name), "{good} at {at}");
            }
        }
        for good in [&b"a"[..], b"...", b"\xff\xfe", b".fastest2", b" ", &[b'x'; 255]] {
            assert!(name_is_allowed(good), "{good:?}");
        }
    }
}
