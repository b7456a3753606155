//! Values arrive as they were sent, on each primary and through two devices. What no device can
//! hold is held back, while the rest of its scope arrives.

use std::path::Path;
use std::sync::LazyLock;

use fastest_fixtures::servers::{D1Server, SqldServer};
use fastest_schema::value::serialize::named_values;
use fastest_schema::{Migration, Row, Schema, Value, init_sql, table};
use fastest_sync::database::error::DatabaseError;
use fastest_sync::remote::embedded::Embedded;
use fastest_sync::remote::meter::Meter;
use fastest_sync::remote::primary::Rows;
use fastest_sync::remote::secret::NoSecrets;
use fastest_sync::remote::statement::Statement;
use fastest_sync::{Database, Remote, Resolution, World, WriteError, migrate};

use super::run;

/// What a column of each kind can hold.
#[table(name = "readings", policy = versioned("a test"), scope = team, index(team, title))]
struct Reading {
    #[pk]
    id: String,
    team: String,
    title: String,
    count: i64,
    maybe: Option<i64>,
    level: f64,
    least: Option<f64>,
    note: Option<String>,
}

static LAB: LazyLock<Schema> = LazyLock::new(|| {
    let tables = vec![Reading::TABLE].leak();
    let sql = init_sql(tables).leak();
    let migrations = vec![Migration { name: "0000_lab_init.sql", sql }].leak();
    Schema { owner: "lab", tables, migrations }
});

/// Returns a remote for each kind of primary, by name, and the server that must outlive them.
pub fn primaries(folder: &Path) -> (Vec<(&'static str, Remote)>, SqldServer) {
    let (sqld, d1) = (SqldServer::start(), D1Server::shared());
    let d1 = format!("d1://local/{}?api={}", d1.fresh(), d1.api());
    let meter = Meter::default();
    let file = Embedded::new(&folder.join("primary.db"), World::system()).metered(meter.clone());
    let remotes = vec![
        ("a file", Remote { meter, ..Remote::of(Box::new(file)) }),
        ("sqld", Remote::to(&sqld.url(), &NoSecrets, World::system()).unwrap()),
        ("D1", Remote::to(&d1, &NoSecrets, World::system()).unwrap()),
    ];
    (remotes, sqld)
}

/// Writes to a primary, as its owner might.
pub fn by_hand(remote: &Remote, sql: &str) {
    let done = run(remote.primary.run(Statement::once(sql), &[]));
    done.unwrap_or_else(|error| panic!("{error}: {sql}"));
}

/// Returns the rows that a query finds on a primary.
pub fn rows_of(remote: &Remote, sql: &str) -> Rows {
    let found = run(remote.primary.run(Statement::reads(sql), &[]));
    found.unwrap_or_else(|error| panic!("{error}: {sql}"))
}

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn of<T: Clone>(&mut self, list: &[T]) -> T {
        list[(self.next() % list.len() as u64) as usize].clone()
    }

    fn real(&mut self) -> f64 {
        const EDGES: [f64; 26] = [
            0.0,
            -0.0,
            1.0,
            -1.0,
            0.1,
            -0.1,
            1.0 / 3.0,
            5e-324,
            -5e-324,
            2.225_073_858_507_201e-308,
            f64::MIN_POSITIVE,
            f64::MAX,
            f64::MIN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            9_007_199_254_740_991.0,
            9_007_199_254_740_992.0,
            9_007_199_254_740_994.0,
            -9_007_199_254_740_992.0,
            4_503_599_627_370_496.5,
            9_223_372_036_854_775_808.0,
            -9_223_372_036_854_775_808.0,
            1e15,
            1e22,
            1e300,
            123_456_789.123_456_79,
        ];
        match self.next() % 3 {
            0 => self.of(&EDGES),
            1 => (self.next() % 100_000_000) as f64 / 100.0,
            _ => match f64::from_bits(self.next()) {
                real if real.is_nan() => 0.5,
                real => real,
            },
        }
    }

    fn integer(&mut self) -> i64 {
        const EDGES: [i64; 8] =
            [0, 1, -1, i64::MAX, i64::MIN, 1 << 53, (1 << 53) + 1, -(1 << 53) - 1];
        if self.next().is_multiple_of(2) { self.of(&EDGES) } else { self.next() as i64 }
    }

    fn text(&mut self) -> String {
        const PIECES: [&str; 16] = [
            "",
            "a",
            "\0",
            "\"",
            "'",
            "\\",
            "\u{1f980}",
            "\u{fffd}",
            "\u{e000}",
            "\n\t",
            "\u{1}",
            "é",
            "[1,2]",
            "{\"blob\":\"00\"}",
            "1.0",
            "\u{10ffff}",
        ];
        (0..self.next() % 6).map(|_| self.of(&PIECES)).collect()
    }

    fn reading(&mut self, at: u64) -> Reading {
        Reading {
            id: format!("{at} {}", self.text().replace('\0', "")),
            team: "t".into(),
            title: self.text(),
            count: self.integer(),
            maybe: self.next().is_multiple_of(2).then(|| self.integer()),
            level: self.real(),
            least: self.next().is_multiple_of(2).then(|| self.real()),
            note: self.next().is_multiple_of(2).then(|| self.text()),
        }
    }
}

