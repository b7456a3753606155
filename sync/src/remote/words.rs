//! Interprets SQLite's messages, whatever a primary's API wraps around them.

use fastest_schema::TRIED;

use crate::remote::cause::{Cause, ConstraintKind, NamedColumn};
use crate::remote::sanitize::sanitize;

/// SQLite's message for [`Cause::TooDeep`].
pub(crate) const TOO_DEEP: &str = "too many levels of trigger recursion";

/// Reduces `Error { message: "SQLite error: X", code: "C" }`, `SQL input error: X (at offset 7)` and
/// `D1_ERROR: X: SQLITE_C (extended: …)` to X.
pub(crate) fn plain(message: &str) -> String {
    let message = match message.split_once("message: \"") {
        Some((_, rest)) => rest.split_once("\", code").map_or(rest, |(words, _)| words),
        None => message,
    };
    let message = message.split_once("SQLite error: ").map_or(message, |(_, words)| words);
    // sqld says so where a statement cannot be prepared.
    let message = match message.split_once("SQL input error: ") {
        Some((_, words)) => words.split_once(" (at offset ").map_or(words, |(words, _)| words),
        None => message,
    };
    let message = message.split_once("D1_ERROR: ").map_or(message, |(_, words)| words);
    let message = message.split(": SQLITE_").next().unwrap_or(message);
    message.replace("\\\"", "\"").trim_end_matches('`').to_owned()
}

/// Returns why a statement failed, from its message alone. A message that is neither about the
/// server nor about the statement as such may be about the rows that the statement would write.
pub(crate) fn cause(message: &str) -> Cause {
    if message.contains(" constraint failed") {
        return constraint(message);
    }
    let words = plain(message);
    // A trigger of the application's may use such words further on in a message of its own.
    let is = |beginning: &str| {
        let in_view = words.strip_prefix("error in ").and_then(|words| words.split_once(": "));
        in_view.map_or(&*words, |(_, words)| words).starts_with(beginning)
    };
    if is("no such table: ") {
        Cause::NoTable
    } else if is("no such column: ") || is("table ") && words.contains(" has no column named ") {
        Cause::NoColumn
    } else if words.starts_with("incomplete input") {
        Cause::IncompleteInput
    } else if words.starts_with("HTTP 500: invalid utf-8") {
        Cause::NotUtf8
    } else if is_of_server(message, &words) {
        Cause::Server
    } else if words.contains(TOO_DEEP) {
        Cause::TooDeep
    } else if words.contains("string or blob too big") || message.contains("SQLITE_TOOBIG") {
        Cause::TooLarge
    } else if words.contains("integer overflow") {
        Cause::IntegerOverflow
    } else {
        of_row(&words)
    }
}

/// Returns why a server refused a request, from a message that is not marked as its database's.
/// Like [`cause`], but a message that is none of SQLite's does not blame a row.
pub(crate) fn cause_of_request(message: &str) -> Cause {
    match cause(message) {
        Cause::Row { .. } => Cause::Server,
        cause => cause,
    }
}

/// Returns which constraint was violated, from the message of an error with the code
/// `SQLITE_CONSTRAINT`. The extended code does not tell which: the engine's triggers raise the
/// messages of constraints with the code of a trigger. A trigger's own message may look like one of
/// the server's, so it is not compared with those.
pub(crate) fn constraint(message: &str) -> Cause {
    const KINDS: [(&str, ConstraintKind); 4] = [
        ("FOREIGN KEY constraint failed", ConstraintKind::ForeignKey),
        ("UNIQUE constraint failed", ConstraintKind::Unique),
        ("NOT NULL constraint failed", ConstraintKind::NotNull),
        ("CHECK constraint failed", ConstraintKind::Check),
    ];
    if message.contains(TRIED) {
        return Cause::Tried;
    }
    // If a row of the engine's own tables is refused, no row of the push is at fault.
    if message.contains(" constraint failed: fastest_") {
        return Cause::Server;
    }
    let words = plain(message);
    match KINDS.into_iter().find(|(beginning, _)| words.contains(beginning)) {
        Some((_, kind)) => Cause::Constraint { kind, columns: columns_named(&words) },
        None => of_row(&words),
    }
}

/// Returns what is wrong with a row, from a message without the words of a constraint.
fn of_row(words: &str) -> Cause {
    let columns = columns_named(words);
    if words.starts_with("cannot store ") && words.contains(" value in ") {
        Cause::Constraint { kind: ConstraintKind::DataType, columns }
    } else {
        Cause::Row { columns }
    }
}

/// Returns the columns in `UNIQUE constraint failed: t.a, t.b`, in `NOT NULL constraint failed: t.a`,
/// in `cannot store TEXT value in INTEGER column t.a`, and in `CHECK constraint failed: a > 0`.
fn columns_named(words: &str) -> Vec<NamedColumn> {
    let is_letter = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == '.';
    let words = sanitize(words);
    let Some((_, words)) = words.split_once(" failed: ").or_else(|| words.split_once(" column "))
    else {
        return Vec::new();
    };
    let named = |word: &str| match word.split_once('.') {
        Some((table, name)) => NamedColumn { table: Some(table.to_owned()), name: name.to_owned() },
        None => NamedColumn { table: None, name: word.to_owned() },
    };
    words.split(|letter| !is_letter(letter)).filter(|word| !word.is_empty()).map(named).collect()
}

