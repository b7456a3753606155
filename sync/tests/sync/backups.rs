//! Backups: a dump of each primary is imported into an empty one, and the devices of the first
//! continue with the second. A primary that was put back to an older state gets what it lost.

use std::path::Path;
use std::sync::LazyLock;
use std::time::Instant;

use fastest_fixtures::http;
use fastest_fixtures::servers::{D1Server, SqldServer};
use fastest_schema::{Migration, Row, Schema, init_sql, table};
use fastest_sync::migrations::repair_export;
use fastest_sync::remote::embedded::Embedded;
use fastest_sync::remote::secret::NoSecrets;
use fastest_sync::remote::statement::Statement;
use fastest_sync::{Database, DatabaseError, Remote, Resolution, World, migrate};
use rusqlite::Connection;

use super::run;

#[table(name = "shelves", policy = versioned("a test"), scope = team)]
struct Shelf {
    #[pk]
    id: String,
    team: String,
}

#[table(name = "books", policy = versioned("a test"), scope = team, index(team, title))]
struct Book {
    #[pk]
    id: String,
    team: String,
    #[references(shelves.id, on_delete = cascade)]
    shelf: String,
    title: String,
    price: f64,
}

#[table(name = "loans", policy = append_only("what was lent was lent"), scope = team)]
struct Loan {
    #[pk]
    id: String,
    team: String,
    #[references(books.id, on_delete = cascade)]
    book: String,
}

static LIBRARY: LazyLock<Schema> = LazyLock::new(|| {
    let tables = vec![Shelf::TABLE, Book::TABLE, Loan::TABLE].leak();
    let sql = init_sql(tables).leak();
    let migrations = vec![Migration { name: "0000_library_init.sql", sql }].leak();
    Schema { owner: "library", tables, migrations }
});

fn book(id: &str, title: &str) -> Book {
    let (team, shelf) = ("t".to_owned(), "s0".to_owned());
    Book { id: id.into(), team, shelf, title: title.into(), price: 0.1 }
}

fn open(url: &str) -> Remote {
    Remote::to(url, &NoSecrets, World::system()).unwrap()
}

/// Two devices that hold the same books, which the primary has as well.
struct Readers {
    folder: tempfile::TempDir,
    one: Database,
    two: Database,
}

impl Readers {
    fn of(remote: &Remote, books: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let device = |name: &str| {
            Database::open_for(&folder.path().join(name), &LIBRARY, "t", World::system())
        };
        let (mut one, two) = (device("one.db").unwrap(), device("two.db").unwrap());
        run(migrate(&*remote.primary, &LIBRARY)).unwrap();
        for id in ["s0", "s1"] {
            one.save(&Shelf { id: id.into(), team: "t".into() }).unwrap();
        }
        for at in 0..books {
            one.save(&book(&format!("b{at:05}"), &format!("it's; -- {at}\nEND; \"`"))).unwrap();
        }
        one.save(&Book { price: f64::INFINITY, ..book("dear", "no number") }).unwrap();
        let mut readers = Self { folder, one, two };
        readers.sync(remote);
        readers
    }

    fn sync(&mut self, remote: &Remote) {
        for device in [&mut self.one, &mut self.two] {
            run(device.push_all(remote)).unwrap();
            run(device.pull_all(remote)).unwrap();
        }
        run(self.one.pull_all(remote)).unwrap();
    }

    /// Saves a text that servers write to dumps as it is, although SQL cannot contain it.
    fn hold_a_nul(&mut self, remote: &Remote) {
        self.one.save(&book("nul", "before\0after")).unwrap();
        self.sync(remote);
    }

    /// Both devices write, and each gets what the other wrote: an edit, a row, and a delete that
    /// cascades.
    fn go_on(&mut self, remote: &Remote, round: &str) {
        let mut edited = self.one.get::<Book>("b00001").unwrap().unwrap();
        (edited.title, edited.price) = (round.to_owned(), 1.0 / 3.0);
        self.one.save(&edited).unwrap();
        self.one.save(&book(&format!("one {round}"), "new")).unwrap();
        let shelf = format!("shelf {round}");
        self.two.save(&Shelf { id: shelf.clone(), team: "t".into() }).unwrap();
        self.two
            .save(&Book { shelf: shelf.clone(), ..book(&format!("two {round}"), "new") })
            .unwrap();
        self.two.save(&Book { shelf: shelf.clone(), ..book("goes", "soon") }).unwrap();
        self.sync(remote);
        self.one.delete::<Book>("goes").unwrap();
        self.sync(remote);
        self.are_one_with(remote);
    }

