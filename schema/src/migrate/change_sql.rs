//! The statements that change one table.

use crate::migrate::change::{TableChange, widens};
use crate::migrate::rows;
use crate::record::model::ColumnRecord;
use crate::sql::quote::{literal, quote};
use crate::value::kind::Kind;

impl TableChange<'_> {
    /// Returns the statements that rename the table and its columns.
    pub fn rename_sql(&self) -> Vec<String> {
        let mut statements = Vec::new();
        if self.is_external() {
            return statements;
        }
        let (old, new) = (&self.from.name, &self.to.name);
        if old != new {
            statements.push(format!("ALTER TABLE {} RENAME TO {}", quote(old), quote(new)));
            statements.extend(self.from.is_synced().then(|| rows::rename(old, new)));
        }
        let table = quote(new);
        statements.extend(self.renames.iter().map(|(old, new)| {
            format!("ALTER TABLE {table} RENAME COLUMN {} TO {}", quote(old), quote(new))
        }));
        statements
    }

    /// Returns the statements that drop indexes, and then add and drop columns or rebuild the
    /// table.
    pub fn alter_sql(&self) -> Vec<String> {
        if self.is_external() {
            return Vec::new();
        }
        let (dropped, _) = self.indexes();
        let mut statements: Vec<String> =
            dropped.iter().map(|name| format!("DROP INDEX {}", quote(name))).collect();
        if self.is_rebuilt() {
            statements.extend(self.rebuild_sql());
            return statements;
        }
        let table = quote(&self.to.name);
        statements.extend(self.added.iter().map(|column| {
            let references = column.references.as_ref().map(|to| format!(" {}", to.sql()));
            let (column, references) = (column.sql(false), references.unwrap_or_default());
            format!("ALTER TABLE {table} ADD COLUMN {column}{references}")
        }));
        statements.extend(
            self.dropped
                .iter()
                .map(|column| format!("ALTER TABLE {table} DROP COLUMN {}", quote(&column.name))),
        );
        statements
    }

    /// Returns the statements that create the new indexes.
    pub fn index_sql(&self) -> Vec<String> {
        if self.is_external() {
            return Vec::new();
        }
        let (_, created) = self.indexes();
        created.iter().map(|index| index.create_sql(&self.to.name)).collect()
    }

    /// Rebuilds the table without losing rows on D1: while foreign key checks are deferred, the
    /// table is dropped and created again under its final name, so that foreign keys of other
    /// tables never change.
    fn rebuild_sql(&self) -> Vec<String> {
        let table = quote(&self.to.name);
        let old = quote(&format!("fastest_old_{}", self.to.name));
        let names: Vec<String> = self.to.columns.iter().map(|column| quote(&column.name)).collect();
        let values: Vec<String> = self.to.columns.iter().map(|column| self.value(column)).collect();
        let mut statements = vec![
            format!("CREATE TABLE {old} AS SELECT * FROM {table}"),
            format!("DROP TABLE {table}"),
            self.to.create_sql(),
            format!(
                "INSERT INTO {table}({})\n  SELECT {} FROM {old}",
                names.join(", "),
                values.join(", ")
            ),
        ];
        let changed = self.columns.iter().filter(|(before, after)| before.kind != after.kind);
        statements.extend(changed.filter_map(|(before, after)| self.guard(before, after)));
        if self.lenient {
            statements.retain(|sql| !sql.starts_with(rows::GUARD));
        }
        statements.push(format!("DROP TABLE {old}"));
        statements
    }

    /// Returns SQL for the value of a column in the rebuilt table.
    fn value(&self, column: &ColumnRecord) -> String {
        let name = quote(&column.name);
        let before = self.columns.iter().find(|(_, after)| after.name == column.name);
        if self.lenient && !column.null {
            let value = before.map(|_| format!("CAST({name} AS {})", column.kind.sql_type()));
            let default = column.default.as_deref();
            return format!(
                "coalesce({}, {})",
                value.or_else(|| default.map(str::to_owned)).unwrap_or_else(|| "NULL".to_owned()),
                default.unwrap_or(if column.kind == Kind::Text { "''" } else { "0" })
            );
        }
        match (before, &column.default) {
            (Some((before, _)), Some(default)) if before.null && !column.null => {
                format!("coalesce({name}, {default})")
            }
            (Some(_), _) => name,
            (None, Some(default)) => default.clone(),
            (None, None) => "NULL".to_owned(),
        }
    }

    /// Returns a statement that fails if a value would change when it is converted to the column's
    /// new type. `RAISE` is not allowed outside of triggers; in a plain SELECT, `json` of an
    /// invalid text is the one error that can be raised on every server.
    fn guard(&self, before: &ColumnRecord, after: &ColumnRecord) -> Option<String> {
        let name = quote(&after.name);
        let back = |there: &str, back: &str| {
            format!("CAST(CAST({name} AS {there}) AS {back}) IS NOT {name}")
        };
        let lost = match (before.kind, after.kind) {
            (from, to) if widens(from, to) => return None,
            (Kind::Text, Kind::Integer) => back("INTEGER", "TEXT"),
            // Both `1` and `1.0` are accepted as reals.
            (Kind::Text, _) => format!("{} AND {}", back("REAL", "TEXT"), back("INTEGER", "TEXT")),
            (Kind::Real, Kind::Integer) => back("INTEGER", "REAL"),
            (Kind::Real, _) => back("TEXT", "REAL"),
            (Kind::Integer, _) => back("REAL", "INTEGER"),
        };
        let (table, to) = (&self.to.name, after.kind.sql_type());
        let what = literal(&format!("a value of {table}.{} would change as {to}", after.name));
        let old = quote(&format!("fastest_old_{table}"));
        Some(format!("SELECT json({what}) FROM {old} WHERE {name} IS NOT NULL AND ({lost})"))
    }

    /// Returns statements that fail if a row violates a new foreign key. Deferred checks do not
    /// suffice: SQLite counts violations, and tables that are dropped in the same transaction
    /// falsify the count.
    pub fn key_guards(&self) -> Vec<String> {
        if !self.is_rebuilt() {
            return Vec::new();
        }
        let table = quote(&self.to.name);
        let is_new = |column: &&ColumnRecord| {
            self.renamed.column(&column.name).is_none_or(|was| was.references != column.references)
        };
        let columns = self.to.columns.iter().filter(is_new);
        let guard = |column: &ColumnRecord| {
            let to = column.references.as_ref()?;
            let what = literal(&format!(
                "a value of {}.{} is no {}.{}",
                self.to.name, column.name, to.table, to.column
            ));
            let [name, parent, key] = [&column.name, &to.table, &to.column].map(|name| quote(name));
            Some(format!(
                "SELECT json({what}) FROM {table} AS c
  WHERE c.{name} IS NOT NULL AND NOT EXISTS (SELECT 1 FROM {parent} AS p WHERE p.{key} = c.{name})"
            ))
        };
        columns.filter_map(guard).collect()
    }

    /// Describes the steps that the user must agree to: see `Plan::destructive`.
    pub fn destructive(&self) -> Vec<String> {
        if self.is_external() {
            return Vec::new();
        }
        let table = &self.to.name;
        let mut found: Vec<String> = self
            .dropped
            .iter()
            .map(|column| format!("column `{table}.{}` is dropped, with its values", column.name))
            .collect();
        for (before, after) in &self.columns {
            let name = &after.name;
            if !widens(before.kind, after.kind) {
                let (from, to) = (before.kind.sql_type(), after.kind.sql_type());
                found.push(format!(
                    "`{table}.{name}` goes from {from} to {to}: fails if a value cannot be kept"
                ));
            }
            if before.null && !after.null && after.default.is_none() {
                found.push(format!("`{table}.{name}` is NOT NULL: fails if one is null"));
            }
        }
        let required = |column: &&&ColumnRecord| !column.null && column.default.is_none();
        found.extend(self.added.iter().filter(required).map(|column| {
            format!(
                "`{table}.{}` is NOT NULL without a default: fails if there are rows",
                column.name
            )
        }));
        if self.is_rebuilt() {
            found.push(format!("`{table}` is rebuilt: {}", self.rebuild_reasons().join(", ")));
        }
        found
    }

    /// Returns the statements for existing rows, to run after the triggers are created.
    pub fn row_sql(&self) -> Vec<String> {
        match (self.from.is_synced(), self.to.is_synced()) {
            (false, false) => Vec::new(),
            (true, false) => vec![rows::mark_deleted(&self.to.name)],
            (false, true) => {
                let mirror = self.to.columns.iter().find(|column| column.lock_version);
                let mirror = mirror.map(|column| rows::mirror(self.to, column));
                [rows::leave_tombstones(self.to), rows::backfill(self.to)]
                    .into_iter()
                    .chain(mirror)
                    .collect()
            }
            (true, true) => {
                let touch = self.scope_changes() || self.makes_values();
                let touch = touch.then(|| rows::touch(self.to));
                let mirror = self.new_lock_version().map(|column| rows::mirror(self.to, column));
                touch.into_iter().chain(mirror).collect()
            }
        }
    }
}
