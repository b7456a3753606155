//! Generated trees on disk, which are the same on every machine.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// Files in each folder.
pub const FILES_PER_FOLDER: u64 = 16;
/// Subfolders of each folder that has subfolders.
const FOLDERS_PER_FOLDER: u64 = 50;

/// An incompressible sequence of numbers (SplitMix64), always the same for the same seed.
#[derive(Debug, Clone)]
pub struct Numbers(u64);

impl Numbers {
    /// The sequence of this seed.
    pub fn of(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// The next `length` bytes.
    pub fn bytes(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(length + 8);
        while bytes.len() < length {
            bytes.extend(self.draw().to_le_bytes());
        }
        bytes.truncate(length);
        bytes
    }
}

/// Returns the path of file `number` in a generated tree: 16 files per folder, 50 folders per group,
/// and 50 groups per part.
pub fn path(number: u64) -> PathBuf {
    let folder = number / FILES_PER_FOLDER;
    let (high, middle) =
        (folder / (FOLDERS_PER_FOLDER * FOLDERS_PER_FOLDER), folder / FOLDERS_PER_FOLDER);
    let (middle, low) = (middle % FOLDERS_PER_FOLDER, folder % FOLDERS_PER_FOLDER);
    let file = number % FILES_PER_FOLDER;
    PathBuf::from(format!("part{high:02}/group{middle:02}/folder{low:02}/file{file:02}.txt"))
}

/// Creates `files` files whose contents are generated from their numbers. Each has at least `bytes.0`
/// and less than `bytes.1` bytes.
///
/// # Errors
///
/// If one cannot be written.
pub fn tree(root: &Path, files: u64, bytes: (u64, u64)) -> Result<()> {
    for number in 0..files {
        let path = root.join(path(number));
        if number.is_multiple_of(FILES_PER_FOLDER) {
            let folder = path.parent().unwrap_or(root);
            fs::create_dir_all(folder).map_err(Error::at(folder))?;
        }
        fs::write(&path, text(number, bytes)).map_err(Error::at(&path))?;
    }
    Ok(())
}

/// Returns lines of hexadecimal numbers, which compress to about half their size.
fn text(seed: u64, (least, below): (u64, u64)) -> String {
    let mut numbers = Numbers::of(seed);
    let length = (least + numbers.draw() % (below - least)) as usize;
    let mut text = String::with_capacity(length + 20);
    while text.len() < length {
        text += &format!("{:016x}\n", numbers.draw());
    }
    text.truncate(length);
    text
}

/// Appends a line to a file. Another `number` appends another line.
///
/// # Errors
///
/// If it cannot be written.
pub fn change(file: &Path, number: u64) -> Result<()> {
    let open = File::options().append(true).open(file);
    let line = format!("\nchange {number:016x}\n", number = Numbers::of(number).draw());
    open.and_then(|mut file| file.write_all(line.as_bytes())).map_err(Error::at(file))
}

/// Writes a file of `bytes` incompressible bytes, with `inserted` further ones in its middle.
///
/// # Errors
///
/// If it cannot be written.
pub fn large_file(file: &Path, bytes: u64, inserted: usize) -> Result<()> {
    let mut numbers = Numbers::of(1);
    let mut write = || {
        let mut out = BufWriter::with_capacity(1 << 20, File::create(file)?);
        let mut left = bytes;
        while left > 0 {
            let part = left.min(1 << 16);
            if left > bytes / 2 && left - part <= bytes / 2 {
                out.write_all(&Numbers::of(2).bytes(inserted))?;
            }
            out.write_all(&numbers.bytes(part as usize))?;
            left -= part;
        }
        out.flush()
    };
    write().map_err(Error::at(file))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::folder::{count, list};

    #[test]
    fn a_tree_has_as_many_files_as_were_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        tree(folder.path(), 1001, (20, 200)).unwrap();
        let (files, folders, bytes) = count(&list(folder.path()).unwrap());
        assert_eq!((files, folders), (1001, 63 + 2 + 1));
        assert!((1001 * 20..1001 * 200).contains(&bytes));
        assert_eq!(path(999_999), Path::new("part24/group49/folder49/file15.txt"));
    }

    #[test]
    fn a_large_file_is_the_same_but_for_what_is_inserted() {
        let folder = tempfile::tempdir().unwrap();
        let made = |inserted| {
            let file = folder.path().join("large");
            large_file(&file, 300_000, inserted).unwrap();
            fs::read(file).unwrap()
        };
        let (old, new) = (made(0), made(4096));
        assert_eq!((old.len(), new.len()), (300_000, 304_096));
        let first = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
        assert!((60_000..250_000).contains(&first), "{first}");
        assert!(new.ends_with(&old[first..]));
    }
}
