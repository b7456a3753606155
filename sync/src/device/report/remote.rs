//! Reports of `fastest remote`.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::remote::state::Packs;

/// `fastest remote …`
#[derive(Debug, Clone, Default, Serialize)]
#[non_exhaustive]
pub struct RemoteReport {
    /// Address of the primary.
    pub url: String,
    /// Whether packs of any size are stored in the primary's rows.
    pub inline_packs: bool,
    /// Where large packs are stored. In JSON: `default`, `rows`, or the address of a pack store.
    #[serde(serialize_with = "by_name")]
    pub packs: Packs,
    /// Whether the primary answered; `None` if it was not asked.
    pub reachable: Option<bool>,
    /// How long the answer took, in milliseconds.
    pub latency_ms: Option<f64>,
    /// The primary's last migration; absent if it is not set up yet or was not asked.
    pub schema_version: Option<String>,
    /// The first problem that was found.
    pub problem: Option<String>,
    /// The checks in order. The list ends early if a failed check makes the rest meaningless.
    pub checks: Vec<RemoteCheck>,
}

/// The result of one check of `fastest remote check`.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct RemoteCheck {
    /// What was checked.
    pub name: CheckName,
    /// Whether the check passed.
    pub ok: bool,
    /// What was found.
    pub what: String,
    /// How to fix the problem, if the check failed.
    pub mend: Option<String>,
}

/// The checks of `fastest remote check`. In JSON and as text, names are in lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum CheckName {
    /// The address: whether something answers there.
    Name,
    /// The locks of a shared file system.
    Locks,
    /// The token.
    Token,
    /// Whether this device may write.
    Permission,
    /// The last migration.
    Schema,
    /// The clocks.
    Clock,
    /// The pack store.
    Packs,
}

impl fmt::Display for CheckName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Name => "name",
            Self::Locks => "locks",
            Self::Token => "token",
            Self::Permission => "permission",
            Self::Schema => "schema",
            Self::Clock => "clock",
            Self::Packs => "packs",
        })
    }
}

/// `fastest remote migrate`
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct MigrateReport {
    /// Address of the primary.
    pub url: String,
    /// Its last migration before; absent if it was not set up yet.
    pub from: Option<String>,
    /// Its last migration now.
    pub to: String,
    /// The migrations that were applied, in order.
    pub applied: Vec<String>,
}

fn by_name<S: Serializer>(packs: &Packs, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(packs.name())
}
