//! Compares a live database with the result of its migrations.
//!
//! The text of the migrations is not parsed: they are run on an empty database, and both databases
//! are queried with the same statement.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::live::database::{Live, LiveObject, LiveTable};

/// The kind of a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The migrations create it, and the database lacks it.
    Missing,
    /// The migrations do not create it, but it is on one of their tables, or its name begins with
    /// `fastest_` or the schema's prefix.
    Extra,
    /// It differs from what the migrations create.
    Changed,
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The kind of the difference.
    pub verdict: Verdict,
    /// `table`, `column`, `foreign key`, `index`, `check`, `trigger`, `view` or `option`.
    pub what: &'static str,
    /// The table that it is on; for a table, the table itself.
    pub table: String,
    /// Its name; empty for a table.
    pub name: String,
    /// What the migrations create, if it exists on both sides.
    pub expected: Option<String>,
    /// What the database has, if it exists on both sides.
    pub found: Option<String>,
    /// Its owner: the schema's, or `fastest` if it belongs to the engine.
    pub owner: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { verdict, what, table, name, expected, found, .. } = self;
        let verdict = match verdict {
            Verdict::Missing => "missing",
            Verdict::Extra => "extra",
            Verdict::Changed => "changed",
        };
        if name.is_empty() {
            write!(formatter, "{verdict} {what} {table}")?
        } else {
            write!(formatter, "{verdict} {what} {table}: {name}")?
        }
        match (expected, found) {
            (Some(expected), Some(found)) => {
                write!(formatter, " (expected {expected}; found {found})")
            }
            _ => Ok(()),
        }
    }
}

/// A table that is not ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Theirs {
    /// Its name.
    pub table: String,
    /// The likely owner, judged by the name.
    pub owner: &'static str,
}

/// The outcome of a comparison.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Comparison {
    /// The differences in tables, triggers and views that are ours.
    pub differences: Vec<Difference>,
    /// Tables of other applications, which are not compared.
    pub theirs: Vec<Theirs>,
}

/// Compares a database with the result of `owner`'s migrations.
pub fn compare(owner: &str, expected: &Live, found: &Live) -> Comparison {
    let mut comparison = Comparison::default();
    let prefix = common_prefix(expected);
    let ours = |name: &str| {
        expected.tables.contains_key(name)
            || name.starts_with("fastest_")
            || prefix.is_some_and(|prefix| name.starts_with(prefix))
    };
    let mut differ = Differ { owner, differences: Vec::new() };
    for (name, verdict) in names(&expected.tables, &found.tables) {
        match (expected.tables.get(name), found.tables.get(name), verdict) {
            (Some(expected), Some(found), _) => differ.table(name, expected, found),
            (_, _, Some(Verdict::Extra)) if !ours(name) => {
                comparison.theirs.push(Theirs { table: name.to_owned(), owner: theirs(name) });
            }
            (.., verdict) => differ.note(verdict, "table", name, "", None, None),
        }
    }
    for (what, expected, found) in
        [("trigger", &expected.triggers, &found.triggers), ("view", &expected.views, &found.views)]
    {
        for (name, verdict) in names(expected, found) {
            let (before, after) = (expected.get(name), found.get(name));
            // Another application's views are ignored, and so are triggers on its own tables. Its
            // triggers on our tables are reported.
            if verdict == Some(Verdict::Extra) && !name.starts_with("fastest_") {
                let on_ours = what == "trigger" && after.is_some_and(|found| ours(&found.table));
                if !on_ours {
                    continue;
                }
            }
            let table = before.or(after).map_or("", |object| object.table.as_str());
            let differs = before != after;
            let verdict = verdict.or_else(|| differs.then_some(Verdict::Changed));
            let text = |object: Option<&LiveObject>| {
                object.filter(|_| verdict == Some(Verdict::Changed)).map(|o| o.sql.clone())
            };
            differ.note(verdict, what, table, name, text(before), text(after));
        }
    }
    comparison.differences = differ.differences;
    comparison
}

/// Collects the differences.
struct Differ<'a> {
    owner: &'a str,
    differences: Vec<Difference>,
}

