//! What a migration says of names that change or go, for replicas.
//!
//! A replica may sleep through several migrations, and declarations tell only of the last state: that
//! `a` became `b` and `b` became `c`, or that a column was dropped before another of its name came,
//! stands in the files of the migrations, as comments. SQL is not read for it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How the comment begins.
const MARK: &str = "-- fastest: ";

/// One such change. Tables and columns have the names of that moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Note {
    /// A table has another name from here on.
    RenameTable(String, String),
    /// A column of a table has another name from here on.
    RenameColumn(String, String, String),
    /// A column of a table is gone.
    DropColumn(String, String),
    /// A table is gone, or devices no longer hold it.
    DropTable(String),
}

impl fmt::Display for Note {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let json = serde_json::to_string(self).expect("texts serialise");
        write!(formatter, "{MARK}{json}")
    }
}

/// What a migration's text says.
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
