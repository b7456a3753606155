//! The kind of an error as one word, for programs.

use fastest_core::object::error::StoreError;
use fastest_core::worktree::checkout::error::CheckoutError;

use super::SyncError;
use super::named::Named;
use crate::migrations::error::MigrationsError;
use crate::remote::pack_store::store::PackStoreError;
use crate::remote::primary::PrimaryError;
use crate::replica::error::ReplicaError;

/// The kind of a [`SyncError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each is the word that `docs/cli.md` explains")]
pub enum Code {
    NoProject,
    LostCopy,
    AlreadyProject,
    ForeignOwner,
    StoreOfCaller,
    NotAFolder,
    NotEmpty,
    StoreNotEmpty,
    TooMuch,
    BadName,
    TooLong,
    NameTaken,
    UnknownProject,
    UnknownWorkspace,
    UnknownConflict,
    UnknownRefused,
    UnknownSnapshot,
    Ambiguous,
    NoPath,
    IsDirectory,
    OutsidePath,
    NoSnapshot,
    ForeignWorkingCopy,
    UnknownRules,
    TrackedByGit,
    UntrackRoot,
    NotHere,
    NotOurs,
    CannotBeIgnored,
    DamagedState,
    NewerStore,
    BadValue,
    NotUpdated,
    MergeWithItself,
    PreviewPassed,
    NothingToUndo,
    UnknownOperation,
    BuiltUpon,
    Unrelated,
    Unsettled,
    ChangedMeanwhile,
    TooManyPaths,
    Contended,
    Io,
    ReadOnly,
    Replica,
    Unreachable,
    BadUrl,
    Denied,
    NoDatabase,
    NewerPrimary,
    PrimaryBehind,
    OccupiedPrimary,
    Protocol,
    Primary,
    PackStore,
    CannotShare,
    MissingObject,
    DamagedStore,
    Scan,
    Index,
    InTheWay,
    Checkout,
    Content,
    Destructive,
    Refused,
    UnknownTable,
    Migrations,
}

impl Code {
    /// Returns the word that programs see. These words never change.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoProject => "no_project",
            Self::LostCopy => "lost_copy",
            Self::AlreadyProject => "already_project",
            Self::ForeignOwner => "foreign_owner",
            Self::StoreOfCaller => "store_of_caller",
            Self::NotAFolder => "not_a_folder",
            Self::NotEmpty => "not_empty",
            Self::StoreNotEmpty => "store_not_empty",
            Self::TooMuch => "too_much",
            Self::BadName => "bad_name",
            Self::TooLong => "too_long",
            Self::NameTaken => "name_taken",
            Self::UnknownProject => "unknown_project",
            Self::UnknownWorkspace => "unknown_workspace",
            Self::UnknownConflict => "unknown_conflict",
            Self::UnknownRefused => "unknown_refused",
            Self::UnknownSnapshot => "unknown_snapshot",
            Self::Ambiguous => "ambiguous",
            Self::NoPath => "no_path",
            Self::IsDirectory => "is_directory",
            Self::OutsidePath => "outside_path",
            Self::NoSnapshot => "no_snapshot",
            Self::ForeignWorkingCopy => "foreign_working_copy",
            Self::UnknownRules => "unknown_rules",
            Self::TrackedByGit => "tracked_by_git",
            Self::UntrackRoot => "untrack_root",
            Self::NotHere => "not_here",
            Self::NotOurs => "not_ours",
            Self::CannotBeIgnored => "cannot_be_ignored",
            Self::DamagedState => "damaged_state",
            Self::NewerStore => "newer_store",
            Self::BadValue => "bad_value",
            Self::NotUpdated => "not_updated",
            Self::MergeWithItself => "merge_with_itself",
            Self::PreviewPassed => "preview_passed",
            Self::NothingToUndo => "nothing_to_undo",
            Self::UnknownOperation => "unknown_operation",
            Self::BuiltUpon => "built_upon",
            Self::Unrelated => "unrelated",
            Self::Unsettled => "unsettled",
            Self::ChangedMeanwhile => "changed_meanwhile",
            Self::TooManyPaths => "too_many_paths",
            Self::Contended => "contended",
            Self::Io => "io",
            Self::ReadOnly => "read_only",
            Self::Replica => "replica",
            Self::Unreachable => "unreachable",
            Self::BadUrl => "bad_url",
            Self::Denied => "denied",
            Self::NoDatabase => "no_database",
            Self::NewerPrimary => "newer_primary",
            Self::PrimaryBehind => "primary_behind",
            Self::OccupiedPrimary => "occupied_primary",
            Self::Protocol => "protocol",
            Self::Primary => "primary",
            Self::PackStore => "pack_store",
            Self::CannotShare => "cannot_share",
            Self::MissingObject => "missing_object",
            Self::DamagedStore => "damaged_store",
            Self::Scan => "scan",
            Self::Index => "index",
            Self::InTheWay => "in_the_way",
            Self::Checkout => "checkout",
            Self::Content => "content",
            Self::Destructive => "destructive",
            Self::Refused => "refused",
            Self::UnknownTable => "unknown_table",
            Self::Migrations => "migrations",
        }
    }
}

