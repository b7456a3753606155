//! The arguments of `fastest diff`.

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, ValueHint};

/// What to compare, and how to show it.
#[derive(Debug, Args)]
pub struct Diff {
    /// The old state [default: the snapshot that this working copy is based on]: a workspace, or a
    /// snapshot as in `restore --to`; `A...B` is what B has changed since it parted from A
    #[arg(value_name = "A")]
    pub old: Option<String>,
    /// The new state [default: this working copy, with its unsaved changes]
    #[arg(value_name = "B")]
    pub new: Option<String>,
    /// Files and folders, relative to the current folder [default: the whole project]
    #[arg(last = true, value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub paths: Vec<PathBuf>,
    /// Show N unchanged lines around each change
    #[arg(short = 'U', long = "unified", value_name = "N", default_value_t = 3)]
    pub context: usize,
    #[command(flatten)]
    pub form: Form,
    /// Run the tool once, with two folders of all files that differ
    #[arg(long, requires = "tool")]
    pub dir_diff: bool,
    /// Do not show long output in a pager
    #[arg(long)]
    pub no_pager: bool,
}

/// How to show the difference; without any, as a patch.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub struct Form {
    /// Show how many lines of each file changed
    #[arg(long)]
    pub stat: bool,
    /// Show only the paths of files that differ
    #[arg(long)]
    pub name_only: bool,
    /// Show the paths with a letter: `A` added, `D` deleted, `M` modified, `R` renamed, `T` file or link
    #[arg(long)]
    pub name_status: bool,
    /// Show the old lines on the left and the new ones on the right
    #[arg(long, conflicts_with = "json")]
    pub side_by_side: bool,
    /// Run CMD with the old and the new version of each file
    ///
    /// CMD is run by the shell. The versions are temporary files, and `/dev/null` where there is none.
    #[arg(long, value_name = "CMD", value_hint = ValueHint::CommandString)]
    #[arg(value_parser = NonEmptyStringValueParser::new(), conflicts_with = "json")]
    pub tool: Option<String>,
}
