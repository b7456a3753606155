//! Finds rows on the primary that prevent the delete of a row and that devices do not know: rows of
//! tables that are not synced, or with foreign keys that the schema does not declare. The refusal
//! then names such a row.

use fastest_schema::live::database::{Live, LiveKey, LiveTable};
use fastest_schema::{RowKey, Schema, Table};

use crate::exchange::plan::PlannedRow;
use crate::migrations::check::live;
use crate::remote::primary::{Primary, PrimaryError, ask_cell_by};

/// The most foreign keys that are followed. Each takes a request.
const KEYS_MAX: usize = 50;

/// A row to be deleted, and a row on the primary that refers to it.
#[derive(Debug)]
pub(crate) struct Kept {
    /// The table.
    pub(crate) table: &'static str,
    /// The key.
    pub(crate) key: RowKey,
    /// A message that names the row that refers to it.
    pub(crate) why: String,
}

/// Returns one of the rows in `going`, which are to be deleted, to which a row on the primary
/// refers over a foreign key that devices do not know.
pub(crate) async fn kept(
    schema: &Schema,
    primary: &dyn Primary,
    going: &[&PlannedRow],
) -> Result<Option<Kept>, PrimaryError> {
    if going.is_empty() {
        return Ok(None);
    }
    let live = live(primary).await?;
    for Question { name, key, table, cell, keys } in questions(schema, &live, going) {
        let found = ask_cell_by(primary, &cell, &[&primary.world().new_id(), &keys]).await?;
        let keys: Option<(String, Option<String>)> =
            found.and_then(|keys| serde_json::from_str(&keys).ok());
        let Some((kept, child)) = keys else { continue };
        let child = child.map_or_else(|| "a row".to_owned(), |child| format!("row {child}"));
        let columns = key.columns.join(", ");
        let why = format!("{child} of {name} refers to it over ({columns})");
        let why = format!("{}, which devices do not follow", primary.sanitize(&why));
        return Ok(Some(Kept { table: table.name, key: kept.into(), why }));
    }
    Ok(None)
}

/// The question about one foreign key.
struct Question<'a> {
    /// The referring table.
    name: &'a str,
    key: &'a LiveKey,
    /// The table of the rows to be deleted.
    table: &'static Table,
    cell: String,
    /// The keys of these rows, as a JSON list.
    keys: String,
}

fn questions<'a>(schema: &'a Schema, live: &'a Live, going: &[&PlannedRow]) -> Vec<Question<'a>> {
    let concerned = unknown_keys(schema, live)
        .filter(|(.., key)| going.iter().any(|row| is_to(key, row.table)));
    let question = |(name, child, key): (&'a str, &'a LiveTable, &'a LiveKey)| {
        let mut of_table = going.iter().filter(|row| is_to(key, row.table)).peekable();
        let table = of_table.peek()?.table;
        let keys: Vec<&str> = of_table.map(|row| row.key.as_str()).collect();
        let keys = serde_json::to_string(&keys).expect("texts serialise");
        Some(Question { name, key, table, cell: referring(name, child, key, table), keys })
    };
    concerned.take(KEYS_MAX).filter_map(question).collect()
}

/// Returns the foreign keys that can prevent a delete and that the schema does not declare, each
/// with its table.
fn unknown_keys<'a>(
    schema: &'a Schema,
    live: &'a Live,
) -> impl Iterator<Item = (&'a str, &'a LiveTable, &'a LiveKey)> {
    let keys = live
        .tables
        .iter()
        .flat_map(|(name, table)| table.keys.iter().map(move |key| (name.as_str(), table, key)));
    keys.filter(|(name, _, key)| {
        let keeps = !["CASCADE", "SET NULL"].contains(&key.on_delete.to_uppercase().as_str());
        let known = schema.synced_table(name).is_some_and(|table| {
            let columns = table.columns.iter().filter(|column| key.columns == [column.name]);
            columns.into_iter().any(|column| column.references.is_some())
        });
        keeps && !known
    })
}

fn is_to(key: &LiveKey, table: &Table) -> bool {
    key.table.eq_ignore_ascii_case(table.name)
}

/// Returns a SELECT that finds one row of `child` that refers to a row of `table` whose key is in
/// the JSON list `?2`. Its result is a JSON array of the key in `table` and the key in `child`. The
/// latter is null if it is not a single column.
fn referring(name: &str, child: &LiveTable, key: &LiveKey, table: &Table) -> String {
    let quote = |name: &str| format!("`{}`", name.replace('`', "``"));
    let same = key.columns.iter().zip(&key.targets).map(|(column, target)| {
        let target = if target.is_empty() { table.pk } else { target };
        format!("c.{} = p.{}", quote(column), quote(target))
    });
    let mut keys = child.columns.iter().filter(|(_, column)| column.pk > 0);
    let child_key = match (keys.next(), keys.next()) {
        (Some((pk, _)), None) => format!("CAST(c.{} AS TEXT)", quote(pk)),
        _ => "NULL".to_owned(),
    };
    format!(
        "SELECT json_array(p.{pk}, {child_key}) FROM {} AS p JOIN {} AS c ON {}
         WHERE p.{pk} IN (SELECT value FROM json_each(?2)) LIMIT 1",
        quote(table.name),
        quote(name),
        same.collect::<Vec<_>>().join(" AND "),
        pk = quote(table.pk),
    )
}
