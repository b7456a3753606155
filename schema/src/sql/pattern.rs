//! Finds patterns of `LIKE` and `GLOB` that D1 would refuse.
//!
//! D1 refuses a pattern longer than [`PATTERN_MAX`] when it is matched, not when the table is
//! created, so every write to such a column would fail. The engine's own statements use short,
//! constant patterns.

use crate::sql::tokens::tokens;

/// The maximum length of a pattern on D1, in bytes. A longer one fails with
/// `LIKE or GLOB pattern too complex`.
pub const PATTERN_MAX: usize = 50;

/// Returns the length in bytes of the first pattern that is too long. Recognises literals, and
/// literals joined with `||`, but no other computed patterns.
pub fn too_long(sql: &str) -> Option<usize> {
    let tokens = tokens(sql);
    let starts =
        tokens.iter().enumerate().filter(|(_, token)| *token == "like" || *token == "glob");
    let lengths = starts.map(|(at, _)| length(&tokens[at + 1..]));
    lengths.into_iter().find(|length| *length > PATTERN_MAX)
}

/// Returns the length in bytes of the text literals that the tokens begin with: `'a'`, `'a' || 'b'`
/// or `('a', …)`.
fn length(tokens: &[String]) -> usize {
    let is_glue = |token: &&String| matches!(token.as_str(), "|" | "(");
    let mut bytes = 0;
    for token in tokens.iter().filter(|token| !is_glue(token)) {
        let text = token.strip_prefix('\'').and_then(|text| text.strip_suffix('\''));
        let Some(text) = text else { break };
        bytes += text.replace("''", "'").len();
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::declare::schema::Schema;
    use crate::live::introspect::LIVE_SQL;
    use crate::sql::statements::statements;
    use crate::tables::fastest::FASTEST;
    use crate::wire::payload::PUSH_SQL;
    use crate::wire::pull::pull_sql;

    #[test]
    fn our_own_patterns_fit() {
        let long: &'static str = "o".repeat(60).leak();
        let pulls = [FASTEST.owner, long].map(|owner| pull_sql(&Schema { owner, ..FASTEST }));
        let applied = FASTEST.migrations.iter().flat_map(|migration| statements(migration.sql));
        let all = applied.chain([PUSH_SQL, LIVE_SQL]).chain(pulls.iter().map(String::as_str));
        for sql in all {
            assert_eq!(too_long(sql), None, "{sql}");
        }
    }

    #[test]
    fn patterns_are_measured_in_bytes() {
        let check = |sql: &str, pattern: &str, expect: Option<usize>| {
            let sql = sql.replace('?', pattern);
            assert_eq!(too_long(&sql), expect, "{sql}");
        };
        let (fits, long) = ("[0-9]".repeat(10), "[0-9]".repeat(10) + "x");
        check("code GLOB '?'", &fits, None);
        check("code GLOB '?'", &long, Some(51));
        check("a > 1 AND (code not like\n'?' escape '!')", &long, Some(51));
        check("glob('?', code)", &long, Some(51));
        check("code GLOB '[0-9]' || '?'", &fits, Some(55));
        check("code LIKE '?'", &"''".repeat(50), None);
        check("code LIKE '?'", &"é".repeat(26), Some(52));
        check("code = '?'", &long, None);
        check("code GLOB 'a' AND other = '?'", &long, None);
        check("code GLOB", "", None);
    }
}