    /// Checks that both devices and the primary hold the same rows, each once, and that nothing
    /// waits or is in conflict.
    fn are_one_with(&self, remote: &Remote) {
        let mine = held(&self.one);
        assert_eq!(mine, held(&self.two));
        let rows = "SELECT json_group_array(id) FROM (SELECT id FROM books ORDER BY id)";
        let keys: Vec<&String> = mine.iter().map(|(id, _, _)| id).collect();
        assert_eq!(query(remote, rows), [serde_json::to_string(&keys).unwrap()]);
        let entries = "SELECT count(*) FROM fastest_changes WHERE tbl = 'books' AND deleted = 0";
        assert_eq!(query(remote, entries), [mine.len().to_string()]);
        for device in [&self.one, &self.two] {
            assert!(device.waiting().unwrap().is_empty() && device.held().unwrap().is_empty());
            assert!(device.conflicts().unwrap().is_empty());
        }
    }
}

fn held(device: &Database) -> Vec<(String, String, u64)> {
    let mut books = device.all::<Book>().unwrap();
    books.sort_by(|one, other| one.id.cmp(&other.id));
    books.into_iter().map(|book| (book.id, book.title, book.price.to_bits())).collect()
}

/// Returns the first column of an answer.
fn query(remote: &Remote, sql: &str) -> Vec<String> {
    let rows = run(remote.primary.run(Statement::reads(sql), &[])).unwrap();
    rows.into_iter().map(|row| row[0].clone().unwrap()).collect()
}

/// Imports a mended export of `wrangler`, and then puts the second database back to an older state,
/// as D1's Time Travel does. This is one test because a server takes seconds to start. It uses
/// `FASTEST_CASES` books, 50 by default.
#[test]
fn an_export_of_d1_comes_back_and_time_travel_is_noticed() {
    let books = std::env::var("FASTEST_CASES").ok().and_then(|text| text.parse().ok());
    let uuids = [1, 2].map(|n| format!("00000000-0000-4000-9000-{n:012}"));
    let mut d1 = D1Server::start(&[("one", &uuids[0]), ("two", &uuids[1])]);
    let url = |uuid: &String| format!("d1://local/{uuid}?api={}", d1.api());
    let [first, second] = uuids.each_ref().map(|uuid| open(&url(uuid)));
    let mut readers = Readers::of(&first, books.unwrap_or(50));
    readers.hold_a_nul(&first);

    let file = |name: &str| readers.folder.path().join(name);
    let (exported, mended) = (file("export.sql"), file("mended.sql"));
    d1.stop();
    let started = Instant::now();
    d1.wrangler_d1(&uuids[0], &["export", "--output", exported.to_str().unwrap()]).unwrap();
    let (export, took) = (std::fs::read_to_string(&exported).unwrap(), started.elapsed());
    println!("exported {} bytes in {took:?}", export.len());
    let values_alone = export.replace('\0', "").replace("Infinity", "9e999");
    let refused = Connection::open_in_memory().unwrap().execute_batch(&values_alone).unwrap_err();
    assert!(refused.to_string().contains("no such table"), "it needs no mending: {refused}");
    let found = repair_export(export.as_bytes(), std::fs::File::create(&mended).unwrap()).unwrap();
    assert!(found.triggers > 5 && found.statements > found.triggers, "{found:?}");
    let started = Instant::now();
    d1.wrangler_d1(&uuids[1], &["execute", "--file", mended.to_str().unwrap()]).unwrap();
    println!("imported {found:?} in {:?}", started.elapsed());
    let old = d1.backup();
    d1.start_again();
    readers.are_one_with(&second);
    readers.go_on(&second, "after the import");

    d1.restore(&old);
    gets_again_what_it_lost(&mut readers, &second);
}

