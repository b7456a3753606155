//! What git says of a repository.

use std::collections::BTreeSet;
use std::fmt;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use crate::merges::Result;

/// A repository, with a process that reads its objects.
pub(super) struct Git {
    folder: PathBuf,
    reader: Mutex<Reader>,
}

struct Reader {
    _process: Child,
    ask: ChildStdin,
    answers: BufReader<ChildStdout>,
}

/// The result of git's merge.
#[derive(Debug)]
pub(super) struct Merged {
    /// The tree, which has markers where there are conflicts.
    pub(super) tree: String,
    /// The paths with conflicts.
    pub(super) conflicts: BTreeSet<Vec<u8>>,
}

impl Git {
    pub(super) fn open(folder: &Path) -> Result<Self> {
        let mut process = Command::new("git")
            .arg("-C")
            .arg(folder)
            .args(["cat-file", "--batch"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let ask = process.stdin.take().ok_or("git has no input")?;
        let answers = BufReader::new(process.stdout.take().ok_or("git has no output")?);
        let reader = Mutex::new(Reader { _process: process, ask, answers });
        Ok(Self { folder: folder.to_owned(), reader })
    }

    /// Runs git. Returns whether it succeeded, and its output.
    fn run(&self, arguments: &[&str]) -> Result<(bool, Vec<u8>)> {
        let output = Command::new("git").arg("-C").arg(&self.folder).args(arguments).output()?;
        // 1 stands for conflicts.
        if !matches!(output.status.code(), Some(0 | 1)) {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
        }
        Ok((output.status.success(), output.stdout))
    }

    /// Returns each line of git's output.
    pub(super) fn lines(&self, arguments: &[&str]) -> Result<Vec<String>> {
        let (_, output) = self.run(arguments)?;
        Ok(String::from_utf8(output)?.lines().map(str::to_owned).collect())
    }

    /// Returns the ids of the merges of two commits, the newest first.
    pub(super) fn merges(&self) -> Result<Vec<String>> {
        self.lines(&["rev-list", "--merges", "--max-parents=2", "HEAD"])
    }

    /// Returns the bytes of an object.
    pub(super) fn object(&self, id: &str) -> Result<Vec<u8>> {
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        writeln!(reader.ask, "{id}")?;
        reader.ask.flush()?;
        let mut header = String::new();
        reader.answers.read_line(&mut header)?;
        let bytes = header.split_whitespace().nth(2).and_then(|size| size.parse().ok());
        let mut object = vec![0; bytes.ok_or_else(|| format!("git has no object {id}"))?];
        reader.answers.read_exact(&mut object)?;
        reader.answers.read_exact(&mut [0])?;
        Ok(object)
    }

    /// Merges two commits.
    pub(super) fn merge(&self, ours: &str, theirs: &str, no_renames: bool) -> Result<Merged> {
        // As in ours, what is put into a renamed folder is moved, and is no conflict.
        let mut arguments = vec!["-c", "merge.directoryRenames=true"];
        arguments.extend(["merge-tree", "--write-tree", "--name-only", "-z"]);
        if no_renames {
            arguments.extend(["-X", "no-renames"]);
        }
        arguments.extend([ours, theirs]);
        let (_, output) = self.run(&arguments)?;
        let mut fields = output.split(|byte| *byte == 0);
        let tree = String::from_utf8(fields.next().unwrap_or_default().to_vec())?;
        // An empty field ends the paths.
        let conflicts = fields.take_while(|path| !path.is_empty()).map(<[u8]>::to_vec);
        Ok(Merged { tree, conflicts: conflicts.collect() })
    }
}

impl fmt::Debug for Git {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Git").field("folder", &self.folder).finish_non_exhaustive()
    }
}
