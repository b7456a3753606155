//! A primary in memory, with tables for tests beside those of Fastest.

use fastest_schema::{
    D1_MIGRATIONS_DDL, Flag, PUSH_1_SQL, PUSH_SQL, Page, Refusal, Row, Schema, TABLES, Table,
    decode_page, init_sql, pull_sql, statements, table,
};
use rusqlite::{Connection, params};
use serde_json::{Value, json};

/// A board, which moves between projects.
#[table(name = "boards", policy = versioned("a test"), scope = project_id)]
pub struct Board {
    #[pk]
    pub id: String,
    pub project_id: Option<String>,
    #[default("untitled")]
    pub title: Option<String>,
}

/// A card, whose scope follows its board. Its names are SQL keywords on purpose.
#[table(
    name = "order",
    policy = versioned("a test"),
    scope = board_id -> boards.project_id,
    unique(board_id, group),
)]
pub struct Card {
    #[pk]
    pub id: String,
    #[references(boards.id, on_delete = cascade)]
    pub board_id: String,
    pub group: String,
    #[default(-1)]
    pub rank: i64,
    #[default(0.5)]
    pub weight: f64,
}

/// A label. Its table is named as another tool names tables, and its columns have all attributes.
#[table(name = "boardLabels", policy = versioned("a test"), scope = board_id -> boards.project_id)]
pub struct Label {
    #[pk]
    pub id: String,
    #[references(boards.id, on_delete = restrict)]
    pub board_id: String,
    #[default(sql = "upper('new')")]
    pub text: String,
    #[default(3)]
    #[check("size BETWEEN 1 AND 9")]
    pub size: i64,
    #[default(0)]
    pub loud: Flag,
}

/// A private row, which no device may see.
#[table(name = "secrets", policy = private("a test"))]
pub struct Secret {
    #[pk]
    pub id: String,
    pub value: String,
}

pub fn tables() -> Vec<&'static Table> {
    let own = [Card::TABLE, Label::TABLE, Board::TABLE, Secret::TABLE];
    own.into_iter().chain(TABLES.iter().copied()).collect()
}

/// These tables in a schema with Fastest's owner, so that its migrations count as ours.
pub fn schema() -> Schema {
    Schema { owner: "fastest", tables: tables().leak(), migrations: &[] }
}

pub struct Primary(pub Connection);

impl Primary {
    /// Returns a primary with a user `u`, a project `P` with snapshot `s0`, and its workspace `w1`.
    pub fn new() -> Primary {
        let primary = Primary::empty();
        primary.run("INSERT INTO users(id, email) VALUES ('u', 'u@example.org')");
        primary.run("INSERT INTO projects(id, owner_user_id, name) VALUES ('P', 'u', 'one')");
        primary
            .run("INSERT INTO snapshots(id, project_id, manifest_hash) VALUES ('s0', 'P', 'aa')");
        primary.run("INSERT INTO workspaces(id, project_id, name) VALUES ('w1', 'P', 'main')");
        primary
    }

    pub fn empty() -> Primary {
        let connection = Connection::open_in_memory().unwrap();
        connection.pragma_update(None, "foreign_keys", true).unwrap();
        let primary = Primary(connection);
        primary.run(D1_MIGRATIONS_DDL);
        for statement in statements(&init_sql(&tables())) {
            primary.run(statement);
        }
        primary.run("INSERT INTO d1_migrations(name) VALUES ('0000_init.sql')");
        primary
    }

    pub fn recursive(self) -> Primary {
        self.0.pragma_update(None, "recursive_triggers", true).unwrap();
        self
    }

    pub fn run(&self, sql: &str) {
        self.0.execute(sql, []).unwrap_or_else(|error| panic!("{error}: {sql}"));
    }

    /// The rows of a query, as JSON arrays.
    pub fn query(&self, sql: &str) -> Value {
        let mut statement = self.0.prepare(sql).unwrap();
        let width = statement.column_count();
        let rows = statement.query_map([], |row| (0..width).map(|at| cell(row, at)).collect());
        Value::Array(rows.unwrap().map(Result::unwrap).collect())
    }

    /// Pushes as device `d` and expects success.
    pub fn push(&self, id: &str, payload: Value) {
        self.try_push(id, "d", payload).unwrap_or_else(|error| panic!("{id}: {error}"));
    }

    pub fn try_push(&self, id: &str, device: &str, payload: Value) -> Result<(), String> {
        self.answered_push(id, device, payload).map(drop)
    }