impl SyncError {
    /// Returns the kind of the error, for programs.
    pub fn code(&self) -> Code {
        match self {
            Self::NoProject { .. } => Code::NoProject,
            Self::LostCopy { .. } => Code::LostCopy,
            Self::AlreadyProject { .. } => Code::AlreadyProject,
            Self::ForeignOwner { .. } => Code::ForeignOwner,
            Self::StoreOfCaller { .. } => Code::StoreOfCaller,
            Self::NotAFolder { .. } => Code::NotAFolder,
            Self::NotEmpty { .. } => Code::NotEmpty,
            Self::StoreNotEmpty { .. } => Code::StoreNotEmpty,
            Self::TooMuch { .. } => Code::TooMuch,
            Self::BadName { .. } => Code::BadName,
            Self::MessageTooLong { .. } => Code::TooLong,
            Self::NameTaken { .. } | Self::SecondProject { .. } => Code::NameTaken,
            Self::Unknown { what: Named::Project, .. } => Code::UnknownProject,
            Self::Unknown { what: Named::Workspace, .. } => Code::UnknownWorkspace,
            Self::Unknown { what: Named::Conflict, .. } => Code::UnknownConflict,
            Self::Unknown { what: Named::RefusedTransaction, .. } => Code::UnknownRefused,
            Self::Unknown { .. } => Code::UnknownSnapshot,
            Self::Ambiguous { .. } => Code::Ambiguous,
            Self::NoPath { .. } | Self::NoPathInEither { .. } => Code::NoPath,
            Self::Unrelated { .. } => Code::Unrelated,
            Self::ChangedMeanwhile { .. } => Code::ChangedMeanwhile,
            Self::IsDirectory { .. } => Code::IsDirectory,
            Self::OutsidePath { .. } => Code::OutsidePath,
            Self::NoFileConflict { .. } => Code::UnknownConflict,
            Self::MarkersStand { .. }
            | Self::OddMarkers { .. }
            | Self::NothingStands { .. }
            | Self::SeveralConflicts { .. } => Code::Unsettled,
            Self::NoSnapshot { .. } => Code::NoSnapshot,
            Self::ForeignWorkingCopy { .. } => Code::ForeignWorkingCopy,
            Self::UnknownRules { .. } => Code::UnknownRules,
            Self::TrackedByGit { .. } => Code::TrackedByGit,
            Self::UntrackRoot => Code::UntrackRoot,
            Self::NotHere { .. } => Code::NotHere,
            Self::NotOurs { .. } => Code::NotOurs,
            Self::CannotBeIgnored { .. } | Self::RuleStaysHere { .. } => Code::CannotBeIgnored,
            Self::DamagedState { .. } => Code::DamagedState,
            Self::NewerState { .. }
            | Self::Replica(ReplicaError::Newer { .. } | ReplicaError::NewerSchema { .. }) => {
                Code::NewerStore
            }
            Self::Store(StoreError::Newer { .. }) => Code::NewerStore,
            Self::BadValue { .. } => Code::BadValue,
            Self::NotUpdated { .. } => Code::NotUpdated,
            Self::MergeWithItself { .. } => Code::MergeWithItself,
            Self::PreviewPassed { .. } => Code::PreviewPassed,
            Self::NothingToUndo
            | Self::NothingToRedo
            | Self::RedoPassed { .. }
            | Self::IsUndone { .. } => Code::NothingToUndo,
            Self::NoOperation { .. } => Code::UnknownOperation,
            Self::BuiltUpon { .. }
            | Self::NotNewest { .. }
            | Self::PulledAndSent { .. }
            | Self::LandAgain { .. } => Code::BuiltUpon,
            Self::TooManyPaths { .. } => Code::TooManyPaths,
            Self::Contended { .. } | Self::RemoteChanged => Code::Contended,
            Self::Io { .. } | Self::NoThread(_) => Code::Io,
            Self::Write(_) => Code::BadValue,
            Self::Replica(ReplicaError::ReadOnly { .. } | ReplicaError::Older { .. }) => {
                Code::ReadOnly
            }
            Self::Replica(_) => Code::Replica,
            Self::Primary(error) => match error {
                PrimaryError::Unreachable { .. } | PrimaryError::NoFolder { .. } => {
                    Code::Unreachable
                }
                PrimaryError::BadUrl { .. } => Code::BadUrl,
                PrimaryError::Denied { .. } => Code::Denied,
                PrimaryError::NoDatabase { .. } => Code::NoDatabase,
                PrimaryError::Newer { .. } => Code::NewerPrimary,
                PrimaryError::Behind { .. } => Code::PrimaryBehind,
                PrimaryError::Occupied { .. } => Code::OccupiedPrimary,
                PrimaryError::Inconsistent { .. } => Code::Protocol,
                _ => Code::Primary,
            },
            Self::Migrations(error) => match error {
                MigrationsError::Io { .. } => Code::Io,
                MigrationsError::Destructive(_) => Code::Destructive,
                MigrationsError::Diff(_) | MigrationsError::Adopt(_) => Code::Refused,
                MigrationsError::UnknownTable { .. } => Code::UnknownTable,
                _ => Code::Migrations,
            },
            Self::PackStore(PackStoreError::Unreachable { .. }) => Code::Unreachable,
            Self::PackStore(PackStoreError::Denied { .. }) => Code::Denied,
            Self::PackStore(PackStoreError::BadUrl { .. }) => Code::BadUrl,
            Self::PackStore(_) => Code::PackStore,
            Self::DamagedAtRemote { error, .. } => error.code(),
            Self::Share(_) => Code::CannotShare,
            Self::Store(StoreError::Missing { .. }) => Code::MissingObject,
            Self::Store(StoreError::Io { .. }) => Code::Io,
            Self::Store(_) => Code::DamagedStore,
            Self::Scan(_) => Code::Scan,
            Self::Index(_) => Code::Index,
            Self::Checkout(CheckoutError::InTheWay { .. }) => Code::InTheWay,
            Self::Checkout(_) => Code::Checkout,
            Self::Content(_) => Code::Content,
        }
    }
}
