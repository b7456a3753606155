//! How a device's replica follows the declared schema when a new build opens it.
//!
//! A replica holds what the primary enforced: it has no triggers, no unique indexes (two rows that
//! swap a unique value arrive one after the other) and no checks. Nor may a local row stand in the
//! way of opening it, so nothing here fails for the rows that are there.

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
    /// What to run, in order, with foreign keys off.
    pub statements: Vec<String>,
    /// What became of the tables that were there.
    pub tables: Vec<TableFate>,
    /// Whether rows may differ from the primary's now, so that all of them are to be read anew.
    pub reread: bool,
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
    /// What its columns held before.
    pub old_kinds: Vec<Kind>,
    /// The names of its columns before, in order.
    pub old_names: Vec<String>,
    /// Whether its rows are shared by something else now.
    pub rescoped: bool,
    /// Whether a column has another type, or may not be null any more.
    pub retyped: bool,
}

/// Plans the migration of a replica between two [`replica_record`](crate::replica_record)s. `notes` are those of the
/// migrations in between, oldest first; where there are no migrations, what the declarations say of
/// old names stands.
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
    // Following notes keeps the order of tables, and of the columns in each.
    for (before, held) in from.tables.iter().zip(&held.tables) {
        let change = pairing.kept.iter().find(|change| change.from.name == held.name);
        let place = |change: &TableChange<'_>, name: &str| {
            change.renamed.columns.iter().position(|old| old.name == name)
        };
        let columns = change.map(|change| {
            change.to.columns.iter().map(|column| place(change, &column.name)).collect()
        });
        plan.tables.push(TableFate {
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

/// Does to the record what a note says, and gives what does it to the replica. What goes is put out
/// of the way first, so that a later one of its name can come.
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

/// Indexes are named after tables and columns: they are made anew in the end.
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
