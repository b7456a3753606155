//! The application whose rows are written: its tables, in an older and a newer version.

use std::sync::LazyLock;

use fastest_schema::{Row, Schema, Table, table};
use fastest_sync::database::error::DatabaseError;
use fastest_sync::database::transaction::Transaction;
use fastest_sync::migrations::{NewMigration, Source, generate};
use serde_json::Value;

use crate::world::Party;

#[table(name = "folders", policy = versioned("several devices change one"), scope = team)]
struct Folder {
    #[pk]
    id: String,
    team: String,
    name: String,
    colour: String,
}

#[table(name = "notes", policy = versioned("several devices change one"), scope = team)]
struct Note {
    #[pk]
    id: String,
    team: String,
    #[references(folders.id)]
    folder: Option<String>,
    #[unique]
    slug: String,
    title: String,
    body: String,
}

#[table(name = "entries", policy = append_only("a ledger"), scope = team)]
struct Entry {
    #[pk]
    id: String,
    team: String,
    amount: String,
}

/// The tables of the newer version of the application.
mod newer {
    use fastest_schema::table;

    #[table(name = "notes", policy = versioned("several devices change one"), scope = team)]
    pub struct Note {
        #[pk]
        id: String,
        team: String,
        #[references(folders.id)]
        folder: Option<String>,
        #[unique]
        slug: String,
        title: String,
        body: String,
        mood: Option<String>,
    }
}

/// How many versions there are.
const VERSIONS: usize = 2;

/// The newest version, which has each table and each column.
pub const NEWEST: usize = VERSIONS - 1;

/// What a table is to the simulator: every column besides the key and the scope holds texts that are
/// written once, so that each value names the write that it comes from.
pub struct Ledger {
    /// The table.
    pub name: &'static str,
    /// Its columns besides the key and the scope.
    pub columns: &'static [&'static str],
    /// Whether rows are only added.
    pub is_append_only: bool,
    save: fn(&Transaction<'_>, Value) -> Result<(), DatabaseError>,
    delete: fn(&Transaction<'_>, &str) -> Result<bool, DatabaseError>,
}

impl Ledger {
    const fn of<R: Row>(
        name: &'static str,
        columns: &'static [&'static str],
        is_append_only: bool,
    ) -> Self {
        let save = |tx: &Transaction<'_>, row| {
            tx.save::<R>(&serde_json::from_value(row).expect("the columns are those of the table"))
        };
        let delete = |tx: &Transaction<'_>, key: &str| tx.delete::<R>(key);
        Self { name, columns, is_append_only, save, delete }
    }

    /// Saves a row, given with all its columns.
    pub fn save(&self, tx: &Transaction<'_>, row: Value) -> Result<(), DatabaseError> {
        (self.save)(tx, row)
    }

    /// Deletes the row with this key. Returns whether it was there.
    pub fn delete(&self, tx: &Transaction<'_>, key: &str) -> Result<bool, DatabaseError> {
        (self.delete)(tx, key)
    }
}

const FOLDERS: Ledger = Ledger::of::<Folder>("folders", &["name", "colour"], false);
const ENTRIES: Ledger = Ledger::of::<Entry>("entries", &["amount"], true);
const OLD_NOTES: Ledger = Ledger::of::<Note>("notes", &["folder", "slug", "title", "body"], false);
const NEW_NOTES: Ledger =
    Ledger::of::<newer::Note>("notes", &["folder", "slug", "title", "body", "mood"], false);

/// A version of the application.
pub struct Version {
    /// What its databases are opened with.
    pub schema: &'static Schema,
    /// Its tables: a table stands after those that it refers to.
    pub tables: [Ledger; 3],
}

/// All versions, the oldest first.
pub static APPLICATION: LazyLock<[Version; VERSIONS]> = LazyLock::new(|| {
    let old: &[&'static Table] = &[Folder::TABLE, Note::TABLE, Entry::TABLE];
    let new: &[&'static Table] = &[Folder::TABLE, newer::Note::TABLE, Entry::TABLE];
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    // The names of migrations hold the time: here it is that of a world of its own.
    let world = Party::new(0).world();
    let version = |name: &str, tables: &'static [&'static Table], ledgers| {
        let declared = Schema { owner: "desk", tables, migrations: &[] };
        let new = NewMigration { name: name.to_owned(), sql: None, allow_destructive: false };
        generate(folder.path(), &declared, &new, &world).expect("the change loses nothing");
        let source = Source::folder(folder.path()).expect("the folder was just written");
        let migrations = source.schema.migrations;
        let schema = Box::leak(Box::new(Schema { owner: "desk", tables, migrations }));
        Version { schema, tables: ledgers }
    };
    [
        version("init", old.to_vec().leak(), [FOLDERS, OLD_NOTES, ENTRIES]),
        version("moods", new.to_vec().leak(), [FOLDERS, NEW_NOTES, ENTRIES]),
    ]
});
