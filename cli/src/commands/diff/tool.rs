//! Runs another program on the versions of files.
//!
//! The versions are files in a private temporary folder, which is deleted afterwards. A link is a file with
//! its target, so that no tool follows it. The command is the user's own and goes to the shell; the names of
//! files are passed beside it, as parameters, so that the shell does not read them.

use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use fastest_sync::device::diff::{Change, Version};
use fastest_sync::device::path::show;

use crate::commands::diff::interrupts::leave_interrupts;
use crate::commands::diff::shown::Shown;
use crate::error::CliError;
use crate::output::Output;
use crate::words::plain;

/// What a shell returns if it cannot run a command.
const CANNOT_RUN: [i32; 2] = [126, 127];

/// Runs the tool for each file, or once for all.
pub fn run(shown: &mut Shown<'_>, command: &str, out: &mut Output) -> Result<(), CliError> {
    let changes = &shown.comparison.changes;
    if changes.is_empty() {
        return Ok(());
    }
    // Ctrl-C is a key of many tools, and the files below must be deleted.
    leave_interrupts();
    let folder = tempfile::Builder::new().prefix("fastest-diff-").tempdir();
    let folder = folder.map_err(io_error("create a temporary folder in", &std::env::temp_dir()))?;
    let sides = ["old", "new"].map(|side| folder.path().join(side));
    if shown.asked.dir_diff {
        sides.iter().try_for_each(|side| fs::create_dir(side).map_err(io_error("create", side)))?;
        for change in changes {
            versions(shown, change, &sides, out)?;
        }
        return start(command, &sides, out);
    }
    for change in changes {
        let files = versions(shown, change, &sides, out)?;
        let null = || PathBuf::from("/dev/null");
        if files.iter().any(Option::is_some) {
            start(command, &files.map(|file| file.unwrap_or_else(null)), out)?;
        }
        for side in sides.iter().filter(|side| side.exists()) {
            fs::remove_dir_all(side).map_err(io_error("delete", side))?;
        }
    }
    Ok(())
}

/// Writes both versions of a file. `None` where there is none.
fn versions(
    shown: &mut Shown<'_>,
    change: &Change,
    [old, new]: &[PathBuf; 2],
    out: &mut Output,
) -> Result<[Option<PathBuf>; 2], CliError> {
    let mut write = |version: Option<&Version>, side: &Path| match version {
        Some(version) => write_version(shown, version, side, out),
        None => Ok(None),
    };
    Ok([write(change.old_version(), old)?, write(change.new_version(), new)?])
}

fn write_version(
    shown: &mut Shown<'_>,
    version: &Version,
    side: &Path,
    out: &mut Output,
) -> Result<Option<PathBuf>, CliError> {
    let Some(content) = shown.device.diff_content(shown.comparison, version)? else {
        let path = show(&version.path);
        out.warning(format_args!(
            "{} is a database that is in use: take a snapshot to compare it",
            plain(&path)
        ));
        return Ok(None);
    };
    let path = side.join(OsStr::from_bytes(&version.path));
    let parent = path.parent().unwrap_or(side);
    fs::create_dir_all(parent).map_err(io_error("create", parent))?;
    fs::write(&path, content).map_err(io_error("write", &path))?;
    Ok(Some(path))
}

/// Runs the tool with two paths, and waits for it.
fn start(command: &str, paths: &[PathBuf; 2], out: &mut Output) -> Result<(), CliError> {
    out.flush()?;
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(format!("{command} \"$@\"")).arg("fastest-diff").args(paths);
    let status = shell.status().map_err(io_error("run", Path::new("sh")))?;
    // Whatever else a tool returns is no failure: most return 1 if files differ.
    match status.code() {
        Some(code) if !CANNOT_RUN.contains(&code) => Ok(()),
        _ => Err(CliError::NotRun { what: "tool", command: command.to_owned() }),
    }
}

fn io_error(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> CliError {
    let path = path.to_owned();
    move |source| CliError::Io { action, path, source }
}
