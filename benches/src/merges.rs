//! Real merges: those of a public history, made again and compared with git's.

mod commits;
mod git;
mod import;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use fastest_core::compare::merge::{Names, Sides, merge};
use fastest_core::compare::merge_base::merge_base;
use fastest_core::object::id::TreeId;
use fastest_core::object::memory::ScratchObjects;

use crate::merges::commits::Commits;
use crate::merges::git::Git;
use crate::merges::import::Import;

/// A result of this module. Its errors only end the program.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Which merges are made again, and how.
#[derive(Debug)]
pub struct Options {
    /// At most so many.
    pub count: usize,
    /// Whether git is kept from finding renames.
    pub no_renames: bool,
    /// Only this one.
    pub commit: Option<String>,
}

/// How the result of a merge compares with git's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    /// Neither has a conflict, and the trees are the same.
    Same,
    /// Neither has a conflict, and the trees differ.
    OtherTree,
    /// Both have conflicts, at the same paths.
    SameConflicts,
    /// Both have conflicts, at other paths.
    OtherConflicts,
    /// Only git's has conflicts.
    OnlyGitConflicts,
    /// Only ours has conflicts.
    OnlyOursConflicts,
}

/// What came of all merges.
#[derive(Debug, Default)]
pub struct Summary {
    outcomes: BTreeMap<Outcome, Vec<(String, String)>>,
    /// Merges with several best common ancestors.
    several_bases: usize,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: usize = self.outcomes.values().map(Vec::len).sum();
        writeln!(f, "{all} merges, {} of them with several bases", self.several_bases)?;
        for (outcome, merges) in &self.outcomes {
            writeln!(f, "{outcome:?}: {}", merges.len())?;
            if *outcome != Outcome::Same && *outcome != Outcome::SameConflicts {
                merges.iter().try_for_each(|(id, what)| writeln!(f, "  {id} {what}"))?;
            }
        }
        Ok(())
    }
}

/// Makes the merges of a repository again.
pub fn run(repository: &Path, options: &Options) -> Result<Summary> {
    let git = Git::open(repository)?;
    let import = Import::of(&git);
    let commits = Commits::read(&git, &import)?;
    let mut summary = Summary::default();
    let merges = git.merges()?;
    let wanted = |id: &&String| options.commit.as_ref().is_none_or(|commit| commit == *id);
    for (at, id) in merges.iter().filter(wanted).take(options.count).enumerate() {
        let (outcome, what, bases) = again(&git, &import, &commits, id, options)?;
        summary.several_bases += usize::from(bases > 1);
        summary.outcomes.entry(outcome).or_default().push((id.clone(), what));
        if (at + 1) % 500 == 0 {
            eprintln!("{} merges", at + 1);
        }
    }
    Ok(summary)
}

/// Makes one merge again. Returns how it compares, in what, and how many bases it has.
fn again(
    git: &Git,
    import: &Import<'_>,
    commits: &Commits<'_>,
    id: &str,
    options: &Options,
) -> Result<(Outcome, String, usize)> {
    let [ours, theirs] = commits.two_parents(id)?;
    let scratch = ScratchObjects::over(import);
    let base = merge_base(commits, ours, theirs, &scratch)?;
    let bases = fastest_core::compare::parting::best_common(commits, ours, theirs)?.len();
    let [our_tree, their_tree] = [commits.root(ours)?, commits.root(theirs)?];
    let names = Names { ours: "ours", theirs: "theirs", label: "theirs" };
    let sides = Sides { base: base.as_ref(), ours: &our_tree, theirs: &their_tree, names };
    let result = ScratchObjects::over(&scratch);
    let merged = merge(&sides, &scratch, &result)?;
    let paths: BTreeSet<Vec<u8>> = merged.conflicts.iter().map(|c| c.path.clone()).collect();
    let gits = git.merge(ours, theirs, options.no_renames)?;
    let (outcome, what) = match (paths.is_empty(), gits.conflicts.is_empty()) {
        (true, true) => {
            let expected = import.tree(&gits.tree)?.id;
            if merged.root.id == expected {
                (Outcome::Same, String::new())
            } else {
                (Outcome::OtherTree, differing(&expected, &merged.root.id, &result)?)
            }
        }
        (false, false) if paths == gits.conflicts => (Outcome::SameConflicts, String::new()),
        (false, false) => {
            let only =
                |one: &BTreeSet<Vec<u8>>, other: &BTreeSet<Vec<u8>>| told(one.difference(other));
            let what = format!(
                "only ours: {}; only git's: {}",
                only(&paths, &gits.conflicts),
                only(&gits.conflicts, &paths)
            );
            (Outcome::OtherConflicts, what)
        }
        (true, false) => (Outcome::OnlyGitConflicts, told(gits.conflicts.iter())),
        (false, true) => (Outcome::OnlyOursConflicts, told(paths.iter())),
    };
    Ok((outcome, what, bases))
}

fn told<'a>(paths: impl Iterator<Item = &'a Vec<u8>>) -> String {
    let names = paths.map(|path| String::from_utf8_lossy(path).into_owned());
    let mut names: Vec<_> = names.collect();
    let more = names.len().saturating_sub(4);
    names.truncate(4);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", names.join(" "))
}

fn differing(expected: &TreeId, found: &TreeId, objects: &ScratchObjects<'_>) -> Result<String> {
    let drift = fastest_core::compare::drift::drift(expected, found, objects)?;
    let lists = [&drift.workspace_only, &drift.source_only, &drift.both_different];
    let names = ["more than git", "less than git", "other content"];
    let parts = names.iter().zip(lists).filter(|(_, list)| !list.is_empty());
    let parts = parts.map(|(name, list)| format!("{name}: {}", told(list.iter())));
    Ok(parts.collect::<Vec<_>>().join("; "))
}
