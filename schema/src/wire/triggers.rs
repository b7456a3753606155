//! The triggers that keep `fastest_changes` up to date on the primary, no matter who writes.
//!
//! Sequence numbers must never repeat within a scope, and each is the scope's `max(seq) + 1`. An
//! entry that leaves a scope could lower that maximum, so a tombstone with a higher number is left
//! there first.

use crate::declare::table::{Policy, Scope, Table};
use crate::sql::quote::{literal, quote};

/// Returns the triggers of a table; none if it is private.
pub fn trigger_ddl(table: &Table) -> Vec<String> {
    let Some(scope) = table.scope.filter(|_| table.policy != Policy::Private) else {
        return Vec::new();
    };
    let mut triggers = vec![insert(table, scope), update(table, scope), delete(table, scope)];
    triggers.extend(lock_guard(table));
    triggers.extend(rescope(table, scope));
    triggers
}

fn insert(table: &Table, scope: Scope) -> String {
    let to = new_scope(table, scope);
    let mut body = vec![leave(table, &to), record(table, "NEW", &to, 0, "true")];
    body.extend(mirror(table));
    trigger(table, "insert", "AFTER INSERT", &body)
}

fn update(table: &Table, scope: Scope) -> String {
    let to = new_scope(table, scope);
    let pk = quote(table.pk);
    let key_changed = format!("OLD.{pk} IS NOT NEW.{pk}");
    let mut body = vec![
        record(table, "OLD", &old_scope(table, scope), 1, &key_changed),
        leave(table, &to),
        record(table, "NEW", &to, 0, "true"),
    ];
    body.extend(mirror(table));
    let columns = table.columns.iter().filter(|column| !column.lock_version);
    let columns: Vec<String> = columns.map(|column| quote(column.name)).collect();
    trigger(table, "update", &format!("AFTER UPDATE OF {}", columns.join(", ")), &body)
}

fn delete(table: &Table, scope: Scope) -> String {
    let body = [record(table, "OLD", &old_scope(table, scope), 1, "true")];
    trigger(table, "delete", "AFTER DELETE", &body)
}

fn trigger(table: &Table, name: &str, event: &str, body: &[String]) -> String {
    let name = quote(&format!("fastest_{}_{name}", table.name));
    let on = quote(table.name);
    format!("CREATE TRIGGER {name} {event} ON {on} BEGIN\n  {};\nEND", body.join(";\n  "))
}

/// Records a change of the row under the next sequence number of the scope, if the condition holds.
fn record(table: &Table, row: &str, scope: &str, deleted: u8, condition: &str) -> String {
    let (name, pk) = (literal(table.name), quote(table.pk));
    format!(
        "INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT {name}, {row}.{pk}, {scope}, 1,
      (SELECT coalesce(max(seq), 0) + 1 FROM fastest_changes WHERE scope = {scope}), {deleted}
    WHERE {condition}
    ON CONFLICT(tbl, pk) DO UPDATE SET
      version = version + 1, seq = excluded.seq, scope = excluded.scope, deleted = excluded.deleted"
    )
}

/// Leaves a tombstone (`deleted` = 2) in the scope that the row's entry is about to leave, if the
/// scope changes.
fn leave(table: &Table, scope: &str) -> String {
    let (name, pk) = (literal(table.name), quote(table.pk));
    format!(
        "INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
    SELECT tbl, json_array(pk, scope), scope, version,
      (SELECT max(seq) + 1 FROM fastest_changes WHERE scope = moved.scope), 2
    FROM fastest_changes AS moved
    WHERE tbl = {name} AND pk = NEW.{pk} AND scope IS NOT {scope}
    ON CONFLICT(tbl, pk) DO UPDATE SET version = excluded.version, seq = excluded.seq"
    )
}

