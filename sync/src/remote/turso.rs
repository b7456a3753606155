//! Turso, and any libSQL server: Hrana over HTTP, with the crate `libsql`.
//!
//! This module uses only calls of the crate that make one request, close their stream with it, and
//! read the whole answer: `execute` for statements that return no rows, `execute_batch` for those
//! that do, and `execute_transactional_batch` for migrations. (`query` makes two requests, leaves a
//! stream open that expires after 10 s and then fails for ever, and mistakes an answer that was cut
//! off for a whole one.) `execute_batch` takes no parameters, so they are written into the
//! statement (`literal`).
//!
//! The crate has neither timeouts nor limits, and panics on some answers. `connector` and
//! `LibsqlPrimary::ask` make up for that.

mod connector;
mod literal;
mod meaning;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use connector::Connector;
use libsql::{BatchRows, Connection, Value};
use meaning::Place;
use url::Url;

use crate::base::world::World;
use crate::remote::meter::Meter;
use crate::remote::primary::{Failure, Primary, PrimaryError, Rows};
use crate::remote::secret::Secret;
use crate::remote::statement::Statement;

/// Turso ends a statement sooner than this, which leaves time for the network.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);

/// Sent after each statement that returns rows. `execute_batch` returns rows, although it tells the
/// server that it may omit them. sqld never omits them. Without this query, a server that did would
/// seem to be empty.
const WITNESS: &str = "SELECT 1";

/// A database of Turso's, or of the user's own libSQL server, as a primary.
pub struct LibsqlPrimary {
    place: Place,
    token: Option<Secret>,
    world: World,
    meter: Meter,
    connector: Connector,
    /// The open connection, which is kept until a request fails.
    connection: Mutex<Option<Connection>>,
}

/// Interprets the text of an error of Hrana: for fuzzing.
pub fn interpret(text: &str, has_token: bool) -> PrimaryError {
    let place = Place { url: "libsql://host".to_owned(), has_token, why_no_token: None };
    place.error(&libsql::Error::Hrana(text.into()))
}

/// Writes parameters into a statement: for fuzzing.
pub fn bind(sql: &str, parameters: &[&str]) -> Result<String, &'static str> {
    literal::bind(sql, parameters)
}

impl LibsqlPrimary {
    /// Creates a primary for the database at an `http` or `https` URL.
    pub fn new(
        url: Url,
        token: Option<Secret>,
        world: World,
        meter: Meter,
    ) -> Result<Self, PrimaryError> {
        let text = url.as_str().trim_end_matches('/').to_owned();
        let place = Place { url: text, has_token: token.is_some(), why_no_token: None };
        let connector = Connector::new(&url, world.clone(), meter.clone())
            .map_err(|reason| place.unreachable(Failure::NoConnection, reason))?;
        Ok(Self { place, token, world, meter, connector, connection: Mutex::default() })
    }

    /// Sets the reason why there is no token, for the error if the server requires one.
    pub fn with_token_error(mut self, reason: Option<String>) -> Self {
        self.place.why_no_token = reason;
        self
    }

    /// Locks the slot of the open connection. Ignores a poisoned lock, because the slot is only
    /// ever replaced as a whole.
    fn held(&self) -> MutexGuard<'_, Option<Connection>> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self) -> Option<Connection> {
        self.held().clone()
    }

    async fn connection(&self) -> libsql::Result<Connection> {
        if let Some(connection) = self.open() {
            return Ok(connection);
        }
        let token = self.token.as_ref().map(Secret::expose).unwrap_or_default().to_owned();
        let builder = libsql::Builder::new_remote(self.place.url.clone(), token);
        let database = builder.connector(self.connector.clone()).build().await?;
        let connection = database.connect()?;
        *self.held() = Some(connection.clone());
        Ok(connection)
    }

    /// Runs `work` with a time limit, in a task of its own, so that a panic of the crate ends
    /// nothing else.
    async fn ask<T: Send + 'static, W: Future<Output = libsql::Result<T>> + Send + 'static>(
        &self,
        work: impl FnOnce(Connection) -> W,
    ) -> Result<T, PrimaryError> {
        let connection = self.connection().await.map_err(|error| self.place.error(&error))?;
        let (world, work) = (self.world.clone(), work(connection));
        let work = async move { world.timeout(REQUEST_TIMEOUT, work).await };
        let lost = |reason: &str| self.place.unreachable(Failure::Lost, reason.to_owned());
        let error = match tokio::spawn(work).await {
            Ok(Some(Ok(done))) => return Ok(done),
            Ok(Some(Err(error))) => self.place.error(&error),
            Ok(None) => lost("it takes too long"),
            Err(_) => lost("its answer cannot be read"),
        };
        // The stream of a failed request may fail for ever, so the next request opens a connection.
        self.held().take();
        Err(error)
    }

    async fn read(&self, sql: String) -> Result<Rows, PrimaryError> {
        let sql = format!("{sql}\n;{WITNESS}");
        let work = |connection: Connection| async move {
            rows(connection.execute_batch(&sql).await?).await
        };
        let rows = self.ask(work).await?;
        rows.map_err(|reason| self.place.unreachable(Failure::Lost, reason.to_owned()))
    }

    async fn is_applied(&self, migration: &str) -> Result<bool, PrimaryError> {
        let sql = "SELECT name FROM d1_migrations WHERE name = ?1";
        // The name itself is compared, because any other row answers another request.
        Ok(self.run(Statement::reads(sql), &[migration]).await? == [[Some(migration.to_owned())]])
    }
}

