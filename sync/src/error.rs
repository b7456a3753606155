//! The errors of commands.
//!
//! Lower modules have errors of their own. [`SyncError`] joins them, and adds mistakes that a user
//! can make. A message says what failed and on what. The command line adds advice, which it chooses
//! by [`SyncError::code`](code).

pub mod code;
pub mod named;

use fastest_schema::{ProjectId, SnapshotId, WorkspaceId};
use std::io;
use std::path::{Path, PathBuf};

use fastest_core::object::chunk::ReadContentError;
use fastest_core::object::error::StoreError;
use fastest_core::worktree::checkout::error::CheckoutError;
use fastest_core::worktree::scan::error::ScanError;
use fastest_core::worktree::stat_index::IndexError;

use named::Named;

use crate::base::own_thread::NoThread;
use crate::base::waiting::LockError;
use crate::migrations::error::MigrationsError;
use crate::remote::open::RemoteError;
use crate::remote::pack_store::store::PackStoreError;
use crate::remote::primary::PrimaryError;
use crate::remote::sharing::ShareError;
use crate::replica::error::ReplicaError;
use crate::rows::resolve::ResolveError;
use crate::rows::write_error::WriteError;

/// An error of a command.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SyncError {
    /// Neither the folder nor any of its parents has a `.fastest`.
    #[error("{} is not in a Fastest project", path.display())]
    NoProject {
        /// The folder.
        path: PathBuf,
    },
    /// No operation of this workspace can be undone.
    #[error("there is nothing to undo in this workspace on this device")]
    NothingToUndo,
    /// No operation was undone.
    #[error("there is nothing to redo: no operation of this workspace was undone")]
    NothingToRedo,
    /// Something was done since the last undo.
    #[error("there is nothing to redo: since the last undo came {number} ({command})")]
    RedoPassed {
        /// The number of the newer operation.
        number: i64,
        /// Its command.
        command: String,
    },
    /// No operation of this workspace has this number.
    #[error("this workspace has no operation {number} on this device")]
    NoOperation {
        /// The number given.
        number: i64,
    },
    /// An operation was undone before.
    #[error("operation {number} was undone by {by} already")]
    IsUndone {
        /// The operation.
        number: i64,
        /// The undo.
        by: i64,
    },
    /// A pull was pushed, so that the work of others is part of what others have of this workspace.
    #[error(
        "the pull of operation {number} was pushed: a snapshot that takes it out here would take the work of \
         others out wherever this lands"
    )]
    PulledAndSent {
        /// The operation.
        number: i64,
    },
    /// The undo of a landing was sent.
    #[error("the landing in {workspace} was taken back there")]
    LandAgain {
        /// The workspace where it landed.
        workspace: String,
    },
    /// Something was done since that builds on the operation to undo.
    #[error("operation {number} can only be taken back after those that came after it")]
    NotNewest {
        /// The operation.
        number: i64,
    },
    /// Later changes are in the same lines as the operation to undo.
    #[error(
        "operation {number} cannot be taken out by itself: later changes are in the same places of {}",
        paths.join(", ")
    )]
    BuiltUpon {
        /// The operation.
        number: i64,
        /// The files.
        paths: Vec<String>,
    },
    /// A folder that was a working copy has lost its `.fastest`. Either another folder has taken
    /// its place, or most of its files are gone.
    #[error(
        "{} was the working copy of {name}, and may be another folder by now: it has no .fastest, and \
         {gone} of {looked_for} files of the last snapshot are not in it",
        path.display()
    )]
    LostCopy {
        /// The folder.
        path: PathBuf,
        /// Its project and workspace.
        name: String,
        /// How many of the files that were looked for are missing.
        gone: usize,
        /// How many files of its last snapshot were looked for.
        looked_for: usize,
    },
    /// The folder is already a working copy.
    #[error("{} is a Fastest project already", path.display())]
    AlreadyProject {
        /// The folder.
        path: PathBuf,
    },
    /// Ignore files cannot be used, so it is not known which files must stay out of a snapshot.
    #[error("{}: nothing is saved, since it may have to keep files out", files.join("; "))]
    UnknownRules {
        /// Each file, with the reason.
        files: Vec<String>,
    },
    /// The path cannot be untracked, because git tracks it.
    #[error("git tracks {path}, so it is content here too")]
    TrackedByGit {
        /// The path, in the working copy.
        path: String,
    },
    /// The whole working copy cannot be untracked.
    #[error("the whole project cannot be untracked")]
    UntrackRoot,
    /// The path cannot be untracked, because no rule can match it alone or it is an ignore file itself.
    #[error("{path} cannot be untracked: no line of an ignore file can name it, or it is one")]
    CannotBeIgnored {
        /// The path, in the working copy.
        path: String,
    },
    /// The path cannot be untracked, because the ignore file that would name it is not in
    /// snapshots, so that other devices would not get the rule.
    #[error(
        "{path} cannot be untracked: the .fastestignore beside it does not reach other devices, which would delete it"
    )]
    RuleStaysHere {
        /// The path, in the working copy.
        path: String,
    },
    /// The path is in a folder that does not belong to the project.
    #[error(
        "{path} is not this project's: it belongs to another working copy, or to a state folder"
    )]
    NotOurs {
        /// The path, in the working copy.
        path: String,
    },
    /// The path is neither in the folder nor in its last snapshot.
    #[error("{path} is neither in the folder nor in its last snapshot")]
    NotHere {
        /// The path, in the working copy.
        path: String,
    },
    /// A folder, or the state in it that makes it a working copy, belongs to another user of the
    /// machine.
    #[error(
        "{} belongs to the user with id {owner}, and you are {user}: it is not used unless you list it as safe",
        path.display()
    )]
    ForeignOwner {
        /// The folder or file.
        path: PathBuf,
        /// The id of the user that it belongs to.
        owner: u32,
        /// The id of the user who runs the command.
        user: u32,
    },
    /// Root would write to the store of the user who called `sudo`.
    #[error(
        "the store {} belongs to the user with id {owner}, who called sudo and could not read what root writes there",
        path.display()
    )]
    StoreOfCaller {
        /// The store.
        path: PathBuf,
        /// The id of the user that it belongs to.
        owner: u32,
    },
    /// The path is not a folder.
    #[error("{} is not a folder", path.display())]
    NotAFolder {
        /// The path given.
        path: PathBuf,
    },
    /// The folder for a new working copy is not empty.
    #[error("{} is not empty", path.display())]
    NotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// The folder for a new store has other files in it.
    #[error("{} holds other files: a store needs a folder of its own", path.display())]
    StoreNotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// A home folder or the root of the file system would have become a project, which the user did
    /// not ask for.
    #[error("{} is too much to be made a project without being asked", path.display())]
    TooMuch {
        /// The folder.
        path: PathBuf,
    },
    /// The name is not valid for a project or workspace.
    #[error("{name:?} cannot be the name of a {what}: {reason}")]
    BadName {
        /// A project or a workspace.
        what: Named,
        /// The name.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The message is longer than a primary accepts in a row.
    #[error("the message has {bytes} bytes, more than the {max} that it may have")]
    MessageTooLong {
        /// Its length in bytes.
        bytes: usize,
        /// The most bytes that it may have.
        max: usize,
    },
    /// The name is in use.
    #[error("there is a {what} named {name:?} already{}", place.as_ref().map(|p| format!(", {p}")).unwrap_or_default())]
    NameTaken {
        /// A project or a workspace.
        what: Named,
        /// The name.
        name: String,
        /// Where the other one is, if that is known.
        place: Option<String>,
    },
    /// The primary has another project of the same name, and does not have this one yet.
    #[error(
        "{url} has a project named {name:?} already, which is another one (id {id}): nothing was sent"
    )]
    SecondProject {
        /// The name.
        name: String,
        /// The id of the project that the primary has.
        id: ProjectId,
        /// The primary.
        url: String,
    },
    /// Nothing has this name or id.
    #[error("there is no {what} {name:?}{}", nearest.as_ref().map(|n| format!("; did you mean {n:?}?")).unwrap_or_default())]
    Unknown {
        /// The kind of thing that the name refers to.
        what: Named,
        /// The name or id given.
        name: String,
        /// The most similar name that there is.
        nearest: Option<String>,
    },
    /// Several things have this name, or an id that begins with it.
    #[error("{name:?} may be any of the {what}s {}", candidates.join("; "))]
    Ambiguous {
        /// The kind of thing that the name refers to.
        what: Named,
        /// The name or id given.
        name: String,
        /// The ids that match, and what distinguishes them.
        candidates: Vec<String>,
    },
    /// The snapshot has nothing at the path.
    #[error("snapshot {snapshot} has no {path:?}")]
    NoPath {
        /// The snapshot.
        snapshot: SnapshotId,
        /// The path, as shown.
        path: String,
    },
    /// Neither of two states has anything at the path.
    #[error("neither {old} nor {new} has {path:?}")]
    NoPathInEither {
        /// The path given, as shown.
        path: String,
        /// The old state.
        old: String,
        /// The new state.
        new: String,
    },
    /// Two states have no snapshot in common.
    #[error("{ours} and {theirs} have no snapshot in common")]
    Unrelated {
        /// One state.
        ours: String,
        /// The other.
        theirs: String,
    },
    /// A workspace cannot be merged with itself.
    #[error("this working copy is workspace {workspace:?}: there is nothing to merge with itself")]
    MergeWithItself {
        /// The workspace.
        workspace: String,
    },
    /// A preview of a merge cannot be carried out any more.
    #[error("the preview {id} cannot be carried out: {why}")]
    PreviewPassed {
        /// Its id.
        id: String,
        /// Why not.
        why: String,
    },
    /// A file of the working copy was changed after it was scanned.
    #[error("{path} was changed while it was compared")]
    ChangedMeanwhile {
        /// The file, as shown.
        path: String,
    },
    /// The path is a directory where a file is needed.
    #[error("{path:?} is a directory in snapshot {snapshot}")]
    IsDirectory {
        /// The snapshot.
        snapshot: SnapshotId,
        /// The path, as shown.
        path: String,
    },
    /// The path is outside of the working copy.
    #[error("{path:?} is outside of the working copy")]
    OutsidePath {
        /// The path, as shown.
        path: String,
    },
    /// No file at the path is in conflict.
    #[error("nothing at {path} is in conflict")]
    NoFileConflict {
        /// The path given, as shown.
        path: String,
    },
    /// A conflict was to be settled whose markers still stand.
    #[error("{path} still has the markers of its conflict")]
    MarkersStand {
        /// The file.
        path: String,
    },
    /// A conflict was to be settled as it stands, and nothing stands at the path.
    #[error("nothing stands at {path}, so neither version of it can be the result")]
    NothingStands {
        /// The path.
        path: String,
    },
    /// Several conflicts of one path cannot be settled by one choice.
    #[error("{path} is in several conflicts, which one choice cannot settle")]
    SeveralConflicts {
        /// The path.
        path: String,
    },
    /// The markers of a conflict are not as they were written, so no side can be picked.
    #[error(
        "the markers of the conflict in {path} were changed, so neither side can be told apart"
    )]
    OddMarkers {
        /// The file.
        path: String,
    },
    /// The workspace has no snapshot yet.
    #[error("workspace {workspace:?} has no snapshot yet")]
    NoSnapshot {
        /// The workspace.
        workspace: String,
    },
    /// The working copy belongs to a workspace that neither the store nor the primary knows.
    #[error("{} belongs to workspace {workspace_id}, which the store {} does not know", path.display(), store.display())]
    ForeignWorkingCopy {
        /// The working copy.
        path: PathBuf,
        /// Its workspace.
        workspace_id: WorkspaceId,
        /// The store.
        store: PathBuf,
    },
    /// A file that Fastest wrote cannot be understood.
    #[error("{} is damaged: {what}", path.display())]
    DamagedState {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// A file that Fastest wrote is of a newer version.
    #[error("{} was made by a newer version of Fastest (format {found})", path.display())]
    NewerState {
        /// The file.
        path: PathBuf,
        /// The format found.
        found: String,
    },
    /// The tree repeats the same folders under so many names that no disk could hold it.
    #[error(
        "snapshot {snapshot} has more than {} paths, the same few folders again and again: it is not used",
        fastest_core::compare::extent::PATHS_MAX
    )]
    TooManyPaths {
        /// The snapshot.
        snapshot: SnapshotId,
    },
    /// A file could not be updated with work that was merged in.
    #[error("{path:?} could not be updated: {why}")]
    NotUpdated {
        /// The file, as shown.
        path: String,
        /// Why not.
        why: String,
    },
    /// The row cannot hold the value.
    #[error("column {column:?} of {table}: {why}")]
    BadValue {
        /// The table.
        table: &'static str,
        /// The column given.
        column: String,
        /// What is wrong.
        why: &'static str,
    },
    /// Others pushed first each time that this push was tried.
    #[error("the workspace moved on the primary {attempts} times while this push was tried")]
    Contended {
        /// How often it was tried.
        attempts: u32,
    },
    /// Another command set another primary while this one ran.
    #[error("the primary was changed by another command in the meantime")]
    RemoteChanged,
    /// The file system failed.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The system cannot start a thread.
    #[error("cannot start a thread: {0}; end other programs, or raise the limit (`ulimit -u`)")]
    NoThread(io::Error),
    /// The row that was chosen in a conflict cannot be written.
    #[error(transparent)]
    Write(WriteError),
    /// The replica failed.
    #[error(transparent)]
    Replica(#[from] ReplicaError),
    /// The primary failed.
    #[error(transparent)]
    Primary(#[from] PrimaryError),
    /// A folder of migrations cannot be used, or added to.
    #[error(transparent)]
    Migrations(MigrationsError),
    /// The pack store failed.
    #[error(transparent)]
    PackStore(#[from] PackStoreError),
    /// The primary cannot be shared with a group.
    #[error(transparent)]
    Share(#[from] ShareError),
    /// The primary or the pack store has a pack whose content does not match its id.
    #[error("{error}{}", way_out(*is_asked_for))]
    DamagedAtRemote {
        /// The project.
        project_id: ProjectId,
        /// The pack.
        pack_id: String,
        /// Whether the devices that have it were asked to send it again.
        is_asked_for: bool,
        /// What is wrong. It is not a source, because its text is a part of this error's.
        error: Box<SyncError>,
    },
    /// The object store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The working copy could not be read.
    #[error(transparent)]
    Scan(#[from] ScanError),
    /// The stat index could not be read or written.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// The working copy could not be changed.
    #[error(transparent)]
    Checkout(#[from] CheckoutError),
    /// The content of a file could not be read from the store.
    #[error(transparent)]
    Content(#[from] ReadContentError),
}

/// Returns advice on how to get the pack of a [`SyncError::DamagedAtRemote`].
fn way_out(is_asked_for: bool) -> &'static str {
    if is_asked_for {
        "; the devices that have the pack are asked to send it again: run `fastest pull` in the project \
             on one of them, then try again"
    } else {
        "; a device that has the pack sends it again by `fastest doctor --remote --mend`"
    }
}

impl From<NoThread> for SyncError {
    fn from(NoThread(error): NoThread) -> Self {
        Self::NoThread(error)
    }
}

impl From<WriteError> for SyncError {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Replica(error) => Self::Replica(error),
            error => Self::Write(error),
        }
    }
}

impl SyncError {
    /// Adds the action and the path to the error of a system call, for `map_err`.
    pub fn io(action: &'static str, path: impl AsRef<Path>) -> impl FnOnce(io::Error) -> Self {
        let path = path.as_ref().to_owned();
        move |source| Self::Io { action, path, source }
    }

    /// Whether the work stays queued and a retry may succeed without a repair.
    pub fn is_unreachable(&self) -> bool {
        match self {
            Self::Primary(error) => error.is_unreachable(),
            Self::PackStore(error) => error.is_unreachable(),
            _ => false,
        }
    }

    /// Whether content that the store should have is damaged or missing.
    pub(crate) fn is_of_damaged_store(&self) -> bool {
        let (Self::Store(error)
        | Self::Scan(ScanError::Store(error))
        | Self::Checkout(CheckoutError::Store(error))
        | Self::Content(ReadContentError::Store(error))) = self
        else {
            return false;
        };
        use StoreError::*;
        match error {
            Missing { .. } | DamagedObject { .. } | WrongContent { .. } => true,
            DamagedPack { .. } | WrongPack { .. } => true,
            Io { source, .. } => source.kind() == io::ErrorKind::NotFound,
            _ => false,
        }
    }
}

impl From<LockError> for SyncError {
    fn from(LockError { action, path, source }: LockError) -> Self {
        Self::Io { action, path, source }
    }
}

impl From<ResolveError> for SyncError {
    fn from(error: ResolveError) -> Self {
        let what = Named::Conflict;
        match error {
            ResolveError::Unknown { name } => Self::Unknown { what, name, nearest: None },
            ResolveError::Ambiguous { name, candidates } => {
                Self::Ambiguous { what, name, candidates }
            }
            ResolveError::BadValue { table, column, why } => Self::BadValue { table, column, why },
            ResolveError::Write(error) => error.into(),
            ResolveError::Replica(error) => error.into(),
        }
    }
}

impl From<MigrationsError> for SyncError {
    fn from(error: MigrationsError) -> Self {
        match error {
            MigrationsError::Primary(error) => Self::Primary(error),
            error => Self::Migrations(error),
        }
    }
}

impl From<RemoteError> for SyncError {
    fn from(error: RemoteError) -> Self {
        match error {
            RemoteError::Primary(error) => Self::Primary(error),
            RemoteError::Packs(error) => Self::PackStore(error),
            RemoteError::Changed => Self::RemoteChanged,
        }
    }
}
