//! Plans the migration of a primary from a recorded schema to a declared one.
//!
//! The statements are plain SQLite that runs on D1, where foreign keys are always enforced, `DROP
//! TABLE` deletes the rows of CASCADE children, and triggers are dropped with their table. So a
//! table is altered in place if SQLite can do that. Otherwise it is rebuilt under its final name,
//! and the migration is refused if a child table would lose rows or values. The engine's triggers
//! are dropped before a change to a table that they read, and created again after it.

use crate::migrate::change::TableChange;
use crate::migrate::drop::drop_sql;
use crate::migrate::note::Note;
use crate::migrate::objects::Objects;
use crate::migrate::pairing::Pairing;
use crate::migrate::plan::Plan;
use crate::migrate::rows;
use crate::record::model::{ColumnRecord, ENGINE_VERSION, RECORD_VERSION, Record, TableRecord};
use crate::wire::engine::{CHANGES_DDL, LAST_PUSH_DDL, powers_ddl, primary_ddl};

/// Why a migration cannot be planned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DiffError {
    /// The record was made by a newer version.
    #[error("the recorded schema was written by a newer version of Fastest: upgrade")]
    Newer,
    /// The record belongs to another owner.
    #[error("the recorded schema belongs to `{recorded}`, not to `{declared}`")]
    Owner {
        /// The recorded owner.
        recorded: String,
        /// The declared one.
        declared: String,
    },
    /// Steps that are never allowed, each with its reason.
    #[error("{}", .0.join("; "))]
    Refused(Vec<String>),
}

/// Plans the migration from `from`, or from an empty database, to `to`.
pub fn migration(from: Option<&Record>, to: &Record) -> Result<Plan, DiffError> {
    let Some(from) = from else { return Ok(first(to)) };
    if from.version > RECORD_VERSION || from.engine > ENGINE_VERSION {
        return Err(DiffError::Newer);
    }
    if from.owner != to.owner {
        let (recorded, declared) = (from.owner.clone(), to.owner.clone());
        return Err(DiffError::Owner { recorded, declared });
    }
    let pairing = Pairing::new(from, to);
    let refused = pairing.refused();
    if !refused.is_empty() {
        return Err(DiffError::Refused(refused));
    }
    Ok(pairing.plan(from, to))
}

/// Plans the migration of an empty database.
fn first(to: &Record) -> Plan {
    let mut statements = primary_ddl();
    statements.extend(CHANGES_DDL.map(str::to_owned));
    statements.extend(powers_ddl());
    let own = to.tables.iter().filter(|table| !table.external);
    statements.extend(own.flat_map(TableRecord::ddl));
    statements.extend(to.objects.iter().map(|object| object.sql.clone()));
    let adopted = to.tables.iter().filter(|table| table.external && table.is_synced());
    statements.extend(adopted.map(rows::backfill));
    Plan { statements, ..Plan::default() }
}

impl<'a> Pairing<'a> {
    /// Returns the steps that are never allowed, each with its reason.
    fn refused(&self) -> Vec<String> {
        let mut refused = Vec::new();
        for change in &self.kept {
            let name = &change.to.name;
            refused.extend(change.key_changes().then(|| {
                format!("the key of `{name}` cannot change: make a new table, and copy the rows")
            }));
            if !change.is_rebuilt() {
                continue;
            }
            for (child, column) in self.losing_children(change) {
                refused.push(format!(
                    "`{name}` would be rebuilt ({}), and on D1 that deletes or empties the rows of \
                     `{child}` by its foreign key `{column}`: add a new column or a new table instead",
                    change.rebuild_reasons().join(", ")
                ));
            }
        }
        refused
    }

    /// Returns the tables that are kept but would lose rows or values while `parent` is dropped and
    /// created again, each with the column whose foreign key causes it. Tables that are rebuilt
    /// before `parent` already have their new foreign keys by then, so both the old and the new
    /// keys count.
    fn losing_children(&self, parent: &TableChange<'a>) -> Vec<(&str, &str)> {
        let mut lost = Vec::new();
        let mut emptied = vec![parent.from.name.as_str()];
        let mut next = 0;
        // Rows deleted from a table that is to be dropped may delete rows of further tables.
        while let Some(at) = emptied.get(next).copied() {
            next += 1;
            let kept = self.kept.iter().map(|change| change.from);
            lost.extend(kept.filter(|table| table.name != at).flat_map(|table| keys(table, at)));
            let dropped = self.dropped.iter().filter(|table| keys(table, at).next().is_some());
            for table in dropped {
                if !emptied.contains(&table.name.as_str()) {
                    emptied.push(&table.name);
                }
            }
        }
        let name = parent.to.name.as_str();
        let earlier = self.kept.iter().take_while(|change| change.to.name != name);
        lost.extend(earlier.filter(|change| change.is_rebuilt()).flat_map(|c| keys(c.to, name)));
        lost
    }

