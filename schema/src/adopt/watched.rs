//! Which columns need an UPDATE of their own, because the application's triggers watch them.

use std::collections::BTreeSet;

use crate::check::declarations::RESERVED;
use crate::live::database::{Live, LiveIndex, LiveTable};

/// Whether a table has a constraint over several columns. Separate UPDATEs could violate it halfway,
/// so no column of the table gets an UPDATE of its own.
pub fn has_multi_column_constraint(found: &LiveTable) -> bool {
    let names = |check: &&String| {
        let words = check.split(|c: char| !c.is_alphanumeric() && c != '_');
        let words: BTreeSet<String> = words.map(str::to_lowercase).collect();
        found.columns.keys().filter(|name| words.contains(&name.to_lowercase())).count()
    };
    let is_unique_together = |index: &LiveIndex| index.unique && index.columns.len() > 1;
    found.checks.iter().any(|check| names(&check) > 1)
        || found.indexes.values().any(is_unique_together)
}

/// Returns the columns that the application's `UPDATE OF` triggers on `table` name, in lower case.
pub fn watched(live: &Live, table: &str) -> BTreeSet<String> {
    let is_theirs = |name: &str| !RESERVED.iter().any(|prefix| name.starts_with(prefix));
    let triggers = live.triggers.iter();
    let triggers =
        triggers.filter(|(name, found)| is_theirs(name) && found.table.eq_ignore_ascii_case(table));
    let mut watched = BTreeSet::new();
    for (_, trigger) in triggers {
        let mut words = trigger.sql.split(' ').skip_while(|word| *word != "of");
        // `OF` must come before `ON`, or it is part of the trigger's body.
        let head = trigger.sql.split(' ').take_while(|word| *word != "on");
        if head.into_iter().any(|word| word == "of") {
            words.next();
            watched.extend(words.take_while(|word| *word != "on").map(str::to_owned));
        }
    }
    watched.remove(",");
    watched
}
