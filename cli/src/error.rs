//! Why a command failed, what to try next, and its exit status.
//!
//! The engine reports what happened. Hints name commands, so they are chosen here, by
//! [`SyncError::code`].

pub mod code;
pub mod verb;

use std::error::Error;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use code::Code;
use fastest_sync::Code as EngineCode;
use fastest_sync::SyncError;
use fastest_sync::database::error::DatabaseError;
use fastest_sync::migrations::error::MigrationsError;
use fastest_sync::remote::pack_store::store::PackStoreError;
use verb::Verb;

/// How a command ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done, or in sync.
    Done,
    /// The command found drift, a conflict, or something else that needs a decision, such as a file
    /// that it did not overwrite.
    Differs,
    /// It failed, or found something wrong.
    Failed,
    /// Saved on this device only, because the primary is unreachable.
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
    /// An error of the engine.
    #[error(transparent)]
    Sync(#[from] SyncError),
    /// An application's database could not be used.
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
    /// The conflict of a row was named without a choice, or a choice for a row without its conflict.
    #[error("a row's conflict is settled by its id, with one of --ours, --theirs and --value")]
    NoChoice,
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
    /// The token was not stored, because the check of the primary with it failed.
    #[error("the token is not kept: {problem}")]
    TokenRefused {
        /// The primary's message.
        problem: String,
        /// Whether the primary rejected the token. Otherwise the check failed for another reason.
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
        /// The number of tables that were given.
        tables: usize,
        /// The number of scopes.
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
    /// A program that the user named cannot be run, or was killed.
    #[error("the {what} `{command}` cannot be run, or was ended")]
    NotRun {
        /// A pager or a tool.
        what: &'static str,
        /// The command.
        command: String,
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
    /// Returns the kind of the error, for programs.
    pub fn code(&self) -> Code {
        Code::Engine(match self {
            Self::Rows(_) => return Code::BadDatabase,
            Self::Pairs { .. } | Self::NotChosen { .. } | Self::NoChoice => return Code::Usage,
            Self::BadVariable { .. } | Self::NotAToken(_) | Self::NotRun { .. } => {
                return Code::Usage;
            }
            Self::NoKeyring { .. } => return Code::NoKeyring,
            Self::NoHome => return Code::NoHome,
            Self::Output(_) => return Code::Output,
            Self::Sync(error) => error.code(),
            Self::NotAFolder { .. } => EngineCode::NotAFolder,
            Self::NotAnObject { .. } => EngineCode::BadValue,
            Self::TokenRefused { denied: true, .. } => EngineCode::Denied,
            Self::TokenRefused { .. } => EngineCode::Primary,
            Self::NoFile { .. } => EngineCode::NoDatabase,
            Self::Io { .. } | Self::Runtime(_) | Self::Threads(_) => EngineCode::Io,
        })
    }

    /// Returns a sentence for each problem.
    pub fn sentences(&self) -> Vec<String> {
        match self {
            Self::Sync(SyncError::Migrations(MigrationsError::Adopt(refused))) => {
                refused.each().iter().map(ToString::to_string).collect()
            }
            _ => vec![self.sentence()],
        }
    }

    /// Returns the error as one sentence, followed by each cause that it does not already quote.
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

    /// Returns what to try next after the command `verb` failed.
    pub fn hint(&self, verb: Verb) -> Option<&'static str> {
        match self {
            Self::BadVariable { .. } => Some("for example: FASTEST_LOG=debug"),
            Self::NotRun { what: "pager", .. } => {
                Some("set FASTEST_PAGER to another one, or use `--no-pager`")
            }
            Self::NotRun { .. } => Some("give a command that the shell can run, such as `meld`"),
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
            Self::Sync(SyncError::NothingStands { .. }) => Some("choose `--ours` or `--theirs`"),
            Self::Sync(SyncError::SeveralConflicts { .. }) => Some(
                "settle them one by one, by their ids (`fastest conflicts` shows them) in place of the path",
            ),
            Self::Sync(SyncError::OddMarkers { .. }) => {
                Some("edit the file until no marker is left")
            }
            Self::Sync(SyncError::PulledAndSent { .. }) => Some(
                "`fastest restore --to SNAPSHOT` brings files back as they were, if you mean just that",
            ),
            Self::Sync(SyncError::LandAgain { .. }) => Some("`fastest push --to` lands it again"),
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

fn hint(code: Code, verb: Verb) -> Option<&'static str> {
    use EngineCode::*;
    let code = match code {
        Code::Engine(code) => code,
        Code::NoHome => return Some("name a store with `--store DIR` or FASTEST_STORE"),
        _ => return None,
    };
    Some(match (code, verb) {
        (NoProject, _) => {
            "run `fastest init` to make the folder a project, `fastest push` to save it too, or `fastest clone PROJECT --here` to join it to one"
        }
        (LostCopy, _) => {
            "`fastest clone PROJECT --here` writes what is missing, and keeps what is there; `fastest init --name NAME` makes the folder another project"
        }
        (AlreadyProject, _) => "`fastest status` shows it",
        (NothingToUndo | UnknownOperation, _) => "`fastest op log` shows the operations there are",
        (BuiltUpon, _) => {
            "undo the later ones first (`fastest op log` shows them), or take it out by hand"
        }
        (NotUpdated, _) => "remove the cause that is named, then run the command again",
        (StoreNotEmpty, _) => "choose a store folder that is empty or not there yet",
        (NotEmpty, Verb::Clone) => {
            "choose a folder that is empty or not there yet, or join this one with `--here`"
        }
        (NotEmpty, _) => "choose a folder that is empty or not there yet",
        (TooMuch, _) => "run `fastest init` there first if you mean it",
        (NameTaken, Verb::Init) => {
            "choose another name with `--name NAME`, or join the folder to that project with `fastest clone PROJECT --here`"
        }
        (NameTaken, Verb::Push) => {
            "`fastest clone PROJECT --here` joins the folder to that project; `fastest init --name NAME` makes it another one, under another name"
        }
        (BadName, Verb::Init) => "choose another name with `--name NAME`",
        (BadName, Verb::Push) => {
            "run `fastest init --name NAME` to choose another name, then push again"
        }
        (BadName | NameTaken, Verb::Clone) => "choose another name with `--workspace NAME`",
        (NameTaken, Verb::Project) => "`fastest project list` shows the names in use",
        (NameTaken, Verb::Workspace) => "`fastest workspace list` shows the names in use",
        (UnknownProject, Verb::Project) => "`fastest project list` shows the projects there are",
        (UnknownProject, _) => "`fastest remote show` tells which primary was asked",
        (UnknownWorkspace, _) => "`fastest workspace list` shows the workspaces there are",
        (UnknownConflict, _) => "`fastest conflicts` shows those there are",
        (UnknownRefused, _) => "`fastest conflicts --database FILE` shows those there are",
        (TooLong, _) => "write a shorter message, and keep the rest in a file of the project",
        (BadValue, _) => {
            "`fastest conflicts` shows the columns; write `--value '{\"column\":\"text\"}'`"
        }
        (Denied, Verb::Push) => {
            "the work is saved on this device; `fastest remote login` keeps a token for the primary"
        }
        (Denied, _) => {
            "`fastest remote login` keeps a token; docs/remotes.md tells which one is needed"
        }
        (NoDatabase, Verb::Schema) => "mend the address, or let `fastest schema migrate` make it",
        (Destructive, _) => {
            "look at each step, and run the command again with `--allow-destructive`"
        }
        (NoDatabase, _) => "make it first, or mend the address with `fastest remote set URL`",
        (UnknownSnapshot, Verb::Diff) => {
            "`fastest log` shows the snapshots there are, `fastest workspace list` the workspaces; paths come after `--`"
        }
        (Unsettled, _) => {
            "edit the file until no marker is left, or take one side with `--ours` or `--theirs`"
        }
        (UnknownSnapshot, _) => "`fastest log` shows the snapshots there are",
        (Ambiguous, _) => "give the id of one of them in full",
        (NoPath | IsDirectory, Verb::Cat) => "name a file, by its path from the project's root",
        (NoPath, Verb::Diff) => {
            "paths are relative to the current folder, and what is ignored is in no state; `fastest diff --name-only` lists the files that differ"
        }
        (Unrelated, Verb::Merge) => {
            "`--allow-unrelated` merges them; every file that differs is in conflict then"
        }
        (MergeWithItself, _) => "name another workspace: `fastest workspace list` shows them",
        (PreviewPassed, _) => "`fastest merge --dry-run` shows what would happen now",
        (Unrelated, Verb::Diff) => "`fastest diff A B` compares them without a base",
        (ChangedMeanwhile, _) => "run it again",
        (NoPath, _) => "`fastest log` shows other snapshots",
        (NoSnapshot, _) => "run `fastest snapshot` or `fastest push` there first",
        (ForeignWorkingCopy, _) => {
            "name the store that it was made with by `--store`, or join the folder to its project again with `fastest clone PROJECT --here`"
        }
        (InTheWay, _) => {
            "nothing was changed; what was edited while the command ran is seen when it is run again"
        }
        (StoreOfCaller, _) => {
            "run it without sudo, or with a store of root's own: `sudo -H fastest …`, or `--store`"
        }
        (ForeignOwner, Verb::Clone | Verb::Init) => {
            "if you trust its owner, write the folder into FASTEST_SAFE_FOLDERS, or as a line into the file `safe-folders` of the store"
        }
        (ForeignOwner, _) => {
            "if you trust its owner, write the project's folder into FASTEST_SAFE_FOLDERS, or as a line into the file `safe-folders` of the store; `fastest init` makes a project of your own where you are"
        }
        (TrackedByGit, _) => "`git rm --cached PATH` first, then untrack it",
        (UntrackRoot, _) => "name files or folders in it",
        (NotHere, _) => "`fastest status` lists what is there",
        (UnknownRules, _) => "make the file readable, shorten it, or delete it",
        (DamagedState, _) => "put the file back from a backup, or clone the project again",
        (NewerStore | NewerPrimary, _) => "upgrade fastest on this device",
        (PrimaryBehind, _) => {
            "`fastest schema migrate` does; devices with an older fastest must be upgraded then"
        }
        (Contended, _) => "try again",
        (BadUrl, _) => "for example: `fastest remote set file:///path/primary.db`",
        (Unreachable, Verb::Remote) => "make sure that the folder or the host is there",
        (Unreachable | Primary | Protocol, _) => "run `fastest remote check`",
        (MissingObject | DamagedStore | PackStore | Content, Verb::Doctor) => return None,
        (MissingObject | DamagedStore | PackStore | Content, _) => "run `fastest doctor`",
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
        assert!(hint(Code::Engine(EngineCode::NameTaken), Verb::Init).unwrap().contains("--name"));
        assert!(
            hint(Code::Engine(EngineCode::NameTaken), Verb::Clone).unwrap().contains("--workspace")
        );
        assert_eq!(
            hint(Code::Engine(EngineCode::MissingObject), Verb::Cat),
            Some("run `fastest doctor`")
        );
        assert_eq!(hint(Code::Engine(EngineCode::Io), Verb::Push), None);
    }
}
