//! Decodes the answer to a pull. A primary may be broken or may lie: nothing here panics, and what
//! passes has the shape that the declarations promise.

use serde::Deserialize;

use crate::declare::table::{Column, Row, Table};
use crate::value::hex::from_hex;
use crate::value::kind::Kind;
use crate::value::sql_value::{Value, ValueError};

/// Versions and sequence numbers count by one: no honest one comes near. Beyond it, sums overflow.
const COUNT_MAX: i64 = 1 << 53;

/// The answer to one pull.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// What the primary says of itself.
    pub header: Header,
    /// Changes by rising sequence number, all after the cursor that was sent. What is gone from
    /// tables that are gone is left out.
    pub changes: Vec<Change>,
    /// The sequence number that the page reaches.
    pub reaches: i64,
    /// How many changes were answered, those left out included.
    pub rows: usize,
}

impl Page {
    /// Whether changes of the scope are left for another pull.
    pub fn more(&self) -> bool {
        self.reaches < self.header.seq
    }
}

/// What a primary says of itself in each answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The highest sequence number in the scope; 0 when nothing was ever written there.
    pub seq: i64,
    /// The id that the primary got when it was set up.
    pub epoch: String,
    /// The name of its last migration, with `.sql`.
    pub migration: Option<String>,
    /// Whether it remembers the push that the device named.
    pub push_known: bool,
    /// Whether it has the change that the device named, or a later one of the same row.
    pub seen_known: bool,
    /// The text that was sent to be repeated.
    pub request: String,
}

/// One change.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Its sequence number in the scope.
    pub seq: i64,
    /// The table of the row.
    pub table: &'static Table,
    /// The key of the row.
    pub key: String,
    /// The lock version of the row.
    pub version: i64,
    /// What became of it.
    pub outcome: Outcome,
}

impl Change {
    /// The row as its type, if it is there and is one of `R`'s table.
    pub fn row<R: Row>(&self) -> Option<Result<R, ValueError>> {
        match &self.outcome {
            Outcome::Row(values) if self.table.name == R::TABLE.name => {
                Some(R::from_values(values.clone()))
            }
            _ => None,
        }
    }
}

/// What became of a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// It is there, with these values in column order.
    Row(Vec<Value>),
    /// It is there, and one of its values cannot be kept in its column: someone wrote past the
    /// declared type. What is here of the row stays until it is mended there.
    Held {
        /// The column.
        column: &'static str,
        /// What is wrong with its value.
        why: String,
    },
    /// It is gone: drop it, if it is held under the scope that was pulled.
    Deleted,
    /// It left this scope: drop it, if it is held under it still.
    Left {
        /// The scope that it left.
        scope: String,
    },
}

/// An answer that no honest primary gives.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// A row of the answer has not six columns, or lacks a value that must be there.
    #[error("row {row} of the answer: {column} is missing or out of place")]
    Shape {
        /// The row of the answer, from 0.
        row: usize,
        /// The column.
        column: &'static str,
    },
    /// A value is not the number that it must be.
    #[error("row {row} of the answer: {column} is not a count: `{value}`")]
    Number {
        /// The row of the answer, from 0.
        row: usize,
        /// The column.
        column: &'static str,
        /// What came.
        value: String,
    },
    /// A value is not the JSON that it must be.
    #[error("row {row} of the answer is not the JSON it should be")]
    Json {
        /// The row of the answer, from 0.
        row: usize,
        /// What the parser says.
        source: serde_json::Error,
    },
    /// The header is missing.
    #[error("the answer has no header")]
    NoHeader,
    /// Sequence numbers do not rise from the cursor to the header's.
    #[error("change {seq} is out of order: expected one after {after}, up to {last}")]
    Order {
        /// The sequence number that came.
        seq: i64,
        /// The one before it, or the cursor.
        after: i64,
        /// The header's.
        last: i64,
    },
    /// The primary has a table that this build does not know.
    #[error("the primary has a table `{0}` that this version does not know")]
    UnknownTable(String),
    /// A row has not as many values as its table has columns.
    #[error("`{table}` row `{key}` has {found} values, expected {expected}")]
    Width {
        /// The table.
        table: &'static str,
        /// The key of the row.
        key: String,
        /// How many values came.
        found: usize,
        /// How many columns the table has.
        expected: usize,
    },
    /// A row's own key is not the one that its change names.
    #[error("`{table}`: the change of `{key}` carries another row")]
    Key {
        /// The table.
        table: &'static str,
        /// The key in the change.
        key: String,
    },
}

/// How the texts of an answer are written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// As they are.
    Text,
    /// Keys and rows in hex: some are no UTF-8, which a server's own answer cannot carry.
    Hex,
}

