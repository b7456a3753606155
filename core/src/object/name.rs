//! Which names the entries of a tree may have, and which names have a special meaning.

/// The folder of a working copy that holds Fastest's own state. Never part of a tree.
pub const STATE_DIR: &str = ".fastest";

/// The longest name of an entry, in bytes: the limit of every common file system.
pub const NAME_BYTES_MAX: usize = 255;

/// Returns whether a tree may have an entry of this name.
pub(crate) fn name_is_allowed(name: &[u8]) -> bool {
    !name.is_empty()
        && name.len() <= NAME_BYTES_MAX
        && name != b"."
        && name != b".."
        && name != STATE_DIR.as_bytes()
        && !has_slash_or_nul(name)
}

/// Checks eight bytes at a time, because this runs for every name in every node that is read.
fn has_slash_or_nul(name: &[u8]) -> bool {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const HIGH: u64 = u64::from_le_bytes([0x80; 8]);
    // Nonzero if and only if some byte is zero.
    let zeros = |word: u64| word.wrapping_sub(ONES) & !word & HIGH;
    let in_word = |word: &[u8; 8]| {
        let word = u64::from_le_bytes(*word);
        zeros(word) | zeros(word ^ (ONES * u64::from(b'/'))) != 0
    };
    match name.last_chunk() {
        // The last eight bytes may overlap the words before them.
        Some(tail) => in_word(tail) || name.as_chunks().0.iter().any(in_word),
        None => name.iter().any(|byte| matches!(byte, 0 | b'/')),
    }
}

/// The names of ignore files. Rules of the second override those of the first.
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
            // Values next to both bytes, also with the high bit set.
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
