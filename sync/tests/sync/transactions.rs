//! Transactions arrive as a whole, and one that the primary refuses does not hold up anything else,
//! on each primary.

mod random;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;

use fastest_schema::{Migration, Row, Schema, init_sql, table};
use fastest_sync::database::error::DatabaseError;
use fastest_sync::remote::embedded::Embedded;
use fastest_sync::remote::statement::Statement;
use fastest_sync::{Database, Remote, RowKey, World, WriteError, migrate};

use super::run;
use super::values::{by_hand, primaries, rows_of};

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

/// The tables as the primary has them, with rules of its own that no device knows.
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

/// Runs a scenario on each primary.
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
    Database::open(&folder.join(name), &DESK, World::system()).unwrap()
}

fn count(remote: &Remote, from: &str) -> String {
    let counted = rows_of(remote, &format!("SELECT CAST(count(*) AS TEXT) FROM {from}"));
    counted[0][0].clone().unwrap()
}

/// What makes a note invalid for the primary: a name, the change, and the column and the words of
/// the refusal.
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

/// Transactions, one in ten of two rows in two scopes, of which ten are invalid for ten reasons.
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
        // Including the note by hand and the first one.
        assert_eq!(count(remote, "notes"), (transactions + 2 - 10).to_string());
        assert_eq!(count(remote, "folders"), (folders - 10).to_string(), "whole, or not at all");
        for (fault, (name, _, column, words)) in FAULTS.iter().enumerate() {
            let at = fault * (transactions / 10) + transactions / 20;
            let key = RowKey::from(format!("n{at}"));
            let found = refused.get(&key).unwrap_or_else(|| panic!("{name}: {refused:#?}"));
            assert!(found.why.contains(words), "{name}: {found}");
            assert_eq!(found.column.as_deref(), *column, "{name}: {found}");
            assert!(found.named, "{name}: {found}");
            assert_eq!(found.rows.len(), 2, "{name}");
        }
        assert_eq!(run(one.push_all(remote)).unwrap().refused, [], "they are named once");
        // Once they are mended, they arrive.
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
        assert_eq!((refused.len(), refused[0].key.as_str()), (1, "f"), "{refused:?}");
        assert_eq!(count(remote, "notes WHERE id IN ('in', 'beside')"), "1");
        // Tried again unchanged, it is refused again. Without the primary's rule, it is accepted.
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
        assert_eq!((refused.key.as_str(), refused.column.as_deref()), ("a", Some("size")));
        assert_eq!(one.drop_refused(refused.id).unwrap(), refused);
        assert_eq!(one.all::<Note>().unwrap(), [note("a", "t")]);
        assert!(one.waiting().unwrap().is_empty() && one.refused().unwrap().is_empty());
        // If others change one of its rows, that row is merged, and the whole transaction is tried
        // again.
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
    let large = |id: &str| Note { title: "x".repeat(900_000), ..note(id, "t") };
    let failed = one.transaction(|tx| {
        tx.save(&large("a"))?;
        tx.save(&large("b"))?;
        tx.save(&large("c"))
    });
    let failed: DatabaseError = failed.unwrap_err();
    let DatabaseError::Write(WriteError::TransactionTooLarge { bytes }) = failed else {
        panic!("{failed}")
    };
    assert!((2_700_000..2_710_000).contains(&bytes), "{bytes}");
    assert_eq!(one.all::<Note>().unwrap(), []);
    // The bytes that wait already do not count for later transactions, although they share a row.
    for other in ["a", "b", "c"] {
        one.transaction(|tx| tx.save(&large("hot")).and_then(|()| tx.save(&large(other)))).unwrap();
    }
    assert_eq!(one.all::<Note>().unwrap().len(), 4);
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
        // Both devices wrote to one row of a transaction: it is merged, in its own scope.
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

#[table(name = "events", policy = append_only("a test"), scope = team)]
struct Event {
    #[pk]
    id: String,
    team: String,
    #[references(boxes.id, on_delete = cascade)]
    of: String,
}

#[table(name = "boxes", policy = versioned("a test"), scope = team)]
struct Box {
    #[pk]
    id: String,
    team: String,
    parts: i64,
}

static STORE: LazyLock<Schema> = LazyLock::new(|| {
    let tables = vec![Box::TABLE, Event::TABLE].leak();
    let migrations = vec![Migration { name: "0000_store_init.sql", sql: init_sql(tables).leak() }];
    Schema { owner: "store", tables, migrations: migrations.leak() }
});

