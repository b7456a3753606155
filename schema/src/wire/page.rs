//! Decodes the answer to a pull.
//!
//! The primary may be broken or malicious. Nothing here panics on its answer, and rows that are
//! returned have the columns and types that are declared.

use serde::Deserialize;

use crate::declare::table::{Column, Row, Table};
use crate::value::hex::from_hex;
use crate::value::kind::Kind;
use crate::value::sql_value::{Value, ValueError};
use crate::wire::ids::{RowKey, ScopeId};
use crate::wire::payload::Mark;

/// The largest version or sequence number that is accepted. Both count up by one, so a correct
/// primary never gets near it, and sums of accepted numbers cannot overflow.
const COUNT_MAX: i64 = 1 << 53;

/// The longest ids of a [`Mark`] that is kept, together.
const MARK_BYTES_MAX: usize = 200;

/// The answer to one pull.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// The state of the primary.
    pub header: Header,
    /// Changes in ascending order of sequence numbers, all after the cursor that was sent. Deleted
    /// rows of tables that this build does not know are left out.
    pub changes: Vec<Change>,
    /// The sequence number that the page reaches, which is the next cursor.
    pub reaches: i64,
    /// The number of changes in the answer, including those that were left out.
    pub rows: usize,
}

impl Page {
    /// Whether the scope has more changes, which need another pull.
    pub fn more(&self) -> bool {
        self.reaches < self.header.seq
    }
}

/// The state of the primary, which it sends with each answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The highest sequence number in the scope; 0 if nothing was ever written there.
    pub seq: i64,
    /// The random id that the primary got when it was set up.
    pub epoch: String,
    /// The name of its last migration of this schema, with `.sql`.
    pub migration: Option<String>,
    /// Whether it remembers the push that the device named.
    pub push_known: bool,
    /// Whether it has the change that the device named, or a later one of the same row.
    pub seen_known: bool,
    /// Whether it has applied the push in the [`Mark`] that the device sent.
    pub mark_known: bool,
    /// The last push that it has applied.
    pub mark: Option<Mark>,
    /// The request text that was sent, repeated.
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
    pub key: RowKey,
    /// The lock version of the row.
    pub version: i64,
    /// The state of the row.
    pub outcome: Outcome,
}

impl Change {
    /// Converts the row to an `R`. `None` if the outcome is not [`Outcome::Row`], or the row
    /// belongs to another table.
    pub fn row<R: Row>(&self) -> Option<Result<R, ValueError>> {
        match &self.outcome {
            Outcome::Row(values) if self.table.name == R::TABLE.name => {
                Some(R::from_values(values.clone()))
            }
            _ => None,
        }
    }
}

/// The state of a row after a change.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The row exists, with these values in column order.
    Row(Vec<Value>),
    /// The row exists, but a value does not fit its column: someone wrote another type on the
    /// primary. The replica keeps its version of the row until the value is corrected there.
    Held {
        /// The column.
        column: &'static str,
        /// What is wrong with its value.
        why: String,
    },
    /// The row was deleted. The replica drops the row if it holds it under the scope that was
    /// pulled.
    Deleted,
    /// The row left a scope. The replica drops the row if it still holds it under that scope.
    Left {
        /// The scope that it left.
        scope: ScopeId,
    },
}

