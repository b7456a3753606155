//! Cloudflare D1, over its HTTP API.
//!
//! A statement is one request to `/raw`. The API takes parameters as strings, and answers with
//! numbers, strings and nulls. [`answer`](self) interprets answers, without I/O. `wrangler dev`
//! serves the same API for the databases on its machine, but with other error messages.

mod answer;
mod http;
mod lookup;

use std::sync::OnceLock;

use async_trait::async_trait;
use http::Api;
use serde::Serialize;

use crate::base::world::World;
use crate::remote::address::D1Address;
use crate::remote::cause::Cause;
use crate::remote::meter::Meter;
use crate::remote::primary::{Primary, PrimaryError, Rows};
use crate::remote::secret::Secret;
use crate::remote::statement::Statement;

pub use lookup::resolve;

/// A database of Cloudflare D1 as a primary.
pub struct D1 {
    api: Api,
    /// Its id or its name, as the address has it.
    database: String,
    id: OnceLock<String>,
}

/// Interprets an answer of Cloudflare's API to a statement, or of one of the same shape: for
/// fuzzing. `retry_after` is the text of that header.
pub fn interpret(
    is_cloudflare: bool,
    status: u16,
    retry_after: Option<&str>,
    body: &[u8],
) -> Result<Rows, PrimaryError> {
    let place = answer::Place { url: "d1://account/database".to_owned(), is_cloudflare };
    let at = jiff::Timestamp::UNIX_EPOCH;
    let retry_after = retry_after.and_then(|text| answer::retry_after(text, at));
    let ray = Some("ray".to_owned());
    let answer = answer::Answer { at, status, retry_after, ray, body: body.to_owned() };
    answer::rows(&place, &answer)
}

#[derive(Serialize)]
struct Request<'a> {
    sql: &'a str,
    /// Omitted if there are none, because the API does not accept an empty list.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    params: &'a [&'a str],
}

impl D1 {
    /// Creates a primary for the database at `address`. The address should have the id ([`resolve`]
    /// finds it), because a name costs a look-up before the first statement. Cloudflare requires a
    /// token; for another API it is optional.
    pub fn new(
        address: D1Address,
        token: Option<Secret>,
        world: World,
        meter: Meter,
    ) -> Result<Self, PrimaryError> {
        let api = Api::new(&address, token, world, meter)?;
        Ok(Self { api, database: address.database, id: OnceLock::new() })
    }

    async fn raw(&self, sql: &str, params: &[&str]) -> Result<Rows, PrimaryError> {
        let request = serde_json::to_vec(&Request { sql, params });
        let body = request.expect("texts can be written as JSON");
        let path = format!("/d1/database/{}/raw", self.id().await?);
        let answer = self.api.post(&path, body).await?;
        answer::rows(&self.api.place, &answer)
    }

    async fn id(&self) -> Result<&str, PrimaryError> {
        if let Some(id) = self.id.get() {
            return Ok(id);
        }
        let id = lookup::id(&self.api, &self.database).await?;
        Ok(self.id.get_or_init(|| id))
    }

    async fn is_applied(&self, migration: &str) -> Result<bool, PrimaryError> {
        let sql = "SELECT name FROM d1_migrations WHERE name = ?1";
        // The name itself is compared, because any other row answers another request.
        Ok(self.raw(sql, &[migration]).await? == [[Some(migration.to_owned())]])
    }

    /// Adds advice to the error of a migration that the API cannot run.
    fn explain(&self, error: PrimaryError) -> PrimaryError {
        match error {
            PrimaryError::Failed { url, message, cause: cause @ Cause::IncompleteInput } => {
                let message = format!(
                    "{message}: its API cuts triggers at their semicolons. Copy the .sql files (Fastest's \
                     own are in schema/migrations) into the `migrations` folder of a wrangler project with this \
                     database, and run `npx wrangler d1 migrations apply DATABASE --remote` there"
                );
                PrimaryError::Failed { url, message, cause }
            }
            error => error,
        }
    }
}

#[async_trait]
impl Primary for D1 {
    fn url(&self) -> &str {
        &self.api.place.url
    }

    fn world(&self) -> &World {
        &self.api.world
    }

    async fn run(
        &self,
        statement: Statement<'_>,
        parameters: &[&str],
    ) -> Result<Rows, PrimaryError> {
        self.raw(statement.sql, parameters).await
    }

    async fn migrate(&self, name: &str, statements: &[&str]) -> Result<(), PrimaryError> {
        if self.is_applied(name).await? {
            return Ok(());
        }
        // The API applies the statements of one request as a whole or not at all. With several
        // statements, it accepts no parameters.
        let mut sql = String::new();
        for statement in statements {
            sql += statement.trim_end_matches([';', '\n', ' ']);
            sql += ";\n";
        }
        sql += &format!("INSERT INTO d1_migrations(name) VALUES ('{}')", name.replace('\'', "''"));
        let done = self.raw(&sql, &[]).await;
        // Another device may have been first, or the answer was lost, or it answers another
        // request.
        match (self.is_applied(name).await, done) {
            (Ok(true), _) => Ok(()),
            (_, Err(error)) => Err(self.explain(error)),
            (_, Ok(_)) => Err(PrimaryError::stray_answer(self)),
        }
    }
}