    /// The ids that a push returns.
    pub fn answered_push(
        &self,
        id: &str,
        device: &str,
        payload: Value,
    ) -> Result<Vec<String>, String> {
        let sql = if payload["v"] == 2 { PUSH_SQL } else { PUSH_1_SQL };
        let mut statement = self.0.prepare(sql).unwrap();
        let answer =
            statement.query_map(params![id, device, payload.to_string()], |row| row.get(0));
        answer.unwrap().collect::<Result<_, _>>().map_err(|error| error.to_string())
    }

    /// Pushes as device `d`, and expects this refusal and no trace of the push.
    pub fn refuses(&self, payload: Value, refusal: Refusal) {
        let before = self.everything();
        let error = self.try_push("refused", "d", payload).unwrap_err();
        assert_eq!(Refusal::find_in(&error), Some(refusal), "{error}");
        assert_eq!(self.everything(), before);
    }

    /// Every row of every table.
    pub fn everything(&self) -> Value {
        let engine = ["fastest_changes", "fastest_pushes", "fastest_meta"];
        let names = tables().into_iter().map(|table| table.name).chain(engine);
        names.map(|name| self.query(&format!("SELECT * FROM `{name}`"))).collect()
    }

    pub fn pull(&self, scope: &str, cursor: i64) -> Page {
        self.pull_page(scope, cursor, 1000, 1_000_000, "")
    }

    /// Whether the header reports that the primary has a change.
    pub fn knows(&self, scope: &str, seen: Value) -> bool {
        let mut statement = self.0.prepare(&pull_sql(&schema())).unwrap();
        let parameters = [scope, "0", "0", "0", "", &seen.to_string(), "", "echo"];
        let header: String = statement.query_row(parameters, |row| row.get(5)).unwrap();
        let header: Value = serde_json::from_str(&header).unwrap();
        assert_eq!(header["request"], "echo");
        header["seen_known"] == 1
    }

    /// Returns the last push, and whether the primary knows a push that was the last one.
    pub fn mark(&self, seen: &str) -> (Value, bool) {
        let mut statement = self.0.prepare(&pull_sql(&schema())).unwrap();
        let parameters = ["P", "0", "0", "0", "", "", seen, "echo"];
        let header: String = statement.query_row(parameters, |row| row.get(5)).unwrap();
        let header: Value = serde_json::from_str(&header).unwrap();
        (header["mark"].clone(), header["mark_known"] == 1)
    }

    pub fn pull_page(&self, scope: &str, cursor: i64, rows: i64, bytes: i64, push: &str) -> Page {
        decode_page(&tables(), cursor, self.answer(scope, cursor, rows, bytes, push)).unwrap()
    }

    pub fn answer(
        &self,
        scope: &str,
        cursor: i64,
        rows: i64,
        bytes: i64,
        push: &str,
    ) -> Vec<Vec<Option<String>>> {
        let mut statement = self.0.prepare(&pull_sql(&schema())).unwrap();
        let parameters = [
            scope,
            &cursor.to_string(),
            &rows.to_string(),
            &bytes.to_string(),
            push,
            "",
            "",
            "echo",
        ];
        let answer = statement.query_map(parameters, |row| (0..6).map(|at| row.get(at)).collect());
        answer.unwrap().map(Result::unwrap).collect()
    }

    /// `[pk, scope, version, seq, deleted]` of every entry of a table, by sequence number.
    pub fn changes(&self, table: &str) -> Value {
        self.query(&format!(
            "SELECT pk, scope, version, seq, deleted FROM fastest_changes
             WHERE tbl = '{table}' ORDER BY scope, seq"
        ))
    }

    /// The lock version of a workspace, which must be the same in its row and in its entry.
    pub fn version(&self, workspace: &str) -> i64 {
        let both = self.query(&format!(
            "SELECT w.version, c.version FROM workspaces w
             JOIN fastest_changes c ON c.tbl = 'workspaces' AND c.pk = w.id WHERE w.id = '{workspace}'"
        ));
        assert_eq!(both[0][0], both[0][1]);
        both[0][0].as_i64().unwrap()
    }
}

fn cell(row: &rusqlite::Row<'_>, at: usize) -> rusqlite::Result<Value> {
    use rusqlite::types::ValueRef;
    Ok(match row.get_ref(at)? {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(integer) => json!(integer),
        ValueRef::Real(real) => json!(real),
        ValueRef::Text(text) => json!(String::from_utf8_lossy(text)),
        ValueRef::Blob(_) => panic!("no blobs here"),
    })
}