/// Copies the entry's version into the lock version column, if it differs.
fn mirror(table: &Table) -> Option<String> {
    let column = quote(table.lock_version()?.name);
    let (name, pk) = (quote(table.name), quote(table.pk));
    let recorded = recorded(table, "version", "NEW");
    Some(format!(
        "UPDATE {name} SET {column} = {recorded}
    WHERE {pk} = NEW.{pk} AND {column} IS NOT {recorded}"
    ))
}

/// Undoes a write to the lock version column alone: only the engine may change it.
fn lock_guard(table: &Table) -> Option<String> {
    let column = quote(table.lock_version()?.name);
    let others = |row: &str| {
        let others = table.columns.iter().filter(|other| !other.lock_version);
        let others: Vec<String> =
            others.map(|other| format!("{row}.{}", quote(other.name))).collect();
        others.join(", ")
    };
    let recorded = recorded(table, "version", "NEW");
    let event = format!("AFTER UPDATE OF {column}");
    let when = format!(
        "{} WHEN NEW.{column} IS NOT coalesce({recorded}, NEW.{column})
  AND ({})
  IS ({})",
        quote(table.name),
        others("NEW"),
        others("OLD"),
    );
    let name = quote(&format!("fastest_{}_lock", table.name));
    let body = mirror(table)?;
    Some(format!("CREATE TRIGGER {name} {event} ON {when} BEGIN\n  {body};\nEND"))
}

/// Returns a trigger for a scope path: when the scope of the parent row changes, it touches the
/// rows that refer to it, so that their triggers move them too.
fn rescope(table: &Table, scope: Scope) -> Option<String> {
    let Scope::Path { column, table: parent, key, target } = scope else {
        return None;
    };
    let name = quote(&format!("fastest_{}_follow", table.name));
    let [child, column, parent, key, target] = [table.name, column, parent, key, target].map(quote);
    Some(format!(
        "CREATE TRIGGER {name} AFTER UPDATE OF {target} ON {parent}
WHEN OLD.{target} IS NOT NEW.{target} BEGIN
  UPDATE {child} SET {column} = {column} WHERE {column} = NEW.{key};
END"
    ))
}

/// Returns SQL for the scope of the new row. If the parent of a scope path is missing, as in the
/// middle of a cascade, the recorded scope is kept.
fn new_scope(table: &Table, scope: Scope) -> String {
    match scope {
        Scope::Column(_) => computed(table, scope, "NEW"),
        Scope::Path { .. } => {
            let computed = computed(table, scope, "NEW");
            format!("coalesce({computed}, {}, '')", recorded(table, "scope", "NEW"))
        }
    }
}

/// Returns SQL for the scope of the old row. The recorded scope takes precedence: devices know the
/// row under it, and the same delete may have removed the parent of a scope path.
fn old_scope(table: &Table, scope: Scope) -> String {
    let computed = computed(table, scope, "OLD");
    format!("coalesce({}, {computed}, '')", recorded(table, "scope", "OLD"))
}

/// Returns SQL for the scope that the row's own values yield. A null scope column yields the empty
/// scope. The expression is null only if the parent of a scope path is missing.
fn computed(table: &Table, scope: Scope, row: &str) -> String {
    match scope {
        Scope::Column(name) => {
            let value = format!("{row}.{}", quote(name));
            if table.column(name).is_some_and(|column| column.null) {
                format!("coalesce({value}, '')")
            } else {
                value
            }
        }
        Scope::Path { column, table, key, target } => {
            let [column, table, key, target] = [column, table, key, target].map(quote);
            format!("(SELECT coalesce({target}, '') FROM {table} WHERE {key} = {row}.{column})")
        }
    }
}

/// Returns SQL for a column of the row's entry in `fastest_changes`.
fn recorded(table: &Table, what: &str, row: &str) -> String {
    let (name, pk) = (literal(table.name), quote(table.pk));
    format!("(SELECT {what} FROM fastest_changes WHERE tbl = {name} AND pk = {row}.{pk})")
}
