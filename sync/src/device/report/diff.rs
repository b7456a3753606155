//! Reports of `fastest diff`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fastest_core::compare::changes::{Change, Version};
use fastest_core::compare::text::patch::Body;
use fastest_core::compare::text::{Hunk, Line, Origin, TextDiff};
use fastest_core::object::id::BlobId;
use fastest_core::object::item::Kind;
use fastest_schema::SnapshotId;
use serde::Serialize;

use crate::device::path::show;

/// `fastest diff`, without the files
#[derive(Debug, Clone, Default, Serialize)]
#[non_exhaustive]
pub struct DiffReport {
    /// The old state.
    pub old: DiffState,
    /// The new state.
    pub new: DiffState,
    /// Empty folders that only one state has.
    pub folders: Vec<DiffFolder>,
    /// Files that were not compared to find renames, because there are too many of them.
    pub skipped_renames: Option<SkippedRenames>,
    /// What was skipped, each with the reason.
    pub skipped: Vec<String>,
    /// What else the user should know.
    pub warnings: Vec<String>,
}

/// A state that is compared.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DiffState {
    /// How it was named; for a working copy, `working copy`.
    pub name: String,
    /// The snapshot. A working copy has none, nor has a base of several snapshots.
    pub snapshot_id: Option<SnapshotId>,
    /// Id of its tree.
    pub manifest_hash: String,
}

/// An empty folder that only one state has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DiffFolder {
    /// Its path.
    pub path: String,
    /// Whether the new state has it.
    #[serde(rename = "added")]
    pub is_added: bool,
}

/// Files that were not compared to find renames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SkippedRenames {
    /// How many of the deleted ones.
    pub deleted: u64,
    /// How many of the added ones.
    pub added: u64,
}

/// A file that differs.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct DiffFile {
    /// Its path; if it was renamed, the new one.
    pub path: String,
    /// The path that it was renamed from.
    pub old_path: Option<String>,
    /// What happened to it.
    pub status: DiffStatus,
    /// If it was renamed: how much of its content is the same, in percent.
    pub similarity: Option<u8>,
    /// The file in the old state.
    pub old: Option<DiffSide>,
    /// The file in the new state.
    pub new: Option<DiffSide>,
    /// How its content differs. Left out if contents were not compared.
    #[serde(flatten)]
    pub content: Option<DiffContent>,
}

/// What happened to a file. In JSON: `added`, `deleted`, `modified`, `retyped` or `renamed`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DiffStatus {
    /// Only the new state has it.
    Added,
    /// Only the old state has it.
    Deleted,
    /// Its content or mode differs.
    Modified,
    /// A file became a link, or a link a file.
    Retyped,
    /// It has another path.
    Renamed,
}

impl DiffStatus {
    /// Returns the status of a change.
    pub fn of(change: &Change) -> Self {
        match change {
            Change::Added(_) => Self::Added,
            Change::Deleted(_) => Self::Deleted,
            Change::Modified { .. } => Self::Modified,
            Change::Retyped { .. } => Self::Retyped,
            Change::Renamed { .. } => Self::Renamed,
        }
    }

    /// Returns git's letter for it.
    pub fn letter(self) -> char {
        match self {
            Self::Added => 'A',
            Self::Deleted => 'D',
            Self::Modified => 'M',
            Self::Retyped => 'T',
            Self::Renamed => 'R',
        }
    }
}

/// A file in one state.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct DiffSide {
    /// `file`, `executable` or `link`.
    pub kind: &'static str,
    /// git's mode.
    pub mode: &'static str,
    /// Its size.
    pub bytes: u64,
    /// Id of its content.
    pub content_hash: String,
}

impl From<&Version> for DiffSide {
    fn from(version: &Version) -> Self {
        let kind = match version.item.kind {
            Kind::File => "file",
            Kind::Executable => "executable",
            Kind::Symlink => "link",
            Kind::Directory => "folder",
        };
        let content_hash = BlobId(version.item.id).to_hex();
        Self { kind, mode: version.mode(), bytes: version.item.bytes, content_hash }
    }
}

