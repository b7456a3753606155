//! The arguments of `merge`.

use clap::Args;

/// What to merge, and how.
#[derive(Debug, Args)]
pub struct Merge {
    /// Name or id of the workspace [default: the project's main one]
    pub workspace: Option<String>,
    /// Where both changed the same places, use this workspace's lines or version
    #[arg(long, conflicts_with = "theirs")]
    pub ours: bool,
    /// Where both changed the same places, use the other workspace's lines or version
    #[arg(long)]
    pub theirs: bool,
    /// Show what would change, and change nothing
    #[arg(long, conflicts_with_all = ["ours", "theirs"])]
    pub dry_run: bool,
    /// Do what an earlier `--dry-run` has shown, unless either side has moved since
    #[arg(long, value_name = "ID", conflicts_with = "dry_run")]
    pub preview: Option<String>,
    /// Merge a workspace that has no snapshot in common with this one
    #[arg(long)]
    pub allow_unrelated: bool,
}
