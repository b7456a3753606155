//! Plans how a replica is migrated to the declared schema when a new build opens it.
//!
//! The primary has already enforced the constraints on the rows of a replica. So a replica has no
//! triggers, no checks and no unique indexes: two rows that swap a unique value arrive one after
//! the other. A local row must not prevent the replica from being opened, so no statement here
//! fails because of existing rows.

use crate::migrate::change::TableChange;
use crate::migrate::drop::drop_sql;
use crate::migrate::note::Note;
use crate::migrate::pairing::Pairing;
use crate::migrate::rows;
use crate::record::model::{Record, TableRecord};
use crate::sql::quote::quote;
use crate::value::kind::Kind;

/// The migration of a replica.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReplicaPlan {
    /// The statements to run, in order, with foreign keys off.
    pub statements: Vec<String>,
    /// What happens to the existing tables.
    pub tables: Vec<TableOutcome>,
    /// Whether rows may now differ from the primary's, so that all must be pulled again.
    pub reread: bool,
}

/// What happens to a table, for code that also stores rows elsewhere, as arrays in column order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableOutcome {
    /// The old name.
    pub from: String,
    /// The new name; `None` if replicas no longer hold it.
    pub to: Option<String>,
    /// For each column of the new table, in order, its old position; `None` if it did not exist.
    pub columns: Vec<Option<usize>>,
    /// The kinds of the old columns, in order.
    pub old_kinds: Vec<Kind>,
    /// The names of the old columns, in order.
    pub old_names: Vec<String>,
    /// Whether the scope of its rows is found in another way: in another column, or by another
    /// path.
    pub rescoped: bool,
    /// Whether a column has another type, or may no longer be null.
    pub retyped: bool,
}

/// Plans the migration of a replica between two records that
/// [`replica_record`](crate::replica_record) returned. `notes` are those of the migrations in
/// between, oldest first. It is `None` for a schema without migrations: then the former names in
/// the declarations are used instead.
pub fn replica_migration(from: &Record, to: &Record, notes: Option<&[Note]>) -> ReplicaPlan {
    let (mut held, mut to) = (from.clone(), to.clone());
    let mut plan = ReplicaPlan::default();
    if let Some(notes) = notes {
        plan.statements = notes.iter().flat_map(|note| follow(&mut held, note)).collect();
        for table in &mut to.tables {
            table.renamed_from = None;
            table.columns.iter_mut().for_each(|column| column.renamed_from = None);
        }
    }
    let mut pairing = Pairing::new(&held, &to);
    pairing.kept.iter_mut().for_each(|change| change.lenient = true);
    plan.reread = !plan.statements.is_empty() || !pairing.altered().is_empty();
    for change in &pairing.kept {
        plan.statements.extend(change.rename_sql());
    }
    plan.statements.extend(pairing.new.iter().flat_map(|table| table.ddl()));
    for change in &pairing.kept {
        plan.statements.extend(change.alter_sql());
    }
    plan.statements.extend(drop_sql(&pairing.dropped));
    for change in &pairing.kept {
        plan.statements.extend(change.index_sql());
    }
    // `follow` keeps the order of tables and of their columns.
    for (before, held) in from.tables.iter().zip(&held.tables) {
        let change = pairing.kept.iter().find(|change| change.from.name == held.name);
        let place = |change: &TableChange<'_>, name: &str| {
            change.renamed.columns.iter().position(|old| old.name == name)
        };
        let columns = change.map(|change| {
            change.to.columns.iter().map(|column| place(change, &column.name)).collect()
        });
        plan.tables.push(TableOutcome {
            from: before.name.clone(),
            to: change.map(|change| change.to.name.clone()),
            columns: columns.unwrap_or_default(),
            old_kinds: before.columns.iter().map(|column| column.kind).collect(),
            old_names: before.columns.iter().map(|column| column.name.clone()).collect(),
            rescoped: change.is_some_and(TableChange::scope_changes),
            retyped: change.is_some_and(TableChange::is_retyped),
        });
    }
    plan
}

/// Applies a note to the record, and returns the statements that apply it to the replica. A dropped
/// table or column is only renamed for now, so that another of the same name can be added.
fn follow(record: &mut Record, note: &Note) -> Vec<String> {
    match note {
        Note::RenameTable(from, to) => rename_table(record, from, to),
        Note::RenameColumn(table, from, to) => rename_column(record, table, from, to),
        Note::DropColumn(table, column) => {
            let gone = free_name(|name| {
                record.table(table).is_none_or(|table| table.column(name).is_none())
            });
            rename_column(record, table, column, &gone)
        }
        Note::DropTable(table) => {
            let gone = free_name(|name| record.table(name).is_none());
            rename_table(record, table, &gone)
        }
    }
}

fn free_name(is_free: impl Fn(&str) -> bool) -> String {
    let mut names = (0..).map(|number| format!("fastest_gone_{number}"));
    names.find(|name| is_free(name)).expect("numbers do not end")
}

fn rename_table(record: &mut Record, from: &str, to: &str) -> Vec<String> {
    let Some(table) = record.tables.iter_mut().find(|table| table.name == from) else {
        return Vec::new();
    };
    let mut statements = drop_indexes(table);
    to.clone_into(&mut table.name);
    for table in &mut record.tables {
        let keys = table.columns.iter_mut().filter_map(|column| column.references.as_mut());
        let keys = keys.map(|key| &mut key.table);
        let path = table.scope.iter_mut().filter_map(|scope| scope.by.as_mut());
        for name in keys.chain(path.map(|path| &mut path.table)).filter(|name| *name == from) {
            to.clone_into(name);
        }
    }
    statements.push(format!("ALTER TABLE {} RENAME TO {}", quote(from), quote(to)));
    statements.push(rows::rename(from, to));
    statements
}

/// Removes the indexes of a table from the record, and returns the statements that drop them. They
/// are named after tables and columns, and are created again at the end.
fn drop_indexes(table: &mut TableRecord) -> Vec<String> {
    let indexes = std::mem::take(&mut table.indexes);
    indexes.iter().map(|index| format!("DROP INDEX {}", quote(&index.name(&table.name)))).collect()
}

fn rename_column(record: &mut Record, table: &str, from: &str, to: &str) -> Vec<String> {
    let Some(own) = record.tables.iter_mut().find(|own| own.name == table) else {
        return Vec::new();
    };
    if own.column(from).is_none() {
        return Vec::new();
    }
    let mut statements = drop_indexes(own);
    let columns = own.columns.iter_mut().map(|column| &mut column.name);
    let scope = own.scope.iter_mut().map(|scope| &mut scope.column);
    let names = columns.chain(scope).chain([&mut own.pk]);
    names.filter(|name| *name == from).for_each(|name| to.clone_into(name));
    for other in &mut record.tables {
        let keys = other.columns.iter_mut().filter_map(|column| column.references.as_mut());
        for key in keys.filter(|key| key.table == table && key.column == from) {
            to.clone_into(&mut key.column);
        }
        let path = other.scope.iter_mut().filter_map(|scope| scope.by.as_mut());
        for path in path.filter(|path| path.table == table) {
            for name in [&mut path.key, &mut path.target].into_iter().filter(|name| *name == from) {
                to.clone_into(name);
            }
        }
    }
    let [table, from, to] = [table, from, to].map(quote);
    statements.push(format!("ALTER TABLE {table} RENAME COLUMN {from} TO {to}"));
    statements
}
