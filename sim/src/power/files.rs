//! What is in a working copy, and the edits that are made to one.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use fastest_fixtures::random::Random;
use rusqlite::Connection;

/// What a path is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A file: its bytes, and whether it is executable.
    File(Vec<u8>, bool),
    /// A link, with its target.
    Link(PathBuf),
    /// A folder.
    Folder,
}

/// Everything in a folder, without Fastest's own.
pub type Files = BTreeMap<PathBuf, Entry>;

/// Reads a working copy. One that is missing has no files.
pub fn read(root: &Path) -> io::Result<Files> {
    let mut files = Files::new();
    if root.exists() {
        read_below(root, Path::new(""), &mut files)?;
    }
    Ok(files)
}

fn read_below(root: &Path, folder: &Path, files: &mut Files) -> io::Result<()> {
    for entry in fs::read_dir(root.join(folder))? {
        let name = entry?.file_name();
        if folder.as_os_str().is_empty() && name == ".fastest" {
            continue;
        }
        let path = folder.join(name);
        let full = root.join(&path);
        let found = fs::symlink_metadata(&full)?;
        let entry = if found.is_dir() {
            read_below(root, &path, files)?;
            Entry::Folder
        } else if found.is_symlink() {
            Entry::Link(fs::read_link(&full)?)
        } else {
            Entry::File(fs::read(&full)?, found.permissions().mode() & 0o100 != 0)
        };
        files.insert(path, entry);
    }
    Ok(())
}

/// Names the paths at which two folders differ.
pub fn differing(one: &Files, other: &Files) -> Vec<String> {
    let paths: std::collections::BTreeSet<_> = one.keys().chain(other.keys()).collect();
    let differs = paths.into_iter().filter(|path| one.get(*path) != other.get(*path));
    differs.map(|path| path.display().to_string()).collect()
}

/// Writes the first version of a project.
pub fn first(root: &Path, random: &mut Random, large: usize) {
    let write = |path: &str, bytes: &[u8]| {
        let path = root.join(path);
        fs::create_dir_all(path.parent().expect("it is below the root")).expect("a new folder");
        fs::write(path, bytes).expect("a new file");
    };
    write("readme.md", b"first\n");
    write("src/main.rs", &noise(random, 5_000));
    write("src/deep/er/lib.rs", &noise(random, 9_000));
    write("src/becomes-folder", b"a file\n");
    write("becomes-file/inner.txt", b"in a folder\n");
    write("gone.txt", &noise(random, 300));
    write("gone/also.txt", b"gone too\n");
    write("nothing", b"");
    write("run.sh", b"#!/bin/sh\n");
    write("zeros.bin", &[vec![0; 40_000], noise(random, 5_000)].concat());
    write("large.bin", &noise(random, large));
    fs::create_dir(root.join("empty")).expect("a new folder");
    fs::set_permissions(root.join("run.sh"), PermissionsExt::from_mode(0o755)).expect("a mode");
    symlink("readme.md", root.join("link")).expect("a new link");
    let database = Connection::open(root.join("app.db")).expect("a new database");
    database.execute_batch("CREATE TABLE t(x); INSERT INTO t VALUES (1);").expect("a new table");
    for number in 0..random.below(12) {
        write(&format!("many/{number}.txt"), &noise(random, 700));
    }
}

/// Turns the first version into another one.
pub fn edit(root: &Path, random: &mut Random) {
    fs::write(root.join("readme.md"), noise(random, 40)).expect("a file");
    fs::remove_file(root.join("src/becomes-folder")).expect("a file");
    fs::create_dir(root.join("src/becomes-folder")).expect("a folder");
    fs::write(root.join("src/becomes-folder/in.txt"), noise(random, 60)).expect("a file");
    fs::remove_dir_all(root.join("becomes-file")).expect("a folder");
    fs::write(root.join("becomes-file"), noise(random, 60)).expect("a file");
    fs::remove_file(root.join("gone.txt")).expect("a file");
    fs::remove_dir_all(root.join("gone")).expect("a folder");
    fs::create_dir_all(root.join("new/folder")).expect("a folder");
    fs::write(root.join("new/folder/file.txt"), noise(random, 6_000)).expect("a file");
    fs::create_dir(root.join("new/empty")).expect("a folder");
    fs::set_permissions(root.join("run.sh"), PermissionsExt::from_mode(0o644)).expect("a mode");
    fs::set_permissions(root.join("readme.md"), PermissionsExt::from_mode(0o755)).expect("a mode");
    fs::remove_file(root.join("link")).expect("a link");
    symlink("src/main.rs", root.join("link")).expect("a link");
    let mut large = fs::read(root.join("large.bin")).expect("a file");
    let middle = large.len() / 2;
    large.splice(middle..middle + 10, noise(random, 500));
    fs::write(root.join("large.bin"), large).expect("a file");
    let database = Connection::open(root.join("app.db")).expect("a database");
    database.execute_batch("INSERT INTO t VALUES (2);").expect("a table");
    for number in 0..random.below(24) {
        let folder = root.join("many");
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(folder.join(format!("{number}.txt")), noise(random, 900)).expect("a file");
    }
}

/// Returns random bytes, which cannot be compressed.
pub fn noise(random: &mut Random, bytes: usize) -> Vec<u8> {
    let mut noise = Vec::with_capacity(bytes + 8);
    while noise.len() < bytes {
        noise.extend(random.number().to_le_bytes());
    }
    noise.truncate(bytes);
    noise
}
