//! A patch of two random trees, applied by `git apply` to a folder with the first, gives the second.
//!
//! `FASTEST_PATCHES` says how many pairs are tried, and `FASTEST_SEED` which one alone.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use fastest_core::compare::changes::{Change, Scope, Version, changes};
use fastest_core::compare::content::{Contents, Limits, compare_contents, rename};
use fastest_core::compare::renames::Rules;
use fastest_core::compare::text::patch::{Body, write_patch};
use fastest_core::object::chunk::write_content;
use fastest_core::object::error::StoreError;
use fastest_core::object::id::{BlobId, TreeId};
use fastest_core::object::item::{Item, Kind};
use fastest_core::object::memory::MemoryObjects;
use fastest_core::object::source::{Object, ObjectSource};
use fastest_core::object::tree::write_directory;

use super::histories::{Random, seeds};

#[derive(Debug, Clone, PartialEq, Eq)]
struct File {
    kind: Kind,
    content: Vec<u8>,
}

/// Files and links, by path.
type Folder = BTreeMap<Vec<u8>, File>;

const PATHS: [&[u8]; 18] = [
    b"a",
    b"b.txt",
    b"dir",
    b"dir/a",
    b"dir/b.txt",
    b"dir/sub dir/a",
    b"dir/sub dir",
    b"dir.d/a",
    b"dir-e",
    b"q\"uote",
    b"tab\there",
    b"line\nbreak",
    b"caf\xe9",
    b"caf\xc3\xa9/a b",
    b"back\\slash/a",
    b" lead",
    b"trail ",
    b"\x01\x7f/\x0b",
];

const LINES: [&[u8]; 9] = [
    b"",
    b"}",
    b"fn one() {",
    b"    two();",
    b"\tthree",
    b"four \xff",
    b"five",
    b"-- six",
    b"\\ x",
];

fn put(folder: &mut Folder, path: &[u8], file: File) {
    let is_above = |above: &[u8], path: &[u8]| {
        path.strip_prefix(above).is_some_and(|rest| rest.first() == Some(&b'/'))
    };
    folder.retain(|other, _| !is_above(other, path) && !is_above(path, other));
    folder.insert(path.to_vec(), file);
}

fn line(random: &mut Random) -> Vec<u8> {
    let mut line = LINES[random.below(LINES.len())].to_vec();
    if random.below(3) == 0 {
        line.extend(random.below(100).to_string().bytes());
    }
    line.extend(if random.below(6) == 0 { &b"\r\n"[..] } else { b"\n" });
    line
}

fn file(random: &mut Random) -> File {
    if random.below(8) == 0 {
        return File { kind: Kind::Symlink, content: format!("to/{}", random.below(9)).into() };
    }
    let kind = if random.below(5) == 0 { Kind::Executable } else { Kind::File };
    let count = [0, 1, 3, 10, 40][random.below(5)];
    let mut content: Vec<u8> = (0..count).flat_map(|_| line(random)).collect();
    if random.below(4) == 0 {
        content.pop();
    }
    File { kind, content }
}

/// Edits the lines of a file, or its mode.
fn edit(file: &mut File, random: &mut Random) {
    if file.kind == Kind::Symlink {
        file.content.push(b'x');
        return;
    }
    let mut lines: Vec<Vec<u8>> =
        file.content.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    for _ in 0..1 + random.below(4) {
        let at = random.below(lines.len() + 1);
        match random.below(5) {
            0 | 1 => lines.insert(at, line(random)),
            2 if at < lines.len() => drop(lines.remove(at)),
            3 if at < lines.len() => lines[at] = line(random),
            _ => {
                file.kind = match file.kind {
                    Kind::File => Kind::Executable,
                    _ => Kind::File,
                }
            }
        }
    }
    file.content = lines.concat();
    match random.below(6) {
        0 => drop(file.content.pop()),
        1 => file.content.push(b'!'),
        _ => {}
    }
}

/// Changes some files of a folder.
fn change(folder: &mut Folder, random: &mut Random) {
    for _ in 0..1 + random.below(8) {
        let paths: Vec<Vec<u8>> = folder.keys().cloned().collect();
        let to = PATHS[random.below(PATHS.len())];
        let Some(from) = (!paths.is_empty()).then(|| &paths[random.below(paths.len())]) else {
            put(folder, to, file(random));
            continue;
        };
        match random.below(8) {
            0 => drop(folder.remove(from)),
            1 => put(folder, to, file(random)),
            2 | 3 => {
                let mut moved = folder.remove(from).unwrap();
                if random.below(2) == 0 {
                    edit(&mut moved, random);
                }
                put(folder, to, moved);
            }
            4 => {
                let copy = folder[from].clone();
                put(folder, to, copy);
            }
            _ => edit(folder.get_mut(from).unwrap(), random),
        }
    }
}

