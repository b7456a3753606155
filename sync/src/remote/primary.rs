//! Primaries: the one database that orders writes.
//!
//! A primary runs one SQL statement at a time, atomically, with text parameters and text answers. That
//! is all that D1's HTTP API, Hrana and a file have in common, and all that the wire protocol needs
//! (`docs/protocol.md`). Everything else is built on [`Primary::run`], with the same SQL for every
//! primary.

use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use fastest_schema::Refusal;

use crate::base::world::World;
use crate::remote::cause::{Cause, ConstraintKind};
use crate::remote::sanitize::sanitize;
use crate::remote::statement::Statement;

/// The answer to a statement: rows of cells in column order, each text or null.
pub type Rows = Vec<Vec<Option<String>>>;

/// The one database that orders writes.
#[async_trait]
pub trait Primary: Send + Sync {
    /// Returns the primary's address without secrets, for messages.
    fn url(&self) -> &str;

    /// Returns the world in which the primary was opened. Requests take from it the random ids that
    /// tell their answers apart.
    fn world(&self) -> &World;

    /// Runs one statement, as a whole or not at all. `parameters` bind to `?1`, `?2`, …
    ///
    /// After [`PrimaryError::Unreachable`], the outcome may be unknown ([`Failure`]): the statement
    /// may have been applied. Some primaries send a statement again if its
    /// [`Effect`](super::statement::Effect) allows that. With any other primary, the caller has to
    /// find out first.
    async fn run(
        &self,
        statement: Statement<'_>,
        parameters: &[&str],
    ) -> Result<Rows, PrimaryError>;

    /// Makes a text that came from the primary fit for a message. An implementation that sends
    /// secrets to the primary removes them here.
    fn sanitize(&self, text: &str) -> String {
        sanitize(text)
    }

    /// Applies a migration, as a whole or not at all, and records its name in `d1_migrations`. Does
    /// nothing if the name is recorded already, for example because another device was faster.
    async fn migrate(&self, name: &str, statements: &[&str]) -> Result<(), PrimaryError>;
}

/// An error of a primary.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PrimaryError {
    /// It could not be reached, or its answer was lost.
    #[error("the primary {url} is out of reach: {reason}")]
    Unreachable {
        /// Its address.
        url: String,
        /// The reason, in the words of the system or of the server.
        reason: String,
        /// In what way, which decides whether to try again.
        failure: Failure,
    },
    /// It refuses access, or does not allow what was asked.
    #[error("the primary {url} {}: {message}", denial.words())]
    Denied {
        /// Where it is.
        url: String,
        /// What is wrong with the token.
        denial: Denial,
        /// The primary's message, or one of Fastest's.
        message: String,
    },
    /// The server has no such database.
    #[error("there is no database at {url}: {message}")]
    NoDatabase {
        /// The address.
        url: String,
        /// Its own message.
        message: String,
    },
    /// It refused a push by a rule of the protocol. Nothing was changed.
    #[error("the primary {url} refused the push: {}{}", refusal.name(), because(*refusal))]
    Refused {
        /// Where it is.
        url: String,
        /// The rule.
        refusal: Refusal,
    },
    /// The engine's tables are missing: it has not been set up.
    #[error("the primary {url} has no Fastest tables yet")]
    NotMigrated {
        /// Where it is.
        url: String,
    },
    /// A newer version has migrated it.
    #[error("the primary {url} has migration {found}, which this version does not know")]
    Newer {
        /// Where it is.
        url: String,
        /// Its last migration.
        found: String,
    },
    /// It cannot be used, for example because another application has set it up.
    #[error("the primary {url} cannot be used: {what}")]
    Occupied {
        /// Where it is.
        url: String,
        /// What was found there, and what to do about it.
        what: String,
    },
    /// It lacks migrations that the statement needs.
    #[error("the primary {url} lacks migration {needed}: apply it, and try again")]
    Behind {
        /// Where it is.
        url: String,
        /// The last migration that it lacks.
        needed: &'static str,
    },
    /// The statement failed. Nothing was changed.
    #[error("the primary {url} failed: {message}")]
    Failed {
        /// Where it is.
        url: String,
        /// Its own message.
        message: String,
        /// What it means.
        cause: Cause,
    },
    /// Its answer breaks the protocol, or contradicts itself.
    #[error("the primary {url} answered what no primary should: {what}")]
    Inconsistent {
        /// Where it is.
        url: String,
        /// The rule that the answer breaks, or the contradiction.
        what: String,
    },
    /// The address is not valid.
    #[error("{url:?} is no address of a primary: {reason}")]
    BadUrl {
        /// The address as given, without parts that may be secret.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The folder that should hold the database does not exist.
    #[error("the folder {} is not there", path.display())]
    NoFolder {
        /// The folder.
        path: PathBuf,
    },
}

