//! The primary key of an adopted table.

use crate::adopt::column;
use crate::adopt::error::AdoptError;
use crate::live::database::LiveTable;

/// Returns the name of the primary key. It must be one text column that is compared by its bytes.
pub fn key(table: &str, found: &LiveTable) -> Result<String, AdoptError> {
    let table = table.to_owned();
    let mut keys: Vec<_> = found.columns.iter().filter(|(_, column)| column.pk > 0).collect();
    keys.sort_by_key(|(_, column)| column.pk);
    let (name, column) = match keys[..] {
        [] => return Err(AdoptError::NoKey { table }),
        [one] => one,
        _ => {
            let columns = keys.into_iter().map(|(name, _)| name.clone()).collect();
            return Err(AdoptError::KeyColumns { table, columns });
        }
    };
    let (name, kind) = (name.clone(), column.kind.clone());
    if kind.contains("int") {
        return Err(AdoptError::IntegerKey { table, column: name });
    }
    if !column::has_text_affinity(&kind) {
        return Err(AdoptError::KeyKind { table, column: name, kind });
    }
    column::compared_by_bytes(&table, &name, column)?;
    Ok(name)
}
