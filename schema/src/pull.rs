//! Pull: one SELECT that answers with a header and a page of changes.
//!
//! How a row is written down is told by a view for each table, `fastest_row_{table}`, so that the
//! statement, which is sent with each pull, stays short.

use crate::ddl::{literal, quote};
use crate::push::seen_sql;
use crate::{Column, Kind, Schema, Table};

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

fn view_name(table: &Table) -> String {
    format!("fastest_row_{}", table.name)
}

/// The name of the view's column with the row: it tells of which columns, by the first eight hex
/// digits of the SHA-256 of their names, each with a line feed. A row is an array without names, and a
/// primary of another version may have others, or in another order: then the statement fails.
fn row_column(table: &Table) -> String {
    let names: String = table.columns.iter().map(|column| format!("{}\n", column.name)).collect();
    format!("row_{}", &crate::folder::sha256(&names)[..8])
}

/// The view of one synced table: for each row its key, about how many bytes it takes in an answer, and
/// its columns in declared order as the text of a JSON array. Values of any storage class are carried,
/// whatever the column's declared type: to refuse one is up to the reader, who can name the row.
///
/// The text is put together by `||`: D1 limits the arguments of a function, and what is JSON already
/// would lose that mark on its way through a view.
pub fn row_ddl(table: &Table) -> String {
    let cells: Vec<String> = table.columns.iter().map(|column| cell(table, column)).collect();
    format!(
        "CREATE VIEW {} AS SELECT t.{} AS pk,\n  {} AS size,\n  '['||{}||']' AS {}\nFROM {} AS t",
        quote(&view_name(table)),
        quote(table.pk),
        size(table),
        cells.join("||','||"),
        row_column(table),
        quote(table.name)
    )
}

/// One value as it travels. A number that does not fit its column is named, and need not be exact.
fn cell(table: &Table, column: &Column) -> String {
    let c = format!("t.{}", quote(column.name));
    let blob = format!("'{{\"blob\":\"'||hex({c})||'\"}}'");
    let odd = format!("'[\"real\",'||json_quote(CAST({c} AS TEXT))||']'");
    let real = match column.kind {
        // SQLite makes texts of numbers in a column that is declared as ours are.
        Kind::Text if !table.external => {
            return format!("\n  iif(typeof({c})='blob',{blob},json_quote({c}))");
        }
        Kind::Text | Kind::Integer => odd,
        Kind::Real => exact(&c),
    };
    // wrangler cuts SQL into statements by its words, and knows an `END` by the space after it.
    format!(
        "\n  CASE typeof({c}) WHEN 'real' THEN {real} WHEN 'blob' THEN {blob} ELSE json_quote({c}) END "
    )
}

/// A real as it travels. An integral one is an integer; any other is `[m, e]`, for m * 2^e: with 2^p
/// the largest power of two below it, m is the value times 2^(52-p), in two steps since that power
/// itself may be past the reals. Products with powers of two are exact. The decimal exponent, as
/// SQLite prints it, tells where to look for p: 2^3.322 is 10.
fn exact(c: &str) -> String {
    let power =
        |exponent: &str| format!("(SELECT power FROM fastest_powers WHERE exponent={exponent})");
    let (half, rest) = (power("(52-p.exponent)/2"), power("52-p.exponent-(52-p.exponent)/2"));
    format!(
        "CASE WHEN abs({c})<9007199254740992 AND {c}=CAST({c} AS INTEGER) THEN CAST({c} AS INTEGER) \
WHEN {c}*0.5={c} THEN iif({c}<0,'[-1,1024]','[1,1024]') \
ELSE (SELECT '['||CAST({c}*{half}*{rest} AS INTEGER)||','||(p.exponent-52)||']' \
FROM (SELECT CAST(substr(printf('%.0e',abs({c})),3) AS INTEGER)*3322/1000 AS n) \
CROSS JOIN fastest_powers AS p ON p.exponent BETWEEN n-5 AND n+5 WHERE p.power<=abs({c}) \
ORDER BY p.exponent DESC LIMIT 1) END"
    )
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
    let name = format!("t.{}", quote(column.name));
    match (column.size, column.null) {
        (Some(sql), _) => sql.to_owned(),
        (None, true) => format!("coalesce(length({name}),0)"),
        (None, false) => format!("length({name})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FASTEST;

    #[test]
    fn private_tables_are_not_pulled() {
        let empty = Schema { owner: "none", tables: &[], migrations: &[] };
        assert!(pull_sql(&empty).contains("coalesce(NULL, 0)"));
        let sql = pull_sql(&FASTEST);
        assert!(sql.len() < 100_000, "{} bytes", sql.len());
        assert!(sql.matches("UNION").count() < 5);
    }
}
