//! Adopts a database that another tool made. Tests what is refused, and that adopted tables sync
//! both ways while the application's own tables stay as they were.

mod declared;
mod rebuild;
mod refused;
mod unique;

use std::path::Path;

use fastest_schema::adopt::chosen::{Chosen, adopt};
use fastest_schema::adopt::declarations::declarations;
use fastest_schema::adopt::misfits::{misfits, misfits_sql};
use fastest_schema::adopt::notes::notes;
use fastest_schema::live::database::Live;
use fastest_schema::live::introspect::LIVE_SQL;
use fastest_schema::migrate::diff::migration;
use fastest_schema::record::model::{Record, TableRecord};
use fastest_schema::{
    D1_MIGRATIONS_DDL, Outcome, Policy, Row, Schema, Table, decode_page, pull_sql, statements,
};
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::primary::Primary;

/// What drizzle-kit writes, with a generated column and a trigger added.
const DRIZZLE: &str = include_str!("adopt/drizzle.sql");

/// The application's database, with a row in each table.
fn application() -> Primary {
    let database = database(DRIZZLE);
    for sql in [
        "INSERT INTO organisations(id, name, slug) VALUES ('o', 'Acme', 'acme')",
        "INSERT INTO members(id, organisationId, email) VALUES ('m', 'o', 'm@example.org')",
        "INSERT INTO sprints(id) VALUES ('s')",
        "INSERT INTO tasks(id, memberId, sprintId) VALUES ('t', 'm', 's')",
    ] {
        database.run(sql);
    }
    database
}

fn database(sql: &str) -> Primary {
    let database = Primary(Connection::open_in_memory().unwrap());
    database.0.pragma_update(None, "foreign_keys", true).unwrap();
    for statement in statements(sql) {
        database.0.execute_batch(statement).unwrap_or_else(|e| panic!("{e}: {statement}"));
    }
    database
}

fn live(database: &Primary) -> Live {
    Live::decode("r", &texts(database, LIVE_SQL)).unwrap().unwrap()
}

/// The rows of a query with the parameter `r`. Each has two texts.
fn texts(database: &Primary, sql: &str) -> Vec<Vec<Option<String>>> {
    let mut statement = database.0.prepare(sql).unwrap();
    let rows = statement.query_map(["r"], |row| Ok(vec![row.get(0)?, row.get(1)?])).unwrap();
    rows.map(Result::unwrap).collect()
}

fn chosen() -> [Chosen; 3] {
    [
        Chosen::versioned("tasks", "memberId:members.organisationId"),
        Chosen::versioned("members", "organisationId"),
        Chosen { policy: Policy::AppendOnly, ..Chosen::versioned("organisations", "id") },
    ]
}

/// The adopted database, with the engine's triggers, and its tables.
fn adopted() -> (Primary, Vec<&'static Table>) {
    let database = application();
    let records = adopt(&live(&database), &chosen(), &[]).unwrap();
    let tables: Vec<_> = records.iter().map(TableRecord::leak).collect();
    let plan = migration(None, &Record::of("app", &tables)).unwrap();
    database.run(D1_MIGRATIONS_DDL);
    for statement in plan.statements {
        database.0.execute_batch(&statement).unwrap_or_else(|e| panic!("{e}: {statement}"));
    }
    (database, tables)
}

