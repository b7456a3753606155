//! What a replica holds.

use std::collections::BTreeSet;

use crate::declare::order::parents_first;
use crate::declare::table::Table;
use crate::record::model::{
    ENGINE_VERSION, IndexRecord, RECORD_VERSION, Record, TableRecord, UniqueRecord,
};
use crate::sql::quote::quote;
use crate::wire::engine::CHANGES_DDL;

/// The DDL of a replica: every synced table with its indexes, and `fastest_changes` as the replica
/// last saw it on the primary; no triggers, and nothing that the primary enforces for all but types
/// and nulls. Foreign keys are declared; whether a connection enforces them is its own setting.
pub fn replica_ddl(tables: &[&'static Table]) -> Vec<String> {
    let changes = CHANGES_DDL.into_iter().map(str::to_owned);
    let record = replica_record("", tables);
    changes.chain(record.tables.iter().flat_map(TableRecord::ddl)).collect()
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
        (table.external, table.replaces) = (false, false);
        table.indexes = table.all_indexes();
        table.indexes.extend(table.unique_rules.iter().filter_map(rule_index));
        table.unique_rules.clear();
        table.indexes.iter_mut().for_each(|index| index.unique = false);
        let mut seen = BTreeSet::new();
        table.indexes.retain(|index| seen.insert(index.columns.clone()));
        for column in &mut table.columns {
            (column.unique, column.check) = (false, None);
        }
    }
    record
}

/// What finds the rows that a rule is about: an index over the columns that are terms by themselves.
/// None is over an expression, for that could fail for a row that is pulled.
fn rule_index(rule: &UniqueRecord) -> Option<IndexRecord> {
    let column = |term: &String| {
        let name = term.strip_prefix('`')?.strip_suffix('`')?;
        (quote(name) == *term).then(|| name.to_owned())
    };
    let columns: Vec<String> = rule.terms.iter().filter_map(column).collect();
    (!columns.is_empty()).then_some(IndexRecord { columns, unique: false })
}
