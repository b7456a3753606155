//! Drops tables.

use crate::migrate::rows;
use crate::record::model::TableRecord;
use crate::sql::quote::quote;

/// Returns the statements that mark the rows of dropped tables as deleted in `fastest_changes`, and
/// then drop the tables. `dropped` is ordered parents first. External tables are not dropped.
pub fn drop_sql(dropped: &[&TableRecord]) -> Vec<String> {
    let synced = dropped.iter().filter(|table| table.is_synced());
    let mut statements: Vec<String> = synced.map(|table| rows::mark_deleted(&table.name)).collect();
    let own: Vec<&&TableRecord> = dropped.iter().rev().filter(|table| !table.external).collect();
    let drop = |table: &&&TableRecord| format!("DROP TABLE {}", quote(&table.name));
    if refer_in_circles(&own) {
        // SQLite cannot drop a table if one of its parents does not exist. So each table is first
        // replaced by a stub that refers to no other table.
        statements.extend(own.iter().map(|table| format!("DELETE FROM {}", quote(&table.name))));
        for table in &own {
            statements.extend([drop(table), stub(table)]);
        }
    }
    statements.extend(own.iter().map(drop));
    statements
}

/// Returns a `CREATE TABLE` with only those columns that other tables may refer to.
fn stub(table: &TableRecord) -> String {
    let indexes = table.all_indexes();
    let unique = indexes.iter().filter(|index| index.unique && index.columns != [table.pk.clone()]);
    let columns =
        |columns: &[String]| -> Vec<String> { columns.iter().map(|c| quote(c)).collect() };
    let unique = unique.map(|index| columns(&index.columns)).filter(|columns| columns.len() == 1);
    let unique = unique.map(|columns| format!(", {} UNIQUE", columns.join(", ")));
    let unique: String = unique.collect();
    format!("CREATE TABLE {}({} PRIMARY KEY{unique})", quote(&table.name), quote(&table.pk))
}

/// Whether one of the tables, which are ordered children first, refers to an earlier one.
fn refer_in_circles(tables: &[&&TableRecord]) -> bool {
    tables.iter().enumerate().any(|(at, table)| {
        let parents = table.columns.iter().filter_map(|column| column.references.as_ref());
        let earlier = &tables[..at];
        parents.into_iter().any(|to| earlier.iter().any(|table| table.name == to.table))
    })
}
