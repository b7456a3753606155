//! Writes parameters into a statement, for calls that take no parameters.

/// Replaces each `?1`, `?2`, … in a statement by a literal of the parameter, except in strings,
/// quoted names and comments.
pub(super) fn bind(sql: &str, parameters: &[&str]) -> Result<String, &'static str> {
    let mut bound = String::with_capacity(sql.len());
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let end = match first {
            '\'' | '"' | '`' => quoted(rest, first),
            '[' => rest.find(']').map_or(rest.len(), |at| at + 1),
            '-' if rest.starts_with("--") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => rest[2..].find("*/").map_or(rest.len(), |at| at + 4),
            '?' => {
                let digits = rest[1..].bytes().take_while(u8::is_ascii_digit).count();
                let number = rest[1..=digits].parse::<usize>().ok().and_then(|n| n.checked_sub(1));
                let text = number.and_then(|number| parameters.get(number));
                bound += &literal(text.ok_or("a parameter of the statement has no value")?);
                rest = &rest[1 + digits..];
                continue;
            }
            _ => first.len_utf8(),
        };
        bound += &rest[..end];
        rest = &rest[end..];
    }
    Ok(bound)
}

/// Returns the length of the string or quoted name that `text` begins with. A doubled quote ends
/// one string and begins another here, which has the same result.
fn quoted(text: &str, quote: char) -> usize {
    text[1..].find(quote).map_or(text.len(), |at| at + 2)
}

/// Returns an SQL expression whose value is `text`.
pub(super) fn literal(text: &str) -> String {
    let plain = |byte: u8| byte == b' ' || (byte.is_ascii_graphic() && byte != b'\'');
    if text.bytes().all(plain) {
        return format!("'{text}'");
    }
    // Any other character goes as hex, because the server's parser and the client's may disagree
    // about it. Concatenated to an empty string, the CAST has no affinity, like a parameter.
    let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
    format!("('' || CAST(X'{hex}' AS TEXT))")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rusqlite::Connection;

    use super::*;

    #[test]
    fn parameters_are_replaced_where_they_are_parameters() {
        for (sql, bound) in [
            ("SELECT ?1, ?2, ?1", "SELECT 'a', ('' || CAST(X'0062' AS TEXT)), 'a'"),
            ("SELECT '?1', '''?1', \"?1\", `?1`, [?1]", "SELECT '?1', '''?1', \"?1\", `?1`, [?1]"),
            ("-- ?1\n?1/* ?1 */?1", "-- ?1\n'a'/* ?1 */'a'"),
            ("'é?1", "'é?1"),
            ("/* ?1", "/* ?1"),
        ] {
            assert_eq!(bind(sql, &["a", "\0b"]).unwrap(), bound, "{sql}");
        }
        for sql in ["?", "?0", "?3", "?99999999999999999999"] {
            bind(sql, &["a", "b"]).unwrap_err();
        }
    }

    proptest! {
        #[test]
        fn a_literal_is_what_a_parameter_is(text: String, other in ".{0,9}['?]?.{0,9}") {
            let database = Connection::open_in_memory().unwrap();
            let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
            let sql = "SELECT ?2, ?1, typeof(?1)";
            let bound = bind(sql, &[&text, &other]).unwrap();
            let found: (String, String) = database.query_row(&bound, [], row).unwrap();
            prop_assert_eq!(found, (other, text));
        }

        #[test]
        fn any_statement_is_bound(sql in "[-?1 '\"`\\[\\]/*\né]{0,20}") {
            let _ = bind(&sql, &["a"]);
        }
    }
}