/// Continues after the primary was put back to a state before `after the import`.
fn gets_again_what_it_lost(readers: &mut Readers, remote: &Remote) {
    let before = held(&readers.one);
    assert_ne!(query(remote, "SELECT count(*) FROM books"), [before.len().to_string()]);
    // One device finds out by a pull, the other by a push.
    assert!(run(readers.one.pull(remote, "t")).unwrap().primary_went_back);
    readers.two.save(&book("after the restore", "new")).unwrap();
    assert!(run(readers.two.push(remote, "t")).unwrap().primary_went_back);
    readers.sync(remote);
    // Missing rows are sent again without anyone's doing. If the primary has an older version of a
    // row, nobody knows whether it was written since the restore: both versions are kept, and the
    // user chooses.
    for (device, choice) in [(0, Resolution::Ours), (1, Resolution::Theirs)] {
        let device = if device == 0 { &mut readers.one } else { &mut readers.two };
        let conflicts = device.conflicts().unwrap();
        assert!(conflicts.iter().all(|conflict| conflict.key == "b00001"), "{conflicts:?}");
        for conflict in conflicts {
            device.resolve(conflict.id.as_str(), &choice).unwrap();
        }
        readers.sync(remote);
    }
    readers.are_one_with(remote);
    let mut now = held(&readers.one);
    now.retain(|(id, _, _)| id != "after the restore");
    assert_eq!(now, before);
    readers.go_on(remote, "after that");
}

#[test]
fn a_dump_of_a_file_comes_back() {
    // Version 3.40 of the shell writes the other objects in the order of their creation, later ones
    // views first.
    for (at, order) in ["rowid", "type COLLATE NOCASE DESC"].into_iter().enumerate() {
        let folder = tempfile::tempdir().unwrap();
        let [first, second] = ["first.db", "second.db"].map(|name| folder.path().join(name));
        let mut readers =
            Readers::of(&Remote::of(Box::new(Embedded::new(&first, World::system()))), 20);
        let dump = dump(&Connection::open(&first).unwrap(), order);
        Connection::open(&second).unwrap().execute_batch(&dump).unwrap();
        let remote = Remote::of(Box::new(Embedded::new(&second, World::system())));
        readers.are_one_with(&remote);
        readers.go_on(&remote, &format!("after import {at}"));
    }
}

/// Returns what `.dump` of SQLite's shell writes, following the statements of its `shell.c`:
/// tables, each with its rows, `sqlite_sequence` last, then views, triggers and indexes. So the
/// test does not need the shell.
fn dump(database: &Connection, order: &str) -> String {
    let texts = |sql: &str| -> Vec<String> {
        let mut statement = database.prepare(sql).unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    let mut dump = "PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\n".to_owned();
    let tables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND sql NOT NULL
         ORDER BY tbl_name = 'sqlite_sequence', rowid";
    for table in texts(tables) {
        let begin = format!(
            "SELECT iif(name = 'sqlite_sequence', 'DELETE FROM sqlite_sequence', sql) || ';'
             FROM sqlite_schema WHERE name = '{table}'"
        );
        let columns = format!(
            "SELECT group_concat('quote(\"' || name || '\")', '||'',''||') FROM pragma_table_info('{table}')"
        );
        let values = &texts(&columns)[0];
        let rows = format!(
            "SELECT 'INSERT INTO \"{table}\" VALUES(' || {values} || ');' FROM \"{table}\""
        );
        texts(&begin).iter().chain(&texts(&rows)).for_each(|sql| dump += &format!("{sql}\n"));
    }
    let others = format!(
        "SELECT sql || ';' FROM sqlite_schema WHERE sql NOT NULL AND type IN ('index', 'trigger', 'view')
         ORDER BY {order}"
    );
    texts(&others).iter().for_each(|sql| dump += &format!("{sql}\n"));
    dump + "COMMIT;\n"
}

#[test]
fn a_dump_of_sqld_comes_back_and_an_older_state_is_noticed() {
    let (first, mut second) = (SqldServer::start(), SqldServer::start());
    let mut readers = Readers::of(&open(&first.url()), 20);
    readers.hold_a_nul(&open(&first.url()));
    let dump = http::send(first.address(), "GET", "/dump", &[], &[]).unwrap();
    let mut mended = Vec::new();
    // The dump has an infinite real by its name.
    repair_export(&dump.content().unwrap()[..], &mut mended).unwrap();
    let dump = String::from_utf8(mended).unwrap();

    // Also imported into a file, which must then have the same rows.
    let path = readers.folder.path().join("primary.db");
    Connection::open(&path).unwrap().execute_batch(&dump).unwrap();
    readers.are_one_with(&Remote::of(Box::new(Embedded::new(&path, World::system()))));

    import(&second, &dump);
    let old = second.backup();
    let remote = open(&second.url());
    readers.are_one_with(&remote);
    readers.go_on(&remote, "after the import");
    second.restore(&old);
    gets_again_what_it_lost(&mut readers, &remote);
}

/// Runs a dump in one stream, as Turso's shell does.
fn import(sqld: &SqldServer, dump: &str) {
    let requests = serde_json::json!([{ "type": "sequence", "sql": dump }, { "type": "close" }]);
    let body = serde_json::json!({ "requests": requests }).to_string();
    let headers = [("content-type", "application/json")];
    let answer = http::send(sqld.address(), "POST", "/v2/pipeline", &headers, body.as_bytes());
    let answer = String::from_utf8(answer.unwrap().content().unwrap()).unwrap();
    assert!(!answer.contains("\"error\""), "{answer}");
}

/// Replaces a database in a folder by a copy of another one.
fn copy(folder: &Path, from: &str, to: &str) {
    for end in ["", "-wal", "-shm"] {
        let [from, to] = [from, to].map(|name| folder.join(format!("{name}{end}")));
        let _ = std::fs::remove_file(&to);
        let _ = std::fs::copy(from, to);
    }
}

#[test]
fn rows_that_get_the_same_numbers_again_hide_no_other_row() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("file://{}", folder.path().join("primary.db").display());
    let mut readers = Readers::of(&open(&url), 0);
    copy(folder.path(), "primary.db", "backup.db");
    let both = [book("a", "A"), book("b", "B")];
    both.iter().for_each(|book| readers.one.save(book).unwrap());
    run(readers.one.push_all(&open(&url))).unwrap();
    run(readers.two.pull_all(&open(&url))).unwrap();
    let seq = |pk: &str| -> i64 {
        let primary = Connection::open(folder.path().join("primary.db")).unwrap();
        let sql = "SELECT seq FROM fastest_changes WHERE pk = ?1";
        primary.query_row(sql, [pk], |row| row.get(0)).unwrap()
    };
    let before = seq("b");
    // The primary is put back, and somebody else's row takes the number that `a` had.
    copy(folder.path(), "backup.db", "primary.db");
    let place = folder.path().join("three.db");
    let mut three = Database::open_for(&place, &LIBRARY, "t", World::system()).unwrap();
    run(three.pull_all(&open(&url))).unwrap();
    three.save(&book("c", "C")).unwrap();
    three.save(&book("b", "B")).unwrap();
    run(three.push_all(&open(&url))).unwrap();
    assert_eq!(seq("b"), before);
    run(readers.two.pull_all(&open(&url))).unwrap();
    assert!(readers.two.get::<Book>("c").unwrap().is_some());
    readers.sync(&open(&url));
    run(three.pull_all(&open(&url))).unwrap();
    let ids = |device: &Database| held(device).into_iter().map(|(id, ..)| id).collect::<Vec<_>>();
    for device in [&readers.one, &readers.two, &three] {
        assert_eq!(ids(device), ["a", "b", "c", "dear"]);
    }
}

