//! The view `fastest_row_{table}` of each synced table, which encodes its rows for pulls.

use crate::declare::table::{Column, Table};
use crate::sql::quote::quote;
use crate::value::hex::sha256;
use crate::value::kind::Kind;

pub(crate) fn view_name(table: &Table) -> String {
    format!("fastest_row_{}", table.name)
}

/// Returns the name of the view's column that holds the row. It contains the first eight hex digits
/// of the SHA-256 of the column names, each followed by a line feed. A row is an array without
/// names, so a pull must fail if a primary of another version has other columns, or another order
/// of them.
pub(crate) fn row_column(table: &Table) -> String {
    let names: String = table.columns.iter().map(|column| format!("{}\n", column.name)).collect();
    format!("row_{}", &sha256(&names)[..8])
}

/// Returns the view of one synced table: for each row its key, its approximate size in an answer in
/// bytes, and its columns in declared order as the text of a JSON array. Values are encoded
/// whatever their storage class: the reader refuses those that do not fit their columns, and can
/// name the row.
///
/// The array is built with `||` rather than `json_array`: D1 limits the number of function
/// arguments, and SQLite does not remember across a view that a text is JSON.
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

/// Returns SQL that encodes one value in wire form. A real in a column of another kind is only
/// reported, so it need not be exact.
fn cell(table: &Table, column: &Column) -> String {
    let c = format!("t.{}", quote(column.name));
    let blob = format!("'{{\"blob\":\"'||hex({c})||'\"}}'");
    let odd = format!("'[\"real\",'||json_quote(CAST({c} AS TEXT))||']'");
    let real = match column.kind {
        // SQLite converts numbers to text in a column that is declared `text`, as ours are.
        Kind::Text if !table.external => {
            return format!("\n  iif(typeof({c})='blob',{blob},json_quote({c}))");
        }
        Kind::Text | Kind::Integer => odd,
        Kind::Real => exact(&c),
    };
    // wrangler splits SQL at words, and recognises `END` by the space after it.
    format!(
        "\n  CASE typeof({c}) WHEN 'real' THEN {real} WHEN 'blob' THEN {blob} ELSE json_quote({c}) END "
    )
}

/// Returns SQL that encodes a real. An integral one below 2^53 is an integer; any other is
/// `[m, e]`, for m * 2^e. Let 2^p be the largest power of two that is not greater than the absolute
/// value; then m is the value times 2^(52-p). That takes two multiplications, because 2^(52-p) may
/// overflow; products with powers of two are exact. The decimal exponent that SQLite prints tells
/// where to search for p, as 10 is about 2^3.322.
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

/// Returns SQL for the approximate size of a row in an answer, in bytes.
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
