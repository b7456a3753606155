//! Tables that cannot be synced are refused with the reason.

use fastest_schema::adopt::chosen::{Chosen, adopt};
use fastest_schema::{D1_MIGRATIONS_DDL, Policy};

use super::{database, live};

/// The refusal of one table with a scope, in a database that these statements create.
fn refused(sql: &str, table: &str, scope: &str) -> String {
    let found = live(&database(sql));
    adopt(&found, &[Chosen::versioned(table, scope)], &[]).unwrap_err().to_string()
}

/// Each case has a statement, the chosen table and scope, and a part of the refusal.
const REFUSED: [(&str, &str, &str, &str); 31] = [
    (
        "CREATE TABLE a(x); CREATE TABLE b(x)",
        "c",
        "x",
        "there is no table `c`; the database has `a`, `b`",
    ),
    ("CREATE TABLE a(x)", "A", "x", "there is no table `A`; the database has `a`"),
    ("CREATE VIEW v AS SELECT 1", "v", "x", "`v` is a view"),
    ("CREATE VIRTUAL TABLE v USING fts5(id)", "v", "id", "`v` is a virtual table"),
    (
        "CREATE TABLE a(id text PRIMARY KEY, b text, c text AS (lower(b)), UNIQUE (c) ON CONFLICT REPLACE)",
        "a",
        "id",
        "table `a` has a UNIQUE constraint over (c) that is ON CONFLICT REPLACE",
    ),
    (
        "CREATE TABLE a(id text PRIMARY KEY, b text, UNIQUE (b COLLATE NOCASE) ON CONFLICT REPLACE)",
        "a",
        "id",
        "table `a` has a UNIQUE constraint over (b) that is ON CONFLICT REPLACE",
    ),
    ("CREATE TABLE fastest_a(id text PRIMARY KEY)", "fastest_a", "id", "belongs to SQLite"),
    ("CREATE TABLE D1_a(id text PRIMARY KEY)", "D1_a", "id", "belongs to SQLite"),
    ("CREATE TABLE c(id text PRIMARY KEY)", "c", "id", "the name `c` cannot be declared"),
    ("CREATE TABLE `a b`(id text PRIMARY KEY)", "a b", "id", "the name `a b` cannot be declared"),
    ("CREATE TABLE a(id text PRIMARY KEY, `x.y` text)", "a", "id", "the name `x.y` cannot be"),
    ("CREATE TABLE a(id text PRIMARY KEY, self text)", "a", "id", "the name `self` cannot be"),
    ("CREATE TABLE a(id text)", "a", "id", "table `a` has no primary key: give it a text key"),
    ("CREATE TABLE a(z text, b text, PRIMARY KEY (z, b))", "a", "b", "several columns (`z`, `b`)"),
    (
        "CREATE TABLE a(id INTEGER PRIMARY KEY, s text)",
        "a",
        "s",
        "`a.id` is an integer key: devices would give the same numbers to different rows; a text key, such as a ULID or UUID, is needed",
    ),
    ("CREATE TABLE a(id bigint PRIMARY KEY, s text)", "a", "s", "`a.id` is an integer key"),
    (
        "CREATE TABLE a(id datetime PRIMARY KEY, s text)",
        "a",
        "s",
        "`a.id` is the key, and is declared `datetime`",
    ),
    (
        "CREATE TABLE a(id text COLLATE NOCASE PRIMARY KEY)",
        "a",
        "id",
        "`a.id` is compared by `nocase`",
    ),
    ("CREATE TABLE a(id text PRIMARY KEY, b blob)", "a", "id", "`a.b` is a blob"),
    ("CREATE TABLE a(id text PRIMARY KEY, b)", "a", "id", "`a.b` has no type"),
    (
        "CREATE TABLE a(id text PRIMARY KEY, b decimal(9,2))",
        "a",
        "id",
        "`a.b` is declared `decimal(9,2)`, where SQLite",
    ),
    (
        "CREATE TABLE a(id text PRIMARY KEY, b integer DEFAULT CURRENT_TIMESTAMP)",
        "a",
        "id",
        "`a.b` is declared `integer`, and its default `CURRENT_TIMESTAMP` gives something else",
    ),
    ("CREATE TABLE a(id text PRIMARY KEY)", "a", "", "table `a` needs a scope"),
    (
        "CREATE TABLE a(id text PRIMARY KEY, s text)",
        "a",
        "t",
        "table `a` has no column `t`; it has `id`, `s`",
    ),
    (
        "CREATE TABLE a(id text PRIMARY KEY, s int)",
        "a",
        "s",
        "`a.s` is declared `int`: a scope must be text",
    ),
    (
        "CREATE TABLE a(id text PRIMARY KEY, s text COLLATE nocase)",
        "a",
        "s",
        "`a.s` is compared by `nocase`",
    ),
    ("CREATE TABLE a(id text PRIMARY KEY, s text AS (id))", "a", "s", "`a.s` is generated"),
    ("CREATE TABLE a(id text PRIMARY KEY)", "a", "id:b", "the scope `id:b` is neither"),
    ("CREATE TABLE a(id text PRIMARY KEY)", "a", "id:b.x", "`a.id` is no foreign key to `b`"),
    (
        "CREATE TABLE a(id text PRIMARY KEY, b text REFERENCES b); CREATE TABLE b(id text PRIMARY KEY)",
        "a",
        "b:b.id",
        "`a` leads to `b`, which is not chosen: choose it as well",
    ),
    (
        "CREATE TABLE an_adopted_table_of_sixty_one_bytes_0123456789_0123456789_012(id text PRIMARY KEY)",
        "an_adopted_table_of_sixty_one_bytes_0123456789_0123456789_012",
        "id",
        "more than 60 bytes",
    ),
];