/// Returns a primary in a file, and a device for it.
fn store() -> (tempfile::TempDir, Remote, Database) {
    let folder = tempfile::tempdir().unwrap();
    let remote = Remote::of(std::boxed::Box::new(Embedded::new(
        &folder.path().join("primary.db"),
        World::system(),
    )));
    run(migrate(&*remote.primary, &STORE)).unwrap();
    let one = Database::open(&folder.path().join("one.db"), &STORE, World::system()).unwrap();
    (folder, remote, one)
}

fn a_box(id: &str, parts: i64) -> Box {
    Box { id: id.into(), team: "t".into(), parts }
}

#[test]
fn a_delete_and_what_tells_of_it_go_together() {
    let (_folder, remote, mut one) = store();
    one.save(&a_box("b", 1)).unwrap();
    one.save(&a_box("c", 1)).unwrap();
    run(one.push_all(&remote)).unwrap();
    one.transaction(|tx| {
        tx.save(&Event { id: "e".into(), team: "t".into(), of: "b".into() })?;
        tx.save(&a_box("c", 2))?;
        tx.delete::<Box>("b")
    })
    .unwrap_or_else(|error: DatabaseError| panic!("{error}"));
    assert_eq!(run(one.push_all(&remote)).unwrap().refused, []);
    assert!(one.waiting().unwrap().is_empty());
    assert_eq!(count(&remote, "boxes"), "1");
    assert_eq!(count(&remote, "events"), "0", "it went with what it told of");
}

#[test]
fn what_never_left_the_device_may_be_deleted() {
    let (_folder, remote, mut one) = store();
    let rule = "CREATE TRIGGER rule BEFORE INSERT ON events WHEN NEW.id = 'bad'
                BEGIN SELECT RAISE(ABORT, 'not this one'); END";
    by_hand(&remote, rule);
    one.save(&a_box("b", 1)).unwrap();
    let event = |id: &str| Event { id: id.into(), team: "t".into(), of: "b".into() };
    for id in ["bad", "good"] {
        one.save(&event(id)).unwrap();
    }
    assert_eq!(run(one.push_all(&remote)).unwrap().refused[0].key, "bad");
    assert!(one.delete::<Event>("bad").unwrap());
    let kept = one.delete::<Event>("good").unwrap_err().to_string();
    assert!(kept.contains("append-only"), "{kept}");
    assert_eq!(run(one.push_all(&remote)).unwrap().refused, []);
    assert!(one.waiting().unwrap().is_empty() && one.refused().unwrap().is_empty());
}

#[test]
fn a_column_named_parts_is_one_as_any_other() {
    let (_folder, remote, mut one) = store();
    for parts in [7, 8, 9] {
        one.save(&a_box("b", parts)).unwrap();
        run(one.push_all(&remote)).unwrap();
        assert_eq!(count(&remote, &format!("boxes WHERE parts = {parts}")), "1");
    }
    assert!(one.waiting().unwrap().is_empty());
}

#[test]
fn a_key_that_is_taken_in_a_scope_which_is_not_held_stands_before_nothing() {
    let (_folder, remote, mut one) = store();
    let by_hand_there = "INSERT INTO boxes(id, team, parts) VALUES ('key', 'far', 1)";
    by_hand(&remote, by_hand_there);
    one.save(&a_box("key", 1)).unwrap();
    one.save(&Box { team: "u".into(), ..a_box("other", 1) }).unwrap();
    let before = remote.meter.traffic().requests;
    let refused = run(one.push_all(&remote)).unwrap().refused;
    assert!(remote.meter.traffic().requests - before < 20);
    let [refused] = &refused[..] else { panic!("{refused:?}") };
    assert!(refused.key == "key" && refused.why.contains("not held"), "{refused}");
    assert_eq!(count(&remote, "boxes"), "2");
}

#[test]
fn a_primary_that_refuses_everything_is_asked_few_questions() {
    let (_folder, remote, mut one) = store();
    let closed = "CREATE TRIGGER closed BEFORE INSERT ON boxes
                  BEGIN SELECT RAISE(ABORT, 'read only today'); END";
    by_hand(&remote, closed);
    for at in 0..300 {
        one.save(&a_box(&format!("b{at}"), 1)).unwrap();
    }
    let error = run(one.push_all(&remote)).unwrap_err().to_string();
    assert!(error.contains("read only today"), "{error}");
    assert_eq!(one.refused().unwrap().len(), 50);
    by_hand(&remote, "DROP TRIGGER closed");
    one.retry_all_refused().unwrap();
    run(one.push_all(&remote)).unwrap();
    assert_eq!(count(&remote, "boxes"), "300");
}

