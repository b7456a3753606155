//! What differs between Fastest's own schema and an application's.
//!
//! Replica, push and pull work for any schema. Where they differ, they ask for the rule, not for the
//! owner: so each difference has a name, and its reason stands here.

use fastest_schema::Schema;

/// What differs between schemas. Chosen when a replica is opened, by [`Rules::of`].
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Rules {
    /// Some tables have rules of their own (`EngineTable`): packs bring content, which an application
    /// has no store for, heads are merged as trees, and it is recorded which snapshots follow which.
    pub(crate) has_engine_tables: bool,
    /// A scope is a project: it has a row in `projects`, and its owner is sent with it. Other schemas have
    /// scopes without rows, so which there are is known from what was written and read.
    pub(crate) scopes_are_projects: bool,
    /// A row may move to another scope. Then a refusal may be about rows of scopes that are not held.
    pub(crate) rows_change_scope: bool,
    /// Rows that were written together are sent together, whatever their scopes.
    pub(crate) keeps_transactions: bool,
    /// A transaction that the primary refuses is set aside, so that others go on.
    pub(crate) sets_refused_aside: bool,
    /// What rows refer to is never deleted. A primary that lacks it has lost it.
    pub(crate) referred_rows_stay: bool,
    /// Rows of append-only tables go with the row that they refer to, as their foreign keys say.
    pub(crate) deletes_cascade: bool,
    /// The row that is chosen in a conflict is checked as any write of an application. Otherwise it is
    /// queued as it is, and a choice to delete only drops what waits.
    pub(crate) choices_are_checked: bool,
    /// The primary inside the store is brought up to date without being asked: it has no other devices
    /// that an upgrade could lock out.
    pub(crate) upgrades_own_primary: bool,
    /// Migrations only add, so a primary that is newer can be written to.
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
