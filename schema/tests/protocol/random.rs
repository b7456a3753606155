//! Migrates from random schemas to others. The result must match the declaration, and rows that
//! both can hold must survive.

use std::collections::BTreeMap;

use fastest_schema::live::database::Live;
use fastest_schema::live::introspect::LIVE_SQL;
use fastest_schema::migrate::diff::{DiffError, migration};
use fastest_schema::migrate::note::Note;
use fastest_schema::migrate::plan::Plan;
use fastest_schema::migrate::replica::replica_migration;
use fastest_schema::record::model::{
    ColumnRecord, IndexRecord, Record, ReferenceRecord, ScopePath, ScopeRecord, TableRecord,
};
use fastest_schema::{Kind, OnDelete, Policy, Table, check, replica_record};
use proptest::prelude::*;
use rusqlite::Connection;
use rusqlite::types::Value;

/// A column of a random table: all its attributes as small numbers.
#[derive(Debug, Clone)]
struct RandomColumn {
    name: usize,
    kind: usize,
    null: bool,
    default: bool,
    unique: bool,
    check: bool,
    /// The table that it refers to, and the action.
    refers: Option<(usize, usize)>,
    renamed_from: Option<usize>,
}

#[derive(Debug, Clone)]
struct RandomTable {
    columns: Vec<RandomColumn>,
    policy: usize,
    by_path: bool,
    lock_version: bool,
    index: bool,
    renamed_from: Option<usize>,
}

type RandomSchema = BTreeMap<usize, RandomTable>;

const TABLES: usize = 4;
const COLUMNS: usize = 5;
const ROWS: i64 = 3;

fn column() -> impl Strategy<Value = RandomColumn> {
    let refers = prop::option::weighted(0.3, (0..TABLES, 0..4_usize));
    let flags = any::<[bool; 4]>();
    let renamed = prop::option::weighted(0.2, 0..COLUMNS);
    (0..COLUMNS, 0..3_usize, flags, refers, renamed).prop_map(
        |(name, kind, [null, default, unique, check], refers, renamed_from)| RandomColumn {
            name,
            kind,
            null,
            default,
            unique,
            check,
            refers,
            renamed_from,
        },
    )
}

fn table() -> impl Strategy<Value = RandomTable> {
    let columns = prop::collection::vec(column(), 1..4);
    let flags = any::<[bool; 3]>();
    let renamed = prop::option::weighted(0.2, 0..TABLES);
    (columns, 0..3_usize, flags, renamed).prop_map(
        |(columns, policy, [by_path, lock_version, index], renamed_from)| RandomTable {
            columns,
            policy,
            by_path,
            lock_version,
            index,
            renamed_from,
        },
    )
}

fn schema() -> impl Strategy<Value = RandomSchema> {
    prop::collection::btree_map(0..TABLES, table(), 1..=TABLES)
}

/// Two schemas that have much in common, because unrelated schemas seldom show interesting changes.
fn pair() -> impl Strategy<Value = (RandomSchema, RandomSchema)> {
    (schema(), schema(), any::<u64>()).prop_map(|(from, other, mix)| {
        let mut to = from.clone();
        for number in 0..TABLES {
            // Two bits for each table: kept, replaced, removed, or with a changed column.
            match (mix >> (2 * number)) & 3 {
                0 => {}
                1 => match other.get(&number) {
                    Some(table) => drop(to.insert(number, table.clone())),
                    None => drop(to.remove(&number)),
                },
                _ => {
                    if let (Some(table), Some(other)) = (to.get_mut(&number), other.get(&number)) {
                        let at = (mix >> 32) as usize % table.columns.len();
                        table.columns[at] = other.columns[0].clone();
                        table.renamed_from = other.renamed_from;
                    }
                }
            }
        }
        (from, to)
    })
}