/// An answer that a correct primary would not send.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// A row of the answer does not have six columns, a required value is null or is not valid hex,
    /// or `deleted` is unknown or contradicts the row.
    #[error("row {row} of the answer: {column} is missing or out of place")]
    Shape {
        /// The row of the answer, from 0.
        row: usize,
        /// The column.
        column: &'static str,
    },
    /// A value is not a valid number.
    #[error("row {row} of the answer: {column} is not a count: `{value}`")]
    Number {
        /// The row of the answer, from 0.
        row: usize,
        /// The column.
        column: &'static str,
        /// The value.
        value: String,
    },
    /// A value is not the expected JSON.
    #[error("row {row} of the answer is not the JSON it should be")]
    Json {
        /// The row of the answer, from 0.
        row: usize,
        /// The parser's error.
        source: serde_json::Error,
    },
    /// The header is missing.
    #[error("the answer has no header")]
    NoHeader,
    /// Sequence numbers are not ascending, or are outside of the range from the cursor to the
    /// header's.
    #[error("change {seq} is out of order: expected one after {after}, up to {last}")]
    Order {
        /// The sequence number of the change.
        seq: i64,
        /// The sequence number before it, or the cursor.
        after: i64,
        /// The sequence number in the header.
        last: i64,
    },
    /// The primary has a table that this build does not know.
    #[error("the primary has a table `{0}` that this version does not know")]
    UnknownTable(String),
    /// A row does not have one value for each column of its table.
    #[error("`{table}` row `{key}` has {found} values, expected {expected}")]
    Width {
        /// The table.
        table: &'static str,
        /// The key of the row.
        key: String,
        /// The number of values.
        found: usize,
        /// The number of columns.
        expected: usize,
    },
    /// The key in a row differs from the key of its change.
    #[error("`{table}`: the change of `{key}` carries another row")]
    Key {
        /// The table.
        table: &'static str,
        /// The key in the change.
        key: String,
    },
}

/// The encoding of keys and rows in an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// As texts.
    Text,
    /// In hex, because some are not valid UTF-8, which a server's answer cannot contain.
    Hex,
}

/// Whether to ask again with [`crate::pull_hex_sql`]. Servers replace bytes that are not UTF-8 with
/// U+FFFD, and a text that really contains U+FFFD looks the same.
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

/// Decodes the answer to [`crate::pull_hex_sql`], for the same tables and the cursor that was sent.
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
        if !is_deleted_and_unknown(tables, &cells) {
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
        mark_known: i64,
        mark: Option<Mark>,
        request: String,
    }
    let cells = Cells::new(0, cells)?;
    if cells.table.is_some() {
        return Err(PageError::NoHeader);
    }
    let seq = cells.number("seq", cells.seq.as_deref())?;
    let body = cells.row.as_deref().ok_or(PageError::NoHeader)?;
    let Body { epoch, migration, push_known, seen_known, mark_known, mark, request } =
        serde_json::from_str(body).map_err(|source| PageError::Json { row: 0, source })?;
    let (push_known, seen_known, mark_known) = (push_known != 0, seen_known != 0, mark_known != 0);
    // The device sends it back with each request.
    let mark = mark
        .filter(|Mark(id, device, _)| id.as_str().len() + device.as_str().len() <= MARK_BYTES_MAX);
    Ok(Header { seq, epoch, migration, push_known, seen_known, mark_known, mark, request })
}

/// Whether the row was deleted and its table is unknown. A migration that drops a table leaves such
/// entries.
fn is_deleted_and_unknown(tables: &[&'static Table], cells: &Cells) -> bool {
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
            (RowKey::from(pk), outcome)
        }
        // `deleted` is 0, but there is no row: a REPLACE on another row deleted it without firing a
        // trigger.
        (0 | 1, None) => (RowKey::from(pk), Outcome::Deleted),
        (2, None) => {
            let (key, scope) = serde_json::from_str(&pk).map_err(json)?;
            (key, Outcome::Left { scope })
        }
        _ => return Err(cells.shape("deleted")),
    };
    Ok(Change { seq, table, key, version, outcome })
}

/// A key or row of an answer, decoded.
struct Text {
    /// The text, with `marker` in place of bytes that are not UTF-8.
    text: String,
    /// The marker, if there are such bytes: a private-use character that the text does not contain
    /// otherwise, or else U+FFFD.
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

/// Checks the values of an existing row: there must be one for each column, and the key must be
/// that of the change. `marker` replaces bytes that are not UTF-8.
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

/// Describes why a value does not fit its column.
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
