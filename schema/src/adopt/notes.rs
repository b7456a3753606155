//! Notes for the user about an adoption that succeeds.

use crate::adopt::column::{has_text_affinity, is_date};
use crate::adopt::reference::resolved;
use crate::adopt::unique::unique;
use crate::declare::table::{OnDelete, Policy, Table};
use crate::live::database::{Live, LiveKey, LiveTable};
use crate::record::model::TableRecord;
use crate::value::kind::Kind;
use crate::wire::push::push_ddl;
use crate::wire::row_view::row_ddl;

/// The maximum length of a statement on D1, in bytes.
const D1_STATEMENT_MAX: usize = 100_000;

/// Returns notes for the user, a sentence each: which parts of these tables devices do not hold or
/// follow, what in the application's schema may make the primary refuse a push, and which rules the
/// application must observe. `held` are tables that were adopted before.
pub fn notes(live: &Live, tables: &[TableRecord], held: &[TableRecord]) -> Vec<String> {
    let found = |table| found(live, table);
    let mut notes = Vec::new();
    for (table, found) in tables.iter().filter_map(found) {
        notes.extend(key_note(table, found));
        notes.extend(policy_note(table));
        notes.extend(tree_note(table));
        notes.extend(column_notes(table, found));
        notes.extend(unique_note(table, found));
        notes.extend(replacing_note(table));
        notes.extend(found.keys.iter().filter_map(|key| reference_note(live, table, key)));
        notes.extend(trigger_notes(live, table));
    }
    let leads_here = |key: &&LiveKey| tables.iter().any(|table| is_to(key, table));
    for (table, found) in held.iter().filter_map(found) {
        let keys = found.keys.iter().filter(leads_here);
        notes.extend(keys.filter_map(|key| reference_note(live, table, key)));
    }
    let is_synced = |name: &str| tables.iter().chain(held).any(|table| table.name == name);
    for (name, found) in live.tables.iter().filter(|(name, _)| !is_synced(name)) {
        notes.extend(found.keys.iter().filter(leads_here).map(|key| referrer_note(name, key)));
    }
    notes.extend(rebuild_note(tables));
    notes.extend(size_note(tables));
    notes
}

fn found<'a>(live: &'a Live, table: &'a TableRecord) -> Option<(&'a TableRecord, &'a LiveTable)> {
    Some((table, live.tables.get(&table.name)?))
}

/// SQLite allows nulls in a text key, unless it is declared NOT NULL, or the table is STRICT or
/// WITHOUT ROWID.
fn key_note(table: &TableRecord, found: &LiveTable) -> Option<String> {
    let is_strict = ["STRICT", "WITHOUT ROWID"].iter().any(|option| found.options.contains(option));
    let null = found.columns.get(&table.pk)?.null && !is_strict;
    null.then(|| {
        format!(
            "`{}.{}` may be null so far; from now on such a row is refused",
            table.name, table.pk
        )
    })
}

fn column_notes(table: &TableRecord, found: &LiveTable) -> Vec<String> {
    let name = &table.name;
    let mut notes = Vec::new();
    for (column, known) in &found.columns {
        if known.hidden {
            notes.push(format!("`{name}.{column}` is generated: devices do not hold it"));
        } else if is_date(&known.kind) && !has_text_affinity(&known.kind) {
            notes.push(format!(
                "`{name}.{column}` is declared `{}` and must hold texts, such as ISO 8601: devices \
                 refuse numbers there",
                known.kind
            ));
        }
    }
    let scope = table.scope.as_ref().and_then(|scope| table.column(&scope.column));
    if let Some(column) = scope.filter(|column| column.null && column.kind == Kind::Text) {
        notes.push(format!("rows of `{name}` without `{}` are shared with no one", column.name));
    }
    notes
}

/// Devices accept no later version of a row of an append-only table.
fn policy_note(table: &TableRecord) -> Option<String> {
    (table.policy == Policy::AppendOnly).then(|| {
        format!(
            "rows of `{}` are written once: devices do not follow what the application changes in \
             one, or deletes",
            table.name
        )
    })
}

/// Names the unique indexes that a device cannot check.
fn unique_note(table: &TableRecord, found: &LiveTable) -> Option<String> {
    let names = unique(found, &table.pk, &table.columns).unknown;
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    (!names.is_empty()).then(|| {
        format!(
            "devices cannot check the unique indexes {} of `{}`: a push that breaks one is refused by \
             the primary, which names it",
            names.join(", "),
            table.name
        )
    })
}

