//! Why a command failed, what to try next, and its exit status.
//!
//! The engine reports what happened. Hints name commands, so they are chosen here, by
//! [`SyncError::code`].

use std::error::Error;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use fastest_sync::SyncError;
use fastest_sync::database::error::DatabaseError;
use fastest_sync::migrations::error::MigrationsError;
use fastest_sync::remote::pack_store::store::PackStoreError;

/// How a command ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done, or in sync.
    Done,
    /// Drift or conflict.
    Differs,
    /// It failed, or found something wrong.
    Failed,
    /// Saved on this device; the primary is out of reach.
    Queued,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Differs => 1,
            Exit::Failed => 2,
            Exit::Queued => 3,
        })
    }
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The engine could not do it.
    #[error(transparent)]
    Sync(#[from] SyncError),
    /// An application's file of rows could not be read.
    #[error(transparent)]
    Rows(DatabaseError),
    /// `-C` does not name a folder.
    #[error("{} is not a folder", path.display())]
    NotAFolder {
        /// The path, made absolute.
        path: PathBuf,
    },
    /// The value of `--value` is invalid.
    #[error("the value of --value must be a JSON object of columns: {why}")]
    NotAnObject {
        /// What is wrong with it.
        why: String,
    },
    /// An environment variable has an invalid value.
    #[error("{name}: {why}")]
    BadVariable {
        /// The variable.
        name: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// The input is not a token.
    #[error("{0}")]
    NotAToken(&'static str),
    /// The primary refuses the token.
    #[error("the token is not kept: {problem}")]
    TokenRefused {
        /// The primary's message.
        problem: String,
        /// Whether the token is the reason.
        denied: bool,
    },
    /// No keyring can be used.
    #[error("the system's keyring cannot be used: {why}; {instead}")]
    NoKeyring {
        /// Why not.
        why: String,
        /// What to do, or what was not done.
        instead: String,
    },
    /// There is no home folder to keep a store in.
    #[error("there is no home folder to keep the store in")]
    NoHome,
    /// Tables and scopes cannot be paired.
    #[error(
        "there are {tables} tables and {scopes} scopes: give `--scope` once for each `--table`, in their order"
    )]
    Pairs {
        /// How many tables were given.
        tables: usize,
        /// How many scopes.
        scopes: usize,
    },
    /// `--append-only` names a table that was not chosen.
    #[error("`--append-only {table}` names a table that no `--table` does")]
    NotChosen {
        /// The table.
        table: String,
    },
    /// The address of a primary names a file that does not exist.
    #[error("there is no database {}", path.display())]
    NoFile {
        /// The file.
        path: PathBuf,
    },
    /// The file system failed.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// The action, as a verb.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// Stdout cannot be written.
    #[error("cannot write the output: {0}")]
    Output(#[from] io::Error),
    /// The runtime for asynchronous commands cannot be started.
    #[error("cannot start: {0}")]
    Runtime(#[source] io::Error),
    /// No thread can be started.
    #[error("the system gives no threads to work on: {0}")]
    Threads(String),
}

impl From<DatabaseError> for CliError {
    fn from(error: DatabaseError) -> Self {
        match error {
            DatabaseError::Sync(error) => Self::Sync(error),
            error => Self::Rows(error),
        }
    }
}

impl CliError {
    /// The code of the error, for programs. Codes never change.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Sync(error) => error.code(),
            Self::Rows(_) => "bad_database",
            Self::NotAFolder { .. } => "not_a_folder",
            Self::Pairs { .. } | Self::NotChosen { .. } => "usage",
            Self::NotAnObject { .. } => "bad_value",
            Self::BadVariable { .. } | Self::NotAToken(_) => "usage",
            Self::TokenRefused { denied: true, .. } => "denied",
            Self::TokenRefused { .. } => "primary",
            Self::NoKeyring { .. } => "no_keyring",
            Self::NoHome => "no_home",
            Self::NoFile { .. } => "no_database",
            Self::Io { .. } | Self::Runtime(_) | Self::Threads(_) => "io",
            Self::Output(_) => "output",
        }
    }

    /// Returns a sentence for each thing that is wrong.
    pub fn sentences(&self) -> Vec<String> {
        match self {
            Self::Sync(SyncError::Migrations(MigrationsError::Adopt(refused))) => {
                refused.each().iter().map(ToString::to_string).collect()
            }
            _ => vec![self.sentence()],
        }
    }

    /// Returns one sentence. Causes that it does not quote already are added.
    fn sentence(&self) -> String {
        let mut text = self.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            let words = error.to_string();
            if !text.contains(&words) {
                text = format!("{text}: {words}");
            }
            cause = error.source();
        }
        text
    }

    /// What to try next after the command `verb` failed.
    pub fn hint(&self, verb: &str) -> Option<&'static str> {
        match self {
            Self::BadVariable { .. } => Some("for example: FASTEST_LOG=debug"),
            Self::NotAToken(_) => Some("for example: `echo \"$TOKEN\" | fastest remote login`"),
            Self::Threads(_) => Some(
                "end other processes, raise the limit (`ulimit -u`, or the container's), or set RAYON_NUM_THREADS=1",
            ),
            Self::TokenRefused { denied: true, .. } => {
                Some("docs/remotes.md tells which token is needed")
            }
            Self::Sync(SyncError::PackStore(PackStoreError::BadUrl { .. })) => Some(
                "write `--packs rows`, `--packs file:///folder` or `--packs s3://BUCKET/PREFIX`",
            ),
            Self::Sync(SyncError::PackStore(PackStoreError::Denied { .. })) => {
                Some("set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to keys that may write there")
            }
            Self::Sync(SyncError::SecondProject { .. }) => Some(
                "`fastest project rename OLD NEW` gives the one of this device another name; to join the other one instead, delete .fastest here and run `fastest clone ID --here`",
            ),
            Self::Sync(SyncError::DamagedState { path, .. })
                if path.ends_with(".fastest/workspace.json") =>
            {
                Some("delete that file and run the command again: the device knows the folder")
            }
            _ => hint(self.code(), verb),
        }
    }
}