/// Returns the values of rows, in which reals are compared bit by bit.
fn values(mut rows: Vec<Reading>) -> Vec<Vec<Value>> {
    rows.sort_by(|one, other| one.id.cmp(&other.id));
    let of = |row| named_values(row).unwrap().into_iter().map(|(_, value)| value).collect();
    rows.iter().map(of).collect()
}

/// Runs `FASTEST_CASES` rows on each primary, 300 by default, from `FASTEST_SEED`.
#[test]
fn every_value_goes_there_and_back() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let cases = number("FASTEST_CASES").unwrap_or(300);
    let seed = number("FASTEST_SEED").unwrap_or_else(|| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        now.as_nanos() as u64 | 1
    });
    let folder = tempfile::tempdir().unwrap();
    let (primaries, _server) = primaries(folder.path());
    for (name, remote) in primaries {
        println!("{name}: {cases} rows, FASTEST_SEED={seed}");
        run(migrate(&*remote.primary, &LAB)).unwrap();
        let open = |which: &str| {
            Database::open_for(
                &folder.path().join(format!("{name} {which}")),
                &LAB,
                "t",
                World::system(),
            )
            .unwrap()
        };
        let (mut one, mut two) = (open("one"), open("two"));
        let mut random = Random(seed);
        let mut wrote: Vec<Reading> = (0..cases).map(|at| random.reading(at)).collect();
        wrote.push(Reading { note: Some("x".repeat(1_900_000)), ..random.reading(cases) });
        for row in &wrote {
            one.save(row).unwrap();
        }
        run(one.push_all(&remote)).unwrap();
        run(two.pull(&remote, "t")).unwrap();
        let there = two.all::<Reading>().unwrap();
        assert!(values(there) == values(wrote.clone()), "there: {name}");
        // If another column changes on the second device, the others come back as they were sent.
        for mut row in two.all::<Reading>().unwrap() {
            row.title.push('!');
            two.save(&row).unwrap();
        }
        run(two.push_all(&remote)).unwrap();
        run(one.pull(&remote, "t")).unwrap();
        wrote.iter_mut().for_each(|row| row.title.push('!'));
        let back = one.all::<Reading>().unwrap();
        assert!(values(back) == values(wrote), "back: {name}");
        assert!(one.conflicts().unwrap().is_empty() && one.held().unwrap().is_empty());
    }
}

fn reading(id: &str) -> Reading {
    let (id, team, title) = (id.into(), "t".into(), "first".into());
    Reading { id, team, title, count: 1, maybe: None, level: 0.1, least: None, note: None }
}