/// Returns an explanation of a refusal for the developers of applications; empty if its name is
/// enough.
fn because(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::Swallowed => {
            " (a trigger or an ON CONFLICT clause on the primary took a write away without an error)"
        }
        _ => "",
    }
}

/// In what way a primary was unreachable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure {
    /// There was no connection, so the statement never reached it.
    NoConnection,
    /// The connection broke, or the answer was late, cut short or not an answer to what was asked. The
    /// statement may have been applied.
    Lost,
    /// It failed temporarily, by its own words or by a 5xx status. The statement may have been applied.
    Transient,
    /// It is overloaded, or a limit is reached. It did not run the statement.
    Busy {
        /// How long it asks to wait, if it gives a time.
        retry_after: Option<Duration>,
    },
}

/// What is wrong with the token of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Denial {
    /// There is no token.
    NoToken,
    /// The token is not valid, or has expired.
    BadToken,
    /// The token is valid, but does not allow this.
    Forbidden,
}

impl Denial {
    fn words(self) -> &'static str {
        match self {
            Self::NoToken => "wants a token",
            Self::BadToken => "does not know this token",
            Self::Forbidden => "does not allow this with this token",
        }
    }
}

/// The most times that a request is sent while its answers belong to other requests, which is taken
/// for a fault of the network.
pub(crate) const STRAY_ANSWERS_MAX: u32 = 4;

/// Runs a query whose answer is one row: the parameter again, and a list as JSON. Returns the list.
pub(crate) async fn ask_list(
    primary: &dyn Primary,
    sql: &str,
    parameter: &str,
) -> Result<Vec<String>, PrimaryError> {
    for _ in 0..STRAY_ANSWERS_MAX {
        let answer = primary.run(Statement::reads(sql), &[parameter]).await?;
        if let [row] = &answer[..]
            && let [Some(asked), Some(list)] = &row[..]
            && asked == parameter
            && let Ok(list) = serde_json::from_str(list)
        {
            return Ok(list);
        }
    }
    Err(PrimaryError::stray_answer(primary))
}

/// Returns the cell in the column `target` of the row of `table` whose column `by` equals `key`;
/// `None` if it is null or there is no such row.
pub(crate) async fn ask_cell(
    primary: &dyn Primary,
    (table, by, target): (&str, &str, &str),
    key: &str,
) -> Result<Option<String>, PrimaryError> {
    let cell = format!("SELECT `{target}` FROM `{table}` WHERE `{by}` = ?1");
    ask_cell_by(primary, &cell, &[key]).await
}

/// Returns the cell that `cell`, a SELECT of one column, selects. The first parameter tells its
/// answer from answers to other requests.
pub(crate) async fn ask_cell_by(
    primary: &dyn Primary,
    cell: &str,
    parameters: &[&str],
) -> Result<Option<String>, PrimaryError> {
    let sql = format!("SELECT ?1, ({cell})");
    for _ in 0..STRAY_ANSWERS_MAX {
        let mut answer = primary.run(Statement::reads(&sql), parameters).await?;
        if let [row] = &mut answer[..]
            && let [Some(asked), found] = &mut row[..]
            && Some(&asked.as_str()) == parameters.first()
        {
            return Ok(found.take());
        }
    }
    Err(PrimaryError::stray_answer(primary))
}

