//! How one table changes.

use crate::declare::table::Policy;
use crate::record::model::{ColumnRecord, IndexRecord, ReferenceRecord, TableRecord};
use crate::value::kind::Kind;

/// Renamed columns: old and new names.
pub type Renames<'a> = Vec<(&'a str, &'a str)>;

/// A table that is in both schemas.
pub struct TableChange<'a> {
    /// As it was recorded.
    pub from: &'a TableRecord,
    /// As it is declared.
    pub to: &'a TableRecord,
    /// The renamed columns.
    pub renames: Renames<'a>,
    /// As it was recorded, but under the new names of tables and columns.
    pub renamed: TableRecord,
    /// The columns that are in both schemas, before and after.
    pub columns: Vec<(ColumnRecord, &'a ColumnRecord)>,
    /// The columns that are new.
    pub added: Vec<&'a ColumnRecord>,
    /// The columns that are dropped, under their new names.
    pub dropped: Vec<ColumnRecord>,
    /// Whether values that do not fit are converted, as in a replica, instead of failing the
    /// migration.
    pub lenient: bool,
}

/// Finds the renamed columns of a table.
pub fn renames<'a>(from: &'a TableRecord, to: &'a TableRecord) -> Renames<'a> {
    let old = |column: &'a ColumnRecord| {
        let old = column.renamed_from.as_deref()?;
        let is_free = from.column(&column.name).is_none() && to.column(old).is_none();
        Some((from.column(old).filter(|_| is_free)?.name.as_str(), column.name.as_str()))
    };
    to.columns.iter().filter_map(old).collect()
}

impl<'a> TableChange<'a> {
    /// Compares a table in two schemas. `tables` are the old and new names of all tables that are
    /// kept, and `columns` the renames in each of them, by its new name. Both are applied to
    /// foreign keys and scope paths too.
    pub fn new(
        from: &'a TableRecord,
        to: &'a TableRecord,
        tables: &[(&str, &str)],
        columns: &[(&str, Renames<'_>)],
    ) -> TableChange<'a> {
        let renames = renames(from, to);
        let renamed = renamed(from, to, tables, columns);
        let pairs = renamed.columns.iter();
        let pairs = pairs.filter_map(|column| Some((column.clone(), to.column(&column.name)?)));
        let gone = |column: &&ColumnRecord| to.column(&column.name).is_none();
        TableChange {
            from,
            to,
            renames,
            columns: pairs.collect(),
            added: to.columns.iter().filter(|new| renamed.column(&new.name).is_none()).collect(),
            dropped: renamed.columns.iter().filter(gone).cloned().collect(),
            renamed,
            lenient: false,
        }
    }

    /// Whether another tool creates and changes the table.
    pub fn is_external(&self) -> bool {
        self.to.external || self.from.external
    }

    /// Whether another column becomes the key, or the key gets another type.
    pub fn key_changes(&self) -> bool {
        self.renamed.pk != self.to.pk
            || self
                .columns
                .iter()
                .any(|(before, after)| after.name == self.to.pk && before.kind != after.kind)
    }

    /// Whether the table changes by more than added columns and indexes. False for an external
    /// table.
    pub fn is_altered(&self) -> bool {
        let is_renamed = self.from.name != self.to.name || !self.renames.is_empty();
        !self.is_external() && (is_renamed || !self.dropped.is_empty() || self.is_rebuilt())
    }

    /// Whether the table must be rebuilt, because SQLite cannot change it in place. False for an
    /// external table.
    pub fn is_rebuilt(&self) -> bool {
        !self.is_external() && !self.rebuild_reasons().is_empty()
    }

    /// Describes the changes that SQLite cannot make in place.
    pub fn rebuild_reasons(&self) -> Vec<String> {
        let changed = self.columns.iter().flat_map(|(before, after)| differences(before, after));
        let added = self.added.iter().copied().filter_map(not_addable);
        let dropped = self.dropped.iter().filter(|column| column.references.is_some());
        let dropped = dropped.map(|column| format!("foreign key `{}` is dropped", column.name));
        changed.chain(added).chain(dropped).collect()
    }

    /// Returns the names of the indexes to drop, and the indexes to create.
    pub fn indexes(&self) -> (Vec<String>, Vec<IndexRecord>) {
        let (before, after) = (self.renamed.all_indexes(), self.to.all_indexes());
        // Indexes keep the names that they were created with when a table or a column is renamed.
        let old_names =
            self.from.all_indexes().into_iter().map(|index| index.name(&self.from.name));
        let old: Vec<(String, IndexRecord)> = old_names.zip(before).collect();
        let stays = |name: &String, index: &IndexRecord| {
            after.contains(index) && *name == index.name(&self.to.name)
        };
        let dropped = old.iter().filter(|(name, index)| self.is_rebuilt() || !stays(name, index));
        let dropped: Vec<String> = dropped.map(|(name, _)| name.clone()).collect();
        let is_there = |index: &IndexRecord| {
            let name = index.name(&self.to.name);
            old.iter().any(|(old, _)| *old == name) && !dropped.contains(&name)
        };
        let created = after.iter().filter(|index| !is_there(index)).cloned().collect();
        (dropped, created)
    }

    /// Whether the scope of rows is found in another way: in another column, or by another path.
    pub fn scope_changes(&self) -> bool {
        self.renamed.scope != self.to.scope
    }

    /// Whether a column has another type or may no longer be null, so that values in a replica may
    /// have been converted.
    pub fn is_retyped(&self) -> bool {
        let mut columns = self.columns.iter();
        columns.any(|(before, after)| before.kind != after.kind || before.null && !after.null)
    }

    /// Whether the migration fills in values that devices cannot compute, because a default is not
    /// constant. False for append-only tables: devices accept no changes to their rows, so each
    /// device keeps the values that it filled in itself.
    pub fn makes_values(&self) -> bool {
        let filled = self.columns.iter().filter(|(before, after)| before.null && !after.null);
        let filled = filled.map(|(_, after)| *after);
        let mut defaults =
            filled.chain(self.added.iter().copied()).filter_map(|column| column.default.as_deref());
        self.to.policy == Policy::Versioned && defaults.any(|default| !is_constant(default))
    }

    /// Returns the column that mirrors the lock version, if no column did before.
    pub fn new_lock_version(&self) -> Option<&'a ColumnRecord> {
        let had_one = self.renamed.columns.iter().any(|column| column.lock_version);
        self.to.columns.iter().find(|column| column.lock_version && !had_one)
    }
}