#[test]
fn a_row_that_cannot_be_kept_is_held_and_the_rest_arrives() {
    let folder = tempfile::tempdir().unwrap();
    let (primaries, _server) = primaries(folder.path());
    for (name, remote) in primaries {
        println!("{name}");
        run(migrate(&*remote.primary, &LAB)).unwrap();
        let path = folder.path().join(format!("{name} device"));
        let mut device = Database::open_for(&path, &LAB, "t", World::system()).unwrap();
        for id in ["a", "b", "c", "d", "e"] {
            device.save(&reading(id)).unwrap();
        }
        run(device.push_all(&remote)).unwrap();
        for (id, set) in [
            ("a", "note = x'00ff'"),
            ("b", "count = 'many'"),
            ("c", "title = CAST(x'61eda080' AS TEXT)"),
            ("d", "level = 0.3"),
            ("e", "title = 'with ' || char(65533)"),
        ] {
            by_hand(&remote, &format!("UPDATE readings SET {set} WHERE id = '{id}'"));
        }
        by_hand(
            &remote,
            "INSERT INTO readings(id, team, title, count, level) VALUES ('f', 't', 'new', 7, 2)",
        );
        run(device.pull(&remote, "t")).unwrap();
        let held = device.held().unwrap();
        let named: Vec<String> = held.iter().map(ToString::to_string).collect();
        assert_eq!(
            named,
            [
                "row a of readings is held back: its column note has a blob of 2 bytes in a column of text",
                "row b of readings is held back: its column count has the text \"many\" in a column of integers",
                "row c of readings is held back: its column title has a text that is not UTF-8",
            ]
        );
        let get = |device: &Database, id: &str| device.get::<Reading>(id).unwrap().unwrap();
        assert_eq!(get(&device, "a"), reading("a"), "what was here stays");
        assert_eq!(get(&device, "d").level, 0.3);
        assert_eq!(get(&device, "e").title, "with \u{fffd}");
        assert_eq!(get(&device, "f").level, 2.0);
        // Writes to a held row wait; the rest is sent.
        for id in ["a", "d"] {
            device.save(&Reading { maybe: Some(5), ..get(&device, id) }).unwrap();
        }
        run(device.push_all(&remote)).unwrap();
        let waiting: Vec<bool> = device.held().unwrap().iter().map(|row| row.waiting).collect();
        assert_eq!(waiting, [true, false, false]);
        let maybe = "SELECT CAST(maybe AS TEXT) FROM readings WHERE id IN ('a', 'd') ORDER BY id";
        assert_eq!(rows_of(&remote, maybe), [[None], [Some("5".to_owned())]]);
        // Once the row is repaired on the primary, it arrives, and the waiting write is sent.
        by_hand(&remote, "UPDATE readings SET note = 'mended' WHERE id = 'a'");
        by_hand(&remote, "UPDATE readings SET count = 9 WHERE id = 'b'");
        by_hand(&remote, "DELETE FROM readings WHERE id = 'c'");
        run(device.pull(&remote, "t")).unwrap();
        assert_eq!(device.held().unwrap(), []);
        let mended = get(&device, "a");
        assert_eq!((mended.note.as_deref(), mended.maybe), (Some("mended"), Some(5)));
        assert_eq!(get(&device, "b").count, 9);
        assert!(device.get::<Reading>("c").unwrap().is_none());
        run(device.push_all(&remote)).unwrap();
        assert_eq!(rows_of(&remote, maybe), [[Some("5".to_owned())], [Some("5".to_owned())]]);
        assert!(device.conflicts().unwrap().is_empty());
    }
}

#[test]
fn what_is_no_number_is_refused_where_it_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let mut device = Database::open(&folder.path().join("device"), &LAB, World::system()).unwrap();
    let refused = device.save(&Reading { level: f64::NAN, ..reading("a") }).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "row a of readings cannot be written: level is NaN, which no column can hold"
    );
    let new = NewReading {
        id: "a".into(),
        team: "t".into(),
        title: "x".into(),
        count: 1,
        maybe: None,
        level: 0.0,
        least: Some(f64::NAN),
        note: None,
    };
    let refused = device.insert::<Reading>(&new).unwrap_err();
    assert!(matches!(
        refused,
        DatabaseError::Write(WriteError::Unstorable { column: "least", .. })
    ));
    assert_eq!(device.waiting().unwrap(), Vec::<String>::new());
    assert!(device.find::<Reading>(Reading::LEAST, f64::NAN).unwrap().is_empty());
}

/// A key that is a default.
#[table(name = "tickets", policy = versioned("a test"), scope = team)]
struct Ticket {
    #[pk]
    #[default(sql = "lower(hex(randomblob(8)))")]
    id: String,
    team: String,
}

