//! Interprets SQLite's messages, whatever a primary's interface puts around them.

/// Reduces `Error { message: "SQLite error: X", code: "C" }` and `D1_ERROR: X: SQLITE_C (extended: …)`
/// to X.
pub(crate) fn plain(message: &str) -> String {
    let message = match message.split_once("message: \"") {
        Some((_, rest)) => rest.split_once("\", code").map_or(rest, |(words, _)| words),
        None => message,
    };
    let message = message.split_once("SQLite error: ").map_or(message, |(_, words)| words);
    let message = message.split_once("D1_ERROR: ").map_or(message, |(_, words)| words);
    let message = message.split(": SQLITE_").next().unwrap_or(message);
    message.replace("\\\"", "\"").trim_end_matches('`').to_owned()
}

/// Whether the message of a statement that failed is about the server, or about the statement as such.
/// All others may be about the rows that it would write: a constraint, a trigger with a message of its
/// own, an expression that fails for one value.
pub(crate) fn is_of_server(message: &str) -> bool {
    // Texts of sqlite3_errstr and of its parser: whole ones, and the beginnings of others.
    const WHOLE: [&str; 12] = [
        "not authorized",
        "interrupted",
        "out of memory",
        "disk I/O error",
        "locking protocol",
        "database or disk is full",
        "database schema is locked",
        "database schema has changed",
        "database disk image is malformed",
        "attempt to write a readonly database",
        "unable to open database file",
        "file is not a database",
    ];
    const BEGINNING: [&str; 16] = [
        "no such table: ",
        "no such column: ",
        "no such function: ",
        "no such collation",
        "no such module: ",
        "near \"",
        "incomplete input",
        "unrecognized token",
        "ambiguous column name: ",
        "too many SQL variables",
        "malformed database schema",
        "cannot start a transaction within a transaction",
        "cannot commit - ",
        "cannot rollback - ",
        "Exceeded maximum DB size",
        "Operation was blocked",
    ];
    let words = plain(message);
    message.contains("SQLITE_FULL")
        || WHOLE.contains(&words.as_str())
        || BEGINNING.iter().any(|beginning| words.starts_with(beginning))
        || words.starts_with("access to ") && words.ends_with(" is prohibited")
        || is_of_engine(message)
}

/// Whether a constraint of the engine's own tables was violated, for which no row of a push is at
/// fault.
pub(crate) fn is_of_engine(message: &str) -> bool {
    message.contains(" constraint failed: fastest_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_each_primary() {
        for said in [
            "UNIQUE constraint failed: notes.slug",
            "D1_ERROR: UNIQUE constraint failed: notes.slug: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_UNIQUE)",
            "UNIQUE constraint failed: notes.slug: SQLITE_CONSTRAINT",
            "Error { message: \"SQLite error: UNIQUE constraint failed: notes.slug\", code: \"SQLITE_CONSTRAINT\" }",
            "SQLite error: UNIQUE constraint failed: notes.slug",
        ] {
            assert_eq!(plain(said), "UNIQUE constraint failed: notes.slug");
        }
    }

    #[test]
    fn who_is_at_fault() {
        for server in [
            "database or disk is full",
            "SQLite error: no such table: main.audit",
            "D1_ERROR: database or disk is full: SQLITE_FULL",
            "near \"SELEC\": syntax error",
            "UNIQUE constraint failed: fastest_changes.scope, fastest_changes.seq",
        ] {
            assert!(is_of_server(server), "{server}");
        }
        for rows in [
            "SQLite error: no such member",
            "too many notes for this team",
            "not authorized to write here",
            "access to this project is closed",
            "malformed JSON",
            "integer overflow",
            "D1_ERROR: too many levels of trigger recursion: SQLITE_ERROR",
            "CHECK constraint failed: length(title) < 50",
        ] {
            assert!(!is_of_server(rows), "{rows}");
        }
    }
}
