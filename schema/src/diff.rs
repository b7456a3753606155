//! From a recorded schema to a declared one: the statements of a migration.
//!
//! Statements are plain SQLite that runs on D1, where foreign keys are always on, a DROP deletes the
//! rows of CASCADE children, and triggers go with their table. So tables are altered in place where
//! SQLite can; else they are rebuilt under their final name, and not where a child would lose rows.
//! The engine's triggers are taken away before what they read changes, and made anew after.

mod change;
mod note;
mod replica;
pub(crate) mod rows;
mod table;

pub use note::{Note, notes};
pub use replica::{ReplicaPlan, TableFate, replica_migration, replica_record};

use change::TableChange;

use crate::ddl::quote;
use crate::engine::{CHANGES_DDL, powers_ddl, primary_ddl};
use crate::record::{ColumnRecord, ENGINE_VERSION, Object, RECORD_VERSION, Record, TableRecord};

/// A migration that was planned.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// What to run, in order.
    pub statements: Vec<String>,
    /// What of it may lose something, or fail for the rows that are there: for a person to agree to.
    pub destructive: Vec<String>,
    /// Names that change or go, for replicas.
    pub notes: Vec<Note>,
}

/// Why there is no migration from one schema to the other.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DiffError {
    /// The record was made by a newer version.
    #[error("the recorded schema was written by a newer version of Fastest: upgrade")]
    Newer,
    /// The record is another owner's.
    #[error("the recorded schema belongs to `{recorded}`, not to `{declared}`")]
    Owner {
        /// The recorded owner.
        recorded: String,
        /// The declared one.
        declared: String,
    },
    /// Steps that no flag allows, each with its reason.
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

/// The migration of an empty database.
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

/// Which table became which.
struct Pairing<'a> {
    new: Vec<&'a TableRecord>,
    kept: Vec<TableChange<'a>>,
    dropped: Vec<&'a TableRecord>,
}

impl<'a> Pairing<'a> {
    fn new(from: &'a Record, to: &'a Record) -> Pairing<'a> {
        let before = |table: &TableRecord| {
            let renamed = table.renamed_from.as_deref();
            let renamed = renamed.filter(|name| to.table(name).is_none());
            from.table(&table.name).or_else(|| from.table(renamed?))
        };
        let names: Vec<(&str, &str)> = to
            .tables
            .iter()
            .filter_map(|table| Some((before(table)?.name.as_str(), table.name.as_str())))
            .collect();
        let columns: Vec<_> = to
            .tables
            .iter()
            .filter_map(|table| Some((table.name.as_str(), change::renames(before(table)?, table))))
            .collect();
        let mut pairing = Pairing { new: Vec::new(), kept: Vec::new(), dropped: Vec::new() };
        for table in &to.tables {
            match before(table) {
                Some(before) => {
                    pairing.kept.push(TableChange::new(before, table, &names, &columns))
                }
                None => pairing.new.push(table),
            }
        }
        let is_kept = |table: &&TableRecord| names.iter().any(|(old, _)| *old == table.name);
        pairing.dropped = from.tables.iter().filter(|table| !is_kept(table)).collect();
        pairing
    }

    /// What no flag allows.
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

    /// The tables that stay and would lose rows or values while this one is not there, each with the
    /// foreign key that takes them: as they are before, or as they are by then.
    fn losing_children(&self, parent: &TableChange<'a>) -> Vec<(&str, &str)> {
        let mut lost = Vec::new();
        let mut emptied = vec![parent.from.name.as_str()];
        let mut next = 0;
        // What goes anyway may take others along.
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
        plan.destructive.extend(self.dropped.iter().rev().map(|table| match table.external {
            true => format!("`{}` is no longer synced: devices give up its rows", table.name),
            false => format!("table `{}` is dropped, with its rows", table.name),
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

    /// What replicas need to know, in the order of its happening.
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

    /// A guard for each table that goes, for good or while it is rebuilt.
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

    /// Tables that change in more than new columns, under both names.
    fn altered(&self) -> Vec<&'a str> {
        let kept = self.kept.iter().filter(|change| change.is_altered());
        let kept = kept.flat_map(|change| [change.from.name.as_str(), change.to.name.as_str()]);
        kept.chain(self.dropped.iter().map(|table| table.name.as_str())).collect()
    }
}

/// The foreign keys of a table by which a delete in the other one changes its rows.
fn keys<'a>(table: &'a TableRecord, parent: &str) -> impl Iterator<Item = (&'a str, &'a str)> {
    let changes = move |column: &&ColumnRecord| {
        let to = column.references.as_ref();
        to.is_some_and(|to| to.table == parent && to.on_delete.changes_children())
    };
    table.columns.iter().filter(changes).map(|column| (table.name.as_str(), column.name.as_str()))
}

/// Drops tables, given parents first, and says in `fastest_changes` that their rows are gone.
fn drop_sql(dropped: &[&TableRecord]) -> Vec<String> {
    let synced = dropped.iter().filter(|table| table.is_synced());
    let mut statements: Vec<String> = synced.map(|table| rows::bury(&table.name)).collect();
    let own: Vec<&&TableRecord> = dropped.iter().rev().filter(|table| !table.external).collect();
    let drop = |table: &&&TableRecord| format!("DROP TABLE {}", quote(&table.name));
    if refer_in_circles(&own) {
        // SQLite cannot drop a table some of whose parents are gone: each is there to the end, if
        // only as one that refers to none.
        statements.extend(own.iter().map(|table| format!("DELETE FROM {}", quote(&table.name))));
        for table in &own {
            statements.extend([drop(table), stub(table)]);
        }
    }
    statements.extend(own.iter().map(drop));
    statements
}

/// What others may refer to in a table, and no more.
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

/// Whether one of the tables refers to another before it.
fn refer_in_circles(tables: &[&&TableRecord]) -> bool {
    tables.iter().enumerate().any(|(at, table)| {
        let parents = table.columns.iter().filter_map(|column| column.references.as_ref());
        let earlier = &tables[..at];
        parents.into_iter().any(|to| earlier.iter().any(|table| table.name == to.table))
    })
}

/// Which of the engine's triggers and views go, and which are made.
struct Objects<'a> {
    dropped: Vec<&'a Object>,
    made: Vec<&'a Object>,
}

impl<'a> Objects<'a> {
    /// Those that changed, and those that read an altered table: SQLite refuses to alter a table
    /// under a trigger that would no longer fit, and drops those of a table with it.
    fn new(from: &'a Record, to: &'a Record, altered: &[&str]) -> Objects<'a> {
        let reads = |object: &Object| altered.iter().any(|name| object.sql.contains(name));
        let stays = |object: &&Object| to.objects.contains(object) && !reads(object);
        let dropped: Vec<&Object> = from.objects.iter().filter(|object| !stays(object)).collect();
        let is_there =
            |object: &Object| from.objects.contains(object) && !dropped.contains(&object);
        let made = to.objects.iter().filter(|object| !is_there(object)).collect();
        Objects { made, dropped }
    }
}
