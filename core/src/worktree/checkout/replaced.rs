//! A database with files beside it that a plan replaces or deletes, and the steps that do so.
//!
//! Two steps would not be safe in either order: the next application to open a new database beside
//! the old log damages it, and the old database without its log lacks rows. So there are three.
//! First the database's own content as a single file, which the scan has stored, replaces the main
//! file: applying the log to it once more, or rolling back the journal, changes nothing. Then the
//! files beside it are deleted. Then the new content is put in place.

use crate::files::stat::Stat;
use crate::object::item::{Item, Kind};
use crate::worktree::checkout::change::Expected;
use crate::worktree::checkout::step::{Action, Step};
use crate::worktree::database::{Database, FileState};

/// The suffix of the shared memory, which has no content and is deleted first: without the log it
/// would be wrong.
pub(super) const SHARED_MEMORY: &str = "-shm";

/// A database that a plan replaces or deletes.
#[derive(Debug, Clone)]
pub(super) struct Replaced {
    /// Its content as a single file.
    pub item: Item,
    pub main: Expected,
    /// The files beside it, by the suffix of their names.
    pub sides: Vec<(&'static str, Expected)>,
}

impl From<FileState> for Expected {
    fn from(FileState { kind, stat, id }: FileState) -> Self {
        Self { kind, stat, racy: true, id }
    }
}

impl Replaced {
    pub(super) fn new(item: Item, database: &Database) -> Self {
        let sides = database.sides.iter().map(|(side, state)| (*side, (*state).into())).collect();
        Self { item, main: database.main.into(), sides }
    }

    /// Returns the steps for the database at `path`. `to` is what the plan does with the main file;
    /// it becomes the last step. `temporary` and `staged` are those of the content as a single
    /// file.
    pub(super) fn steps(&self, path: &[u8], temporary: u64, staged: Stat, to: Action) -> Vec<Step> {
        let put = Action::Put { temporary, staged, expect: Some(self.main) };
        let memory = Expected { kind: Kind::File, stat: Stat::default(), racy: true, id: [0; 32] };
        let sides = [(SHARED_MEMORY, memory)].into_iter().chain(self.sides.iter().copied());
        let sides = sides.map(|(side, expect)| (beside(path, side), Action::Remove(expect)));
        let settled = Expected { kind: self.item.kind, stat: staged, racy: true, id: self.item.id };
        let last = match to {
            Action::Put { temporary, staged, .. } => {
                Action::Put { temporary, staged, expect: Some(settled) }
            }
            _ => Action::Remove(settled),
        };
        let all = [(path.to_vec(), put)].into_iter().chain(sides).chain([(path.to_vec(), last)]);
        all.map(|(path, action)| Step { path, action }).collect()
    }
}

/// Returns the path of a file beside a database.
pub(super) fn beside(path: &[u8], side: &str) -> Vec<u8> {
    [path, side.as_bytes()].concat()
}