/// How the content of a file differs.
#[derive(Debug, Clone, Default, Serialize)]
#[non_exhaustive]
pub struct DiffContent {
    /// Whether it has no lines to compare.
    pub binary: bool,
    /// Whether it was not read, because it is too large. It counts as binary.
    pub too_large: bool,
    /// Lines that only the new state has.
    pub lines_added: u64,
    /// Lines that only the old state has.
    pub lines_removed: u64,
    /// The lines that differ, with some around them. Left out if only numbers were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hunks: Option<Vec<DiffHunk>>,
}

/// Lines that differ.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct DiffHunk {
    /// Number of the first line in the old content, from 1. If it has none, the line before.
    pub old_start: u64,
    /// How many lines of the old content.
    pub old_lines: u64,
    /// Like `old_start`, in the new content.
    pub new_start: u64,
    /// How many lines of the new content.
    pub new_lines: u64,
    /// The lines.
    pub lines: Vec<DiffLine>,
}

/// A line of a hunk.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct DiffLine {
    /// `common`, `removed` or `added`.
    pub origin: &'static str,
    /// Its text, with its line feed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Instead of the text, its bytes, if they are not UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base64: Option<String>,
}

impl DiffFile {
    /// Returns the report of a change. Without a body, contents were not compared.
    pub fn of(change: &Change, content: Option<DiffContent>) -> Self {
        let (old_path, similarity) = match change {
            Change::Renamed { old, similarity, .. } => (Some(show(&old.path)), Some(*similarity)),
            _ => (None, None),
        };
        Self {
            path: show(change.path()),
            old_path,
            status: DiffStatus::of(change),
            similarity,
            old: change.old_version().map(DiffSide::from),
            new: change.new_version().map(DiffSide::from),
            content,
        }
    }
}

impl DiffContent {
    /// Returns the numbers of a body.
    pub fn counts(body: &Body) -> Self {
        let mut content = Self::default();
        match body {
            Body::Same => {}
            Body::Text(text) => (content.lines_removed, content.lines_added) = text.counts(),
            Body::Binary => content.binary = true,
            Body::TooLarge => (content.binary, content.too_large) = (true, true),
            Body::Retyped { old, new } => {
                let [old, new] = [Self::counts(old), Self::counts(new)];
                content.binary = old.binary || new.binary;
                content.too_large = old.too_large || new.too_large;
                content.lines_removed = old.lines_removed;
                content.lines_added = new.lines_added;
            }
        }
        content
    }

    /// Returns the numbers and the lines of a body.
    pub fn lines(body: &Body) -> Self {
        let mut hunks = Vec::new();
        add_hunks(body, &mut hunks);
        Self { hunks: Some(hunks), ..Self::counts(body) }
    }
}

fn add_hunks(body: &Body, out: &mut Vec<DiffHunk>) {
    match body {
        Body::Text(text) => out.extend(text.hunks().iter().map(|hunk| hunk_report(text, hunk))),
        Body::Retyped { old, new } => {
            add_hunks(old, out);
            add_hunks(new, out);
        }
        Body::Same | Body::Binary | Body::TooLarge => {}
    }
}

fn hunk_report(text: &TextDiff, hunk: &Hunk) -> DiffHunk {
    let start = |before: usize, count: usize| (before + usize::from(count > 0)) as u64;
    DiffHunk {
        old_start: start(hunk.old.before, hunk.old.count),
        old_lines: hunk.old.count as u64,
        new_start: start(hunk.new.before, hunk.new.count),
        new_lines: hunk.new.count as u64,
        lines: text.lines(hunk).map(line_report).collect(),
    }
}

fn line_report(line: Line<'_>) -> DiffLine {
    let origin = match line.origin {
        Origin::Common => "common",
        Origin::Removed => "removed",
        Origin::Added => "added",
    };
    match std::str::from_utf8(line.bytes) {
        Ok(text) => DiffLine { origin, text: Some(text.to_owned()), base64: None },
        Err(_) => DiffLine { origin, text: None, base64: Some(STANDARD.encode(line.bytes)) },
    }
}
