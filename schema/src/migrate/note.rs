//! Notes in migrations, which tell replicas what was renamed or dropped.
//!
//! A replica may be several migrations behind, and declarations describe only the final state. They
//! do not say that `a` became `b` and then `c`, or that a column was dropped before another of the
//! same name was added. So migration files record that in comments. Their SQL is not parsed.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The prefix of the comment.
const MARK: &str = "-- fastest: ";

/// One rename or drop, in the names that are valid at that point of the migrations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Note {
    /// A table is renamed: old name, new name.
    RenameTable(String, String),
    /// A column is renamed: table, old name, new name.
    RenameColumn(String, String, String),
    /// A column is dropped: table, column.
    DropColumn(String, String),
    /// A table is dropped, or is no longer synced.
    DropTable(String),
}

impl fmt::Display for Note {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let json = serde_json::to_string(self).expect("texts serialise");
        write!(formatter, "{MARK}{json}")
    }
}

/// Parses the notes in the text of a migration. A note that this build does not know is skipped.
pub fn notes(sql: &str) -> Vec<Note> {
    let marked = sql.lines().filter_map(|line| line.strip_prefix(MARK));
    marked.filter_map(|json| serde_json::from_str(json).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let all = [
            Note::RenameTable("a".into(), "b".into()),
            Note::RenameColumn("b".into(), "x".into(), "it's \"y\"".into()),
            Note::DropColumn("b".into(), "z".into()),
            Note::DropTable("c".into()),
        ];
        let text: String = all.iter().map(|note| format!("{note}\n")).collect();
        assert!(text.starts_with("-- fastest: {\"rename_table\":[\"a\",\"b\"]}\n"));
        assert_eq!(notes(&format!("{text}SELECT 1;\n-- fastest: nothing\n")), all);
    }
}