/// Returns the rows of the statement before [`WITNESS`], or what is wrong with them.
async fn rows(mut batch: BatchRows) -> libsql::Result<Result<Rows, &'static str>> {
    let results = (batch.next_stmt_row(), batch.next_stmt_row());
    let (Some(Some(mut found)), Some(Some(mut witness))) = results else {
        return Ok(Err("its answer has no result"));
    };
    if witness.next().await?.is_none() {
        return Ok(Err("it leaves the rows out of its answers"));
    }
    let mut rows = Rows::new();
    while let Some(row) = found.next().await? {
        let mut cells = Vec::new();
        for at in 0..row.column_count() {
            // A row may be shorter than it claims, and `get_value` would panic.
            if row.column_type(at).is_err() {
                return Ok(Err("its answer has a row that is too short"));
            }
            cells.push(text(row.get_value(at)?));
        }
        rows.push(cells);
    }
    Ok(Ok(rows))
}

/// Converts a cell to text. Our statements select nothing but text, integers and null.
fn text(value: Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::Integer(number) => Some(number.to_string()),
        Value::Real(number) => Some(number.to_string()),
        Value::Text(text) => Some(text),
        Value::Blob(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
    }
}

#[async_trait]
impl Primary for LibsqlPrimary {
    fn url(&self) -> &str {
        &self.place.url
    }

    fn world(&self) -> &World {
        &self.world
    }

    async fn run(
        &self,
        statement: Statement<'_>,
        parameters: &[&str],
    ) -> Result<Rows, PrimaryError> {
        let Statement { sql, effect } = statement;
        let bytes = sql.len() + parameters.iter().map(|text| text.len()).sum::<usize>();
        self.meter.request(bytes as u64);
        if effect.returns_rows() {
            let bound = literal::bind(sql, parameters);
            return self.read(bound.map_err(|reason| self.place.failed(reason))?).await;
        }
        let sql = sql.to_owned();
        let values: Vec<Value> = parameters.iter().map(|text| Value::from(*text)).collect();
        let work = |connection: Connection| async move { connection.execute(&sql, values).await };
        self.ask(work).await.map(|_| Rows::new())
    }

    async fn migrate(&self, name: &str, statements: &[&str]) -> Result<(), PrimaryError> {
        if self.is_applied(name).await? {
            return Ok(());
        }
        let record = format!("INSERT INTO d1_migrations(name) VALUES ({})", literal::literal(name));
        let mut sql = String::new();
        for statement in statements.iter().copied().chain([record.as_str()]) {
            sql += statement.trim_end_matches([';', '\n', ' ']);
            sql += ";\n";
        }
        self.meter.request(sql.len() as u64);
        let work = |connection: Connection| async move {
            connection.execute_transactional_batch(&sql).await.map(drop)
        };
        let done = self.ask(work).await;
        // Another device may have been first, or the answer was lost, or it answers another
        // request.
        match (self.is_applied(name).await, done) {
            (Ok(true), _) => Ok(()),
            (_, Err(error)) => Err(error),
            (_, Ok(())) => Err(PrimaryError::stray_answer(self)),
        }
    }
}