#[test]
fn a_key_may_be_left_to_its_default() {
    static TICKETS: LazyLock<Schema> = LazyLock::new(|| {
        let tables = vec![Ticket::TABLE].leak();
        let sql = init_sql(tables).leak();
        let migrations = vec![Migration { name: "0000_tickets_init.sql", sql }].leak();
        Schema { owner: "tickets", tables, migrations }
    });
    let folder = tempfile::tempdir().unwrap();
    let remote =
        Remote::of(Box::new(Embedded::new(&folder.path().join("primary.db"), World::system())));
    run(migrate(&*remote.primary, &TICKETS)).unwrap();
    let mut device =
        Database::open(&folder.path().join("device"), &TICKETS, World::system()).unwrap();
    let made: Ticket = device.insert(&NewTicket { id: None, team: "t".into() }).unwrap();
    assert_eq!(made.id.len(), 16);
    let other: Ticket = device.insert(&NewTicket { id: None, team: "t".into() }).unwrap();
    assert_ne!(made.id, other.id);
    let again = NewTicket { id: Some(made.id.clone()), team: "t".into() };
    let refused = device.insert::<Ticket>(&again).unwrap_err();
    assert!(matches!(refused, DatabaseError::Write(WriteError::Exists { .. })), "{refused}");
    run(device.push_all(&remote)).unwrap();
    let there = rows_of(&remote, "SELECT CAST(count(*) AS TEXT) FROM tickets");
    assert_eq!(there, [[Some("2".to_owned())]]);
}

#[test]
fn a_conflict_over_a_real_keeps_both() {
    let folder = tempfile::tempdir().unwrap();
    let remote =
        Remote::of(Box::new(Embedded::new(&folder.path().join("primary.db"), World::system())));
    run(migrate(&*remote.primary, &LAB)).unwrap();
    let open = |which: &str| {
        Database::open_for(&folder.path().join(which), &LAB, "t", World::system()).unwrap()
    };
    let (mut one, mut two) = (open("one"), open("two"));
    one.save(&reading("a")).unwrap();
    run(one.push_all(&remote)).unwrap();
    run(two.pull(&remote, "t")).unwrap();
    one.save(&Reading { level: f64::INFINITY, ..reading("a") }).unwrap();
    two.save(&Reading { level: 5e-324, ..reading("a") }).unwrap();
    run(one.push_all(&remote)).unwrap();
    run(two.push_all(&remote)).unwrap();
    let [conflict] = &two.conflicts().unwrap()[..] else { panic!("one conflict") };
    let [column] = &conflict.columns[..] else { panic!("one column") };
    assert_eq!(
        (&column.ours, column.theirs.as_ref().unwrap()),
        (&5e-324.into(), &"Infinity".into())
    );
    assert_eq!(two.get::<Reading>("a").unwrap().unwrap().level, f64::INFINITY);
    two.resolve(conflict.id.as_str(), &Resolution::Ours).unwrap();
    run(two.push_all(&remote)).unwrap();
    run(one.pull(&remote, "t")).unwrap();
    assert_eq!(one.get::<Reading>("a").unwrap().unwrap().level, 5e-324);
}

#[test]
fn a_row_that_a_primary_could_not_take_is_refused_where_it_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let mut db = Database::open(&folder.path().join("lab.db"), &LAB, World::system()).unwrap();
    let of = |note: String| Reading { note: Some(note), ..reading("large") };
    db.save(&of("x".repeat(1_900_000))).unwrap();
    for note in ["x".repeat(2_000_000), "\u{1}".repeat(400_000), "\"".repeat(1_000_000)] {
        let refused = db.save(&of(note)).unwrap_err();
        let DatabaseError::Write(WriteError::TooLarge { table, key, column, bytes }) = &refused
        else {
            panic!("{refused}");
        };
        assert_eq!((*table, key.as_str(), *column), ("readings", "large", "note"));
        assert!(*bytes > 1_990_000 && refused.to_string().len() < 200, "{refused}");
    }
    assert_eq!(db.get::<Reading>("large").unwrap().unwrap().note.unwrap().len(), 1_900_000);
}

#[test]
fn an_error_holds_no_statement() {
    let folder = tempfile::tempdir().unwrap();
    let (primaries, _server) = primaries(folder.path());
    let secrets = "secret ".repeat(100);
    for (name, remote) in primaries {
        for sql in [
            format!("SELECT '{secrets}' FROM nowhere_at_all"),
            format!("SELECT '{secrets}' FROM nowhere_at_all WHERE"),
            format!("SELEC '{secrets}'"),
            format!("SELECT abs(-9223372036854775807 - 1) FROM (SELECT '{secrets}')"),
        ] {
            let failed =
                run(remote.primary.run(Statement::reads(&sql), &[])).unwrap_err().to_string();
            // Some servers quote the text at which a statement fails.
            let repeated = failed.matches("secret").count();
            assert!(failed.len() < 400 && repeated < 10, "{name}: {failed}");
        }
    }
}
