//! The commits of a repository as a history of snapshots.

use std::collections::HashMap;

use fastest_core::compare::ancestry::{Ancestry, History};

use fastest_core::object::id::TreeId;

use crate::merges::Result;
use crate::merges::git::Git;
use crate::merges::import::Import;

struct Commit {
    tree: String,
    parents: Vec<String>,
}

/// All commits that are reachable from the head.
pub(super) struct Commits<'a> {
    import: &'a Import<'a>,
    commits: HashMap<String, Commit>,
}

impl<'a> Commits<'a> {
    pub(super) fn read(git: &Git, import: &'a Import<'a>) -> Result<Self> {
        let mut commits = HashMap::new();
        for line in git.lines(&["log", "--format=%H %T %P", "HEAD"])? {
            let mut words = line.split(' ').filter(|word| !word.is_empty()).map(str::to_owned);
            let (Some(id), Some(tree)) = (words.next(), words.next()) else { continue };
            commits.insert(id, Commit { tree, parents: words.collect() });
        }
        Ok(Self { import, commits })
    }

    /// Returns the tree of a commit.
    pub(super) fn root(&self, id: &str) -> Result<TreeId> {
        let commit = self.commits.get(id).ok_or_else(|| format!("there is no commit {id}"))?;
        Ok(self.import.tree(&commit.tree)?.id)
    }

    /// Returns the parents of a merge.
    pub(super) fn two_parents(&self, id: &str) -> Result<[&str; 2]> {
        match self.commits.get(id).map(|commit| &commit.parents[..]) {
            Some([ours, theirs]) => Ok([ours, theirs]),
            _ => Err(format!("{id} is no merge of two commits").into()),
        }
    }
}

impl Ancestry for Commits<'_> {
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn parents(&self, id: &str) -> std::result::Result<Vec<String>, Self::Error> {
        Ok(self.commits.get(id).map(|commit| commit.parents.clone()).unwrap_or_default())
    }
}

impl History for Commits<'_> {
    fn tree(&self, id: &str) -> std::result::Result<TreeId, Self::Error> {
        self.root(id)
    }
}
