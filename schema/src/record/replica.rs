//! The schema of a replica.

use std::collections::BTreeSet;

use crate::declare::order::parents_first;
use crate::declare::table::Table;
use crate::record::model::{
    ENGINE_VERSION, IndexRecord, RECORD_VERSION, Record, TableRecord, UniqueRecord,
};
use crate::sql::quote::quote;
use crate::wire::engine::CHANGES_DDL;

/// Returns the DDL of a replica: every synced table with its indexes, and `fastest_changes`, with
/// the entries that the replica last saw on the primary. A replica has no triggers, no checks and
/// no unique indexes, and enforces only NOT NULL and the primary keys; the primary enforces the
/// rest for all devices. Foreign keys are declared, and the connection decides whether to enforce
/// them.
pub fn replica_ddl(tables: &[&'static Table]) -> Vec<String> {
    let changes = CHANGES_DDL.into_iter().map(str::to_owned);
    let record = replica_record("", tables);
    changes.chain(record.tables.iter().flat_map(TableRecord::ddl)).collect()
}

/// Returns the record of a replica's schema: the synced ones of these tables, without checks and
/// without uniqueness.
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

/// Returns an index for looking up rows by a unique rule, over those terms of the rule that are
/// plain columns; `None` if there are none. There is no index over an expression, because the
/// expression could fail for a pulled row.
fn rule_index(rule: &UniqueRecord) -> Option<IndexRecord> {
    let column = |term: &String| {
        let name = term.strip_prefix('`')?.strip_suffix('`')?;
        (quote(name) == *term).then(|| name.to_owned())
    };
    let columns: Vec<String> = rule.terms.iter().filter_map(column).collect();
    (!columns.is_empty()).then_some(IndexRecord { columns, unique: false })
}
