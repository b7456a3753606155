//! Splits SQL into tokens: enough to compare two statements, and to find properties that no PRAGMA
//! reports.

use std::ops::Range;

/// Returns the tokens of a statement. Words and names are in lower case and without quotes, because
/// neither makes a difference to SQLite. Text literals are unchanged; white space and comments are
/// dropped.
pub fn tokens(sql: &str) -> Vec<String> {
    placed_tokens(sql).into_iter().map(|(_, token)| token).collect()
}

/// Returns the tokens of a statement, each with its byte range.
fn placed_tokens(sql: &str) -> Vec<(Range<usize>, String)> {
    let mut found = Vec::new();
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            _ if first.is_whitespace() => first.len_utf8(),
            '-' if rest.starts_with("--") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => rest[2..].find("*/").map_or(rest.len(), |end| end + 4),
            '\'' | '"' | '`' => quoted(rest, first),
            '[' => rest.find(']').map_or(rest.len(), |end| end + 1),
            _ if is_word(first) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
            _ => first.len_utf8(),
        };
        let (token, after) = rest.split_at(length);
        let from = sql.len() - rest.len();
        found.extend(canonical(first, token).map(|token| (from..from + length, token)));
        rest = after;
    }
    found
}

/// Returns a text that is the same for statements that differ only in case, quotes, white space and
/// comments.
pub fn normalised(sql: &str) -> String {
    tokens(sql).join(" ")
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$' || c == '.'
}

/// Returns the length in bytes of the quoted token that `text` begins with. A doubled quote does
/// not end it.
fn quoted(text: &str, quote: char) -> usize {
    let mut at = 1;
    while let Some(end) = text[at..].find(quote) {
        at += end + 1;
        if !text[at..].starts_with(quote) {
            return at;
        }
        at += 1;
    }
    text.len()
}

/// Returns the token in the form that [`tokens`] returns; `None` for white space and comments.
fn canonical(first: char, token: &str) -> Option<String> {
    let inner = || token.get(1..token.len().saturating_sub(1)).unwrap_or_default();
    match first {
        _ if first.is_whitespace() || token.starts_with("--") || token.starts_with("/*") => None,
        '\'' => Some(token.to_owned()),
        '"' | '`' => {
            let doubled = format!("{first}{first}");
            Some(inner().replace(&doubled, &first.to_string()).to_lowercase())
        }
        '[' => Some(inner().to_lowercase()),
        _ => Some(token.to_lowercase()),
    }
}

/// Returns the tokens in the parentheses after each `word`, joined by spaces.
pub fn bracketed_after(word: &str, tokens: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    for at in 0..tokens.len().saturating_sub(1) {
        if tokens[at] == word && tokens[at + 1] == "(" {
            let inside = &tokens[at + 2..];
            found.push(inside[..closing(inside)].join(" "));
        }
    }
    found
}

/// Returns the tokens in the first pair of parentheses, split at its top-level commas.
pub fn list(tokens: &[String]) -> Vec<&[String]> {
    let Some(open) = tokens.iter().position(|token| token == "(") else { return Vec::new() };
    let inside = &tokens[open + 1..];
    let inside = &inside[..closing(inside)];
    let mut depth = 0;
    inside
        .split(|token| {
            match token.as_str() {
                "(" => depth += 1,
                ")" => depth -= 1,
                _ => {}
            }
            depth == 0 && token == ","
        })
        .collect()
}

/// Returns the terms of an index and its `WHERE` condition, as its `CREATE INDEX` spells them.
/// Terms come without sort order and collation. `None` if the statement cannot be parsed.
pub fn index_parts(sql: &str) -> Option<(Vec<&str>, Option<&str>)> {
    let placed = placed_tokens(sql);
    let words: Vec<String> = placed.iter().map(|(_, token)| token.clone()).collect();
    // Searches for `(` rather than `ON`: the index itself may be called `on`, but no name before
    // the terms is `(`.
    let open = words.iter().position(|token| token == "(")?;
    let end = open + 1 + closing(&words[open + 1..]);
    let text = |range: Range<usize>| {
        let (first, last) = (placed.get(range.start)?, placed.get(range.end.checked_sub(1)?)?);
        sql.get(first.0.start..last.0.end)
    };
    let mut terms = Vec::new();
    let mut at = open + 1;
    for part in list(&words) {
        let mut length = part.len();
        length -= usize::from(part.last().is_some_and(|word| word == "asc" || word == "desc"));
        if let [.., collate, _] = &part[..length]
            && collate == "collate"
        {
            length -= 2;
        }
        terms.push(text(at..at + length)?);
        at += part.len() + 1;
    }
    match words.get(end + 1) {
        None => Some((terms, None)),
        Some(word) if word == "where" => Some((terms, Some(text(end + 2..placed.len())?))),
        Some(_) => None,
    }
}

/// Returns the position of the `)` that closes a parenthesis opened before the tokens; the number
/// of tokens if there is none.
fn closing(tokens: &[String]) -> usize {
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate() {
        match token.as_str() {
            "(" => depth += 1,
            ")" if depth == 0 => return at,
            ")" => depth -= 1,
            _ => {}
        }
    }
    tokens.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn form_makes_no_difference() {
        let check = |sql: &str, expect: &str| assert_eq!(normalised(sql), expect, "{sql}");
        check("SELECT  `a`,\n\"B\" -- c\n FROM [T]", "select a , b from t");
        check("'It''s' /* x */ || 'a'", "'It''s' | | 'a'");
        check("\"a\"\"b\"", "a\"b");
        for broken in ["'", "\"", "`", "[", "/*", "--", "'a", "(", ")", "é'ü", "\"é"] {
            tokens(broken);
        }
    }

    #[test]
    fn an_index_is_taken_apart() {
        let check = |sql: &str, terms: &[&str], filter: Option<&str>| {
            assert_eq!(index_parts(sql), Some((terms.to_vec(), filter)), "{sql}");
        };
        check("CREATE UNIQUE INDEX i ON t(a)", &["a"], None);
        check(
            "CREATE UNIQUE INDEX `on` ON \"T\" (lower( `A` ) COLLATE nocase DESC, b asc , (c + 1))\n WHERE x IN ('Y', 2) -- so",
            &["lower( `A` )", "b", "(c + 1)"],
            Some("x IN ('Y', 2)"),
        );
        for broken in ["", "CREATE UNIQUE INDEX i ON t", "x(", "x(a) y", "x(a) where"] {
            assert_eq!(index_parts(broken), None, "{broken}");
        }
    }

    #[test]
    fn brackets_are_found() {
        let sql = "CREATE TABLE t(a text CHECK (a IN ('(', 'y')), b, CHECK (b > (1)))";
        let tokens = tokens(sql);
        assert_eq!(bracketed_after("check", &tokens), ["a in ( '(' , 'y' )", "b > ( 1 )"]);
        let parts: Vec<String> = list(&tokens).iter().map(|part| part.join(" ")).collect();
        assert_eq!(parts, ["a text check ( a in ( '(' , 'y' ) )", "b", "check ( b > ( 1 ) )"]);
    }
}
