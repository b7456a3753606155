//! What is written together arrives together, and what the primary refuses stands before nothing
//! else, on each primary.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;

use fastest_schema::{Migration, Row, Schema, init_sql, table};
use fastest_sync::database::DatabaseError;
use fastest_sync::local_write::WriteError;
use fastest_sync::{Database, Remote, migrate};

use super::run;
use super::values::{by_hand, primaries};

#[table(name = "folders", policy = versioned("a test"), scope = team)]
struct Folder {
    #[pk]
    id: String,
    team: String,
    name: String,
}

#[table(name = "notes", policy = versioned("a test"), scope = team)]
struct Note {
    #[pk]
    id: String,
    team: String,
    #[references(folders.id)]
    folder: Option<String>,
    #[unique]
    slug: String,
    title: String,
    state: String,
    owner: String,
    memo: Option<String>,
    size: f64,
}

/// The tables as the primary has them: it has rules of its own, that no device knows.
static DESK: LazyLock<Schema> = LazyLock::new(|| {
    let tables = vec![Folder::TABLE, Note::TABLE].leak();
    let sql = init_sql(tables);
    let stricter = [
        ("`title` text NOT NULL", "`title` text NOT NULL CHECK (length(title) < 50)"),
        ("`owner` text NOT NULL", "`owner` text NOT NULL REFERENCES people(id)"),
        ("`memo` text", "`memo` text NOT NULL"),
        ("`size` real NOT NULL", "`size` real NOT NULL CHECK (size = round(size))"),
    ];
    let sql = stricter.iter().fold(sql, |sql, (is, becomes)| {
        assert!(sql.contains(is), "{is} in {sql}");
        sql.replace(is, becomes)
    });
    let migrations = vec![Migration { name: "0000_desk_init.sql", sql: sql.leak() }].leak();
    Schema { owner: "desk", tables, migrations }
});

const RULES: [&str; 7] = [
    "CREATE UNIQUE INDEX one_title ON notes(team, title)",
    "CREATE UNIQUE INDEX one_lead ON notes(state) WHERE state = 'lead'",
    "CREATE TRIGGER no_spam BEFORE INSERT ON notes WHEN NEW.title LIKE '%spam%'
     BEGIN SELECT RAISE(ABORT, 'no spam, please'); END",
    "CREATE TRIGGER mute BEFORE INSERT ON notes WHEN NEW.title LIKE '%mute%'
     BEGIN SELECT RAISE(IGNORE); END",
    "CREATE TRIGGER full_folders AFTER INSERT ON folders WHEN NEW.name = 'full'
     BEGIN SELECT RAISE(ABORT, 'that folder is full'); END",
    "INSERT INTO people(id) VALUES ('ann'), ('bob')",
    "INSERT INTO notes(id, team, slug, title, state, owner, memo, size)
     VALUES ('far', 'far', 'taken', 'far', 'lead', 'ann', '', 1)",
];

fn folder(id: &str, team: &str, name: &str) -> Folder {
    Folder { id: id.into(), team: team.into(), name: name.into() }
}

fn note(id: &str, team: &str) -> Note {
    let [slug, title] = [format!("slug {id}"), format!("title {id}")];
    let (id, team, state, owner) = (id.into(), team.into(), "open".into(), "ann".into());
    Note { id, team, folder: None, slug, title, state, owner, memo: Some("".into()), size: 1.0 }
}

/// Runs a story on each primary.
fn each(story: fn(&Remote, &Path)) {
    let folder = tempfile::tempdir().unwrap();
    let (primaries, _server) = primaries(folder.path());
    for (name, remote) in primaries {
        println!("{name}");
        by_hand(&remote, "CREATE TABLE people(id text PRIMARY KEY)");
        run(migrate(&*remote.primary, &DESK)).unwrap();
        for rule in RULES {
            by_hand(&remote, rule);
        }
        let path = folder.path().join(name);
        std::fs::create_dir(&path).unwrap();
        story(&remote, &path);
    }
}