#[test]
fn a_primary_that_was_put_back_in_the_middle_takes_no_delete_away() {
    let (folder, remote, mut one) = store();
    let mut two = Database::open(&folder.path().join("two.db"), &STORE, World::system()).unwrap();
    for (id, team) in [("p", "a"), ("b", "b")] {
        one.save(&Box { team: team.into(), ..a_box(id, 1) }).unwrap();
    }
    one.save(&Event { id: "e".into(), team: "a".into(), of: "p".into() }).unwrap();
    run(one.push_all(&remote)).unwrap();
    let path = folder.path().join("primary.db");
    let then = folder.path().join("then.db");
    run(remote.primary.run(Statement::once("VACUUM INTO ?1"), &[&then.display().to_string()]))
        .unwrap();
    for scope in ["a", "b"] {
        run(two.pull(&remote, scope)).unwrap();
    }
    two.save(&Box { team: "b".into(), ..a_box("b", 2) }).unwrap();
    run(two.push_all(&remote)).unwrap();
    run(one.pull(&remote, "b")).unwrap();
    one.delete::<Box>("p").unwrap();
    one.save(&Box { team: "b".into(), ..a_box("b", 3) }).unwrap();
    drop(remote);
    for end in ["-wal", "-shm", ""] {
        let _ = std::fs::remove_file(format!("{}{end}", path.display()));
    }
    std::fs::rename(&then, &path).unwrap();
    let remote = Remote::of(std::boxed::Box::new(Embedded::new(&path, World::system())));
    let pushed = run(one.push_all(&remote)).unwrap();
    assert!(pushed.primary_went_back);
    assert_eq!(count(&remote, "boxes WHERE id = 'p'"), "0", "it was deleted here");
    // The lost write cannot be told from the writes of others, so both versions are kept.
    let told: Vec<String> =
        one.conflicts().unwrap().into_iter().map(|both| both.key.into()).collect();
    assert_eq!(told, ["b"]);
}

#[test]
fn many_rows_that_refer_to_one_which_is_gone_are_told_in_few_requests() {
    let (folder, remote, mut one) = store();
    let mut two = Database::open(&folder.path().join("two.db"), &STORE, World::system()).unwrap();
    one.save(&a_box("b", 1)).unwrap();
    run(one.push_all(&remote)).unwrap();
    run(two.pull(&remote, "t")).unwrap();
    for at in 0..60 {
        two.save(&Event { id: format!("e{at}"), team: "t".into(), of: "b".into() }).unwrap();
    }
    two.save(&a_box("c", 1)).unwrap();
    one.delete::<Box>("b").unwrap();
    run(one.push_all(&remote)).unwrap();
    let before = remote.meter.traffic().requests;
    let error = run(two.push_all(&remote)).unwrap_err().to_string();
    assert!(error.contains("FOREIGN KEY"), "{error}");
    let requests = remote.meter.traffic().requests - before;
    assert!(requests < 150, "{requests}");
    let refused = two.refused().unwrap();
    assert_eq!(refused.len(), 50);
    assert!(refused[0].why.contains("it names boxes b, which was deleted"), "{}", refused[0]);
    // The rest is sent with the next push.
    assert_eq!(run(two.push_all(&remote)).unwrap().refused.len(), 10);
    assert_eq!(count(&remote, "boxes WHERE id = 'c'"), "1");
}

#[test]
fn a_trigger_may_say_what_a_server_says() {
    each(|remote, path| {
        for words in ["access to this is closed", "cannot commit to that", "we are overloaded"] {
            by_hand(
                remote,
                &format!(
                    "CREATE TRIGGER strict BEFORE INSERT ON folders WHEN NEW.name = 'no'
                     BEGIN SELECT RAISE(ABORT, '{words}'); END"
                ),
            );
            let mut one = open(path, words);
            one.save(&folder(&format!("{words} no"), "t", "no")).unwrap();
            one.save(&folder(&format!("{words} yes"), "t", "yes")).unwrap();
            let refused = run(one.push_all(remote)).unwrap().refused;
            assert!(refused.len() == 1 && refused[0].why == words, "{refused:?}");
            assert!(one.refused().unwrap().len() == 1);
            by_hand(remote, "DROP TRIGGER strict");
        }
        assert_eq!(count(remote, "folders"), "3");
    });
}
