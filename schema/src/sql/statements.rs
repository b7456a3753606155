//! The statements of a migration file.

/// The line between two statements of a migration. SQLite reads it as a comment.
pub const STATEMENT_BREAKPOINT: &str = "--> statement-breakpoint";

/// Returns the statements of a migration, in order, without the breakpoint lines.
pub fn statements(sql: &str) -> impl Iterator<Item = &str> {
    sql.split(STATEMENT_BREAKPOINT).map(str::trim).filter(|statement| !statement.is_empty())
}

/// Returns the statements of a migration, each with the number of its first line, from 1.
pub fn numbered_statements(sql: &str) -> Vec<(usize, &str)> {
    let line = |statement: &str| {
        let before = &sql[..statement.as_ptr() as usize - sql.as_ptr() as usize];
        before.matches('\n').count() + 1
    };
    statements(sql).map(|statement| (line(statement), statement)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_split_at_breakpoints_only() {
        let sql = "SELECT ';';\n--> statement-breakpoint\nSELECT 2;\n";
        assert_eq!(numbered_statements(sql), [(1, "SELECT ';';"), (3, "SELECT 2;")]);
    }
}
