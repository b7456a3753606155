//! A primary in memory, with tables of an application beside those of Fastest.

use std::fmt::Write;

use fastest_schema::{
    D1_MIGRATIONS_DDL, Page, PageError, Policy, Row, Schema, TABLES, Table, decode_hex_page,
    decode_page, init_sql, is_lossy, pull_hex_sql, pull_sql, statements, table,
};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, ToSql};

/// A board, which moves between projects.
#[table(name = "boards", policy = versioned("a target"), scope = project_id)]
pub struct Board {
    /// Its key.
    #[pk]
    pub id: String,
    /// Its scope.
    pub project_id: Option<String>,
    /// A text with a default.
    #[default("untitled")]
    pub title: Option<String>,
}

/// A card, whose scope follows its board. Its names are SQL keywords.
#[table(
    name = "order",
    policy = versioned("a target"),
    scope = board_id -> boards.project_id,
    unique(board_id, group),
)]
pub struct Card {
    /// Its key.
    #[pk]
    pub id: String,
    /// The board, with which it is deleted.
    #[references(boards.id, on_delete = cascade)]
    pub board_id: String,
    /// Unique on a board.
    pub group: String,
    /// An integer.
    #[default(-1)]
    pub rank: i64,
    /// A real.
    #[default(0.5)]
    pub weight: f64,
}

/// A private row, which no device may write.
#[table(name = "secrets", policy = private("a target"))]
pub struct Secret {
    /// Its key.
    #[pk]
    pub id: String,
    /// Any text.
    pub value: String,
}

/// The rows of an answer.
pub type Answer = Vec<Vec<Option<String>>>;

/// Returns the tables.
pub fn tables() -> Vec<&'static Table> {
    let own = [Card::TABLE, Board::TABLE, Secret::TABLE];
    own.into_iter().chain(TABLES.iter().copied()).collect()
}

/// A primary with a user, a project `P` with a snapshot, a workspace, a board and a card.
pub struct Primary {
    /// Its database.
    pub connection: Connection,
    tables: Vec<&'static Table>,
    pulls: [String; 2],
    broken: String,
    everything: String,
}

impl Primary {
    /// Sets one up with the migrations of the schema.
    pub fn new() -> Self {
        let (connection, tables) = (Connection::open_in_memory().expect("memory"), tables());
        connection.pragma_update(None, "foreign_keys", true).expect("a setting");
        connection.set_prepared_statement_cache_capacity(100);
        let migration = init_sql(&tables);
        let rows = [
            "INSERT INTO d1_migrations(name) VALUES ('0000_init.sql')",
            "INSERT INTO users(id, email) VALUES ('u', 'u@example.org')",
            "INSERT INTO projects(id, owner_user_id, name) VALUES ('P', 'u', 'one')",
            "INSERT INTO projects(id, owner_user_id, name) VALUES ('Q', 'u', 'two')",
            "INSERT INTO snapshots(id, project_id, manifest_hash) VALUES ('s0', 'P', 'aa')",
            "INSERT INTO workspaces(id, project_id, name) VALUES ('w1', 'P', 'main')",
            "INSERT INTO boards(id, project_id) VALUES ('b1', 'P')",
            "INSERT INTO \"order\"(id, board_id, \"group\") VALUES ('c1', 'b1', 'g')",
        ];
        for sql in [D1_MIGRATIONS_DDL].into_iter().chain(statements(&migration)).chain(rows) {
            connection.execute(sql, []).unwrap_or_else(|error| panic!("{error}: {sql}"));
        }
        let schema = Schema { owner: "fastest", tables: tables.clone().leak(), migrations: &[] };
        let pulls = [pull_sql(&schema), pull_hex_sql(&schema, None)];
        let (broken, everything) = (broken_sql(&tables), everything_sql(&tables));
        Self { connection, tables, pulls, broken, everything }
    }

