//! The triggers that look for child rows before a row is deleted.

use crate::declare::table::{Policy, Table};
use crate::sql::quote::{literal, quote};
use crate::wire::refusal::Refusal;

/// Returns the trigger that refuses to delete a row of `table` if the delete would also delete or
/// change a row for which the push has no lock: the writer does not know that row or its current
/// state. `None` if no versioned table has such a foreign key.
pub fn delete_trigger(table: &Table, synced: &[&'static Table]) -> Option<String> {
    let children = synced.iter().filter(|child| child.policy == Policy::Versioned);
    let body: Vec<String> = children.flat_map(|child| children_unseen(table, child)).collect();
    if body.is_empty() {
        return None;
    }
    Some(format!(
        "CREATE TRIGGER {} INSTEAD OF INSERT ON fastest_push_delete WHEN NEW.tbl = {} BEGIN\n  {};\nEND",
        quote(&format!("fastest_push_delete_{}", table.name)),
        literal(table.name),
        body.join(";\n  ")
    ))
}

/// Returns one statement for each foreign key of `child` through which a delete in `table` deletes
/// or changes rows.
fn children_unseen(table: &Table, child: &Table) -> Vec<String> {
    let to = child.columns.iter().filter_map(|column| Some((column, column.references.as_ref()?)));
    let affected = to.filter(|(_, to)| to.table == table.name && to.on_delete.changes_children());
    let unseen = affected.map(|(column, to)| {
        let (join, held) = if to.column == table.pk {
            (String::new(), "d.value".to_owned())
        } else {
            let (name, pk) = (quote(table.name), quote(table.pk));
            let join = format!("CROSS JOIN {name} AS p ON p.{pk} = d.value\n    ");
            (join, format!("p.{}", quote(to.column)))
        };
        format!(
            "{} FROM json_each(NEW.keys) AS d\n    {join}CROSS JOIN {} AS c ON c.{} = {held}
    WHERE c.{} NOT IN (SELECT value->>1 FROM json_each(NEW.locked)
      WHERE value->>0 = {} AND value->>1 IS NOT NULL)",
            Refusal::VersionConflict.raise_sql(),
            quote(child.name),
            quote(column.name),
            quote(child.pk),
            literal(child.name),
        )
    });
    unseen.collect()
}
