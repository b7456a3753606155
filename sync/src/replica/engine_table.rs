//! Fastest's own tables that have special rules.
//!
//! Replica, push and pull work for the tables of any application. A few rules apply only to tables
//! of Fastest's own: other rows depend on their rows, packs carry bytes, heads are merged as trees.
//! Code with such a rule asks here, so that an application may have a table of the same name
//! without the rules.

use fastest_schema::tables::auth::User;
use fastest_schema::tables::projects::Project;
use fastest_schema::tables::workspaces::{Snapshot, Workspace};
use fastest_schema::{Pack, Row, Schema, Table};

use crate::base::rules::Rules;

/// A table of Fastest's own that has special rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EngineTable {
    User,
    Project,
    Pack,
    Snapshot,
    Workspace,
}

impl EngineTable {
    /// Returns which of these tables `table` is; `None` for every table of an application.
    pub(crate) fn of(schema: &Schema, table: &Table) -> Option<Self> {
        let all = [
            (User::TABLE.name, Self::User),
            (Project::TABLE.name, Self::Project),
            (Pack::TABLE.name, Self::Pack),
            (Snapshot::TABLE.name, Self::Snapshot),
            (Workspace::TABLE.name, Self::Workspace),
        ];
        let found = all.into_iter().find(|(name, _)| *name == table.name);
        found.filter(|_| Rules::of(schema).has_engine_tables).map(|(_, own)| own)
    }
}