    /// Runs a statement with these parameters.
    pub fn run(&self, sql: &str, parameters: &[&dyn ToSql]) -> rusqlite::Result<Answer> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let columns = statement.column_count();
        let mut found = statement.query(parameters)?;
        let mut rows = Answer::new();
        while let Some(row) = found.next()? {
            let cells = (0..columns).map(|at| row.get_ref(at).map(text));
            rows.push(cells.collect::<Result<_, _>>()?);
        }
        Ok(rows)
    }

    /// Returns every row of every table, in one text.
    pub fn everything(&self) -> Answer {
        self.run(&self.everything, &[]).expect("all rows can be read")
    }

    /// Checks `fastest_changes` against the tables.
    pub fn check(&self) {
        let broken = self.run(&self.broken, &[]).expect("a query of ours");
        assert!(broken.is_empty(), "fastest_changes is broken: {broken:?}");
    }

    /// Returns what a device that has nothing pulls.
    ///
    /// # Errors
    /// If it cannot decode the answer.
    pub fn pull(&self, scope: &str) -> Result<Page, PageError> {
        let numbers = ["0", "10000", "10000000", "", "", "", "echo"];
        let parameters: Vec<&dyn ToSql> =
            [&scope as &dyn ToSql].into_iter().chain(numbers.iter().map(|n| n as _)).collect();
        let pull = |sql: &str| self.run(sql, &parameters).expect("a pull of ours");
        let answer = pull(&self.pulls[0]);
        if is_lossy(&answer) {
            decode_hex_page(&self.tables, 0, pull(&self.pulls[1]))
        } else {
            decode_page(&self.tables, 0, answer)
        }
    }
}

fn text(cell: ValueRef<'_>) -> Option<String> {
    match cell {
        ValueRef::Null => None,
        ValueRef::Integer(number) => Some(number.to_string()),
        ValueRef::Real(number) => Some(number.to_string()),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
            Some(String::from_utf8_lossy(bytes).into_owned())
        }
    }
}

/// Returns a query for entries of `fastest_changes` that contradict the tables or themselves.
fn broken_sql(tables: &[&'static Table]) -> String {
    let mut sql = "SELECT 'entry', tbl, pk, version FROM fastest_changes
        WHERE typeof(tbl) <> 'text' OR typeof(pk) <> 'text' OR typeof(scope) <> 'text'
        OR typeof(version) <> 'integer' OR version < 1 OR typeof(seq) <> 'integer' OR seq < 1
        OR deleted NOT IN (0, 1, 2) OR version > 1000000 OR seq > 1000000"
        .to_owned();
    for table in tables.iter().filter(|table| table.policy != Policy::Private) {
        let (name, pk) = (table.name, table.pk);
        let version = table.lock_version().map_or("version".to_owned(), |column| {
            format!("(SELECT \"{}\" FROM \"{name}\" WHERE \"{pk}\" = c.pk)", column.name)
        });
        write!(
            sql,
            " UNION ALL SELECT 'row', '{name}', \"{pk}\", NULL FROM \"{name}\" AS r WHERE NOT EXISTS (
                SELECT 1 FROM fastest_changes WHERE tbl = '{name}' AND pk = r.\"{pk}\" AND deleted = 0)
              UNION ALL SELECT 'no row', tbl, pk, version FROM fastest_changes AS c
              WHERE tbl = '{name}' AND deleted = 0
              AND (NOT EXISTS (SELECT 1 FROM \"{name}\" WHERE \"{pk}\" = c.pk)
                OR version IS NOT {version})"
        )
        .expect("a text grows");
    }
    sql
}

fn everything_sql(tables: &[&'static Table]) -> String {
    let engine = ["fastest_changes", "fastest_pushes", "fastest_meta"];
    let columns =
        ["tbl, pk, scope, version, seq, deleted", "id, device, counter", "id, epoch, last_push"];
    let engine = engine.into_iter().zip(columns.map(str::to_owned));
    let own = tables.iter().map(|table| {
        let columns: Vec<String> =
            table.columns.iter().map(|column| format!("\"{}\"", column.name)).collect();
        (table.name, columns.join(", "))
    });
    let all: Vec<String> = own
        .chain(engine)
        .map(|(name, columns)| {
            let columns: Vec<String> =
                columns.split(", ").map(|column| format!("quote({column})")).collect();
            format!("SELECT '{name}', {} FROM \"{name}\"", columns.join("||','||"))
        })
        .collect();
    all.join(" UNION ALL ")
}

impl Primary {
    /// Returns the answers to a pull as text, in hex, and as text again.
    pub fn answers(&self, scope: &str) -> [Answer; 3] {
        let pull = |sql: &str| {
            self.run(sql, &[&scope, &"0", &"100", &"1000000", &"", &"", &"", &"echo"])
                .expect("a pull of ours")
        };
        let [text, hex] = [0, 1].map(|at: usize| pull(&self.pulls[at]));
        [text.clone(), hex, text]
    }
}