/// The declarations of a random schema, without what makes no sense in it.
fn declare(schema: &RandomSchema) -> Vec<&'static Table> {
    let policy = |number: usize| match schema[&number].policy {
        0 => Policy::Private,
        1 => Policy::Versioned,
        _ => Policy::AppendOnly,
    };
    let mut tables = Vec::new();
    for (number, random) in schema {
        let may_refer = |to: usize| {
            schema.contains_key(&to)
                && (policy(*number) == Policy::Private || policy(to) != Policy::Private)
        };
        let mut columns = vec![plain("id", Kind::Text), plain("scope", Kind::Text)];
        for random in &random.columns {
            let column = declare_column(random, &may_refer);
            if columns.iter().all(|other| other.name != column.name) {
                columns.push(column);
            }
        }
        if random.lock_version && policy(*number) == Policy::Versioned {
            let mut version = plain("version", Kind::Integer);
            (version.lock_version, version.default) = (true, Some("1".to_owned()));
            columns.push(version);
        }
        let indexes = if random.index {
            vec![IndexRecord { columns: vec!["scope".into(), "id".into()], unique: false }]
        } else {
            Vec::new()
        };
        tables.push(TableRecord {
            name: format!("t{number}"),
            pk: "id".into(),
            scope: scope(policy(*number), random, &columns),
            columns,
            indexes,
            unique_rules: Vec::new(),
            policy: policy(*number),
            external: false,
            replaces: false,
            renamed_from: random.renamed_from.map(|number| format!("t{number}")),
        });
    }
    settle_renames(&mut tables);
    tables.iter().map(TableRecord::leak).collect()
}

/// Removes what the check of declarations would refuse: two claims to the same former name.
fn settle_renames(tables: &mut [TableRecord]) {
    let mut claimed = Vec::new();
    for table in tables {
        let old = table.renamed_from.take().filter(|old| !claimed.contains(old));
        claimed.extend(old.clone());
        table.renamed_from = old;
        let mut claimed = Vec::new();
        for column in &mut table.columns {
            let old = column.renamed_from.take().filter(|old| !claimed.contains(old));
            claimed.extend(old.clone());
            column.renamed_from = old;
        }
    }
}

fn plain(name: &str, kind: Kind) -> ColumnRecord {
    ColumnRecord {
        name: name.into(),
        kind,
        null: false,
        default: (name == "scope").then(|| "'s'".to_owned()),
        check: None,
        unique: false,
        lock_version: false,
        watched: false,
        references: None,
        renamed_from: None,
    }
}

fn declare_column(random: &RandomColumn, may_refer: &dyn Fn(usize) -> bool) -> ColumnRecord {
    let references = random.refers.filter(|(to, _)| may_refer(*to));
    let kind = match (references, random.kind) {
        (Some(_), _) | (None, 0) => Kind::Text,
        (None, 1) => Kind::Integer,
        _ => Kind::Real,
    };
    let default = match kind {
        Kind::Text => "'7'",
        Kind::Integer => "7",
        Kind::Real => "7.0",
    };
    let name = format!("c{}", random.name);
    ColumnRecord {
        null: random.null || references.is_some(),
        default: (random.default && references.is_none()).then(|| default.to_owned()),
        check: (random.check && references.is_none()).then(|| format!("length({name}) < 90")),
        unique: random.unique,
        references: references.map(|(to, action)| ReferenceRecord {
            table: format!("t{to}"),
            column: "id".into(),
            on_delete: [
                OnDelete::NoAction,
                OnDelete::Restrict,
                OnDelete::Cascade,
                OnDelete::SetNull,
            ][action],
        }),
        renamed_from: random.renamed_from.map(|number| format!("c{number}")),
        ..plain(&name, kind)
    }
}

fn scope(policy: Policy, random: &RandomTable, columns: &[ColumnRecord]) -> Option<ScopeRecord> {
    let path = columns.iter().find_map(|column| {
        let to = column.references.as_ref()?;
        let by = ScopePath { table: to.table.clone(), key: "id".into(), target: "scope".into() };
        Some(ScopeRecord { column: column.name.clone(), by: Some(by) })
    });
    match policy {
        Policy::Private => None,
        _ => path
            .filter(|_| random.by_path)
            .or(Some(ScopeRecord { column: "scope".into(), by: None })),
    }
}

