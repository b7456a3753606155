//! Pull: one SELECT that answers with a header and a page of changes.

use crate::ddl::{literal, quote};
use crate::push::seen_sql;
use crate::{Column, Kind, Schema, Table};

/// Bytes that a change takes in an answer beside the texts of its row.
const CHANGE_BYTES: usize = 100;

/// SQLite builds may limit a function to 32 arguments.
const ARGUMENTS_MAX: usize = 30;

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
    let synced: Vec<&Table> = schema.synced().map(|table| table as _).collect();
    let ours = schema.owns_sql();
    let sizes = by_table(&synced, size);
    let rows = by_table(&synced, row);
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
  SELECT seq, CAST(seq AS TEXT), tbl, pk, CAST(version AS TEXT), CAST(deleted AS TEXT), {rows}
  FROM fastest_page AS c WHERE total = size OR total <= CAST(?4 AS INTEGER)
) ORDER BY place"
    )
}

/// Finds projects by id or name. One parameter; one row: the parameter again, so that no other
/// answer can pass for this one, and the ids as a JSON array.
pub fn find_projects_sql() -> &'static str {
    "SELECT ?1, (SELECT json_group_array(id) FROM
  (SELECT id FROM projects WHERE id = ?1 OR name = ?1 ORDER BY id))"
}

/// Which projects there are, the newest 5,000 of them. One parameter, any text; one row: that text
/// again, and a JSON array of texts of three lines: id, time of creation, name.
pub fn list_projects_sql() -> &'static str {
    "SELECT ?1, (SELECT json_group_array(id || char(10) || created_at || char(10) || name) FROM
  (SELECT id, created_at, name FROM projects ORDER BY created_at DESC, id DESC LIMIT 5000))"
}

/// Which migrations of a schema are applied. One parameter, any text; one row: that text again, and the
/// names as a JSON array.
pub fn applied_migrations_sql(schema: &Schema) -> String {
    let ours = schema.owns_sql();
    format!(
        "SELECT ?1, (SELECT json_group_array(name) FROM
  (SELECT name FROM d1_migrations WHERE {ours} ORDER BY name))"
    )
}

/// Whether a primary has the engine's tables, and which migrations of anyone's are recorded there.
/// One parameter, any text; one row: that text again, and a JSON array: first `fastest_meta` and
/// `fastest_packs`, of which every engine has the one and Fastest's own the other, as far as they are
/// there; then the names, in order.
pub fn engine_sql() -> &'static str {
    "SELECT ?1, (SELECT json_group_array(name) FROM (
  SELECT 0 AS place, name FROM sqlite_master
  WHERE type = 'table' AND name IN ('fastest_meta', 'fastest_packs') UNION ALL
  SELECT 1, name FROM d1_migrations WHERE name GLOB '[0-9][0-9][0-9][0-9]_*'
  ORDER BY place, name))"
}

/// An expression over the row that the change `c` is about; null when it is gone.
fn by_table(tables: &[&Table], expression: fn(&Table) -> String) -> String {
    let arms: Vec<String> = tables
        .iter()
        .map(|table| {
            let (name, pk) = (quote(table.name), quote(table.pk));
            let expression = expression(table);
            format!(
                "\n      WHEN {} THEN (SELECT {expression} FROM {name} WHERE {pk} = c.pk)",
                literal(table.name)
            )
        })
        .collect();
    match arms.is_empty() {
        true => "NULL".to_owned(),
        false => format!("CASE iif(c.deleted, NULL, c.tbl){} END", arms.concat()),
    }
}

/// The columns in declared order as a JSON array.
fn row(table: &Table) -> String {
    let columns: Vec<String> = table.columns.iter().map(|column| quote(column.name)).collect();
    if columns.len() <= ARGUMENTS_MAX {
        return format!("json_array({})", columns.join(","));
    }
    let quoted: Vec<String> =
        columns.iter().map(|column| format!("json_quote({column})")).collect();
    format!("'['||{}||']'", quoted.join("||','||"))
}

/// About how many bytes the row takes in an answer.
fn size(table: &Table) -> String {
    let numbers = table.columns.iter().filter(|column| column.kind != Kind::Text).count();
    let texts = table.columns.iter().filter(|column| column.kind == Kind::Text);
    let sizes: Vec<String> =
        [(numbers * 10).to_string()].into_iter().chain(texts.map(text_size)).collect();
    sizes.join("+")
}

fn text_size(column: &Column) -> String {
    let name = quote(column.name);
    match (column.size, column.null) {
        (Some(sql), _) => sql.to_owned(),
        (None, true) => format!("coalesce(length({name}),0)"),
        (None, false) => format!("length({name})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{FASTEST, Policy};

    #[test]
    fn private_tables_are_not_pulled() {
        let empty = Schema { owner: "none", tables: &[], migrations: &[] };
        assert!(pull_sql(&empty).contains("coalesce(NULL, 0)"));
        let sql = pull_sql(&FASTEST);
        assert!(sql.len() < 100_000, "{} bytes", sql.len());
        assert!(sql.matches("UNION").count() < 5);
    }

    #[test]
    fn wide_rows_stay_under_the_argument_limit() {
        const COLUMN: Column = Column {
            name: "a",
            kind: Kind::Integer,
            null: true,
            default: None,
            check: None,
            unique: false,
            lock_version: false,
            references: None,
            size: None,
            renamed_from: None,
        };
        let wide = Table {
            name: "wide",
            pk: "a",
            columns: &[COLUMN; 31],
            indexes: &[],
            policy: Policy::AppendOnly,
            reason: "a test",
            scope: None,
            renamed_from: None,
            deprecated: None,
            external: false,
        };
        assert!(row(&wide).starts_with("'['||json_quote(`a`)||','||"));
    }
}