#[test]
fn a_delete_that_a_restore_undid_is_a_conflict() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("file://{}", folder.path().join("primary.db").display());
    let mut readers = Readers::of(&open(&url), 2);
    copy(folder.path(), "primary.db", "backup.db");
    // Another book comes and goes after the backup.
    readers.one.save(&book("late", "Late")).unwrap();
    readers.sync(&open(&url));
    for id in ["late", "b00001"] {
        assert!(readers.one.delete::<Book>(id).unwrap());
    }
    readers.sync(&open(&url));
    assert_eq!(readers.two.get::<Book>("b00001").unwrap(), None);
    copy(folder.path(), "backup.db", "primary.db");
    let remote = open(&url);
    for device in [&mut readers.one, &mut readers.two] {
        run(device.pull_all(&remote)).unwrap();
        run(device.push_all(&remote)).unwrap();
        // Nobody knows whether the book was wanted after all.
        assert!(device.get::<Book>("b00001").unwrap().is_some());
        let conflicts = device.conflicts().unwrap();
        let named: Vec<_> = conflicts.iter().map(|it| (it.key.as_str(), it.deleted_here)).collect();
        assert_eq!(named, [("b00001", true)]);
        assert_eq!(device.waiting().unwrap(), [""; 0]);
    }
    let id = readers.one.conflicts().unwrap()[0].id.clone();
    readers.one.resolve(id.as_str(), &Resolution::Ours).unwrap();
    readers.sync(&remote);
    assert_eq!(query(&remote, "SELECT id FROM books ORDER BY id"), ["b00000", "dear"]);
    assert_eq!(readers.two.get::<Book>("b00001").unwrap(), None);
}

