//! Names for the second version of a conflict, which is put beside the first.

use std::collections::BTreeSet;

use crate::compare::cut::cut_between_letters;
use crate::object::name::NAME_BYTES_MAX;

/// Returns a free name for the second version: `name.conflict-label.extension`, with a number where
/// that is taken.
pub(crate) fn name_aside(name: &[u8], label: &str, taken: &BTreeSet<Vec<u8>>) -> Vec<u8> {
    let dot = name.iter().rposition(|&byte| byte == b'.').filter(|&at| at > 0);
    let (stem, ending) = name.split_at(dot.unwrap_or(name.len()));
    (1..)
        .map(|number| {
            let mark = match number {
                1 => format!(".conflict-{label}"),
                number => format!(".conflict-{label}-{number}"),
            };
            let ending = if ending.len() + mark.len() < NAME_BYTES_MAX / 2 { ending } else { b"" };
            let room = NAME_BYTES_MAX - mark.len() - ending.len();
            [cut_between_letters(stem, room), mark.as_bytes(), ending].concat()
        })
        .find(|aside| !taken.contains(aside))
        .expect("numbers do not end before free names are found")
}

/// Returns the original of a name that looks like a result of [`name_aside`]. If the original had
/// to be cut, it cannot be recovered.
pub(crate) fn original_of(name: &[u8]) -> Option<Vec<u8>> {
    const MARK: &[u8] = b".conflict-";
    let at = name.windows(MARK.len()).rposition(|part| part == MARK)?;
    let rest = &name[at + MARK.len()..];
    let ending = rest.iter().position(|&byte| byte == b'.').map_or(&[][..], |dot| &rest[dot..]);
    Some([&name[..at], ending].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_aside_tells_beside_which_it_was_put() {
        for name in ["f", "f.txt", "a.b.txt", ".env", "f.conflict-x.txt"] {
            let aside = name_aside(name.as_bytes(), "main-01JABC", &BTreeSet::new());
            assert_eq!(original_of(&aside).unwrap(), name.as_bytes());
            let second = name_aside(name.as_bytes(), "main-01JABC", &BTreeSet::from([aside]));
            assert_eq!(original_of(&second).unwrap(), name.as_bytes());
        }
        assert_eq!(original_of(b"f.txt"), None);
    }

    #[test]
    fn a_name_aside_is_allowed_however_long_the_name() {
        for name in ["x".repeat(255), format!("a.{}", "y".repeat(253)), ".hidden".into()] {
            let aside = name_aside(name.as_bytes(), "main-01JABC", &BTreeSet::new());
            assert!(crate::object::name::name_is_allowed(&aside), "{name}");
        }
    }
}
