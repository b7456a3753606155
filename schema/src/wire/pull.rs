//! Pull: one SELECT that answers with a header and a page of changes.
//!
//! How a row is written down is told by a view for each table, `fastest_row_{table}`, so that the
//! statement, which is sent with each pull, stays short.

use crate::declare::schema::Schema;
use crate::declare::table::Table;
use crate::sql::quote::{literal, quote};
use crate::wire::payload::seen_sql;
use crate::wire::row_view::{row_column, view_name};

/// Bytes that a change takes in an answer beside the texts of its row.
const CHANGE_BYTES: usize = 100;

/// The pull statement, for the synced tables of a schema.
///
/// Its parameters are texts: scope, the last sequence number seen in it, the most rows and the
/// most bytes of an answer, the id of the last push that the device knows to be applied, the change
/// at the cursor as JSON ([`crate::Seen`]) or an empty text, and any text, which the header repeats
/// so that no other answer can pass for this one. Its answer, six columns of text or null, is what
/// [`crate::decode_page`] reads: first a header, then changes by rising sequence number. The first
/// change comes whatever its size.
///
/// That rows are gone of a table that is no longer synced is of no use to whoever does not hold it;
/// a row that is there of an unknown table comes, for it says that the primary is newer.
pub fn pull_sql(schema: &Schema) -> String {
    select(schema, str::to_owned, "CAST(pk AS TEXT)")
}

/// The same, with the keys and the rows of changes in hex, which [`crate::decode_hex_page`] reads: for
/// an answer with texts that are no UTF-8. Servers put U+FFFD in their place, or fail.
///
/// D1 takes 2 MB for a text, which hex would double. So a row that is `whole_from` bytes or larger comes
/// as it is, after the count of U+FFFD that it has there and a colon.
pub fn pull_hex_sql(schema: &Schema, whole_from: Option<u32>) -> String {
    let form = |row: &str| match whole_from {
        None => format!("hex({row})"),
        Some(bytes) => format!(
            "iif(length(CAST({row} AS BLOB)) < {bytes}, hex({row}), (length({row}) - length(replace({row}, char(65533), '')))||':'||{row})"
        ),
    };
    select(schema, form, "hex(CAST(pk AS TEXT))")
}

/// `form` and `pk` write down the row and the key of a change.
fn select(schema: &Schema, form: impl Fn(&str) -> String, pk: &str) -> String {
    let synced: Vec<&Table> = schema.synced().map(|table| table as _).collect();
    let ours = schema.owns_sql();
    let sizes = by_table(&synced, |_| "size".to_owned());
    // A key is cast: it is text in each table that is declared, and may be a blob where someone wrote one.
    let rows = by_table(&synced, |table| form(&row_column(table)));
    // Workerd's SQLite evaluates both sides of an OR, and an empty text is no JSON.
    let seen = seen_sql("nullif(?6, '')");
    format!(
        "WITH fastest_page AS (
  SELECT *, sum(size) OVER (ORDER BY seq) AS total FROM (
    SELECT seq, tbl, pk, version, deleted, {CHANGE_BYTES} + coalesce({sizes}, 0) AS size
    FROM fastest_changes AS c
    WHERE scope = ?1 AND seq > CAST(?2 AS INTEGER) ORDER BY seq LIMIT CAST(?3 AS INTEGER)
  )
)
SELECT seq, tbl, pk, version, deleted, row FROM (
  SELECT 0 AS place,
    CAST((SELECT coalesce(max(seq), 0) FROM fastest_changes WHERE scope = ?1) AS TEXT) AS seq,
    NULL AS tbl, NULL AS pk, NULL AS version, NULL AS deleted,
    json_object(
      'epoch', (SELECT epoch FROM fastest_meta),
      'migration', (SELECT max(name) FROM d1_migrations WHERE {ours}),
      'push_known', EXISTS (SELECT 1 FROM fastest_pushes WHERE id = ?5),
      'seen_known', ?6 = '' OR {seen},
      'request', ?7
    ) AS row
  UNION ALL
  SELECT seq, CAST(seq AS TEXT), tbl, {pk}, CAST(version AS TEXT), CAST(deleted AS TEXT), {rows}
  FROM fastest_page AS c WHERE total = size OR total <= CAST(?4 AS INTEGER)
) ORDER BY place"
    )
}

/// An expression over the view of the row that the change `c` is about; null when it is gone.
fn by_table(tables: &[&Table], expression: impl Fn(&Table) -> String) -> String {
    let arms: Vec<String> = tables
        .iter()
        .map(|table| {
            let view = quote(&view_name(table));
            let (name, expression) = (literal(table.name), expression(table));
            format!("\n      WHEN {name} THEN (SELECT {expression} FROM {view} WHERE pk = c.pk)")
        })
        .collect();
    match arms.is_empty() {
        true => "NULL".to_owned(),
        false => format!("CASE iif(c.deleted, NULL, c.tbl){} END", arms.concat()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::fastest::FASTEST;

    #[test]
    fn private_tables_are_not_pulled() {
        let empty = Schema { owner: "none", tables: &[], migrations: &[] };
        assert!(pull_sql(&empty).contains("coalesce(NULL, 0)"));
        let sql = pull_sql(&FASTEST);
        assert!(sql.len() < 100_000, "{} bytes", sql.len());
        assert!(sql.matches("UNION").count() < 5);
    }
}
