//! Primaries: the one database that orders writes.
//!
//! A primary runs one SQL statement at a time, atomically, with text parameters and text answers:
//! that is all that D1's HTTP API, Hrana and a file have in common, and all that the wire protocol
//! needs (`docs/protocol.md`). Everything else is built on [`Primary::run`], with the same SQL
//! everywhere.

use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use fastest_schema::Refusal;

use crate::base::clock;
use crate::remote::sanitize::said;

/// The answer to a statement: rows of cells in column order, each text or null.
pub type Rows = Vec<Vec<Option<String>>>;

/// One database that orders writes.
#[async_trait]
pub trait Primary: Send + Sync {
    /// Where it is, without secrets: for messages.
    fn url(&self) -> &str;

    /// Runs one statement: all of it or nothing. `parameters` bind to `?1`, `?2`, …
    ///
    /// [`PrimaryError::Unreachable`] means that little is known of the outcome ([`Failure`]): the
    /// statement may have been applied. Whoever sends what may not be applied twice must ask first.
    async fn run(&self, sql: &str, parameters: &[&str]) -> Result<Rows, PrimaryError>;

    /// What it says, fit for a message. Whoever sends it secrets takes them out here.
    fn said(&self, text: &str) -> String {
        said(text)
    }

    /// Applies a migration, all of it or nothing, and records its name in `d1_migrations`; does
    /// nothing where it is recorded already, by another device a moment ago for instance.
    async fn migrate(&self, name: &str, statements: &[&str]) -> Result<(), PrimaryError>;
}

/// Why a primary did not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PrimaryError {
    /// It could not be reached, or its answer was lost.
    #[error("the primary {url} is out of reach: {reason}")]
    Unreachable {
        /// Where it should be.
        url: String,
        /// What the system says.
        reason: String,
        /// In what way: decides whether to try again.
        failure: Failure,
    },
    /// It does not let us in, or not do what was asked.
    #[error("the primary {url} {}: {message}", denial.words())]
    Denied {
        /// Where it is.
        url: String,
        /// What it wants.
        denial: Denial,
        /// Its own words, or ours.
        message: String,
    },
    /// The server knows no such database.
    #[error("there is no database at {url}: {message}")]
    NoDatabase {
        /// The address.
        url: String,
        /// Its own words.
        message: String,
    },
    /// It refused a push by a rule of the protocol; nothing was changed.
    #[error("the primary {url} refused the push: {}{}", refusal.name(), because(*refusal))]
    Refused {
        /// Where it is.
        url: String,
        /// The rule.
        refusal: Refusal,
    },
    /// It lacks our tables.
    #[error("the primary {url} has no Fastest tables yet")]
    NotMigrated {
        /// Where it is.
        url: String,
    },
    /// It was set up by a newer version.
    #[error("the primary {url} has migration {found}, which this version does not know")]
    Newer {
        /// Where it is.
        url: String,
        /// Its last migration.
        found: String,
    },
    /// Another application has set it up.
    #[error("the primary {url} cannot be used: {what}")]
    Occupied {
        /// Where it is.
        url: String,
        /// What was found there, and what to do.
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
    /// It failed to run the statement; nothing was changed.
    #[error("the primary {url} failed: {message}")]
    Failed {
        /// Where it is.
        url: String,
        /// Its own words.
        message: String,
        /// Whether what the statement would write may be at fault: a constraint, a trigger or a limit
        /// of size refuses it.
        of_rows: bool,
    },
    /// Its answer breaks the protocol, or contradicts itself.
    #[error("the primary {url} answered what no primary should: {what}")]
    Inconsistent {
        /// Where it is.
        url: String,
        /// The rule that the answer breaks, or the contradiction.
        what: String,
    },
    /// The address is of no known form.
    #[error("{url:?} is no address of a primary: {reason}")]
    BadUrl {
        /// As given.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The folder that should hold the database is not there.
    #[error("the folder {} is not there", path.display())]
    NoFolder {
        /// The folder.
        path: PathBuf,
    },
}

/// What an application's developer has to know of a refusal, where its name does not say it.
fn because(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::Swallowed => {
            " (a trigger or an ON CONFLICT clause on the primary took a write away without an error)"
        }
        _ => "",
    }
}

/// In what way a primary was out of reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure {
    /// No connection: the statement never reached it.
    NoConnection,
    /// The connection broke, or the answer was late, cut short or not an answer to what was asked:
    /// the statement may have been applied.
    Lost,
    /// It failed for the moment, in its own words or by a 5xx status: the statement may have been
    /// applied.
    Transient,
    /// It asks for less load, and did nothing.
    Busy {
        /// When to come back, where it says so.
        retry_after: Option<Duration>,
    },
}

/// What a primary misses in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Denial {
    /// There is no token.
    NoToken,
    /// The token is not valid, or no longer.
    BadToken,
    /// The token is valid, and does not allow this.
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

/// What SQLite says where triggers, or a cascade, go deeper than it runs them: ten levels on D1.
pub(crate) const TOO_DEEP: &str = "too many levels of trigger recursion";

