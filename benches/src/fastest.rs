//! The command that is measured.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::error::{Error, Result, check};
use crate::machine;
use crate::measure::run;

/// The `fastest` binary with a store. Each store is a device.
#[derive(Debug, Clone)]
pub struct Fastest {
    program: PathBuf,
    store: PathBuf,
}

/// Returns the binary that was named, or the one beside our own executable, which was built with
/// the same profile.
///
/// # Errors
///
/// [`Error::NoFastest`] if it does not exist.
pub fn find(named: Option<&Path>) -> Result<PathBuf> {
    let beside = || env::current_exe().map(|own| own.with_file_name("fastest"));
    let path = match named {
        Some(path) => path.to_owned(),
        None => beside().map_err(Error::at(Path::new("fastest")))?,
    };
    if !path.is_file() {
        return Err(Error::NoFastest { path });
    }
    path.canonicalize().map_err(Error::at(&path))
}

/// Returns the first line of the binary's `--version`; empty if it cannot be run.
pub fn version(program: &Path) -> String {
    machine::version(&program.to_string_lossy(), &["--version"]).unwrap_or_default()
}

/// Describes the measured binary: its path, version, modification time, length and BLAKE3 hash.
///
/// # Errors
///
/// If it cannot be read.
pub fn binary(program: &Path) -> Result<Value> {
    let content = std::fs::read(program).map_err(Error::at(program))?;
    let metadata = std::fs::metadata(program).map_err(Error::at(program))?;
    Ok(json!({
        "path": program.display().to_string(),
        "version": version(program),
        "modified": metadata.modified().ok().and_then(machine::time),
        "bytes": content.len(),
        "blake3": blake3::hash(&content).to_string(),
    }))
}

impl Fastest {
    /// Uses this binary with this store, which need not exist yet.
    pub fn new(program: &Path, store: &Path) -> Self {
        Self { program: program.to_owned(), store: store.to_owned() }
    }

    /// The store's folder.
    pub fn store(&self) -> &Path {
        &self.store
    }

    /// Returns a `fastest` command that runs in a folder and prints JSON.
    pub fn command(&self, folder: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.env_remove("FASTEST_LOG").env("FASTEST_STORE", &self.store);
        command.args(["--json", "-C"]).arg(folder).args(arguments);
        command
    }

    /// Runs a command, and returns its JSON output.
    ///
    /// # Errors
    ///
    /// If it fails, or its answer is not JSON.
    pub fn ask(&self, folder: &Path, arguments: &[&str]) -> Result<Value> {
        answer(&run(&mut self.command(folder, arguments))?)
    }

    /// Makes this file the primary of the device.
    ///
    /// # Errors
    ///
    /// If the command fails.
    pub fn set_primary(&self, file: &Path) -> Result<()> {
        let url = format!("file://{}", file.display());
        self.ask(Path::new("/"), &["remote", "set", &url]).map(drop)
    }

    /// Fails unless the snapshot has the file `path` as it is on disk.
    ///
    /// # Errors
    ///
    /// [`Error::Wrong`] if it does not.
    pub fn check_holds(&self, tree: &Path, snapshot: &Value, path: &Path) -> Result<()> {
        let snapshot = text(snapshot, "snapshot_id")?;
        let path = path.to_string_lossy();
        let mut cat = Command::new(&self.program);
        cat.env("FASTEST_STORE", &self.store).arg("-C").arg(tree).args(["cat", snapshot, &path]);
        let file = tree.join(&*path);
        let expected = std::fs::read(&file).map_err(Error::at(&file))?;
        check(run(&mut cat)? == expected, || format!("snapshot {snapshot} has not the new {path}"))
    }
}

/// Parses an answer as JSON.
///
/// # Errors
///
/// If it is not JSON.
pub fn answer(output: &[u8]) -> Result<Value> {
    let no_json = |_| Error::Wrong(format!("no JSON: {}", String::from_utf8_lossy(output)));
    serde_json::from_slice(output).map_err(no_json)
}

/// Returns a text field of an answer.
///
/// # Errors
///
/// If it has no such field.
pub fn text<'a>(answer: &'a Value, name: &str) -> Result<&'a str> {
    answer[name].as_str().ok_or_else(|| Error::Wrong(format!("{name} is missing in {answer}")))
}

/// Returns a number field of an answer.
///
/// # Errors
///
/// If it has no such field.
pub fn number(answer: &Value, name: &str) -> Result<u64> {
    answer[name].as_u64().ok_or_else(|| Error::Wrong(format!("{name} is missing in {answer}")))
}