/// Whether a message is about the server, or about the statement as such.
fn is_of_server(message: &str, words: &str) -> bool {
    // Messages of sqlite3_errstr, of SQLite's parser, and of servers: whole ones, and prefixes.
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
    const BEGINNING: [&str; 13] = [
        "no such function: ",
        "no such collation",
        "no such module: ",
        "near \"",
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
    message.contains("SQLITE_FULL")
        || WHOLE.contains(&words)
        || BEGINNING.iter().any(|beginning| words.starts_with(beginning))
        || words.starts_with("access to ") && words.ends_with(" is prohibited")
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
            "D1_ERROR: database or disk is full: SQLITE_FULL",
            "near \"SELEC\": syntax error",
            "UNIQUE constraint failed: fastest_changes.scope, fastest_changes.seq",
        ] {
            assert_eq!(cause(server), Cause::Server, "{server}");
        }
        for rows in [
            "SQLite error: no such member",
            "too many notes for this team",
            "not authorized to write here",
            "access to this project is closed",
            "malformed JSON",
            "order refused: no such table: 12",
            "SQLite error: booking: no such column: seat",
            "title: invalid utf-8",
            "integer overflow",
            "D1_ERROR: too many levels of trigger recursion: SQLITE_ERROR",
            "CHECK constraint failed: length(title) < 50",
        ] {
            assert!(cause(rows).is_of_rows(), "{rows}");
        }
    }

    #[test]
    fn why_statements_fail() {
        for (message, expected) in [
            ("SQLite error: no such table: main.audit", Cause::NoTable),
            ("error in view v: no such table: main.audit", Cause::NoTable),
            ("no such column: t.a: SQLITE_ERROR", Cause::NoColumn),
            ("SQL input error: no such column: row_681ac811 (at offset 3887)", Cause::NoColumn),
            ("SQL input error: near \"SELEC\": syntax error (at offset 0)", Cause::Server),
            ("D1_ERROR: table t has no column named a: SQLITE_ERROR", Cause::NoColumn),
            ("incomplete input: SQLITE_ERROR", Cause::IncompleteInput),
            ("HTTP 500: invalid utf-8 sequence of 1 bytes", Cause::NotUtf8),
            ("D1_ERROR: too many levels of trigger recursion: SQLITE_ERROR", Cause::TooDeep),
            ("D1_ERROR: string or blob too big: SQLITE_TOOBIG", Cause::TooLarge),
            ("SQLite error: integer overflow", Cause::IntegerOverflow),
            ("NOT NULL constraint failed: fastest_pushes.id: SQLITE_CONSTRAINT", Cause::Tried),
            ("UNIQUE constraint failed: fastest_changes.scope", Cause::Server),
            ("no such member", Cause::Row { columns: vec![] }),
        ] {
            assert_eq!(cause(message), expected, "{message}");
        }
        // With the code of a constraint, a message like the server's is a trigger's.
        assert!(constraint("no such table: for four people").is_of_rows());
        // A request that never reached the database.
        assert_eq!(cause_of_request("HTTP 400: malformed"), Cause::Server);
        assert_eq!(cause_of_request("HTTP 400: incomplete input"), Cause::Server);
        assert_eq!(cause_of_request("incomplete input"), Cause::IncompleteInput);
    }

    #[test]
    fn constraints_and_the_columns_that_they_name() {
        let check = |message: &str, expected: Option<ConstraintKind>, names: &[&str]| {
            let cause = cause(message);
            let show = |column: &NamedColumn| match &column.table {
                Some(table) => format!("{table}.{}", column.name),
                None => column.name.clone(),
            };
            let columns: Vec<String> = cause.columns().iter().map(show).collect();
            assert_eq!(
                (cause.constraint(), columns),
                (expected, names.iter().map(|name| name.to_string()).collect()),
                "{message}"
            );
            assert!(cause.is_of_rows(), "{message}");
        };
        use ConstraintKind::*;
        check("UNIQUE constraint failed: t.a, t.b", Some(Unique), &["t.a", "t.b"]);
        check(
            "D1_ERROR: NOT NULL constraint failed: t.a: SQLITE_CONSTRAINT",
            Some(NotNull),
            &["t.a"],
        );
        check("FOREIGN KEY constraint failed", Some(ForeignKey), &[]);
        check("cannot store TEXT value in INTEGER column t.a", Some(DataType), &["t.a"]);
        check("CHECK constraint failed: length(title) < 9", Some(Check), &["length", "title", "9"]);
        check("no more than three notes for each team", None, &[]);
        check("fill in the column title", None, &["title"]);
    }
}
