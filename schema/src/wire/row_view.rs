//! The view of each synced table that writes its rows down for pulls, `fastest_row_{table}`.

use crate::declare::table::{Column, Table};
use crate::sql::quote::quote;
use crate::value::hex::sha256;
use crate::value::kind::Kind;

pub(crate) fn view_name(table: &Table) -> String {
    format!("fastest_row_{}", table.name)
}

/// The name of the view's column with the row: it tells of which columns, by the first eight hex
/// digits of the SHA-256 of their names, each with a line feed. A row is an array without names, and a
/// primary of another version may have others, or in another order: then the statement fails.
pub(crate) fn row_column(table: &Table) -> String {
    let names: String = table.columns.iter().map(|column| format!("{}\n", column.name)).collect();
    format!("row_{}", &sha256(&names)[..8])
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
