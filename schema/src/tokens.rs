//! SQL as tokens: enough to compare two statements, and to find what no PRAGMA tells.

/// The tokens of a statement. Words and names are in lower case and without quotes, for SQLite does
/// not tell them apart; texts are as they were; white space and comments are left out.
pub fn tokens(sql: &str) -> Vec<String> {
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
        found.extend(spelt(first, token));
        rest = after;
    }
    found
}

/// Two statements that differ in nothing but form are the same text here.
pub fn normalised(sql: &str) -> String {
    tokens(sql).join(" ")
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$' || c == '.'
}

/// The length of a quoted token at the beginning, in which a doubled quote stands for itself.
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

fn spelt(first: char, token: &str) -> Option<String> {
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

/// What stands in brackets after each `word (`.
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

/// The parts of the first brackets, split at the commas that are in no further ones.
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

/// The place of the bracket that closes one opened before the tokens.
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
    fn brackets_are_found() {
        let sql = "CREATE TABLE t(a text CHECK (a IN ('(', 'y')), b, CHECK (b > (1)))";
        let tokens = tokens(sql);
        assert_eq!(bracketed_after("check", &tokens), ["a in ( '(' , 'y' )", "b > ( 1 )"]);
        let parts: Vec<String> = list(&tokens).iter().map(|part| part.join(" ")).collect();
        assert_eq!(parts, ["a text check ( a in ( '(' , 'y' ) )", "b", "check ( b > ( 1 ) )"]);
    }
}
