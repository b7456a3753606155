//! Migrations that fail as a whole rather than change or lose existing values.

use fastest_schema::migrate::diff::migration;
use fastest_schema::record::model::{Record, TableRecord};
use fastest_schema::{Kind, Policy, Row, Table, table};
use rusqlite::Connection;

#[table(name = "items", policy = private("a test"))]
struct Item {
    #[pk]
    id: String,
    value: Option<String>,
}

fn items(change: impl FnOnce(&mut TableRecord)) -> Record {
    let mut table = TableRecord::from(Item::TABLE);
    change(&mut table);
    let tables: [&'static Table; 1] = [table.leak()];
    Record::of("app", &tables)
}

fn database(statements: &[String]) -> Connection {
    let database = Connection::open_in_memory().unwrap();
    database.pragma_update(None, "foreign_keys", true).unwrap();
    run(&database, statements).unwrap();
    database
}

fn run(database: &Connection, statements: &[String]) -> Result<(), String> {
    let transaction = database.unchecked_transaction().unwrap();
    for sql in statements {
        transaction.execute_batch(sql).map_err(|error| format!("{error}: {sql}"))?;
    }
    transaction.commit().map_err(|error| error.to_string())
}

/// The stored value after a change of type; `None` if the migration refuses it.
fn moved(from: Kind, to: Kind, value: &str) -> Option<String> {
    let typed = |kind| items(|table| table.columns[1].kind = kind);
    let (before, after) = (typed(from), typed(to));
    let database = database(&migration(None, &before).unwrap().statements);
    let insert = format!("INSERT INTO items VALUES ('a', {value}), ('n', NULL)");
    database.execute_batch(&insert).unwrap();
    let plan = migration(Some(&before), &after).unwrap();
    let read = "SELECT typeof(value) || ' ' || value FROM items WHERE id = 'a'";
    let found = |database: &Connection| database.query_row(read, [], |row| row.get(0)).unwrap();
    let was: String = found(&database);
    match run(&database, &plan.statements) {
        Ok(()) => Some(found(&database)),
        Err(error) => {
            assert!(error.contains("malformed JSON"), "{error}");
            assert_eq!(found(&database), was);
            None
        }
    }
}

#[test]
fn a_value_that_would_change_stops_the_migration() {
    let check = |from, to, value, expect: Option<&str>| {
        assert_eq!(moved(from, to, value).as_deref(), expect, "{value}");
    };
    check(Kind::Text, Kind::Integer, "'12'", Some("integer 12"));
    check(Kind::Text, Kind::Integer, "'-1'", Some("integer -1"));
    for value in ["'007'", "' 12'", "'1e3'", "'abc'", "''", "'9223372036854775808'", "'1.0'"] {
        check(Kind::Text, Kind::Integer, value, None);
    }
    check(Kind::Text, Kind::Real, "'0.5'", Some("real 0.5"));
    check(Kind::Text, Kind::Real, "'5'", Some("real 5.0"));
    for value in ["'12345678901234567890'", "'abc'", "'0.50'"] {
        check(Kind::Text, Kind::Real, value, None);
    }
    check(Kind::Real, Kind::Integer, "5.0", Some("integer 5"));
    check(Kind::Real, Kind::Integer, "5.5", None);
    check(Kind::Real, Kind::Text, "0.5", Some("text 0.5"));
    // SQLite before 3.47 writes only 15 digits of it, so the migration refuses it.
    check(Kind::Real, Kind::Text, "0.1 + 0.2", Some("text 0.30000000000000004"));
    check(Kind::Integer, Kind::Real, "5", Some("real 5.0"));
    check(Kind::Integer, Kind::Real, "9007199254740993", None);
    check(Kind::Integer, Kind::Text, "9007199254740993", Some("text 9007199254740993"));
}

#[test]
fn rows_of_others_that_would_go_along_stop_the_migration() {
    let before = items(|_| {});
    let rebuilt = items(|table| table.columns[1].check = Some("length(value) < 9".into()));
    for (action, passes) in
        [("ON DELETE CASCADE", false), ("ON DELETE SET NULL", false), ("", true)]
    {
        let database = database(&migration(None, &before).unwrap().statements);
        let theirs = format!(
            "CREATE TABLE theirs(item REFERENCES ITEMS(id) {action});
             INSERT INTO items VALUES ('a', 'b'); INSERT INTO theirs VALUES ('a')"
        );
        database.execute_batch(&theirs).unwrap();
        let plan = migration(Some(&before), &rebuilt).unwrap();
        assert_eq!(run(&database, &plan.statements).is_ok(), passes, "{action}");
        let dropped = Record { tables: Vec::new(), ..before.clone() };
        let plan = migration(Some(&before), &dropped).unwrap();
        assert!(run(&database, &plan.statements).is_err(), "{action}");
        let left = "SELECT count(*) FROM theirs WHERE item = 'a'";
        assert_eq!(database.query_row(left, [], |row| row.get(0)), Ok(1), "{action}");
    }
}

#[test]
fn a_table_that_becomes_private_is_said_to() {
    let synced = items(|table| {
        table.policy = Policy::AppendOnly;
        table.scope =
            Some(fastest_schema::record::model::ScopeRecord { column: "id".into(), by: None });
    });
    let plan = migration(Some(&synced), &items(|_| {})).unwrap();
    assert_eq!(plan.destructive, ["`items` becomes private: devices give up its rows"]);
}
