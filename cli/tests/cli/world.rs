//! Devices that share a primary, folders full of random files, and edits of them: for tests that
//! run many commands against each other. A seed, which is printed, determines everything random.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::scene::Scene;

/// SplitMix64 (Steele, Lea, Flood 2014): small, and the same everywhere.
pub struct Random(u64);

impl Random {
    /// Uses `FASTEST_SEED`, or else this seed, and prints it, so that a failure can be replayed.
    pub fn new(seed: u64) -> Self {
        let named = std::env::var("FASTEST_SEED").ok().and_then(|seed| seed.parse().ok());
        let seed = named.unwrap_or(seed);
        println!("FASTEST_SEED={seed}");
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    /// Returns bytes that do not compress. Most lengths are small.
    pub fn bytes(&mut self) -> Vec<u8> {
        let lengths = [0, 10, 100, 1_000, 5_000, 20_000];
        let length = *self.pick(&lengths);
        (0..length).map(|_| self.next() as u8).collect()
    }
}

/// The entry at a path, without a file's bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    File { executable: bool, bytes: u64 },
    Link(PathBuf),
    EmptyFolder,
}

/// Lists every file, link and empty folder below `root`, by path, without our own state.
pub fn list(root: &Path) -> BTreeMap<PathBuf, Found> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        let mut entries: Vec<_> = fs::read_dir(&folder).unwrap().map(Result::unwrap).collect();
        entries.retain(|entry| entry.file_name() != ".fastest");
        let relative = folder.strip_prefix(root).unwrap().to_owned();
        if entries.is_empty() && folder != root {
            found.insert(relative.clone(), Found::EmptyFolder);
        }
        for entry in entries {
            let (path, kind) = (entry.path(), entry.file_type().unwrap());
            let name = relative.join(entry.file_name());
            if kind.is_dir() {
                folders.push(path);
            } else if kind.is_symlink() {
                found.insert(name, Found::Link(fs::read_link(&path).unwrap()));
            } else {
                let data = entry.metadata().unwrap();
                let executable = data.permissions().mode() & 0o100 != 0;
                found.insert(name, Found::File { executable, bytes: data.len() });
            }
        }
    }
    found
}

/// Makes `count` random edits below `root`: writes, rewrites, deletes, renames, links, modes.
pub fn edit(root: &Path, count: usize, random: &mut Random) {
    for _ in 0..count {
        let files: Vec<PathBuf> = files(root);
        let choice = if files.is_empty() { 0 } else { random.below(20) };
        match choice {
            0..=8 => write_new(root, random),
            9..=13 => overwrite(random.pick(&files).clone(), &random.bytes()),
            14..=15 => fs::remove_file(random.pick(&files)).unwrap(),
            16..=17 => {
                let from = random.pick(&files).clone();
                let to = from.with_file_name(format!("r{}", random.below(200)));
                if !to.is_dir() {
                    fs::rename(from, to).unwrap();
                }
            }
            18 => {
                let to = random.pick(&files).with_file_name(format!("l{}", random.below(50)));
                if fs::symlink_metadata(&to).is_err() {
                    symlink(format!("../f{}", random.below(9)), to).unwrap();
                }
            }
            _ => {
                let file = random.pick(&files);
                let mode = if random.below(2) == 0 { 0o644 } else { 0o755 };
                fs::set_permissions(file, fs::Permissions::from_mode(mode)).unwrap();
            }
        }
    }
}

fn write_new(root: &Path, random: &mut Random) {
    let depth = random.below(4);
    let folder = (0..depth).fold(root.to_owned(), |f, _| f.join(format!("d{}", random.below(6))));
    if fs::create_dir_all(&folder).is_err() {
        return;
    }
    let mut name = format!("f{}", random.below(200)).into_bytes();
    if random.below(20) == 0 {
        name.push(0xff);
    }
    let path = folder.join(std::ffi::OsStr::from_bytes(&name));
    if !path.is_dir() {
        overwrite(path, &random.bytes());
    }
}

/// Writes a file. Replaces a link instead of writing through it.
fn overwrite(path: PathBuf, bytes: &[u8]) {
    if fs::symlink_metadata(&path).is_ok_and(|data| data.is_symlink()) {
        fs::remove_file(&path).unwrap();
    }
    fs::write(path, bytes).unwrap();
}

/// Returns the files below `root`, without links.
fn files(root: &Path) -> Vec<PathBuf> {
    let is_file = |found: &Found| matches!(found, Found::File { .. });
    let files = list(root).into_iter().filter(|(_, found)| is_file(found));
    files.map(|(path, _)| root.join(path)).collect()
}

/// A device and its working copy, in a scene.
pub struct Copy<'a> {
    pub scene: &'a Scene,
    pub store: String,
    pub folder: String,
}

impl<'a> Copy<'a> {
    pub fn new(scene: &'a Scene, store: &str, folder: &str) -> Self {
        Self { scene, store: store.into(), folder: folder.into() }
    }

    pub fn root(&self) -> PathBuf {
        self.scene.path(&self.folder)
    }

    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = self.scene.command(&self.store, &self.folder);
        command.arg("--json").args(words);
        command
    }

    /// Starts a command, to be waited for or killed.
    pub fn start(&self, words: &[&str]) -> std::process::Child {
        let mut command = self.command(words);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Runs a command, which must end with 0, or with 1 for conflicts and drift.
    pub fn run(&self, words: &[&str]) -> Value {
        accepted(words, &self.command(words).output().unwrap())
    }

    /// Returns the ids of the snapshots in the log.
    pub fn log(&self) -> Vec<String> {
        let log = self.run(&["log"]);
        let id = |entry: &Value| entry["id"].as_str().unwrap().to_owned();
        log["snapshots"].as_array().unwrap().iter().map(id).collect()
    }
}

/// Returns the JSON output of a command, which must have ended with 0 or 1.
pub fn accepted(words: &[&str], output: &Output) -> Value {
    let text = String::from_utf8_lossy(&output.stdout);
    let told = format!(
        "{words:?}: {:?}\n{text}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(matches!(output.status.code(), Some(0 | 1)), "{told}");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {told}"))
}

/// Creates a scene in which these stores use one primary.
pub fn sharing(stores: &[&str]) -> Scene {
    let scene = Scene::new();
    for store in stores {
        let url = format!("file://{}", scene.path("primary.db").display());
        let set = scene.run(store, "", &format!("remote set {url}"));
        assert!(set.starts_with("exit 0"), "{set}");
    }
    scene
}