/// `ON CONFLICT REPLACE` deletes rows without firing a trigger.
fn replacing_note(table: &TableRecord) -> Option<String> {
    table.replaces.then(|| {
        format!(
            "`{}` has a UNIQUE constraint that is ON CONFLICT REPLACE: a push that would strike a row by \
             it is refused; of one that the application strikes so, no device hears",
            table.name
        )
    })
}

/// D1 allows ten levels of nested triggers, and a cascade takes one for each generation.
fn tree_note(table: &TableRecord) -> Option<String> {
    let name = &table.name;
    let mut keys = table.columns.iter().filter_map(|column| column.references.as_ref());
    let is_tree = keys.any(|key| key.table == *name && key.on_delete == OnDelete::Cascade);
    is_tree.then(|| {
        format!(
            "`{name}` refers to itself with ON DELETE CASCADE: on D1, a delete of the application's own \
             takes along 9 generations at most from now on, one less than before"
        )
    })
}

/// Describes a foreign key that the record does not have, so that only the primary enforces it.
fn reference_note(live: &Live, table: &TableRecord, key: &LiveKey) -> Option<String> {
    let is_held = match &key.columns[..] {
        [column] => {
            table.column(column).and_then(|column| column.references.as_ref()).is_some_and(|held| {
                resolved(live, key)
                    .is_some_and(|(to, target, _)| (to, &target) == (&*held.table, &held.column))
            })
        }
        _ => false,
    };
    (!is_held).then(|| {
        format!(
            "the foreign key of `{}` over ({}) to `{}` is the primary's alone: a push that breaks \
             it is refused, and what a delete there does here is synced",
            table.name,
            key.columns.join(", "),
            key.table
        )
    })
}

/// Whether the key refers to the table. SQLite ignores the case of names.
fn is_to(key: &LiveKey, table: &TableRecord) -> bool {
    key.table.eq_ignore_ascii_case(&table.name)
}

/// Describes a foreign key from a table that is not synced to an adopted table.
fn referrer_note(table: &str, key: &LiveKey) -> String {
    let then = match key.on_delete.to_ascii_uppercase().as_str() {
        "CASCADE" => "its rows go with a row that a device deletes there",
        "SET NULL" => "it is set null where a device deletes the row there",
        "SET DEFAULT" => "it is set to its default where a device deletes the row there",
        _ => "a device cannot delete a row there that it refers to",
    };
    format!(
        "`{table}` is not synced, and refers to `{}` over ({}): {then}",
        key.table,
        key.columns.join(", ")
    )
}

fn trigger_notes(live: &Live, table: &TableRecord) -> Option<String> {
    let on = live.triggers.iter().filter(|(name, trigger)| {
        trigger.table.eq_ignore_ascii_case(&table.name) && !name.starts_with("fastest_")
    });
    let names: Vec<String> = on.map(|(name, _)| format!("`{name}`")).collect();
    (!names.is_empty()).then(|| {
        format!(
            "the application's triggers on `{}` ({}) run for what devices push as for any write: \
             one that raises refuses the whole push",
            table.name,
            names.join(", ")
        )
    })
}

/// See [`crate::adopt::rebuild::release_sql`].
fn rebuild_note(tables: &[TableRecord]) -> Option<String> {
    (!tables.is_empty()).then(|| {
        "a migration of the application's tool that rebuilds one of these tables (drops it and \
         renames another to its name, as for a changed default) fails while the engine's triggers \
         are there: `fastest schema detach` takes them away before it, `fastest schema attach` \
         puts them back after"
            .to_owned()
    })
}

/// The length of the push statements grows with the names of all tables, and with the columns of
/// the widest table.
fn size_note(tables: &[TableRecord]) -> Option<String> {
    let tables: Vec<&'static Table> = tables.iter().map(TableRecord::leak).collect();
    let views = tables.iter().map(|table| row_ddl(table));
    let size = views.chain(push_ddl(&tables)).map(|sql| sql.len()).max().unwrap_or(0);
    (size > D1_STATEMENT_MAX).then(|| {
        format!(
            "the longest statement for these tables has {size} bytes, and D1 takes \
             {D1_STATEMENT_MAX}: on D1, choose other tables"
        )
    })
}