#[test]
fn what_cannot_be_synced_is_refused_with_the_reason() {
    for (sql, table, scope, expected) in REFUSED {
        let refused = refused(sql, table, scope);
        assert!(refused.contains(expected), "{sql}\nis refused with: {refused}");
        assert_eq!(refused.lines().count(), 1, "{refused}");
    }
}

/// The refusal of the child `a` of a parent `p`, if both are chosen.
fn refused_pair(child: &str, parent: &str, scope: &str) -> String {
    let found = live(&database(&format!("CREATE TABLE a({child}); CREATE TABLE p({parent})")));
    let chosen = [Chosen::versioned("a", scope), Chosen::versioned("p", "id")];
    adopt(&found, &chosen, &[]).map(|_| String::new()).unwrap_or_else(|error| error.to_string())
}

#[test]
fn a_foreign_key_must_be_one_that_devices_can_follow() {
    let parent = "id text PRIMARY KEY, s text, code text UNIQUE, n int UNIQUE";
    for (child, scope, expected) in [
        ("p text REFERENCES P", "p:p.s", ""),
        ("p text REFERENCES p(CODE)", "p -> p.s", ""),
        ("p text REFERENCES p", "p:p.nope", "table `p` has no column `nope`; it has `id`, `s`"),
        ("p text REFERENCES p", "p:p.n", "`p.n` is declared `int`: a scope must be text"),
        ("p text", "p:p.s", "`a.p` is no foreign key to `p`"),
        // `07` equals 7 on the primary, but not on a device.
        ("p text REFERENCES p(n)", "p:p.s", "`a.p` is no foreign key to `p`"),
        ("p int REFERENCES p(n)", "p:p.s", ""),
        ("p text, q text, FOREIGN KEY (p, q) REFERENCES p(id, s)", "p:p.s", "is no foreign key"),
        ("p text REFERENCES p(s)", "p", "refers to `p.s`, which is neither the key nor unique"),
        ("p text REFERENCES p ON DELETE SET DEFAULT", "p", "ON DELETE SET DEFAULT, which devices"),
        ("p text NOT NULL REFERENCES p ON DELETE SET NULL", "p", "`a.p` is set null on delete"),
    ] {
        let refused = refused_pair(&format!("id text PRIMARY KEY, {child}"), parent, scope);
        assert!(
            refused.contains(expected) && refused.is_empty() == expected.is_empty(),
            "{child}: {refused}"
        );
    }
}

#[test]
fn everything_that_stands_in_the_way_is_said_at_once() {
    let found = live(&database("CREATE TABLE a(id int PRIMARY KEY, b blob)"));
    let chosen = [Chosen::versioned("a", "id"), Chosen::versioned("b", "id")];
    let error = adopt(&found, &chosen, &[]).unwrap_err().to_string();
    let lines: Vec<&str> = error.lines().collect();
    let [key, blob, missing] = lines[..] else { panic!("{error}") };
    assert!(key.contains("is an integer key") && blob.contains("is a blob"), "{error}");
    assert!(missing.contains("there is no table `b`"), "{error}");
}

#[test]
fn a_table_is_chosen_once_and_to_be_synced() {
    let found = live(&database("CREATE TABLE a(id text PRIMARY KEY)"));
    let twice = [Chosen::versioned("a", "id"), Chosen::versioned("a", "id")];
    assert_eq!(adopt(&found, &twice, &[]).unwrap_err().to_string(), "table `a` is declared twice");
    let private = Chosen { policy: Policy::Private, ..Chosen::versioned("a", "") };
    assert!(adopt(&found, &[private], &[]).unwrap_err().to_string().contains("is not synced"));
    assert_eq!(adopt(&found, &[], &[]), Ok(Vec::new()));
}

#[test]
fn a_table_is_not_too_wide() {
    let columns: String = (0..100).map(|at| format!(", c{at} text")).collect();
    let wide = format!("CREATE TABLE a(id text PRIMARY KEY{columns})");
    assert_eq!(refused(&wide, "a", "id"), "table `a` has 101 columns; D1 takes 100");
}

#[test]
fn strict_tables_and_those_without_rowid_are_taken() {
    let found = live(&database(&format!(
        "CREATE TABLE a(id text PRIMARY KEY, n int, r real) STRICT, WITHOUT ROWID; {D1_MIGRATIONS_DDL}"
    )));
    let records = adopt(&found, &[Chosen::versioned("a", "id")], &[]).unwrap();
    let columns: Vec<&str> = records[0].columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(columns, ["id", "n", "r"]);
    // Only the note that every table gets.
    assert_eq!(fastest_schema::adopt::notes::notes(&found, &records, &[]).len(), 1);
    let any = "CREATE TABLE a(id text PRIMARY KEY, x any) STRICT";
    assert!(refused(any, "a", "id").contains("`a.x` has no type"));
}