/// One device sends a row again that a restore has lost, and another one, which has noticed the restore,
/// deletes that row.
#[test]
fn a_row_that_is_deleted_before_it_is_sent_again_does_not_come_back() {
    for sent_before in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("file://{}", folder.path().join("primary.db").display());
        let mut readers = Readers::of(&open(&url), 0);
        copy(folder.path(), "primary.db", "backup.db");
        readers.one.save(&book("late", "Late")).unwrap();
        readers.sync(&open(&url));
        copy(folder.path(), "backup.db", "primary.db");
        let remote = open(&url);
        run(readers.two.pull_all(&remote)).unwrap();
        assert_eq!(readers.two.waiting().unwrap(), ["t"]);
        if sent_before {
            run(readers.one.push_all(&remote)).unwrap();
        }
        assert!(readers.two.delete::<Book>("late").unwrap());
        run(readers.two.push_all(&remote)).unwrap();
        assert_eq!(readers.two.waiting().unwrap(), [""; 0]);
        let left = query(&remote, "SELECT id FROM books ORDER BY id");
        assert_eq!(left, ["dear"], "sent before: {sent_before}");
        // The key is free again.
        readers.two.save(&book("late", "Later")).unwrap();
        run(readers.two.push_all(&remote)).unwrap();
        readers.sync(&remote);
        assert_eq!(readers.one.get::<Book>("late").unwrap().unwrap().title, "Later");
    }
}

#[test]
fn what_waits_and_is_dropped_takes_nothing_along_that_a_restore_undid() {
    for written in ["A2", "A"] {
        drop_after_a_restore(written);
    }
}

/// `written` is the title that the dropped transaction gives to a book with the title `A`.
fn drop_after_a_restore(written: &str) {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("file://{}", folder.path().join("primary.db").display());
    let (mut readers, remote) = (Readers::of(&open(&url), 0), open(&url));
    copy(folder.path(), "primary.db", "backup.db");
    readers.one.save(&book("a", "A")).unwrap();
    run(readers.one.push_all(&remote)).unwrap();
    let refused = |device: &mut Database, title: &str| {
        let written = device.transaction(|tx| {
            tx.save(&book("a", title))?;
            tx.save(&Book { shelf: "nowhere".into(), ..book("x", "X") })
        });
        written.unwrap_or_else(|error: DatabaseError| panic!("{error}"));
    };
    refused(&mut readers.one, written);
    copy(folder.path(), "backup.db", "primary.db");
    let remote = open(&url);
    run(readers.one.pull_all(&remote)).unwrap();
    let dropped = |device: &mut Database| {
        let refused = run(device.push_all(&remote)).unwrap().refused.remove(0);
        assert_eq!(refused.rows.len(), 2);
        device.drop_refused(refused.id).unwrap();
        assert_eq!(device.get::<Book>("a").unwrap().unwrap().title, "A");
        assert_eq!(device.get::<Book>("x").unwrap(), None);
    };
    dropped(&mut readers.one);
    // Before it is sent, it is changed and dropped once more.
    refused(&mut readers.one, "A3");
    dropped(&mut readers.one);
    run(readers.one.push_all(&remote)).unwrap();
    assert_eq!(query(&remote, "SELECT title FROM books WHERE id IN ('a', 'x')"), ["A"]);
    assert!(readers.one.conflicts().unwrap().is_empty());
}

#[test]
fn a_restore_takes_no_row_away_that_waits_to_be_refused() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("file://{}", folder.path().join("primary.db").display());
    let mut readers = Readers::of(&open(&url), 1);
    readers.two.delete::<Book>("b00000").unwrap();
    let loan = Loan { id: "l".into(), team: "t".into(), book: "b00000".into() };
    readers.one.save(&loan).unwrap();
    run(readers.two.push_all(&open(&url))).unwrap();
    run(readers.one.pull_all(&open(&url))).unwrap();
    assert!(readers.one.get::<Loan>("l").unwrap().is_some());
    // The book is gone in the backup, too. What comes later is lost, so the delete is queued again.
    copy(folder.path(), "primary.db", "backup.db");
    readers.two.save(&book("late", "Late")).unwrap();
    run(readers.two.push_all(&open(&url))).unwrap();
    run(readers.one.pull_all(&open(&url))).unwrap();
    copy(folder.path(), "backup.db", "primary.db");
    run(readers.one.pull_all(&open(&url))).unwrap();
    assert!(readers.one.get::<Loan>("l").unwrap().is_some());
    let refused = run(readers.one.push_all(&open(&url))).unwrap().refused;
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert_eq!(refused[0].rows[0].key.as_str(), "l");
}
