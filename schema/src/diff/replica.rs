//! How a device's replica follows the declared schema when a new build opens it.
//!
//! A replica holds what the primary enforced: it has no triggers, no unique indexes (two rows that
//! swap a unique value arrive one after the other) and no checks. Nor may a local row stand in the
//! way of opening it, so nothing here fails for the rows that are there.

use crate::diff::Pairing;
use crate::record::{ENGINE_VERSION, RECORD_VERSION, Record, TableRecord};
use crate::{Table, parents_first};

/// The migration of a replica.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReplicaPlan {
    /// What to run, in order, with foreign keys off.
    pub statements: Vec<String>,
    /// What became of the tables that were there.
    pub tables: Vec<TableFate>,
}

/// What became of a table, for rows that are kept outside of it as arrays in column order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableFate {
    /// Its name before.
    pub from: String,
    /// Its name now; `None` where devices no longer hold it.
    pub to: Option<String>,
    /// For each column of now, in order, its place before; `None` where it is new.
    pub columns: Vec<Option<usize>>,
    /// Whether its rows are shared by something else now.
    pub rescoped: bool,
}

/// What a replica of these tables holds.
pub fn replica_record(owner: &str, tables: &[&'static Table]) -> Record {
    let mut record = Record {
        version: RECORD_VERSION,
        engine: ENGINE_VERSION,
        owner: owner.to_owned(),
        tables: parents_first(tables).into_iter().map(TableRecord::from).collect(),
        objects: Vec::new(),
    };
    record.tables.retain(TableRecord::is_synced);
    for table in &mut record.tables {
        table.external = false;
        table.indexes = table.all_indexes();
        table.indexes.iter_mut().for_each(|index| index.unique = false);
        for column in &mut table.columns {
            (column.unique, column.check) = (false, None);
        }
    }
    record
}

/// Plans the migration of a replica between two [`replica_record`]s.
pub fn replica_migration(from: &Record, to: &Record) -> ReplicaPlan {
    let mut pairing = Pairing::new(from, to);
    pairing.kept.iter_mut().for_each(|change| change.lenient = true);
    let mut plan = ReplicaPlan::default();
    for change in &pairing.kept {
        plan.statements.extend(change.rename_sql());
    }
    plan.statements.extend(pairing.new.iter().flat_map(|table| table.ddl()));
    for change in &pairing.kept {
        plan.statements.extend(change.alter_sql());
    }
    plan.statements.extend(super::drop_sql(&pairing.dropped));
    for table in &pairing.dropped {
        let from = table.name.clone();
        plan.tables.push(TableFate { from, to: None, columns: Vec::new(), rescoped: false });
    }
    for change in &pairing.kept {
        plan.statements.extend(change.index_sql());
        let place = |name: &str| change.renamed.columns.iter().position(|old| old.name == name);
        plan.tables.push(TableFate {
            from: change.from.name.clone(),
            to: Some(change.to.name.clone()),
            columns: change.to.columns.iter().map(|column| place(&column.name)).collect(),
            rescoped: change.scope_changes(),
        });
    }
    plan
}
