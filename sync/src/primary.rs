//! Primaries: the one database that orders writes.
//!
//! A primary runs one SQL statement at a time, atomically, with text parameters and text answers:
//! that is all that D1's HTTP API, Hrana and a file have in common, and all that the wire protocol
//! needs (`docs/protocol.md`). Everything else is built on [`Primary::run`], with the same SQL
//! everywhere.

use std::path::PathBuf;

use async_trait::async_trait;
use fastest_schema::{PageError, Refusal};

/// The answer to a statement: rows of cells in column order, each text or null.
pub type Rows = Vec<Vec<Option<String>>>;

/// One database that orders writes.
#[async_trait(?Send)]
pub trait Primary {
    /// Where it is, without secrets: for messages.
    fn url(&self) -> &str;

    /// Runs one statement: all of it or nothing. `parameters` bind to `?1`, `?2`, …
    ///
    /// [`PrimaryError::Unreachable`] means that nothing is known of the outcome: the statement may
    /// have been applied.
    async fn run(&self, sql: &str, parameters: &[&str]) -> Result<Rows, PrimaryError>;

    /// Applies a migration, all of it or nothing, and records its name in `d1_migrations`; does
    /// nothing where it is recorded already, by another device a moment ago for instance.
    async fn migrate(&self, name: &str, statements: &[&str]) -> Result<(), PrimaryError>;
}

/// Why a primary did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum PrimaryError {
    /// It could not be reached, or its answer was lost.
    #[error("the primary {url} is out of reach: {reason}")]
    Unreachable {
        /// Where it should be.
        url: String,
        /// What the system says.
        reason: String,
    },
    /// It refused a push by a rule of the protocol; nothing was changed.
    #[error("the primary {url} refused the push: {}", refusal.name())]
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
    /// It failed to run the statement; nothing was changed.
    #[error("the primary {url} failed: {message}")]
    Failed {
        /// Where it is.
        url: String,
        /// Its own words.
        message: String,
    },
    /// Its answer breaks the protocol.
    #[error("the primary {url} answered what no primary should: {source}")]
    Protocol {
        /// Where it is.
        url: String,
        /// The rule that the answer breaks.
        source: PageError,
    },
    /// Rows or packs in its answer contradict each other.
    #[error("the primary {url} answered what no primary should: {what}")]
    Inconsistent {
        /// Where it is.
        url: String,
        /// The contradiction.
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

impl PrimaryError {
    /// Whether the work stays queued and a later try may succeed without anything being mended.
    pub fn is_unreachable(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::NoFolder { .. })
    }

    /// The rule by which a push was refused.
    pub fn refusal(&self) -> Option<Refusal> {
        match self {
            Self::Refused { refusal, .. } => Some(*refusal),
            _ => None,
        }
    }
}

/// Counts what goes over the wire: statements, and the bytes of their texts both ways.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Traffic {
    /// Statements run and packs moved.
    pub requests: u64,
    /// Bytes of statements, parameters and packs.
    pub bytes_sent: u64,
    /// Bytes of answers and packs.
    pub bytes_received: u64,
}

/// A primary that counts its traffic.
pub struct Counted<'a> {
    primary: &'a dyn Primary,
    traffic: std::cell::Cell<Traffic>,
}

impl<'a> Counted<'a> {
    /// Counts from zero.
    pub fn new(primary: &'a dyn Primary) -> Self {
        Self { primary, traffic: std::cell::Cell::default() }
    }

    /// What was counted so far.
    pub fn traffic(&self) -> Traffic {
        self.traffic.get()
    }

    /// Adds traffic that went another way, such as a pack into a pack store.
    pub fn add(&self, requests: u64, bytes_sent: u64, bytes_received: u64) {
        let mut traffic = self.traffic.get();
        traffic.requests += requests;
        traffic.bytes_sent += bytes_sent;
        traffic.bytes_received += bytes_received;
        self.traffic.set(traffic);
    }
}

#[async_trait(?Send)]
impl Primary for Counted<'_> {
    fn url(&self) -> &str {
        self.primary.url()
    }

    async fn run(&self, sql: &str, parameters: &[&str]) -> Result<Rows, PrimaryError> {
        let sent = sql.len() + parameters.iter().map(|text| text.len()).sum::<usize>();
        self.add(1, sent as u64, 0);
        let rows = self.primary.run(sql, parameters).await?;
        let cells = rows.iter().flatten().flatten();
        self.add(0, 0, cells.map(|text| text.len() as u64).sum());
        Ok(rows)
    }

    async fn migrate(&self, name: &str, statements: &[&str]) -> Result<(), PrimaryError> {
        let sent = statements.iter().map(|sql| sql.len() as u64).sum();
        self.add(1, sent, 0);
        self.primary.migrate(name, statements).await
    }
}