/// Each change of the scope `o` after a sequence number: table, key, and the row if it exists.
fn pulled(database: &Primary, tables: &[&'static Table], cursor: i64) -> Vec<Value> {
    let schema = Schema { owner: "app", tables: tables.to_vec().leak(), migrations: &[] };
    let mut statement = database.0.prepare(&pull_sql(&schema)).unwrap();
    let parameters = ["o", &cursor.to_string(), "1000", "1000000", "", "", "", "r"];
    let answer = statement.query_map(parameters, |row| (0..6).map(|at| row.get(at)).collect());
    let answer = answer.unwrap().map(Result::unwrap).collect();
    let change = |change: fastest_schema::Change| {
        let row = match change.outcome {
            Outcome::Row(values) => {
                values.iter().map(fastest_schema::value::sql_value::Value::to_json).collect()
            }
            _ => Value::Null,
        };
        json!([change.table.name, change.key, change.version, row])
    };
    decode_page(tables, cursor, answer).unwrap().changes.into_iter().map(change).collect()
}

/// The SQL of everything that the application created.
fn own_ddl(database: &Primary) -> Value {
    database.query(
        "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'fastest%'
         AND tbl_name NOT IN ('fastest_push', 'd1_migrations', 'sqlite_sequence') ORDER BY name",
    )
}

#[test]
fn rows_that_were_there_are_pulled() {
    let (database, tables) = adopted();
    let found = pulled(&database, &tables, 0);
    let keys: Vec<_> = found.iter().map(|change| json!([change[0], change[1]])).collect();
    assert_eq!(
        keys,
        [json!(["organisations", "o"]), json!(["members", "m"]), json!(["tasks", "t"])]
    );
    assert_eq!(found[2][3], json!(["t", "m", "s", null, "it's new", 0.5, -1, null]));
    assert_eq!(found[1][3].as_array().unwrap()[4], 1);
    assert!(found[0][3].as_array().unwrap()[4].is_i64());
}

#[test]
fn what_the_application_writes_is_pulled() {
    let (database, tables) = adopted();
    database.run("UPDATE tasks SET doneAt = unixepoch('2026-11-23') WHERE id = 't'");
    let done = json!(["tasks", "t", 2, ["t", "m", "s", null, "it's new", 0.5, -1, 1_795_392_000]]);
    assert_eq!(pulled(&database, &tables, 3), [done]);
    // A foreign key of a synced table to one that is not synced changes its rows.
    database.run("DELETE FROM sprints");
    let alone = json!(["t", "m", null, null, "it's new", 0.5, -1, 1_795_392_000]);
    assert_eq!(pulled(&database, &tables, 4), [json!(["tasks", "t", 3, alone])]);
    // A cascade that first deletes the parent by which the task's scope is found.
    database.run("DELETE FROM members");
    let gone = [json!(["members", "m", 2, null]), json!(["tasks", "t", 4, null])];
    let mut found = pulled(&database, &tables, 5);
    found.sort_by_key(ToString::to_string);
    assert_eq!(found, gone);
}

#[test]
fn what_a_device_pushes_is_there_for_the_application() {
    let (database, tables) = adopted();
    let rows = json!({
        "members": [{"id": "n", "organisationId": "o", "email": "n@example.org"}],
        "tasks": [{"id": "t", "title": "pushed"}, {"id": "u", "memberId": "n", "type": "bug"}],
    });
    let locks = json!([["members", "n", 0], ["tasks", "t", 1], ["tasks", "u", 0]]);
    database.push("p1", json!({"v": 1, "counter": 1, "locks": locks, "rows": rows}));
    let members =
        "SELECT role, active, joinedAt LIKE '20__-__-__ __:__:__' FROM members WHERE id = 'n'";
    assert_eq!(database.query(members), json!([["member", 1, 1]]));
    let tasks = database.query("SELECT id, memberId, type, title, title_length FROM tasks");
    let expected = json!([["t", "m", null, "pushed", 6], ["u", "n", "bug", "it's new", 8]]);
    assert_eq!(tasks, expected);
    assert_eq!(pulled(&database, &tables, 3).len(), 3);
    // The application's own trigger runs, and its own constraints hold.
    database.push(
        "p2",
        json!({"v": 1, "counter": 2, "locks": [["tasks", "u", 1]], "delete": {"tasks": ["u"]}}),
    );
    assert_eq!(database.query("SELECT message FROM audit"), json!([["task u is gone"]]));
    let taken = json!({"members": [{"id": "x", "organisationId": "o", "email": "n@example.org"}]});
    let payload = json!({"v": 1, "counter": 3, "locks": [["members", "x", 0]], "rows": taken});
    let error = database.try_push("p3", "d", payload).unwrap_err();
    assert!(error.contains("UNIQUE constraint failed"), "{error}");
}

#[test]
fn the_applications_tables_stay_as_they_were() {
    let before = own_ddl(&application());
    let (database, tables) = adopted();
    assert_eq!(own_ddl(&database), before);
    assert_eq!(before.as_array().unwrap().iter().filter(|row| row[0] == "table").count(), 5);
    // Adopted once, a table is not adopted again.
    let again = adopt(&live(&database), &chosen(), &[]).unwrap_err().to_string();
    assert_eq!(again.matches("is synced already").count(), tables.len());
}

#[test]
fn records_survive_as_declarations() {
    let records = adopt(&live(&application()), &chosen(), &[]).unwrap();
    let names: Vec<&str> = records.iter().map(|table| table.name.as_str()).collect();
    assert_eq!(names, ["organisations", "members", "tasks"]);
    for record in &records {
        assert!(record.external);
        assert_eq!(TableRecord::from(record.leak()), *record);
    }
    let [organisations, members, _] = &records[..] else { panic!() };
    assert!(organisations.column("slug").unwrap().unique);
    // Only the pair is unique.
    assert!(!members.column("email").unwrap().unique);
    let pair = ["organisationId", "email"].map(str::to_owned);
    assert!(members.indexes.iter().any(|index| index.unique && index.columns == pair));
}

/// Run with `FASTEST_BLESS=1` to write `adopt/declared.rs` again.
#[test]
fn the_declarations_compile_and_say_what_was_adopted() {
    let records = adopt(&live(&application()), &chosen(), &[]).unwrap();
    let source = declarations(&records);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/protocol/adopt/declared.rs");
    if std::env::var_os("FASTEST_BLESS").is_some() {
        std::fs::write(&path, &source).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap();
    assert!(committed == source, "{} is stale; see FASTEST_BLESS", path.display());
    let declared = [declared::Organisation::TABLE, declared::Member::TABLE, declared::Task::TABLE];
    assert_eq!(declared.map(TableRecord::from).to_vec(), records);
}

#[test]
fn what_a_person_should_know_is_noted() {
    let found = live(&application());
    let notes = notes(&found, &adopt(&found, &chosen(), &[]).unwrap(), &[]);
    assert_eq!(
        notes,
        [
            "rows of `organisations` are written once: devices do not follow what the application \
             changes in one, or deletes",
            "`tasks.title_length` is generated: devices do not hold it",
            "the foreign key of `tasks` over (sprintId) to `sprints` is the primary's alone: a push \
             that breaks it is refused, and what a delete there does here is synced",
            "the application's triggers on `tasks` (`tasks_audit`) run for what devices push as for \
             any write: one that raises refuses the whole push",
            "a migration of the application's tool that rebuilds one of these tables (drops it and \
             renames another to its name, as for a changed default) fails while the engine's \
             triggers are there: `fastest schema detach` takes them away before it, `fastest schema \
             attach` puts them back after",
        ]
    );
}

#[test]
fn what_may_be_null_or_a_number_or_deep_is_noted() {
    let found = live(&database(
        "CREATE TABLE a(id text PRIMARY KEY, s text, at datetime,
                        above text REFERENCES a(id) ON DELETE CASCADE)",
    ));
    let records = adopt(&found, &[Chosen::versioned("a", "s")], &[]).unwrap();
    let notes = notes(&found, &records, &[]).join("\n");
    for expected in [
        "`a.id` may be null so far; from now on such a row is refused",
        "`a.at` is declared `datetime` and must hold texts",
        "rows of `a` without `s` are shared with no one",
        "`a` refers to itself with ON DELETE CASCADE: on D1,",
    ] {
        assert!(notes.contains(expected), "{expected}: {notes}");
    }
}

/// No statement grows with the number of tables. One table of a hundred real columns with long
/// names is too much for D1.
#[test]
fn a_table_that_no_statement_holds_is_noted() {
    let wide = |name: &str, kind: &str, column: &str| -> String {
        let column = |at| format!(", {column}_{at:03} {kind}");
        let columns: String = (0..99).map(column).collect();
        format!("CREATE TABLE {name}(id text PRIMARY KEY{columns});")
    };
    let texts = (0..40).map(|at| wide(&format!("texts_{at}"), "text", "c"));
    let all: String = texts
        .chain([wide("reals", "real", "a_column_whose_name_is_longer_than_anybody_would_make_it")])
        .collect();
    let found = live(&database(&all));
    let size = |tables: &[String]| {
        let chosen: Vec<Chosen> = tables.iter().map(|t| Chosen::versioned(t, "id")).collect();
        let records = adopt(&found, &chosen, &[]).unwrap();
        let notes = notes(&found, &records, &[]);
        notes.iter().filter(|note| note.contains("on D1")).count()
    };
    let texts: Vec<String> = (0..40).map(|at| format!("texts_{at}")).collect();
    assert_eq!(size(&texts), 0);
    assert_eq!(size(&["reals".to_owned()]), 1);
}

#[test]
fn values_that_do_not_fit_are_found_before_a_device_meets_them() {
    let database = database(
        "CREATE TABLE a(id text PRIMARY KEY, n integer, r real NOT NULL, b text, at timestamp)",
    );
    let records = adopt(&live(&database), &[Chosen::versioned("a", "id")], &[]).unwrap();
    let found = || -> Vec<String> {
        let answer = texts(&database, &misfits_sql(&records[0]));
        assert!(misfits(&records[0], "another", &answer).unwrap().is_none());
        let refused = misfits(&records[0], "r", &answer).unwrap().unwrap();
        refused.iter().map(ToString::to_string).collect()
    };
    database.run("INSERT INTO a VALUES ('fits', NULL, 1, NULL, '2026-11-23T00:00:00Z')");
    assert_eq!(found(), Vec::<String>::new());
    database
        .run("INSERT INTO a VALUES ('1', 'soon', 'x', 5, 1795392000), (NULL, 1.5, 2, x'00', NULL)");
    let refused = found();
    let said =
        |column: &str, rows: u64| format!("`a.{column}` holds {rows} value(s) of another type");
    let expected = [said("id", 1), said("n", 2), said("r", 1), said("b", 1), said("at", 1)];
    assert_eq!(refused.len(), expected.len());
    for (refused, expected) in refused.iter().zip(expected) {
        assert!(refused.starts_with(&expected), "{refused}");
    }
    for broken in [vec![], vec![vec![None, None]], vec![vec![Some("r".into()), Some("[1]".into())]]]
    {
        assert!(misfits(&records[0], "r", &broken).is_err());
    }
}

#[test]
fn columns_that_a_trigger_watches_are_declared_so() {
    let database = database(
        "CREATE TABLE a(id text PRIMARY KEY, \"State\" text, title text, note text);
         CREATE TRIGGER one BEFORE UPDATE OF State, title ON a WHEN OLD.note IS NULL
           BEGIN SELECT 1 FROM a AS of WHERE note; END;
         CREATE TRIGGER two AFTER UPDATE ON a BEGIN UPDATE a SET note = 'of note' WHERE false; END;
         CREATE TABLE b(id text PRIMARY KEY, note text);
         CREATE TRIGGER three AFTER UPDATE OF note ON b BEGIN SELECT 1; END;",
    );
    let records = adopt(&live(&database), &[Chosen::versioned("a", "id")], &[]).unwrap();
    let watched = records[0].columns.iter().filter(|column| column.watched);
    let watched: Vec<&str> = watched.map(|column| column.name.as_str()).collect();
    assert_eq!(watched, ["State", "title"]);
    let source = fastest_schema::adopt::declarations::declarations(&records);
    assert_eq!(source.matches("#[watched]").count(), 2, "{source}");
}

#[test]
fn tables_are_adopted_under_one_that_was_adopted_before() {
    let (database, held) = adopted();
    database.run("CREATE TABLE notes(id text PRIMARY KEY NOT NULL, org text NOT NULL REFERENCES organisations ON DELETE CASCADE)");
    database.run("CREATE TABLE stars(id text PRIMARY KEY NOT NULL, task text REFERENCES tasks, note text REFERENCES notes)");
    database.run("INSERT INTO notes VALUES ('n', 'o')");
    let held: Vec<TableRecord> = held.into_iter().map(TableRecord::from).collect();
    let chosen = [Chosen::versioned("notes", "org:organisations.id")];
    let alone = adopt(&live(&database), &chosen, &[]).unwrap_err().to_string();
    assert!(alone.contains("leads to `organisations`, which is not chosen"), "{alone}");

    let found = live(&database);
    let records = adopt(&found, &chosen, &held).unwrap();
    assert_eq!(records.len(), 1, "only what is chosen: {records:?}");
    let to = records[0].column("org").unwrap().references.as_ref().unwrap();
    assert_eq!((&*to.table, &*to.column), ("organisations", "id"));
    let notes = notes(&found, &records, &held).join("\n");
    let expected =
        "`stars` is not synced, and refers to `notes` over (note): a device cannot delete a row";
    assert!(notes.contains(expected) && !notes.contains("`tasks` over"), "{notes}");

    let before: Vec<&'static Table> = held.iter().map(TableRecord::leak).collect();
    let tables: Vec<&'static Table> = held.iter().chain(&records).map(TableRecord::leak).collect();
    let plan = migration(Some(&Record::of("app", &before)), &Record::of("app", &tables)).unwrap();
    for statement in plan.statements {
        database.0.execute_batch(&statement).unwrap_or_else(|e| panic!("{e}: {statement}"));
    }
    assert_eq!(pulled(&database, &tables, 3), [json!(["notes", "n", 1, ["n", "o"]])]);
    // A table that was adopted before refers to one that is adopted now: devices do not know that
    // key.
    let sprints = adopt(&live(&database), &[Chosen::versioned("sprints", "id")], &held).unwrap();
    let notes = fastest_schema::adopt::notes::notes(&live(&database), &sprints, &held).join("\n");
    assert!(notes.contains("the foreign key of `tasks` over (sprintId) to `sprints`"), "{notes}");
}

#[test]
fn a_virtual_table_of_an_unknown_module_is_passed_over() {
    let database = database("CREATE TABLE a(id text PRIMARY KEY NOT NULL)");
    database
        .0
        .execute_batch(
            "PRAGMA writable_schema = ON;
             INSERT INTO sqlite_master(type, name, tbl_name, rootpage, sql)
               VALUES ('table', 'v', 'v', 0, 'CREATE VIRTUAL TABLE v USING nobody_has_it(x)');
             PRAGMA writable_schema = RESET;",
        )
        .unwrap();
    let found = live(&database);
    assert_eq!(found.tables["a"].columns.len(), 1);
    let refused = adopt(&found, &[Chosen::versioned("v", "x")], &[]).unwrap_err().to_string();
    assert!(refused.contains("`v` is a virtual table"), "{refused}");
    assert_eq!(adopt(&found, &[Chosen::versioned("a", "id")], &[]).unwrap().len(), 1);
}