impl Differ<'_> {
    fn table(&mut self, table: &str, expected: &LiveTable, found: &LiveTable) {
        self.maps("column", table, &expected.columns, &found.columns);
        self.maps("index", table, &expected.indexes, &found.indexes);
        let keys = |table: &LiveTable| -> BTreeMap<String, _> {
            table.keys.iter().map(|key| (key.columns.join(", "), key.clone())).collect()
        };
        self.maps("foreign key", table, &keys(expected), &keys(found));
        self.sets("check", table, &expected.checks, &found.checks);
        self.sets("option", table, &expected.options, &found.options);
    }

    fn maps<T: PartialEq + fmt::Display>(
        &mut self,
        what: &'static str,
        table: &str,
        expected: &BTreeMap<String, T>,
        found: &BTreeMap<String, T>,
    ) {
        for (name, verdict) in names(expected, found) {
            let (before, after) = (expected.get(name), found.get(name));
            let changed = verdict.is_none() && before != after;
            let verdict = verdict.or_else(|| changed.then_some(Verdict::Changed));
            let words = |side: Option<&T>| side.filter(|_| changed).map(ToString::to_string);
            self.note(verdict, what, table, name, words(before), words(after));
        }
    }

    fn sets<T: Ord + ToString>(
        &mut self,
        what: &'static str,
        table: &str,
        expected: &std::collections::BTreeSet<T>,
        found: &std::collections::BTreeSet<T>,
    ) {
        for missing in expected.difference(found) {
            self.note(Some(Verdict::Missing), what, table, &missing.to_string(), None, None);
        }
        for extra in found.difference(expected) {
            self.note(Some(Verdict::Extra), what, table, &extra.to_string(), None, None);
        }
    }

    fn note(
        &mut self,
        verdict: Option<Verdict>,
        what: &'static str,
        table: &str,
        name: &str,
        expected: Option<String>,
        found: Option<String>,
    ) {
        let Some(verdict) = verdict else { return };
        let engines = name.starts_with("fastest_") || table.starts_with("fastest_");
        let owner = if engines { "fastest" } else { self.owner }.to_owned();
        let (table, name) = (table.to_owned(), name.to_owned());
        self.differences.push(Difference { verdict, what, table, name, expected, found, owner });
    }
}

/// Returns all names of both sides, sorted. A name that only one side has comes with its verdict.
fn names<'a, A, B>(
    expected: &'a BTreeMap<String, A>,
    found: &'a BTreeMap<String, B>,
) -> Vec<(&'a str, Option<Verdict>)> {
    let mut all: Vec<(&str, Option<Verdict>)> = expected
        .keys()
        .map(|name| (name.as_str(), (!found.contains_key(name)).then_some(Verdict::Missing)))
        .collect();
    let extra = found.keys().filter(|name| !expected.contains_key(*name));
    all.extend(extra.map(|name| (name.as_str(), Some(Verdict::Extra))));
    all.sort_by_key(|(name, _)| *name);
    all
}

/// Returns the prefix that all tables of the schema share, such as `app_`; `None` if there is only
/// one table. Other tables with this prefix count as ours.
fn common_prefix(expected: &Live) -> Option<&str> {
    let mut names = expected.tables.keys();
    let mut names = names.by_ref().filter(|name| !is_common_name(name));
    let first = names.next()?;
    let prefix = &first[..=first.find('_')?];
    let mut others = names.peekable();
    others.peek()?;
    others.all(|name| name.starts_with(prefix)).then_some(prefix)
}

fn is_common_name(name: &str) -> bool {
    name.starts_with("fastest_") || name == "d1_migrations"
}

/// Returns the likely owner of a table that is not ours, judged by its name.
fn theirs(name: &str) -> &'static str {
    match name {
        "d1_migrations" => "wrangler, for migrations",
        "__drizzle_migrations" => "drizzle, for migrations",
        "_prisma_migrations" => "Prisma, for migrations",
        "alembic_version" => "Alembic, for migrations",
        "knex_migrations" | "knex_migrations_lock" => "Knex, for migrations",
        name if name.starts_with("directus_") => "Directus",
        name if name.starts_with("libsql_") || name.starts_with("_litestream") => "the server",
        _ => "another application",
    }
}
