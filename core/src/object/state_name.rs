//! The names of state folders: those of version control systems, and Fastest's own.
//!
//! They are never content and never written, whatever a rule or a tree says. Trees of earlier
//! builds may have such entries: these trees decode, and the entries are skipped.

use crate::object::name::STATE_DIR;

/// The state folders of other version control systems, each with the names in it that mark it as a
/// repository. A folder of such a name without them may be content if git tracks it: tools keep
/// test data there.
pub(crate) const OTHERS: [(&[u8], &[&str]); 3] = [
    (b".hg", &["requires", "store", "00changelog.i"]),
    (b".jj", &["repo"]),
    (b".svn", &["wc.db", "entries", "format"]),
];

/// Returns whether a name is that of git's state folder or ours, in any spelling that a common file
/// system treats as equal: other case, code points that HFS+ ignores, endings that NTFS ignores,
/// NTFS's short names. Follows git's `is_hfs_dotgit` and `is_ntfs_dotgit`.
pub(crate) fn is_state_name(name: &[u8]) -> bool {
    // Fast path: for almost every name the check ends here.
    let may_be = match name.first() {
        Some(b'.') => name
            .get(1)
            .is_none_or(|&byte| matches!(byte, b'g' | b'G' | b'f' | b'F') || byte >= 0x80),
        Some(b'g' | b'G' | b'f' | b'F') => name.contains(&b'~'),
        Some(&byte) => byte >= 0x80,
        None => false,
    };
    may_be && (folds_to(name, ".git", "git~1") || folds_to(name, STATE_DIR, "fastes~1"))
}

fn folds_to(name: &[u8], state: &str, short: &str) -> bool {
    let ntfs = name.split(|&byte| byte == b':').next().unwrap_or(name);
    let end = ntfs.iter().rposition(|byte| !matches!(byte, b' ' | b'.')).map_or(0, |at| at + 1);
    let ntfs = &ntfs[..end];
    ntfs.eq_ignore_ascii_case(state.as_bytes())
        || ntfs.eq_ignore_ascii_case(short.as_bytes())
        || str::from_utf8(name).is_ok_and(|name| {
            let seen = name.chars().filter(|letter| !hfs_ignores(*letter));
            seen.flat_map(char::to_lowercase).eq(state.chars())
        })
}

/// Code points that HFS+ ignores in names.
fn hfs_ignores(letter: char) -> bool {
    matches!(letter,
        '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}')
}

/// Returns whether a name is that of the state folder of a version control system other than git.
pub(crate) fn is_name_of_others(name: &[u8]) -> bool {
    OTHERS.iter().any(|(other, _)| other.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    pub(crate) fn every_spelling_of_a_state_folder_is_known() {
        for name in [
            ".git",
            ".GIT",
            ".Git",
            ".git ",
            ".git.",
            ".git. .",
            ".git::$INDEX_ALLOCATION",
            ".git:x",
            "git~1",
            "GIT~1",
            ".g\u{200c}it",
            "\u{feff}.git",
            ".gi\u{206f}t",
            ".fastest",
            ".FASTEST",
            ".Fastest.",
            "fastes~1",
            ".fast\u{200d}est",
            ".git .:x",
        ] {
            assert!(is_state_name(name.as_bytes()), "{name:?}");
        }
        for name in [
            ".gitignore",
            ".github",
            "git",
            ".git2",
            ".gitx.",
            "git~2",
            "git~10",
            ".g",
            ".",
            "..",
            "",
            "fastest",
            ".fastest2",
            ".fastestignore",
            "git ~1",
            ". git",
            ".gi",
            "x.git",
            ".g\u{e9}t",
        ] {
            assert!(!is_state_name(name.as_bytes()), "{name:?}");
        }
        assert!(!is_state_name(b".\xffgit") && !is_state_name(b"\xff"));
    }
}