/// How often an answer that belongs to something else is taken for a mishap of the network.
pub(crate) const STRAY_ANSWERS_MAX: u32 = 4;

/// Asks a question whose answer is one row: the parameter again, and a list as JSON.
pub(crate) async fn ask_list(
    primary: &dyn Primary,
    sql: &str,
    parameter: &str,
) -> Result<Vec<String>, PrimaryError> {
    for _ in 0..STRAY_ANSWERS_MAX {
        let answer = primary.run(sql, &[parameter]).await?;
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

/// The cell in the column `target` of the row of `table` whose column `by` is `key`.
pub(crate) async fn ask_cell(
    primary: &dyn Primary,
    (table, by, target): (&str, &str, &str),
    key: &str,
) -> Result<Option<String>, PrimaryError> {
    let cell = format!("SELECT `{target}` FROM `{table}` WHERE `{by}` = ?1");
    ask_cell_by(primary, &cell, &[key]).await
}

/// The cell that a SELECT of one column gives, by parameters of which the first tells its answer from
/// those to other questions.
pub(crate) async fn ask_cell_by(
    primary: &dyn Primary,
    cell: &str,
    parameters: &[&str],
) -> Result<Option<String>, PrimaryError> {
    let sql = format!("SELECT ?1, ({cell})");
    for _ in 0..STRAY_ANSWERS_MAX {
        let mut answer = primary.run(&sql, parameters).await?;
        if let [row] = &mut answer[..]
            && let [Some(asked), found] = &mut row[..]
            && Some(&asked.as_str()) == parameters.first()
        {
            return Ok(found.take());
        }
    }
    Err(PrimaryError::stray_answer(primary))
}

/// What `decode` reads in the answer to a question whose one parameter, new each time, tells it from
/// those to others: it gives `None` for one of these.
pub(crate) async fn ask_decoded<T, E: std::fmt::Display>(
    primary: &dyn Primary,
    sql: &str,
    decode: impl Fn(&str, &Rows) -> Result<Option<T>, E>,
) -> Result<T, PrimaryError> {
    for _ in 0..STRAY_ANSWERS_MAX {
        let request = clock::new_id();
        match decode(&request, &primary.run(sql, &[&request]).await?) {
            Ok(Some(answer)) => return Ok(answer),
            Ok(None) => {}
            Err(error) => return Err(PrimaryError::inconsistent(primary, &error.to_string())),
        }
    }
    Err(PrimaryError::stray_answer(primary))
}

impl PrimaryError {
    /// Whether the work stays queued and a later try may succeed without anything being mended.
    pub fn is_unreachable(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::NoFolder { .. })
    }

    /// For an answer that belongs to another question, as often as it was asked.
    pub(crate) fn stray_answer(primary: &dyn Primary) -> Self {
        Self::Unreachable {
            url: primary.url().to_owned(),
            reason: "what comes is the answer to something else".to_owned(),
            failure: Failure::Lost,
        }
    }

    /// For an answer that no honest primary gives; `what` may quote it.
    pub(crate) fn inconsistent(primary: &dyn Primary, what: &str) -> Self {
        Self::Inconsistent { url: primary.url().to_owned(), what: primary.said(what) }
    }

    /// What a message of SQLite's means on any primary: a refusal, or that our tables are missing.
    pub(crate) fn from_sqlite(url: &str, message: &str) -> Option<Self> {
        let url = url.to_owned();
        if let Some(refusal) = Refusal::find_in(message) {
            return Some(Self::Refused { url, refusal });
        }
        let ours = ["no such table: fastest_", "no such table: d1_"];
        let missing = ours.iter().any(|words| message.contains(words));
        missing.then_some(Self::NotMigrated { url })
    }

    /// Whether a push was refused for what it would write, and a later try would be refused alike.
    pub(crate) fn is_of_rows(&self) -> bool {
        match self {
            Self::Refused { refusal, .. } => *refusal == Refusal::Swallowed,
            Self::Failed { of_rows, .. } => *of_rows,
            _ => false,
        }
    }

    /// Whether a push was refused for rows that would refer to none: others deleted those that ours
    /// refer to, or refer to those that we delete; or the primary lost what it had.
    pub(crate) fn lacks_rows(&self) -> bool {
        let words = "FOREIGN KEY constraint failed";
        matches!(self, Self::Failed { message, .. } if message.contains(words))
    }

    /// The rule by which a push was refused.
    pub fn refusal(&self) -> Option<Refusal> {
        match self {
            Self::Refused { refusal, .. } => Some(*refusal),
            _ => None,
        }
    }
}

/// What time it is for a primary: RFC 3339, UTC, as it says; empty where it says nothing.
pub(crate) async fn ask_time(primary: &dyn Primary) -> Result<String, PrimaryError> {
    let sql = "SELECT strftime('%Y-%m-%dT%H:%M:%fZ', 'now')";
    let rows = primary.run(sql, &[]).await?;
    Ok(rows.into_iter().flatten().flatten().next().unwrap_or_default())
}
