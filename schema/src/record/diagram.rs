//! A schema as a Mermaid diagram.

use crate::record::model::{ColumnRecord, Record, TableRecord};

/// Returns an `erDiagram` of the tables, with their columns and foreign keys.
pub fn mermaid(record: &Record) -> String {
    let tables: String = record.tables.iter().map(entity).collect();
    let keys = record.tables.iter().flat_map(|table| {
        let columns = table.columns.iter();
        columns.filter_map(move |column| relationship(table, column))
    });
    format!("erDiagram\n{tables}{}", keys.collect::<String>())
}

fn entity(table: &TableRecord) -> String {
    let columns: String = table.columns.iter().map(|column| attribute(table, column)).collect();
    format!("  {} {{\n{columns}  }}\n", table.name)
}

fn attribute(table: &TableRecord, column: &ColumnRecord) -> String {
    let keys = [
        (column.name == table.pk, "PK"),
        (column.references.is_some(), "FK"),
        (column.unique, "UK"),
    ];
    let keys: Vec<&str> = keys.into_iter().filter(|(is, _)| *is).map(|(_, key)| key).collect();
    let keys = if keys.is_empty() { String::new() } else { format!(" {}", keys.join(", ")) };
    let null = if column.null { " \"null\"" } else { "" };
    format!("    {} {}{keys}{null}\n", column.kind.sql_type(), column.name)
}

/// Returns the line of a foreign key: from many rows, or at most one if the column is unique, to
/// one row, or at most one if the column may be null.
fn relationship(table: &TableRecord, column: &ColumnRecord) -> Option<String> {
    let to = &column.references.as_ref()?.table;
    let many = if column.unique || column.name == table.pk { "|o" } else { "}o" };
    let one = if column.null { "o|" } else { "||" };
    Some(format!("  {} {many}--{one} {to} : {}\n", table.name, column.name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::declare::attribute::table;
    use crate::declare::table::Row;

    #[table(name = "notes", policy = versioned("a test"), scope = id)]
    struct Note {
        #[pk]
        id: String,
        #[unique]
        title: Option<String>,
        #[references(notes.id)]
        after: Option<String>,
    }

    #[test]
    fn keys_and_nulls_are_marked() {
        let expect = "erDiagram\n  notes {\n    text id PK\n    text title UK \"null\"\n    \
                      text after FK \"null\"\n  }\n  notes }o--o| notes : after\n";
        assert_eq!(mermaid(&Record::of("app", &[Note::TABLE])), expect);
    }
}
