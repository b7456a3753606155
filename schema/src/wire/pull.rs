//! Pull: one SELECT that returns a header and a page of changes.
//!
//! The statement is sent with each pull. To keep it short, a view of each table,
//! `fastest_row_{table}`, encodes the rows.

use crate::declare::schema::Schema;
use crate::declare::table::Table;
use crate::sql::quote::{literal, quote};
use crate::wire::payload::{mark_sql, seen_sql};
use crate::wire::row_view::{row_column, view_name};

/// The approximate size of a change in an answer, in bytes, without its row.
const CHANGE_BYTES: usize = 100;

/// Selects the last push, as a [`crate::Mark`]. Before version 3 of the engine, the table has no such
/// column: then SQLite takes the null of the outer query. Ids are what clients sent: others than short
/// texts of ASCII would make the header fail.
const LAST_PUSH: &str = "SELECT (
        SELECT json_array(id, device, counter) FROM fastest_pushes
        WHERE id = (SELECT last_push FROM fastest_meta)
          AND typeof(id) || typeof(device) = 'texttext'
          AND NOT (id || device GLOB '*[^ -~]*') AND length(id) + length(device) <= 200
      ) FROM (SELECT NULL AS last_push)";

/// Returns the pull statement for the synced tables of a schema.
///
/// It has eight parameters, all texts:
/// 1. the scope;
/// 2. the cursor: the last sequence number that was seen in the scope;
/// 3. the maximum number of changes in an answer;
/// 4. the maximum size of an answer, in bytes;
/// 5. the id of the last push that the device knows to be applied;
/// 6. the change at the cursor as JSON ([`crate::Seen`]), or an empty text;
/// 7. the last push of anyone that the device has seen, as JSON ([`crate::Mark`]), or an empty text;
/// 8. a text that identifies the request: the header repeats it, so that the answer to another
///    request is noticed.
///
/// The answer has six columns of text or null, which [`crate::decode_page`] decodes: first a
/// header, then changes in ascending order of sequence numbers. The first change is sent whatever
/// its size. Changes of tables that are not in the schema are sent without their rows: the decoder
/// ignores those of deleted rows, and reports those of existing rows, since they mean that the
/// primary is newer.
pub fn pull_sql(schema: &Schema) -> String {
    select(schema, str::to_owned, "CAST(pk AS TEXT)")
}

/// Returns the pull statement that encodes keys and rows in hex, for [`crate::decode_hex_page`]. It
/// is for texts that are not UTF-8, for which servers send U+FFFD or fail.
///
/// Hex doubles the size, and D1 limits a text to 2 MB. So a row of `whole_from` bytes or more is
/// sent as it is, with a prefix: the number of U+FFFD that it really contains, and a colon.
pub fn pull_hex_sql(schema: &Schema, whole_from: Option<u32>) -> String {
    let form = |row: &str| match whole_from {
        None => format!("hex({row})"),
        Some(bytes) => format!(
            "iif(length(CAST({row} AS BLOB)) < {bytes}, hex({row}), (length({row}) - length(replace({row}, char(65533), '')))||':'||{row})"
        ),
    };
    select(schema, form, "hex(CAST(pk AS TEXT))")
}

/// Returns the pull statement. `form` wraps the SQL expression of a row in its encoding, and `pk`
/// is the SQL expression of the encoded key.
fn select(schema: &Schema, form: impl Fn(&str) -> String, pk: &str) -> String {
    let synced: Vec<&Table> = schema.synced().map(|table| table as _).collect();
    let ours = schema.owns_sql();
    let sizes = by_table(&synced, |_| "size".to_owned());
    // Keys are cast: they are declared as text, but someone may have written a blob.
    let rows = by_table(&synced, |table| form(&row_column(table)));
    // Workerd's SQLite evaluates both sides of an OR, and an empty text is not valid JSON.
    let (seen, mark) = (seen_sql("nullif(?6, '')"), mark_sql("nullif(?7, '')"));
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
      'mark_known', ?7 = '' OR {mark},
      'mark', json(({LAST_PUSH})),
      'request', ?8
    ) AS row
  UNION ALL
  SELECT seq, CAST(seq AS TEXT), tbl, {pk}, CAST(version AS TEXT), CAST(deleted AS TEXT), {rows}
  FROM fastest_page AS c WHERE total = size OR total <= CAST(?4 AS INTEGER)
) ORDER BY place"
    )
}

/// Returns SQL that evaluates an expression on the changed row, in the view of the table of the
/// change `c`. It is null if `deleted` is not 0, the row does not exist, or its table is not in
/// `tables`.
fn by_table(tables: &[&Table], expression: impl Fn(&Table) -> String) -> String {
    let arms: Vec<String> = tables
        .iter()
        .map(|table| {
            let view = quote(&view_name(table));
            let (name, expression) = (literal(table.name), expression(table));
            format!("\n      WHEN {name} THEN (SELECT {expression} FROM {view} WHERE pk = c.pk)")
        })
        .collect();
    if arms.is_empty() {
        "NULL".to_owned()
    } else {
        format!("CASE iif(c.deleted, NULL, c.tbl){} END", arms.concat())
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