fn database() -> Connection {
    let database = Connection::open_in_memory().unwrap();
    database.pragma_update(None, "foreign_keys", true).unwrap();
    database
}

/// Applies all of a migration or nothing, as primaries do.
fn apply(database: &Connection, statements: &[String]) -> Result<(), String> {
    database.execute_batch("BEGIN").unwrap();
    let run = |sql: &String| database.execute_batch(sql).map_err(|error| format!("{error}: {sql}"));
    let done = statements.iter().try_for_each(run).and_then(|()| run(&"COMMIT".to_owned()));
    if done.is_err() {
        database.execute_batch("ROLLBACK").unwrap();
    }
    done
}

fn live(database: &Connection) -> Live {
    let mut statement = database.prepare(LIVE_SQL).unwrap();
    let rows = statement.query_map(["r"], |row| Ok(vec![row.get(0)?, row.get(1)?])).unwrap();
    let rows: Vec<_> = rows.map(Result::unwrap).collect();
    Live::decode("r", &rows).unwrap().unwrap()
}

/// Inserts some rows into each table, with distinct values, and foreign keys to existing rows.
fn fill(database: &Connection, record: &Record) {
    database.execute_batch("BEGIN; PRAGMA defer_foreign_keys = ON").unwrap();
    for table in &record.tables {
        for row in 0..ROWS {
            let columns = table.columns.iter().filter(|column| !column.lock_version);
            let (names, values): (Vec<&str>, Vec<Value>) = columns
                .map(|column| {
                    let value = match (column.name.as_str(), column.kind) {
                        ("id", _) => Value::Text(format!("k{row}")),
                        _ if column.references.is_some() => Value::Text(format!("k{row}")),
                        ("scope", _) => Value::Text(format!("s{}", row % 2)),
                        _ if column.null && row == 0 => Value::Null,
                        (_, Kind::Text) => Value::Text(format!("{}", row + 10)),
                        (_, Kind::Integer) => Value::Integer(row + 10),
                        (_, Kind::Real) => Value::Real(row as f64 + 10.0),
                    };
                    (column.name.as_str(), value)
                })
                .unzip();
            let slots = vec!["?"; names.len()].join(",");
            let sql = format!("INSERT INTO {}({}) VALUES ({slots})", table.name, names.join(","));
            database.execute(&sql, rusqlite::params_from_iter(values)).unwrap();
        }
    }
    database.execute_batch("COMMIT").unwrap();
    // If tables refer to each other in a circle, some parents were inserted after their children.
    for table in &record.tables {
        database.execute_batch(&format!("UPDATE {} SET id = id", table.name)).unwrap();
    }
}

/// The values of a table in these columns, by key.
fn rows(database: &Connection, table: &str, columns: &[&str]) -> Vec<Vec<Value>> {
    let sql = format!("SELECT id, {} FROM {table} ORDER BY id", columns.join(", "));
    let mut statement = database.prepare(&sql).unwrap();
    let width = statement.column_count();
    let rows = statement.query_map([], |row| (0..width).map(|at| row.get(at)).collect()).unwrap();
    rows.map(Result::unwrap).collect()
}

fn count(database: &Connection, sql: &str) -> i64 {
    database.query_row(sql, [], |row| row.get(0)).unwrap()
}