fn open(folder: &Path, name: &str) -> Database {
    Database::open(&folder.join(name), &DESK).unwrap()
}

fn count(remote: &Remote, from: &str) -> String {
    let counted = by_hand(remote, &format!("SELECT CAST(count(*) AS TEXT) FROM {from}"));
    counted[0][0].clone().unwrap()
}

/// What makes a note wrong for the primary: its name, the change, and the column and the words by
/// which it is refused.
type Fault = (&'static str, fn(&mut Note), Option<&'static str>, &'static str);

const FAULTS: [Fault; 9] = [
    ("taken", |note| note.slug = "taken".into(), Some("slug"), "UNIQUE constraint failed"),
    ("same title", |note| note.title = "title good".into(), Some("team"), "notes.title"),
    ("second lead", |note| note.state = "lead".into(), Some("state"), "UNIQUE constraint failed"),
    ("long", |note| note.title = "long ".repeat(11), Some("title"), "CHECK constraint failed"),
    ("nobody", |note| note.owner = "nobody".into(), Some("owner"), "people nobody"),
    ("no memo", |note| note.memo = None, Some("memo"), "NOT NULL constraint failed"),
    ("half", |note| note.size = 0.5, Some("size"), "CHECK constraint failed"),
    ("spam", |note| note.title = "spam".into(), None, "no spam, please"),
    ("mute", |note| note.title = "mute".into(), None, "took the write away"),
];

/// Transactions, one in ten of two rows of two scopes, of which ten are wrong for ten reasons.
#[test]
fn what_is_refused_stands_before_nothing_else() {
    let transactions: usize =
        std::env::var("FASTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(1000);
    println!("{transactions} transactions");
    each_of(transactions);
}

fn each_of(transactions: usize) {
    static TRANSACTIONS: std::sync::OnceLock<usize> = std::sync::OnceLock::new();
    TRANSACTIONS.set(transactions).unwrap();
    each(|remote, path| {
        let transactions = TRANSACTIONS.get().copied().unwrap_or_default();
        let mut one = open(path, "one.db");
        one.save(&note("good", "t2")).unwrap();
        run(one.push_all(remote)).unwrap();
        for at in 0..transactions {
            let team = format!("t{}", at % 4);
            let mut note = note(&format!("n{at}"), &team);
            let fault =
                (at % (transactions / 10) == transactions / 20).then_some(at / (transactions / 10));
            if let Some((_, spoil, ..)) = fault.and_then(|fault| FAULTS.get(fault)) {
                spoil(&mut note);
            }
            let with_folder = at % 10 == 0 || fault.is_some();
            let written = one.transaction(|tx| {
                if with_folder {
                    let other = format!("t{}", (at + 1) % 4);
                    let name = if fault == Some(9) { "full" } else { "f" };
                    tx.save(&folder(&format!("f{at}"), &other, name))?;
                    note.folder = Some(format!("f{at}"));
                }
                tx.save(&note)
            });
            written.unwrap_or_else(|error: DatabaseError| panic!("{at}: {error}"));
        }
        let folders = one.all::<Folder>().unwrap().len();
        let before = remote.meter.traffic().requests;
        let pushed = run(one.push_all(remote)).unwrap();
        let requests = remote.meter.traffic().requests - before;
        println!("{requests} requests");
        assert!(requests <= 100, "{requests} requests");
        let refused: BTreeMap<_, _> =
            pushed.refused.iter().map(|refused| (refused.key.clone(), refused)).collect();
        assert_eq!(refused.len(), 10, "{refused:#?}");
        assert_eq!(one.refused().unwrap(), pushed.refused);
        // With the one by hand and the first.
        assert_eq!(count(remote, "notes"), (transactions + 2 - 10).to_string());
        assert_eq!(count(remote, "folders"), (folders - 10).to_string(), "whole, or not at all");
        for (fault, (name, _, column, words)) in FAULTS.iter().enumerate() {
            let at = fault * (transactions / 10) + transactions / 20;
            // A trigger's words point at no row: it is the first of the transaction then.
            let key = if column.is_some() { format!("n{at}") } else { format!("f{at}") };
            let found = refused.get(&key).unwrap_or_else(|| panic!("{name}: {refused:#?}"));
            assert!(found.why.contains(words), "{name}: {found}");
            assert_eq!(found.column.as_deref(), *column, "{name}: {found}");
            assert_eq!(found.rows.len(), 2, "{name}");
        }
        assert_eq!(run(one.push_all(remote)).unwrap().refused, [], "they are named once");
        // Mended, they arrive.
        for at in (0..10).map(|fault| fault * (transactions / 10) + transactions / 20) {
            let held: Note = one.get(&format!("n{at}")).unwrap().unwrap();
            let mended = Note { folder: held.folder, ..note(&held.id, &held.team) };
            one.save(&mended).unwrap();
        }
        let full: Vec<Folder> = one.find(Folder::NAME, "full").unwrap();
        one.save(&Folder { name: "f".into(), ..full.into_iter().next().unwrap() }).unwrap();
        assert_eq!(run(one.push_all(remote)).unwrap().refused, []);
        assert!(one.refused().unwrap().is_empty() && one.waiting().unwrap().is_empty());
        assert_eq!(count(remote, "notes"), (transactions + 2).to_string());
        assert_eq!(count(remote, "folders"), folders.to_string());
    });
}

#[test]
fn what_needs_a_refused_row_waits_with_it() {
    each(|remote, path| {
        let mut one = open(path, "one.db");
        one.save(&folder("f", "t", "full")).unwrap();
        one.save(&Note { folder: Some("f".into()), ..note("in", "t") }).unwrap();
        one.save(&note("beside", "t")).unwrap();
        let refused = run(one.push_all(remote)).unwrap().refused;
        assert_eq!((refused.len(), &*refused[0].key), (1, "f"), "{refused:?}");
        assert_eq!(count(remote, "notes WHERE id IN ('in', 'beside')"), "1");
        // Tried again as it is, it is refused again; the primary's rule gone, it goes.
        one.retry_refused(refused[0].id).unwrap();
        assert_eq!(run(one.push_all(remote)).unwrap().refused.len(), 1);
        by_hand(remote, "DROP TRIGGER full_folders");
        one.retry_refused(one.refused().unwrap()[0].id).unwrap();
        assert_eq!(run(one.push_all(remote)).unwrap().refused, []);
        assert_eq!(count(remote, "notes WHERE folder = 'f'"), "1");
        assert!(one.waiting().unwrap().is_empty());
        assert!(one.retry_refused(7).unwrap_err().to_string().contains('7'));
    });
}

#[test]
fn a_dropped_transaction_leaves_what_the_primary_has() {
    each(|remote, path| {
        let mut one = open(path, "one.db");
        one.save(&note("a", "t")).unwrap();
        run(one.push_all(remote)).unwrap();
        let spoil = |one: &mut Database| {
            one.transaction(|tx| {
                tx.save(&Note { size: 0.5, ..note("a", "t") })?;
                tx.save(&note("b", "t"))
            })
            .unwrap_or_else(|error: DatabaseError| panic!("{error}"));
            run(one.push_all(remote)).unwrap().refused.remove(0)
        };
        let refused = spoil(&mut one);
        assert_eq!((&*refused.key, refused.column.as_deref()), ("a", Some("size")));
        assert_eq!(one.drop_refused(refused.id).unwrap(), refused);
        assert_eq!(one.all::<Note>().unwrap(), [note("a", "t")]);
        assert!(one.waiting().unwrap().is_empty() && one.refused().unwrap().is_empty());
        // A row of it that others change is merged, and all of it is tried again.
        spoil(&mut one);
        let mut two = open(path, "two.db");
        run(two.pull(remote, "t")).unwrap();
        two.save(&Note { title: "theirs".into(), ..note("a", "t") }).unwrap();
        run(two.push_all(remote)).unwrap();
        run(one.pull(remote, "t")).unwrap();
        assert!(one.refused().unwrap().is_empty());
        assert_eq!(run(one.push_all(remote)).unwrap().refused.len(), 1);
        assert_eq!(one.get::<Note>("a").unwrap().unwrap().title, "theirs");
    });
}

#[test]
fn a_transaction_is_here_whole_or_not_at_all() {
    let folder_of = tempfile::tempdir().unwrap();
    let mut one = open(folder_of.path(), "one.db");
    let failed = one.transaction(|tx| {
        tx.save(&folder("f", "t", "f"))?;
        assert_eq!(tx.all::<Folder>()?.len(), 1, "it reads what it wrote");
        tx.save(&note("a", "t"))?;
        tx.save(&Note { slug: "slug a".into(), ..note("b", "t") })
    });
    let failed: DatabaseError = failed.unwrap_err();
    assert!(matches!(failed, DatabaseError::Write(WriteError::Taken { .. })), "{failed}");
    assert!(one.all::<Folder>().unwrap().is_empty() && one.waiting().unwrap().is_empty());
    // What waits of its rows counts.
    let large = |id: &str| Note { title: "x".repeat(900_000), ..note(id, "t") };
    one.transaction(|tx| tx.save(&large("a")).and_then(|()| tx.save(&large("b")))).unwrap();
    let failed = one.transaction(|tx| tx.save(&large("b")).and_then(|()| tx.save(&large("c"))));
    let failed: DatabaseError = failed.unwrap_err();
    let DatabaseError::Write(WriteError::TransactionTooLarge { bytes }) = failed else {
        panic!("{failed}")
    };
    assert!((2_700_000..2_710_000).contains(&bytes), "{bytes}");
    assert_eq!(one.all::<Note>().unwrap().len(), 2);
    one.save(&large("c")).unwrap();
}

#[test]
fn one_scope_takes_along_what_was_written_with_it() {
    each(|remote, path| {
        let mut one = open(path, "one.db");
        one.transaction(|tx| {
            tx.save(&folder("f", "a", "f"))?;
            tx.save(&Note { folder: Some("f".into()), ..note("n", "b") })
        })
        .unwrap_or_else(|error: DatabaseError| panic!("{error}"));
        one.save(&folder("g", "a", "g")).unwrap();
        one.save(&Note { folder: Some("g".into()), ..note("m", "b") }).unwrap();
        run(one.push(remote, "b")).unwrap();
        assert_eq!(count(remote, "folders"), "1");
        assert_eq!(count(remote, "notes WHERE team = 'b'"), "1", "the other's folder waits");
        assert_eq!(one.waiting().unwrap(), ["a", "b"]);
        run(one.push_all(remote)).unwrap();
        assert_eq!(count(remote, "notes WHERE team = 'b'"), "2");
        // Both devices wrote to a row of one transaction: it is merged, in its own scope.
        let mut two = open(path, "two.db");
        for scope in ["a", "b"] {
            run(two.pull(remote, scope)).unwrap();
        }
        two.save(&Note { title: "two".into(), ..two.get("n").unwrap().unwrap() }).unwrap();
        run(two.push_all(remote)).unwrap();
        one.transaction(|tx| {
            tx.save(&folder("f", "a", "renamed"))?;
            tx.save(&Note { state: "done".into(), folder: Some("f".into()), ..note("n", "b") })
        })
        .unwrap_or_else(|error: DatabaseError| panic!("{error}"));
        run(one.push(remote, "a")).unwrap();
        assert!(one.waiting().unwrap().is_empty() && one.conflicts().unwrap().is_empty());
        let merged: Note = one.get("n").unwrap().unwrap();
        assert_eq!((&*merged.title, &*merged.state), ("two", "done"));
        assert_eq!(count(remote, "folders WHERE name = 'renamed'"), "1");
    });
}
