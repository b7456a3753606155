//! Shows paths as text, and reads paths that users give.

use std::fmt::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path};

use crate::error::SyncError;

/// Returns a path as text for people and for JSON. Bytes that are not UTF-8 become `\xNN`, control
/// characters `\n`, `\t`, `\u{…}` and so on, and a backslash `\\`, so that no two paths look the
/// same.
pub fn show(path: &[u8]) -> String {
    let mut out = String::with_capacity(path.len());
    for chunk in path.utf8_chunks() {
        for letter in chunk.valid().chars() {
            match letter {
                '\\' => out.push_str("\\\\"),
                letter if letter.is_control() => out.extend(letter.escape_default()),
                letter => out.push(letter),
            }
        }
        for byte in chunk.invalid() {
            write!(out, "\\x{byte:02x}").expect("a string takes all text");
        }
    }
    out
}

/// Returns each path as [`show`] does.
pub fn show_all(paths: &[Vec<u8>]) -> Vec<String> {
    paths.iter().map(|path| show(path)).collect()
}

/// Makes a user's path, which is absolute or relative to `base`, relative to `root`, which is
/// canonical. Links on the way to the root are followed, as the system does. Links below the root
/// are not: there, a link is content. The path need not exist.
pub(crate) fn within(root: &Path, base: &Path, path: &Path) -> Result<Vec<u8>, SyncError> {
    let mut at = base.canonicalize().map_err(SyncError::io("open", base))?;
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => drop(at.pop()),
            Component::RootDir | Component::Prefix(_) => at.push("/"),
            Component::Normal(name) => {
                at.push(name);
                if !at.starts_with(root)
                    && let Ok(real) = at.canonicalize()
                {
                    at = real;
                }
            }
        }
    }
    match at.strip_prefix(root) {
        Ok(relative) => Ok(relative.as_os_str().as_bytes().to_vec()),
        Err(_) => Err(SyncError::OutsidePath { path: show(path.as_os_str().as_bytes()) }),
    }
}

#[cfg(test)]
mod tests {
    use super::{show, within};
    use std::os::unix::fs::symlink;

    #[test]
    fn links_lead_to_the_root_and_are_content_below_it() {
        let folder = tempfile::tempdir().unwrap();
        let top = folder.path().canonicalize().unwrap();
        let root = top.join("real/copy");
        std::fs::create_dir_all(root.join("sub")).unwrap();
        symlink("real", top.join("link")).unwrap();
        symlink("real/copy/sub", top.join("into")).unwrap();
        symlink("sub", root.join("inner")).unwrap();
        let check = |base: &str, path: &str, expect: Option<&str>| {
            let path = path.replace("TOP", top.to_str().unwrap());
            let found = within(&root, &top.join(base), path.as_ref()).ok();
            let found = found.map(|found| String::from_utf8(found).unwrap());
            assert_eq!(found.as_deref(), expect, "{path} from {base}");
        };
        for base in ["real/copy", "link/copy", "link/copy/../copy"] {
            check(base, "gone/f", Some("gone/f"));
            check(base, "TOP/link/copy/gone/f", Some("gone/f"));
            check(base, "TOP/real/../link/./copy/f", Some("f"));
            check(base, "../copy/f", Some("f"));
            check(base, "inner/f", Some("inner/f"));
            check(base, "TOP/into/f", Some("sub/f"));
            check(base, "TOP/into/../f", Some("f"));
            check(base, "TOP/link/copy", Some(""));
            check(base, "../f", None);
            check(base, "TOP/link/other/f", None);
            check(base, "TOP/link/copy-2/f", None);
        }
        check("into", "f", Some("sub/f"));
    }

    #[test]
    fn no_two_paths_look_the_same() {
        let paths: [(&[u8], &str); 6] = [
            (b"src/main.rs", "src/main.rs"),
            ("caf\u{e9}".as_bytes(), "caf\u{e9}"),
            (b"caf\xe9", "caf\\xe9"),
            (b"caf\\xe9", "caf\\\\xe9"),
            (b"a\nb\x1b[1m", "a\\nb\\u{1b}[1m"),
            (b"", ""),
        ];
        for (path, text) in paths {
            assert_eq!(show(path), text);
        }
    }
}