/// Runs a query with a new id as its only parameter, and decodes the answer. `decode` gets this id
/// and an answer, and returns `None` for an answer to another request.
pub(crate) async fn ask_decoded<T, E: std::fmt::Display>(
    primary: &dyn Primary,
    sql: &str,
    decode: impl Fn(&str, &Rows) -> Result<Option<T>, E>,
) -> Result<T, PrimaryError> {
    for _ in 0..STRAY_ANSWERS_MAX {
        let request = primary.world().new_id();
        match decode(&request, &primary.run(Statement::reads(sql), &[&request]).await?) {
            Ok(Some(answer)) => return Ok(answer),
            Ok(None) => {}
            Err(error) => return Err(PrimaryError::inconsistent(primary, &error.to_string())),
        }
    }
    Err(PrimaryError::stray_answer(primary))
}

impl PrimaryError {
    /// Whether the work stays queued and a retry may succeed without a repair.
    pub fn is_unreachable(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::NoFolder { .. })
    }

    /// Returns the error for a request that only got answers to other requests.
    pub(crate) fn stray_answer(primary: &dyn Primary) -> Self {
        Self::Unreachable {
            url: primary.url().to_owned(),
            reason: "what comes is the answer to something else".to_owned(),
            failure: Failure::Lost,
        }
    }

    /// Returns the error for an answer that no correct primary gives. `what` may quote the answer.
    pub(crate) fn inconsistent(primary: &dyn Primary, what: &str) -> Self {
        Self::Inconsistent { url: primary.url().to_owned(), what: primary.sanitize(what) }
    }

    /// Interprets the messages of SQLite that mean the same on any primary: a refusal, and that the
    /// engine's tables are missing. Returns `None` for any other.
    pub(crate) fn from_sqlite(url: &str, message: &str) -> Option<Self> {
        let url = url.to_owned();
        if let Some(refusal) = Refusal::find_in(message) {
            return Some(Self::Refused { url, refusal });
        }
        let ours = ["no such table: fastest_", "no such table: d1_"];
        let missing = ours.iter().any(|words| message.contains(words));
        missing.then_some(Self::NotMigrated { url })
    }

    /// Whether a push was refused because of the rows that it would write, so that a retry would be
    /// refused too.
    pub(crate) fn is_of_rows(&self) -> bool {
        match self {
            Self::Refused { refusal, .. } => *refusal == Refusal::Swallowed,
            _ => self.cause().is_some_and(Cause::is_of_rows),
        }
    }

    /// Whether a push was refused because of a foreign key. Either others have deleted rows to
    /// which ours refer, or have added references to rows that we delete; or the primary has lost
    /// rows.
    pub(crate) fn lacks_rows(&self) -> bool {
        self.cause().and_then(Cause::constraint) == Some(ConstraintKind::ForeignKey)
    }

    /// Returns why the statement failed, if the primary ran it.
    pub fn cause(&self) -> Option<&Cause> {
        match self {
            Self::Failed { cause, .. } => Some(cause),
            _ => None,
        }
    }

    /// Returns the rule by which a push was refused.
    pub fn refusal(&self) -> Option<Refusal> {
        match self {
            Self::Refused { refusal, .. } => Some(*refusal),
            _ => None,
        }
    }
}

/// Asks a primary for its time: RFC 3339, UTC, unchecked. Empty if the answer has no rows.
pub(crate) async fn ask_time(primary: &dyn Primary) -> Result<String, PrimaryError> {
    let sql = "SELECT strftime('%Y-%m-%dT%H:%M:%fZ', 'now')";
    let rows = primary.run(Statement::reads(sql), &[]).await?;
    Ok(rows.into_iter().flatten().flatten().next().unwrap_or_default())
}