/// Returns the recorded table under its new names.
fn renamed(
    from: &TableRecord,
    to: &TableRecord,
    tables: &[(&str, &str)],
    columns: &[(&str, Renames<'_>)],
) -> TableRecord {
    let table_name = |old: &mut String| {
        if let Some((_, new)) = tables.iter().find(|(name, _)| *name == old.as_str()) {
            (*new).clone_into(old);
        }
    };
    // `table` is the new name of the table.
    let column_name = |table: &str, old: &mut String| {
        let renames = columns.iter().filter(|(name, _)| *name == table);
        let mut renames = renames.flat_map(|(_, renames)| renames);
        if let Some((_, new)) = renames.find(|(name, _)| *name == old.as_str()) {
            (*new).clone_into(old);
        }
    };
    let mut table = from.clone();
    table.name.clone_from(&to.name);
    column_name(&to.name, &mut table.pk);
    for column in &mut table.columns {
        column_name(&to.name, &mut column.name);
        if let Some(reference) = &mut column.references {
            table_name(&mut reference.table);
            column_name(&reference.table, &mut reference.column);
        }
    }
    for column in table.indexes.iter_mut().flat_map(|index| &mut index.columns) {
        column_name(&to.name, column);
    }
    if let Some(scope) = &mut table.scope {
        column_name(&to.name, &mut scope.column);
        if let Some(by) = &mut scope.by {
            table_name(&mut by.table);
            column_name(&by.table, &mut by.key);
            column_name(&by.table, &mut by.target);
        }
    }
    table
}

/// Describes how a column differs, except in its unique index.
fn differences(before: &ColumnRecord, after: &ColumnRecord) -> Vec<String> {
    let name = &after.name;
    let mut found = Vec::new();
    let mut note = |differs: bool, what: &str| {
        if differs {
            found.push(format!("{what} `{name}` changes"));
        }
    };
    note(before.kind != after.kind, "the type of");
    note(before.null != after.null, "whether null is allowed in");
    note(before.default != after.default, "the default of");
    note(before.check != after.check, "the check of");
    note(before.references != after.references, "the foreign key");
    found
}

/// Returns why `ADD COLUMN` cannot add a column; `None` if it can.
fn not_addable(column: &ColumnRecord) -> Option<String> {
    let ColumnRecord { name, null, default, references, .. } = column;
    match (default, references) {
        (None, _) if !null => Some(format!("`{name}` is new, and neither null nor with a default")),
        (Some(default), _) if !is_constant(default) => {
            Some(format!("`{name}` is new, and its default is not constant"))
        }
        (Some(_), Some(ReferenceRecord { .. })) => {
            Some(format!("`{name}` is a new foreign key with a default"))
        }
        _ => None,
    }
}

/// Whether a default is a literal, and so the same value for every row. Other expressions are in
/// parentheses.
fn is_constant(default: &str) -> bool {
    !default.starts_with('(')
}

/// Whether every value of one storage class keeps its meaning when it is converted to the other.
pub fn widens(from: Kind, to: Kind) -> bool {
    from == to || (from, to) == (Kind::Integer, Kind::Text)
}
