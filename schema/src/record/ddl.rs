//! The DDL of a record's tables, columns and indexes.

use crate::declare::ddl::{index_name, on_delete};
use crate::declare::table::Table;
use crate::record::model::{ColumnRecord, IndexRecord, ReferenceRecord, TableRecord};
use crate::sql::quote::quote;

/// Returns the DDL of a declared table: `CREATE TABLE`, then its indexes.
pub fn create_table(table: &'static Table) -> Vec<String> {
    TableRecord::from(table).ddl()
}

impl TableRecord {
    /// Returns the statements that create the table: `CREATE TABLE`, then its indexes.
    pub fn ddl(&self) -> Vec<String> {
        let indexes = self.all_indexes();
        let indexes = indexes.iter().map(|index| index.create_sql(&self.name));
        [self.create_sql()].into_iter().chain(indexes).collect()
    }

    /// Returns `CREATE TABLE`, without the indexes.
    pub(crate) fn create_sql(&self) -> String {
        let columns = self.columns.iter().map(|column| column.sql(column.name == self.pk));
        let keys = self.columns.iter().filter_map(|column| {
            let name = quote(&column.name);
            Some(format!("FOREIGN KEY ({name}) {}", column.references.as_ref()?.sql()))
        });
        let lines: Vec<String> = columns.chain(keys).collect();
        format!("CREATE TABLE {}(\n  {}\n)", quote(&self.name), lines.join(",\n  "))
    }

    /// Returns all indexes: first those of unique columns, then the others.
    pub(crate) fn all_indexes(&self) -> Vec<IndexRecord> {
        let unique = self.columns.iter().filter(|column| column.unique);
        let unique =
            unique.map(|column| IndexRecord { columns: vec![column.name.clone()], unique: true });
        unique.chain(self.indexes.iter().cloned()).collect()
    }
}

impl ColumnRecord {
    /// Returns the column definition for `CREATE TABLE` or `ADD COLUMN`, without the foreign key.
    pub(crate) fn sql(&self, is_pk: bool) -> String {
        let mut sql = format!("{} {}", quote(&self.name), self.kind.sql_type());
        if is_pk {
            sql.push_str(" PRIMARY KEY");
        }
        if !self.null {
            sql.push_str(" NOT NULL");
        }
        if let Some(default) = &self.default {
            sql.push_str(&format!(" DEFAULT {default}"));
        }
        if let Some(check) = &self.check {
            sql.push_str(&format!(" CHECK ({check})"));
        }
        sql
    }
}

impl ReferenceRecord {
    /// Returns the `REFERENCES` clause.
    pub(crate) fn sql(&self) -> String {
        let [table, column] = [&self.table, &self.column].map(|name| quote(name));
        format!("REFERENCES {table}({column}){}", on_delete(self.on_delete))
    }
}

impl IndexRecord {
    /// Returns the name of the index, which depends on the name of its table.
    pub(crate) fn name(&self, table: &str) -> String {
        index_name(table, &self.columns, self.unique)
    }

    /// Returns the statement that creates the index.
    pub(crate) fn create_sql(&self, table: &str) -> String {
        let create = if self.unique { "CREATE UNIQUE INDEX" } else { "CREATE INDEX" };
        let columns: Vec<String> = self.columns.iter().map(|column| quote(column)).collect();
        let name = quote(&self.name(table));
        format!("{create} {name} ON {}({})", quote(table), columns.join(", "))
    }
}