    fn plan(&self, from: &Record, to: &Record) -> Plan {
        let mut plan = Plan { notes: self.notes(), ..Plan::default() };
        let objects = Objects::new(from, to, &self.altered());
        let defers = !self.dropped.is_empty() || self.kept.iter().any(|change| change.is_rebuilt());
        if defers {
            plan.statements.push("PRAGMA defer_foreign_keys = ON".to_owned());
        }
        if from.engine < 2 {
            plan.statements.extend(powers_ddl());
        }
        if from.engine < 3 {
            plan.statements.push(LAST_PUSH_DDL.to_owned());
        }
        plan.statements.extend(objects.dropped.iter().rev().map(|object| object.drop_sql()));
        for change in &self.kept {
            plan.statements.extend(change.rename_sql());
        }
        plan.statements.extend(self.others_guards());
        let own = self.new.iter().filter(|table| !table.external);
        plan.statements.extend(own.flat_map(|table| table.ddl()));
        for change in &self.kept {
            plan.statements.extend(change.alter_sql());
            plan.destructive.extend(change.destructive());
            if change.from.is_synced() && !change.to.is_synced() {
                let name = &change.to.name;
                plan.destructive
                    .push(format!("`{name}` becomes private: devices give up its rows"));
            }
        }
        plan.statements.extend(drop_sql(&self.dropped));
        plan.destructive.extend(self.dropped.iter().rev().map(|table| {
            if table.external {
                format!("`{}` is no longer synced: devices give up its rows", table.name)
            } else {
                format!("table `{}` is dropped, with its rows", table.name)
            }
        }));
        for change in &self.kept {
            plan.statements.extend(change.key_guards());
            plan.statements.extend(change.index_sql());
        }
        plan.statements.extend(objects.made.iter().map(|object| object.sql.clone()));
        let adopted = self.new.iter().filter(|table| table.external && table.is_synced());
        plan.statements.extend(adopted.map(|table| rows::backfill(table)));
        for change in &self.kept {
            plan.statements.extend(change.row_sql());
        }
        plan
    }

    /// Returns the notes for replicas, in the order of the changes.
    fn notes(&self) -> Vec<Note> {
        let synced = || self.kept.iter().filter(|change| change.from.is_synced());
        let tables = synced().filter(|change| change.from.name != change.to.name);
        let tables = tables
            .map(|change| Note::RenameTable(change.from.name.clone(), change.to.name.clone()));
        let renamed = synced().flat_map(|change| {
            let table = change.to.name.clone();
            change.renames.iter().map(move |(old, new)| {
                Note::RenameColumn(table.clone(), (*old).to_owned(), (*new).to_owned())
            })
        });
        let columns = synced().flat_map(|change| {
            let table = change.to.name.clone();
            let dropped = change.dropped.iter();
            dropped.map(move |column| Note::DropColumn(table.clone(), column.name.clone()))
        });
        let private = synced().filter(|change| !change.to.is_synced());
        let private = private.map(|change| change.to.name.clone());
        let dropped = self.dropped.iter().filter(|table| table.is_synced());
        let gone = private.chain(dropped.map(|table| table.name.clone())).map(Note::DropTable);
        tables.chain(renamed).chain(columns).chain(gone).collect()
    }

    /// Returns a guard for each table that is dropped, permanently or to be rebuilt.
    fn others_guards(&self) -> Vec<String> {
        let kept = self.kept.iter().map(|change| change.to.name.as_str());
        let dropped = self.dropped.iter().map(|table| table.name.as_str());
        let ours: Vec<&str> = kept.chain(dropped.clone()).collect();
        let rebuilt = self.kept.iter().filter(|change| change.is_rebuilt());
        let rebuilt = rebuilt.map(|change| change.to.name.as_str());
        let own = self.dropped.iter().filter(|table| !table.external);
        let gone = rebuilt.chain(own.map(|table| table.name.as_str()));
        gone.map(|name| rows::others_guard(name, &ours)).collect()
    }
}

/// Returns the foreign keys of a table through which a delete in `parent` changes its rows, as
/// pairs of table and column.
fn keys<'a>(table: &'a TableRecord, parent: &str) -> impl Iterator<Item = (&'a str, &'a str)> {
    let changes = move |column: &&ColumnRecord| {
        let to = column.references.as_ref();
        to.is_some_and(|to| to.table == parent && to.on_delete.changes_children())
    };
    table.columns.iter().filter(changes).map(|column| (table.name.as_str(), column.name.as_str()))
}
