//! The differences between Fastest's own schema and an application's.
//!
//! Replica, push and pull work for any schema. Where their behaviour depends on the schema, they
//! test a rule and not the owner, so that each difference has a name, and its reason is given here.

use fastest_schema::Schema;

/// The rules of a schema. [`Rules::of`] chooses them when a replica is opened.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Rules {
    /// Some tables have special rules (`EngineTable`): packs carry content, for which an
    /// application has no store; heads are merged as trees; and the children of each snapshot are
    /// recorded.
    pub(crate) has_engine_tables: bool,
    /// A scope is a project: it has a row in `projects`, and its owner is sent with it. In other
    /// schemas, a scope has no row of its own, so the known scopes are those that were written or
    /// read.
    pub(crate) scopes_are_projects: bool,
    /// A row may move to another scope. So a refusal may be about rows in scopes that this device
    /// does not hold.
    pub(crate) rows_change_scope: bool,
    /// Rows that were written together are sent together, whatever their scopes.
    pub(crate) keeps_transactions: bool,
    /// A transaction that the primary refuses is set aside, so that it does not block others.
    pub(crate) sets_refused_aside: bool,
    /// Rows that others refer to are never deleted. A primary that lacks such a row has lost it.
    pub(crate) referred_rows_stay: bool,
    /// Rows of append-only tables are deleted with the row that they refer to, as their foreign
    /// keys say.
    pub(crate) deletes_cascade: bool,
    /// The row or the delete that is chosen in a conflict is checked like any write of an
    /// application. Otherwise it is queued without these checks.
    pub(crate) choices_are_checked: bool,
    /// The primary inside the store is migrated without asking: no other device uses it that an
    /// upgrade could lock out.
    pub(crate) upgrades_own_primary: bool,
    /// Migrations only add, so this build can write to a newer primary.
    pub(crate) migrations_only_add: bool,
}

/// The rules of Fastest's own schema.
static FASTEST_RULES: Rules = Rules {
    has_engine_tables: true,
    scopes_are_projects: true,
    rows_change_scope: false,
    keeps_transactions: false,
    sets_refused_aside: false,
    referred_rows_stay: true,
    deletes_cascade: false,
    choices_are_checked: false,
    upgrades_own_primary: true,
    migrations_only_add: true,
};

/// The rules of an application's schema.
static APPLICATION_RULES: Rules = Rules {
    has_engine_tables: false,
    scopes_are_projects: false,
    rows_change_scope: true,
    keeps_transactions: true,
    sets_refused_aside: true,
    referred_rows_stay: false,
    deletes_cascade: true,
    choices_are_checked: true,
    upgrades_own_primary: false,
    migrations_only_add: false,
};

impl Rules {
    /// Returns the rules of a schema.
    pub(crate) fn of(schema: &Schema) -> &'static Self {
        if schema.is_fastest() { &FASTEST_RULES } else { &APPLICATION_RULES }
    }
}