/// Checks that every row of a synced table has an entry with the right scope, and that no entry
/// lacks its row.
fn check_entries(database: &Connection, record: &Record) {
    for table in record.tables.iter().filter(|table| table.is_synced()) {
        let name = &table.name;
        let scope = table.scope.as_ref().unwrap();
        let scope = match &scope.by {
            None => format!("coalesce(t.{}, '')", scope.column),
            // If the parent of a scope path is missing, the last scope is kept.
            Some(by) => format!(
                "coalesce((SELECT p.scope FROM {} AS p WHERE p.id = t.{}), fastest_changes.scope)",
                by.table, scope.column
            ),
        };
        let bad = format!(
            "SELECT count(*) FROM {name} AS t WHERE NOT EXISTS (SELECT 1 FROM fastest_changes
             WHERE tbl = '{name}' AND pk = t.id AND deleted = 0 AND fastest_changes.scope = {scope})"
        );
        assert_eq!(count(database, &bad), 0, "{name}");
        let live = format!(
            "SELECT count(*) FROM fastest_changes WHERE tbl = '{name}' AND deleted = 0
             AND pk NOT IN (SELECT id FROM {name})"
        );
        assert_eq!(count(database, &live), 0, "{name}");
        if table.columns.iter().any(|column| column.lock_version) {
            let sql = format!(
                "SELECT count(*) FROM {name} WHERE version IS NOT
                 (SELECT version FROM fastest_changes WHERE tbl = '{name}' AND pk = {name}.id)"
            );
            assert_eq!(count(database, &sql), 0, "{name}");
        }
    }
    let tables: Vec<String> = record
        .tables
        .iter()
        .filter(|table| table.is_synced())
        .map(|table| format!("'{}'", table.name))
        .collect();
    let sql = format!(
        "SELECT count(*) FROM fastest_changes WHERE deleted = 0 AND tbl NOT IN ({})",
        tables.join(",")
    );
    assert_eq!(count(database, &sql), 0);
}

/// The former name of a table.
fn old_name<'a>(from: &'a Record, to: &Record, table: &'a TableRecord) -> Option<&'a TableRecord> {
    let renamed = table.renamed_from.as_ref().filter(|name| to.table(name).is_none());
    from.table(&table.name).or_else(|| from.table(renamed?))
}

fn walk(from: &RandomSchema, to: &RandomSchema) -> Result<Option<Plan>, TestCaseError> {
    let (from, to) = (declare(from), declare(to));
    prop_assert_eq!(check(&from), Ok(()));
    prop_assert_eq!(check(&to), Ok(()));
    let replicas = (replica_record("app", &from), replica_record("app", &to));
    replicas_agree(&replicas.0, &replicas.1, None);
    let (from, to) = (Record::of("app", &from), Record::of("app", &to));
    let database = database();
    apply(&database, &migration(None, &from).unwrap().statements).unwrap();
    fill(&database, &from);
    check_entries(&database, &from);
    let before = kept(&database, &from, &to);
    // The next migration reads the record from a file.
    let text = serde_json::to_string(&from).unwrap();
    let recorded: Record = serde_json::from_str(&text).unwrap();
    let plan = match migration(Some(&recorded), &to) {
        Ok(plan) => plan,
        Err(DiffError::Refused(_)) => return Ok(None),
        Err(other) => panic!("{other}"),
    };
    replicas_agree(&replicas.0, &replicas.1, Some(&plan.notes));
    let everything = live(&database);
    if let Err(error) = apply(&database, &plan.statements) {
        // A migration may fail only for existing rows, and only if its plan said so, or a new index
        // or check found it.
        prop_assert!(
            error.contains("constraint failed") || error.contains("malformed JSON"),
            "{error}"
        );
        prop_assert!(
            !plan.destructive.is_empty() || error.contains("CREATE UNIQUE INDEX"),
            "{error}"
        );
        let new_key = plan
            .statements
            .iter()
            .any(|sql| sql.starts_with("SELECT json(") && sql.contains(" AS p "));
        prop_assert!(new_key || !error.contains("FOREIGN KEY"), "{error}: {:#?}", plan.statements);
        prop_assert_eq!(live(&database), everything);
        return Ok(Some(plan));
    }
    let fresh = self::database();
    apply(&fresh, &migration(None, &to).unwrap().statements).unwrap();
    prop_assert_eq!(live(&database), live(&fresh));
    prop_assert_eq!(
        count(&database, "SELECT count(*) FROM pragma_foreign_key_check"),
        0,
        "{:#?}",
        plan.statements
    );
    check_entries(&database, &to);
    for Kept { table, columns, rows } in before {
        let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
        prop_assert_eq!(self::rows(&database, &table, &columns), rows, "{}", table);
    }
    prop_assert_eq!(migration(Some(&to), &to).unwrap(), Plan::default());
    Ok(Some(plan))
}