fn hint(code: &str, verb: &str) -> Option<&'static str> {
    Some(match (code, verb) {
        ("no_project", _) => {
            "run `fastest init` to make the folder a project, `fastest push` to save it too, or `fastest clone PROJECT --here` to join it to one"
        }
        ("lost_copy", _) => {
            "`fastest clone PROJECT --here` writes what is missing, and keeps what is there; `fastest init --name NAME` makes the folder another project"
        }
        ("already_project", _) => "`fastest status` shows it",
        ("not_updated", _) => "mend what stands against it, then run the command again",
        ("store_not_empty", _) => "choose a store folder that is empty or not there yet",
        ("not_empty", "clone") => {
            "choose a folder that is empty or not there yet, or join this one with `--here`"
        }
        ("not_empty", _) => "choose a folder that is empty or not there yet",
        ("too_much", _) => "run `fastest init` there first if you mean it",
        ("name_taken", "init") => {
            "choose another name with `--name NAME`, or join the folder to that project with `fastest clone PROJECT --here`"
        }
        ("name_taken", "push") => {
            "`fastest clone PROJECT --here` joins the folder to that project; `fastest init --name NAME` makes it another one, under another name"
        }
        ("bad_name", "init") => "choose another name with `--name NAME`",
        ("bad_name", "push") => {
            "run `fastest init --name NAME` to choose another name, then push again"
        }
        ("bad_name" | "name_taken", "clone") => "choose another name with `--workspace NAME`",
        ("name_taken", "project") => "`fastest project list` shows the names in use",
        ("name_taken", "workspace") => "`fastest workspace list` shows the names in use",
        ("unknown_project", "project") => "`fastest project list` shows the projects there are",
        ("unknown_project", _) => "`fastest remote show` tells which primary was asked",
        ("unknown_workspace", _) => "`fastest workspace list` shows the workspaces there are",
        ("unknown_conflict", _) => "`fastest conflicts` shows those there are",
        ("unknown_refused", _) => "`fastest conflicts --database FILE` shows those there are",
        ("too_long", _) => "write a shorter message, and keep the rest in a file of the project",
        ("bad_value", _) => {
            "`fastest conflicts` shows the columns; write `--value '{\"column\":\"text\"}'`"
        }
        ("denied", "push") => {
            "the work is saved on this device; `fastest remote login` keeps a token for the primary"
        }
        ("denied", _) => {
            "`fastest remote login` keeps a token; docs/remotes.md tells which one is needed"
        }
        ("no_database", "schema") => "mend the address, or let `fastest schema migrate` make it",
        ("destructive", _) => {
            "look at each step, and run the command again with `--allow-destructive`"
        }
        ("no_database", _) => "make it first, or mend the address with `fastest remote set URL`",
        ("unknown_snapshot", _) => "`fastest log` shows the snapshots there are",
        ("ambiguous", _) => "give the id of one of them in full",
        ("no_path" | "is_directory", "cat") => "name a file, by its path from the project's root",
        ("no_path", _) => "`fastest log` shows other snapshots",
        ("no_snapshot", _) => "run `fastest snapshot` or `fastest push` there first",
        ("foreign_working_copy", _) => {
            "name the store that it was made with by `--store`, or join the folder to its project again with `fastest clone PROJECT --here`"
        }
        ("in_the_way", _) => {
            "nothing was changed; what was edited while the command ran is seen when it is run again"
        }
        ("store_of_caller", _) => {
            "run it without sudo, or with a store of root's own: `sudo -H fastest …`, or `--store`"
        }
        ("foreign_owner", "clone" | "init") => {
            "if you trust its owner, write the folder into FASTEST_SAFE_FOLDERS, or as a line into the file `safe-folders` of the store"
        }
        ("foreign_owner", _) => {
            "if you trust its owner, write the project's folder into FASTEST_SAFE_FOLDERS, or as a line into the file `safe-folders` of the store; `fastest init` makes a project of your own where you are"
        }
        ("tracked_by_git", _) => "`git rm --cached PATH` first, then untrack it",
        ("untrack_root", _) => "name files or folders in it",
        ("not_here", _) => "`fastest status` lists what is there",
        ("unknown_rules", _) => "make the file readable, shorten it, or delete it",
        ("damaged_state", _) => "put the file back from a backup, or clone the project again",
        ("newer_store" | "newer_primary", _) => "upgrade fastest on this device",
        ("primary_behind", _) => {
            "`fastest schema migrate` does; devices with an older fastest must be upgraded then"
        }
        ("contended", _) => "try again",
        ("bad_url", _) => "for example: `fastest remote set file:///path/primary.db`",
        ("unreachable", "remote") => "make sure that the folder or the host is there",
        ("unreachable" | "primary" | "protocol", _) => "run `fastest remote check`",
        ("missing_object" | "damaged_store" | "pack_store" | "content", "doctor") => return None,
        ("missing_object" | "damaged_store" | "pack_store" | "content", _) => {
            "run `fastest doctor`"
        }
        ("no_home", _) => "name a store with `--store DIR` or FASTEST_STORE",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_told_once() {
        let full = || io::Error::new(io::ErrorKind::StorageFull, "the disk is full");
        let io = CliError::Io { action: "write", path: "/a".into(), source: full() };
        assert_eq!(io.sentence(), "cannot write /a: the disk is full");
        assert_eq!(
            CliError::Output(full()).sentence(),
            "cannot write the output: the disk is full"
        );
    }

    #[test]
    fn hints_fit_the_command() {
        assert!(hint("name_taken", "init").unwrap().contains("--name"));
        assert!(hint("name_taken", "clone").unwrap().contains("--workspace"));
        assert_eq!(hint("missing_object", "cat"), Some("run `fastest doctor`"));
        assert_eq!(hint("io", "push"), None);
    }
}