fn store(folder: &Folder, prefix: &[u8], objects: &MemoryObjects) -> TreeId {
    let mut entries: BTreeMap<Vec<u8>, Item> = BTreeMap::new();
    for (path, file) in folder {
        let Some(rest) = path.strip_prefix(prefix) else { continue };
        let name: Vec<u8> = rest.iter().copied().take_while(|byte| *byte != b'/').collect();
        if entries.contains_key(&name) {
            continue;
        }
        let item = if name.len() < rest.len() {
            let id = store(folder, &[prefix, &name, b"/"].concat(), objects);
            Item::directory(&fastest_core::object::tree::read_root(&id, objects).unwrap())
        } else {
            let content = write_content(&mut &file.content[..], objects).unwrap();
            let (id, bytes, list) = (content.id.0, content.bytes, content.list);
            Item { kind: file.kind, id, bytes, files: 1, list }
        };
        entries.insert(name, item);
    }
    write_directory(&entries.into_iter().collect::<Vec<_>>(), objects).unwrap().id
}

/// Contents in memory.
struct Stored<'a>(&'a MemoryObjects);

impl Contents for Stored<'_> {
    type Error = StoreError;

    fn content(&self, version: &Version) -> Result<Option<Object>, StoreError> {
        self.0.object(&BlobId(version.item.id).into()).map(Some)
    }
}

/// Returns the patch, and how many renames are in it.
fn patch(old: &Folder, new: &Folder, context: usize) -> (Vec<u8>, usize) {
    let objects = MemoryObjects::default();
    let [old, new] = [old, new].map(|folder| store(folder, b"", &objects));
    let mut found = changes(&old, &new, &Scope::default(), &objects).unwrap();
    rename(&mut found, Rules::default(), &Stored(&objects)).unwrap();
    let renames = found.files.iter().filter(|change| matches!(change, Change::Renamed { .. }));
    let renames = renames.count();
    let mut out = Vec::new();
    let limits = Limits { context, ..Limits::default() };
    let write = |change: &Change, body: &Body| {
        write_patch(change, body, &mut out).unwrap();
        Ok(())
    };
    compare_contents::<_, StoreError>(&found.files, &Stored(&objects), limits, write).unwrap();
    (out, renames)
}

fn write(root: &Path, folder: &Folder) {
    for (path, file) in folder {
        let path = root.join(OsStr::from_bytes(path));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        if file.kind == Kind::Symlink {
            symlink(OsStr::from_bytes(&file.content), &path).unwrap();
        } else {
            fs::write(&path, &file.content).unwrap();
            let mode = if file.kind == Kind::Executable { 0o755 } else { 0o644 };
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        }
    }
}

fn read(root: &Path) -> Folder {
    let (mut folder, mut left) = (Folder::new(), vec![PathBuf::new()]);
    while let Some(at) = left.pop() {
        for entry in fs::read_dir(root.join(&at)).unwrap() {
            let entry = entry.unwrap();
            let (path, data) = (at.join(entry.file_name()), entry.metadata().unwrap());
            if data.is_dir() {
                left.push(path);
                continue;
            }
            let file = if data.is_symlink() {
                let target = fs::read_link(entry.path()).unwrap();
                File { kind: Kind::Symlink, content: target.into_os_string().into_vec() }
            } else {
                let is_executable = data.permissions().mode() & 0o100 != 0;
                let kind = if is_executable { Kind::Executable } else { Kind::File };
                File { kind, content: fs::read(entry.path()).unwrap() }
            };
            folder.insert(path.into_os_string().into_vec(), file);
        }
    }
    folder
}

fn git_apply(root: &Path, patch: &[u8], words: &[&str]) -> Result<(), String> {
    let mut command = Command::new("git");
    command.current_dir(root).args(["apply", "--whitespace=nowarn"]).args(words);
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    command.env("GIT_CEILING_DIRECTORIES", root.parent().unwrap());
    command.stdin(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("git is on the machine");
    child.stdin.take().unwrap().write_all(patch).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() { Ok(()) } else { Err(text) }
}

#[test]
fn git_applies_the_patch_of_any_two_trees() {
    let count = std::env::var("FASTEST_PATCHES").map_or(150, |count| count.parse().unwrap());
    let (mut cases, mut empty, mut renames) = (0, 0, 0);
    for seed in seeds(1, count) {
        let mut random = Random(seed);
        let mut old = Folder::new();
        for _ in 0..random.below(12) {
            let path = PATHS[random.below(PATHS.len())];
            put(&mut old, path, file(&mut random));
        }
        let mut new = old.clone();
        change(&mut new, &mut random);
        let context = random.below(6);
        let (patch, renamed) = patch(&old, &new, context);
        (cases, renames) = (cases + 1, renames + renamed);
        let told = || format!("FASTEST_SEED={seed}\n{}", String::from_utf8_lossy(&patch));
        if patch.is_empty() {
            assert_eq!(old, new, "{}", told());
            empty += 1;
            continue;
        }
        let top = tempfile::tempdir().unwrap();
        let root = top.path().join("root");
        fs::create_dir(&root).unwrap();
        write(&root, &old);
        let zero: &[&str] = if context == 0 { &["--unidiff-zero"] } else { &[] };
        git_apply(&root, &patch, zero).unwrap_or_else(|why| panic!("{why}\n{}", told()));
        assert_eq!(read(&root), new, "{}", told());
    }
    println!("{cases} patches, {empty} of them empty, {renames} renames");
}