/// Whether an answer has to be asked for again by [`crate::pull_hex_sql`]: texts that are no UTF-8
/// come with U+FFFD in their place, which may also be what a text holds.
pub fn is_lossy(answer: &[Vec<Option<String>>]) -> bool {
    answer.iter().flatten().flatten().any(|cell| cell.contains('\u{fffd}'))
}

/// Decodes the answer to [`crate::pull_sql`], for the same tables and the cursor that was sent.
pub fn decode_page(
    tables: &[&'static Table],
    cursor: i64,
    answer: Vec<Vec<Option<String>>>,
) -> Result<Page, PageError> {
    decode(tables, cursor, answer, Form::Text)
}

/// The same for [`crate::pull_hex_sql`].
pub fn decode_hex_page(
    tables: &[&'static Table],
    cursor: i64,
    answer: Vec<Vec<Option<String>>>,
) -> Result<Page, PageError> {
    decode(tables, cursor, answer, Form::Hex)
}

fn decode(
    tables: &[&'static Table],
    cursor: i64,
    answer: Vec<Vec<Option<String>>>,
    form: Form,
) -> Result<Page, PageError> {
    let mut rows = answer.into_iter().enumerate();
    let (_, first) = rows.next().ok_or(PageError::NoHeader)?;
    let header = header(first)?;
    let mut changes = Vec::with_capacity(rows.len());
    let mut after = cursor;
    let count = rows.len();
    for (at, cells) in rows {
        let cells = Cells::new(at, cells)?;
        let seq = cells.number("seq", cells.seq.as_deref())?;
        if seq <= after || seq > header.seq {
            return Err(PageError::Order { seq, after, last: header.seq });
        }
        after = seq;
        if !is_gone_with_its_table(tables, &cells) {
            changes.push(change(tables, seq, cells, form)?);
        }
    }
    let reaches = if count == 0 { header.seq } else { after };
    Ok(Page { header, changes, reaches, rows: count })
}

fn header(cells: Vec<Option<String>>) -> Result<Header, PageError> {
    #[derive(Deserialize)]
    struct Body {
        epoch: String,
        migration: Option<String>,
        push_known: i64,
        seen_known: i64,
        request: String,
    }
    let cells = Cells::new(0, cells)?;
    if cells.table.is_some() {
        return Err(PageError::NoHeader);
    }
    let seq = cells.number("seq", cells.seq.as_deref())?;
    let body = cells.row.as_deref().ok_or(PageError::NoHeader)?;
    let Body { epoch, migration, push_known, seen_known, request } =
        serde_json::from_str(body).map_err(|source| PageError::Json { row: 0, source })?;
    let (push_known, seen_known) = (push_known != 0, seen_known != 0);
    Ok(Header { seq, epoch, migration, push_known, seen_known, request })
}

/// Whether a row is gone, and its table is not known: a migration that drops a table leaves that.
fn is_gone_with_its_table(tables: &[&'static Table], cells: &Cells) -> bool {
    let is_known = |name| tables.iter().any(|table| table.name == name);
    let is_gone = matches!(cells.deleted.as_deref(), Some("1" | "2")) && cells.row.is_none();
    is_gone && cells.table.as_deref().is_some_and(|name| !is_known(name))
}

fn change(
    tables: &[&'static Table],
    seq: i64,
    cells: Cells,
    form: Form,
) -> Result<Change, PageError> {
    let version = cells.number("version", cells.version.as_deref())?;
    let deleted = cells.number("deleted", cells.deleted.as_deref())?;
    let name = cells.table.as_deref().ok_or(cells.shape("tbl"))?;
    let pk = cells.pk.as_deref().ok_or(cells.shape("pk"))?;
    let pk = Text::read(pk, form).ok_or(cells.shape("pk"))?.lossy();
    let table = tables.iter().copied().find(|table| table.name == name);
    let table = table.ok_or_else(|| PageError::UnknownTable(name.to_owned()))?;
    let at = cells.at;
    let json = |source| PageError::Json { row: at, source };
    let (key, outcome) = match (deleted, cells.row.as_deref()) {
        (0, Some(row)) => {
            let row = Text::read(row, form).ok_or(cells.shape("row"))?;
            let values = serde_json::from_str(&row.text).map_err(json)?;
            let outcome = outcome(table, &pk, values, row.marker)?;
            (pk, outcome)
        }
        // A live entry without a row: a REPLACE on another row deleted it behind the triggers.
        (0 | 1, None) => (pk, Outcome::Deleted),
        (2, None) => {
            let (key, scope) = serde_json::from_str(&pk).map_err(json)?;
            (key, Outcome::Left { scope })
        }
        _ => return Err(cells.shape("deleted")),
    };
    Ok(Change { seq, table, key, version, outcome })
}

/// A text of an answer.
struct Text {
    /// It, with a mark in place of bytes that are no UTF-8.
    text: String,
    /// The mark, if there are such bytes: a letter that is not in the text otherwise.
    marker: Option<char>,
}

impl Text {
    fn read(text: &str, form: Form) -> Option<Text> {
        match form {
            Form::Text => Some(Text { text: text.to_owned(), marker: None }),
            Form::Hex => match text.split_once(':') {
                None => from_hex(text).map(Text::from_bytes),
                Some((count, whole)) => {
                    let replaced = char::REPLACEMENT_CHARACTER;
                    let is_whole =
                        whole.matches(replaced).count() == count.parse::<usize>().ok()?;
                    let marker = if is_whole { None } else { Some(replaced) };
                    Some(Text { text: whole.to_owned(), marker })
                }
            },
        }
    }

    fn from_bytes(bytes: Vec<u8>) -> Text {
        let bytes = match String::from_utf8(bytes) {
            Ok(text) => return Text { text, marker: None },
            Err(error) => error.into_bytes(),
        };
        let valid: String = bytes.utf8_chunks().map(|chunk| chunk.valid()).collect();
        let marker = ('\u{e000}'..='\u{f8ff}').find(|mark| !valid.contains(*mark));
        let marker = marker.unwrap_or(char::REPLACEMENT_CHARACTER);
        let mut text = String::with_capacity(bytes.len());
        for chunk in bytes.utf8_chunks() {
            text.push_str(chunk.valid());
            text.extend((!chunk.invalid().is_empty()).then_some(marker));
        }
        Text { text, marker: Some(marker) }
    }

    fn lossy(self) -> String {
        match self.marker {
            None => self.text,
            Some(marker) => self.text.replace(marker, "\u{fffd}"),
        }
    }
}

/// A row that is there, if there is a value for each column, and the key is the change's. `marker`
/// stands for bytes that are no UTF-8.
fn outcome(
    table: &'static Table,
    key: &str,
    values: Vec<serde_json::Value>,
    marker: Option<char>,
) -> Result<Outcome, PageError> {
    if values.len() != table.columns.len() {
        return Err(PageError::Width {
            table: table.name,
            key: key.to_owned(),
            found: values.len(),
            expected: table.columns.len(),
        });
    }
    let mut row = Vec::with_capacity(values.len());
    let mut held = None;
    for (column, json) in table.columns.iter().zip(values) {
        let value = match Value::from_wire(json, column.kind) {
            Ok(Value::Text(text)) if marker.is_some_and(|marker| text.contains(marker)) => {
                Err("a text that is not UTF-8".to_owned())
            }
            Ok(value) if fits(column, &value) => Ok(value),
            Ok(value) => Err(misfit(column, &value)),
            Err(error) => Err(error.to_string()),
        };
        match value {
            Ok(value) if column.name == table.pk && value.as_str() != Some(key) => {
                return Err(PageError::Key { table: table.name, key: key.to_owned() });
            }
            Ok(value) => row.push(value),
            Err(why) => held = held.or(Some(Outcome::Held { column: column.name, why })),
        }
    }
    Ok(held.unwrap_or(Outcome::Row(row)))
}

fn fits(column: &Column, value: &Value) -> bool {
    match (column.kind, value) {
        (_, Value::Null) => column.null,
        (Kind::Text, Value::Text(_))
        | (Kind::Integer, Value::Integer(_))
        | (Kind::Real, Value::Real(_)) => true,
        _ => false,
    }
}

/// Why a value cannot be kept.
fn misfit(column: &Column, value: &Value) -> String {
    let kind = match column.kind {
        Kind::Text => "text",
        Kind::Integer => "integers",
        Kind::Real => "reals",
    };
    match value {
        Value::Null => "null, which the column does not allow".to_owned(),
        Value::Blob(_) => format!("{value} in a column of {kind}"),
        value => format!("the {} {value} in a column of {kind}", value.class()),
    }
}

/// One row of the answer.
struct Cells {
    at: usize,
    seq: Option<String>,
    table: Option<String>,
    pk: Option<String>,
    version: Option<String>,
    deleted: Option<String>,
    row: Option<String>,
}

impl Cells {
    fn new(at: usize, cells: Vec<Option<String>>) -> Result<Cells, PageError> {
        let [seq, table, pk, version, deleted, row] = cells
            .try_into()
            .map_err(|_| PageError::Shape { row: at, column: "the column count" })?;
        Ok(Cells { at, seq, table, pk, version, deleted, row })
    }

    fn shape(&self, column: &'static str) -> PageError {
        PageError::Shape { row: self.at, column }
    }

    fn number(&self, column: &'static str, value: Option<&str>) -> Result<i64, PageError> {
        let value = value.ok_or(self.shape(column))?;
        value
            .parse()
            .ok()
            .filter(|number| (0..=COUNT_MAX).contains(number))
            .ok_or_else(|| PageError::Number { row: self.at, column, value: value.to_owned() })
    }
}
