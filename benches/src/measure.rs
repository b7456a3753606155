//! Runs programs, and measures their time and memory.
//!
//! Time is measured by the system's monotonic clock, from the start of a program to its end. Memory
//! is measured by GNU time, which runs the program: the figure that the system reports for our own
//! children would include our own pages.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Instant;

use crate::error::{Error, Result};

/// The measurement of one step of one peer.
#[derive(Debug)]
pub struct Measured {
    /// Seconds from the start of the first program to the end of the last.
    pub seconds: f64,
    /// What the last program wrote to stdout.
    pub output: Vec<u8>,
}

/// Runs a program, and returns what it wrote to stdout.
///
/// # Errors
///
/// If it cannot be started, or ends with an error.
pub fn run(command: &mut Command) -> Result<Vec<u8>> {
    let output = command.output();
    let line = || command_line(command);
    let Output { status, stdout, stderr } =
        output.map_err(|source| Error::Start { program: line(), source })?;
    if status.success() {
        return Ok(stdout);
    }
    let said = String::from_utf8_lossy(&stderr).trim().to_owned();
    Err(Error::Failed { command: line(), status, said })
}

/// Runs programs one after the other, and times them together. Earlier writes are flushed to disk
/// first, so that they do not count.
///
/// # Errors
///
/// If one of them fails.
pub fn time(commands: &mut [Command]) -> Result<Measured> {
    run(&mut Command::new("sync"))?;
    let start = Instant::now();
    let mut output = Vec::new();
    for command in commands {
        output = run(command)?;
    }
    Ok(Measured { seconds: start.elapsed().as_secs_f64(), output })
}

/// Measures memory through GNU time, if that is installed.
#[derive(Debug)]
pub struct Memory {
    program: Option<PathBuf>,
    answer: PathBuf,
}

impl Memory {
    /// Looks for GNU time. Its output goes to a file in `folder`.
    pub fn new(folder: &Path) -> Self {
        let names = ["/usr/bin/time", "gtime"].map(PathBuf::from);
        let program = names.into_iter().find(|name| {
            let version = Command::new(name).arg("--version").output();
            version.is_ok_and(|output| {
                [output.stdout, output.stderr].concat().windows(3).any(|word| word == b"GNU")
            })
        });
        Self { program, answer: folder.join("peak-memory") }
    }

    /// Whether memory can be measured here.
    pub fn is_measured(&self) -> bool {
        self.program.is_some()
    }

    /// Like [`time`], and also returns the peak memory of the largest process, in bytes. Each
    /// program takes longer by the start of one more small program.
    ///
    /// # Errors
    ///
    /// If one of the programs fails.
    pub fn time(&self, commands: Vec<Command>) -> Result<(Measured, Option<u64>)> {
        let Some(program) = &self.program else {
            return Ok((time(&mut { commands })?, None));
        };
        let _ = fs::remove_file(&self.answer);
        let mut wrapped: Vec<_> =
            commands.iter().map(|command| self.wrapped(program, command)).collect();
        let measured = time(&mut wrapped)?;
        let text = fs::read_to_string(&self.answer).map_err(Error::at(&self.answer))?;
        let peak = text.lines().filter_map(|line| line.parse::<u64>().ok()).max();
        Ok((measured, peak.map(|kibibytes| kibibytes * 1024)))
    }

    fn wrapped(&self, program: &Path, command: &Command) -> Command {
        let mut wrapped = Command::new(program);
        wrapped.args(["--append", "--format=%M", "--output"]).arg(&self.answer);
        wrapped.arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => wrapped.env(name, value),
                None => wrapped.env_remove(name),
            };
        }
        if let Some(folder) = command.get_current_dir() {
            wrapped.current_dir(folder);
        }
        wrapped
    }
}

fn command_line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_failure_names_the_command_and_what_it_said() {
        let error = run(&mut shell("echo why >&2; exit 3")).unwrap_err().to_string();
        assert!(error.starts_with("sh -c echo why >&2; exit 3 failed"), "{error}");
        assert!(error.ends_with(": why"), "{error}");
    }

    #[test]
    fn programs_are_timed_together_and_the_last_one_is_heard() {
        let folder = tempfile::tempdir().unwrap();
        let mut named = shell("echo $NAME; pwd");
        named.env("NAME", "given").current_dir(folder.path());
        let memory = Memory::new(folder.path());
        let (measured, peak) = memory.time(vec![shell("echo first"), named]).unwrap();
        let real = folder.path().canonicalize().unwrap();
        assert_eq!(measured.output, format!("given\n{}\n", real.display()).into_bytes());
        assert_eq!(peak.is_some_and(|bytes| bytes > 100_000), memory.is_measured());
    }
}