/// What must survive of a table, under its new names.
struct Kept {
    table: String,
    columns: Vec<String>,
    rows: Vec<Vec<Value>>,
}

/// The rows of each table that is kept, in the columns that do not change.
fn kept(database: &Connection, from: &Record, to: &Record) -> Vec<Kept> {
    let mut kept = Vec::new();
    for table in &to.tables {
        let Some(before) = old_name(from, to, table) else { continue };
        let (mut old, mut new) = (Vec::new(), Vec::new());
        for column in &table.columns {
            let renamed = column.renamed_from.as_ref();
            let renamed = renamed.filter(|name| table.column(name).is_none());
            let was = before.column(&column.name);
            let Some(was) = was.or_else(|| before.column(renamed?)) else { continue };
            let same = was.kind == column.kind && (column.null || !was.null);
            if same && !column.lock_version {
                old.push(was.name.as_str());
                new.push(column.name.clone());
            }
        }
        let rows = rows(database, &before.name, &old);
        kept.push(Kept { table: table.name.clone(), columns: new, rows });
    }
    kept
}

/// A migrated replica has the same schema as a new one, whatever rows it holds.
fn replicas_agree(from: &Record, to: &Record, notes: Option<&[Note]>) {
    let replica = Connection::open_in_memory().unwrap();
    replica.pragma_update(None, "foreign_keys", false).unwrap();
    let changes = "CREATE TABLE fastest_changes(tbl, pk, scope, version, seq, deleted, PRIMARY KEY (tbl, pk))";
    let make = |database: &Connection, record: &Record| {
        database.execute_batch(changes).unwrap();
        let ddl: Vec<String> = record.tables.iter().flat_map(TableRecord::ddl).collect();
        apply(database, &ddl).unwrap();
    };
    make(&replica, from);
    fill(&replica, from);
    let counts = |record: &Record| -> BTreeMap<String, i64> {
        let count =
            |table: &TableRecord| count(&replica, &format!("SELECT count(*) FROM {}", table.name));
        record.tables.iter().map(|table| (table.name.clone(), count(table))).collect()
    };
    let before = counts(from);
    let plan = replica_migration(from, to, notes);
    apply(&replica, &plan.statements).unwrap();
    let fresh = Connection::open_in_memory().unwrap();
    make(&fresh, to);
    assert_eq!(live(&replica), live(&fresh));
    let after = counts(to);
    for fate in plan.tables {
        if let Some(to) = fate.to {
            assert_eq!(after[&to], before[&fate.from]);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, max_shrink_iters: 2000, ..ProptestConfig::default() })]

    #[test]
    fn any_schema_comes_from_any_other((from, to) in pair()) {
        walk(&from, &to)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, max_shrink_iters: 2000, ..ProptestConfig::default() })]

    /// A replica that missed a migration ends up like one that did not.
    #[test]
    fn a_replica_follows_two_migrations_at_once((first, second) in pair(), (third, _) in pair()) {
        let declared = [declare(&first), declare(&second), declare(&third)];
        let [first, second, third] = declared.each_ref().map(|tables| Record::of("app", tables));
        if let (Ok(one), Ok(two)) =
            (migration(Some(&first), &second), migration(Some(&second), &third))
        {
            let notes = [one.notes, two.notes].concat();
            let [first, _, third] = declared.each_ref().map(|tables| replica_record("app", tables));
            replicas_agree(&first, &third, Some(&notes));
        }
    }
}

#[test]
fn the_random_schemas_are_worth_it() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let (mut refused, mut empty, mut destructive, mut plain) = (0, 0, 0, 0);
    for _ in 0..300 {
        let (from, to) = pair().new_tree(&mut runner).unwrap().current();
        match walk(&from, &to).unwrap() {
            None => refused += 1,
            Some(plan) if plan.statements.is_empty() => empty += 1,
            Some(plan) if plan.destructive.is_empty() => plain += 1,
            Some(_) => destructive += 1,
        }
    }
    println!("{refused} refused, {empty} without change, {plain} plain, {destructive} destructive");
    assert!(refused > 10 && plain > 10 && destructive > 50);
}
