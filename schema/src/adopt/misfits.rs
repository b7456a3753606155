//! Counts existing values that do not fit their columns: only STRICT tables enforce declared types.

use crate::adopt::error::AdoptError;
use crate::live::introspect::LiveError;
use crate::record::model::{ColumnRecord, TableRecord};
use crate::sql::quote::quote;
use crate::value::kind::Kind;

/// Returns a statement that counts, for each column of a table, the values that devices would
/// refuse. Its parameter is a text that identifies the request. The answer is one row of two texts,
/// for [`misfits`]: that text again, and a JSON array of the counts in the order of the columns.
pub fn misfits_sql(table: &TableRecord) -> String {
    let counts: Vec<String> = table.columns.iter().map(count).collect();
    format!("SELECT ?1, '['||{}||']' FROM {}", counts.join("||','||"), quote(&table.name))
}

fn count(column: &ColumnRecord) -> String {
    let mut fitting = match column.kind {
        Kind::Text => "'text'",
        Kind::Integer => "'integer'",
        Kind::Real => "'real','integer'",
    }
    .to_owned();
    if column.null {
        fitting.push_str(",'null'");
    }
    let name = quote(&column.name);
    format!("count(CASE WHEN typeof({name}) NOT IN ({fitting}) THEN 1 END)")
}

/// Decodes the answer to [`misfits_sql`]. Returns an [`AdoptError`] for each column with values
/// that do not fit, or `None` if the answer belongs to another request.
pub fn misfits(
    table: &TableRecord,
    request: &str,
    answer: &[Vec<Option<String>>],
) -> Result<Option<Vec<AdoptError>>, LiveError> {
    let failed = |reason: String| LiveError { row: 0, reason };
    let [row] = answer else { return Err(failed("it is not one row".to_owned())) };
    let [Some(echo), Some(counts)] = &row[..] else {
        return Err(failed("it has not two texts".to_owned()));
    };
    let counts: Vec<u64> =
        serde_json::from_str(counts).map_err(|error| failed(error.to_string()))?;
    if counts.len() != table.columns.len() {
        return Err(failed(format!("`{}` has other columns", table.name)));
    }
    let found = table.columns.iter().zip(counts).filter(|(_, rows)| *rows > 0);
    let refused = found.map(|(column, rows)| {
        let (table, column) = (table.name.clone(), column.name.clone());
        AdoptError::Misfits { table, column, rows }
    });
    Ok((echo == request).then(|| refused.collect()))
}
