//! Copies a caller's tree without files that would keep a peer from storing all the others.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::{Size, size_without};
use crate::error::{Error, Result};
use crate::measure::run;

/// Names that are removed from every folder of a copy, so that every peer has to store every file.
const LEFT_OUT: [&str; 8] =
    [".fastest", ".fastestignore", ".git", ".gitattributes", ".gitignore", ".hg", ".jj", ".svn"];

/// Copies a tree with its times and permissions, but without the state of version control systems
/// and their ignore rules. If `from` is a link, the folder that it points to is copied. Hard links
/// become separate files, so that changing one changes no other.
///
/// # Errors
///
/// If `cp` fails, `from` is not a folder, or the copy cannot be cleaned.
pub fn copy(from: &Path, to: &Path) -> Result<()> {
    let from = from.canonicalize().map_err(Error::at(from))?;
    run(Command::new("cp").args(["-a", "--no-preserve=links"]).arg(&from).arg(to))?;
    clear_of_rules(to)
}

/// Returns the size that a [`copy`] of the tree would have.
///
/// # Errors
///
/// If something in it cannot be read.
pub fn size_to_copy(from: &Path) -> Result<Size> {
    size_without(&from.canonicalize().map_err(Error::at(from))?, &LEFT_OUT)
}

/// Removes [`LEFT_OUT`] from a copy. Refuses anything but a real folder: the target of a link is
/// not ours to change.
fn clear_of_rules(copy: &Path) -> Result<()> {
    if !fs::symlink_metadata(copy).map_err(Error::at(copy))?.is_dir() {
        return Err(Error::Unusable(format!("{} is no folder", copy.display())));
    }
    let mut waiting = vec![copy.to_owned()];
    while let Some(folder) = waiting.pop() {
        for child in fs::read_dir(&folder).map_err(Error::at(&folder))? {
            let child = child.map_err(Error::at(&folder))?;
            let path = child.path();
            let is_folder = child.file_type().map_err(Error::at(&path))?.is_dir();
            if LEFT_OUT.iter().any(|name| child.file_name() == *name) {
                let gone =
                    if is_folder { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
                gone.map_err(Error::at(&path))?;
            } else if is_folder {
                waiting.push(path);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::folder::{count, list, size};
    use std::os::unix::fs::{MetadataExt, symlink};
    use std::path::PathBuf;

    /// A tree that includes state and rules; two folders and three files are its own.
    fn tree(folder: &Path) {
        fs::create_dir_all(folder.join("a/empty")).unwrap();
        fs::create_dir_all(folder.join("a/.git/objects")).unwrap();
        fs::write(folder.join("a/.gitignore"), "*").unwrap();
        fs::write(folder.join("a/file"), [7; 100_000]).unwrap();
        fs::hard_link(folder.join("a/file"), folder.join("a/same")).unwrap();
        symlink("a/file", folder.join("link")).unwrap();
    }

    #[test]
    fn a_copy_is_without_rules_of_what_to_ignore() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        tree(&from);
        copy(&from, &to).unwrap();
        let names: Vec<_> = list(&to).unwrap().into_keys().collect();
        assert_eq!(names, ["a", "a/empty", "a/file", "a/same", "link"].map(PathBuf::from));
        assert_eq!(count(&list(&to).unwrap()), (3, 2, 200_000));
        assert_eq!(fs::metadata(to.join("a/file")).unwrap().nlink(), 1);
        let (expected, made) = (size_to_copy(&from).unwrap(), size(&to).unwrap());
        assert_eq!((expected.bytes, expected.inodes), (made.bytes, made.inodes));
        assert_eq!((made.bytes, made.inodes), (200_000 + "a/file".len() as u64, 6));
    }

    #[test]
    fn what_a_link_names_is_copied_and_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let [real, link, to] = ["real", "link", "to"].map(|name| folder.path().join(name));
        tree(&real);
        symlink("real", &link).unwrap();
        copy(&link, &to).unwrap();
        assert!(real.join("a/.git/objects").is_dir() && real.join("a/.gitignore").is_file());
        assert!(!to.is_symlink() && to.join("a/file").is_file());
        assert!(!to.join("a/.git").exists() && !to.join("a/.gitignore").exists());
    }

    #[test]
    fn only_a_real_folder_is_cleared() {
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real"), folder.path().join("link"));
        tree(&real);
        symlink("real", &link).unwrap();
        for place in [&link, &real.join("a/file")] {
            let error = clear_of_rules(place).unwrap_err().to_string();
            assert!(error.ends_with("is no folder"), "{error}");
        }
        assert!(real.join("a/.git/objects").is_dir());
    }
}
