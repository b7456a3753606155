//! The columns of an adopted table: the kind of values that they hold, and their defaults in the
//! form that the engine writes.

use crate::adopt::error::AdoptError;
use crate::adopt::name::is_identifier;
use crate::check::declarations::TAKEN_COLUMNS;
use crate::live::database::LiveColumn;
use crate::record::model::ColumnRecord;
use crate::sql::quote::literal;
use crate::sql::tokens::tokens;
use crate::value::kind::Kind;

/// Returns the column as a record. The caller sets its foreign key and whether it is unique or
/// watched.
pub fn record(
    table: &str,
    name: &str,
    column: &LiveColumn,
    default: Option<&str>,
) -> Result<ColumnRecord, AdoptError> {
    if !is_identifier(name) || TAKEN_COLUMNS.contains(&name) {
        return Err(AdoptError::Name { table: table.to_owned(), name: name.to_owned() });
    }
    let kind = kind(&column.kind).map_err(|reason| AdoptError::Kind {
        table: table.to_owned(),
        column: name.to_owned(),
        reason,
    })?;
    if let Some(sql) = default
        && !fits(sql, kind, &column.kind)
    {
        return Err(AdoptError::DefaultKind {
            table: table.to_owned(),
            column: name.to_owned(),
            kind: column.kind.clone(),
            default: sql.to_owned(),
        });
    }
    Ok(ColumnRecord {
        name: name.to_owned(),
        kind,
        null: column.null,
        default: default.and_then(default_sql),
        check: None,
        unique: false,
        lock_version: false,
        watched: false,
        references: None,
        renamed_from: None,
    })
}

/// Returns an error if the column has a collation under which different texts may be equal.
pub fn compared_by_bytes(table: &str, name: &str, column: &LiveColumn) -> Result<(), AdoptError> {
    match column.collation.as_deref() {
        None | Some("binary") => Ok(()),
        Some(collation) => Err(AdoptError::Collation {
            table: table.to_owned(),
            column: name.to_owned(),
            collation: collation.to_owned(),
        }),
    }
}

/// Whether a declared type, in lower case, has text affinity: SQLite converts numbers to text in
/// such a column.
pub fn has_text_affinity(declared: &str) -> bool {
    !declared.contains("int") && ["char", "clob", "text"].iter().any(|part| declared.contains(part))
}

/// Whether a declared type, in lower case, is a date or a timestamp. It counts as text, although
/// SQLite would store a number in such a column as a number: the application must write only texts.
pub fn is_date(declared: &str) -> bool {
    (declared.starts_with("date") || declared.starts_with("timestamp"))
        && !declared.contains("int")
        && !has_text_affinity(declared)
}

/// Returns the kind of values that a column of a declared type, in lower case, holds. The error is
/// the reason why the type is not accepted. The types are tested in the order of SQLite's own
/// rules.
pub fn kind(declared: &str) -> Result<Kind, String> {
    let has = |part: &str| declared.contains(part);
    if has("int") {
        return Ok(Kind::Integer);
    }
    if has_text_affinity(declared) || is_date(declared) {
        return Ok(Kind::Text);
    }
    if declared.is_empty() || declared == "any" {
        return Err(
            "has no type, and so may hold anything: declare it as text, integer or real".to_owned()
        );
    }
    if has("blob") {
        return Err(
            "is a blob, which cannot pass through JSON: keep such content in a table that \
                    is not synced, or as base64 in a text column"
                .to_owned(),
        );
    }
    if has("real") || has("floa") || has("doub") {
        return Ok(Kind::Real);
    }
    if has("bool") {
        return Ok(Kind::Integer);
    }
    Err(format!(
        "is declared `{declared}`, where SQLite makes numbers of the texts that look like one, and \
         keeps the others as texts: declare it as text, integer or real"
    ))
}

/// The kind of value that a default yields, as far as its SQL shows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// A number, which may have a fraction.
    Number { fraction: bool },
    /// A text that is not a number.
    Text,
    /// The SQL does not show it.
    Unknown,
}

/// Whether the column can hold the value of its default. Returns true if the SQL does not show what
/// kind of value that is.
fn fits(default: &str, kind: Kind, declared: &str) -> bool {
    match (shape(default), kind) {
        (Shape::Text, Kind::Integer | Kind::Real) => false,
        (Shape::Number { fraction: true }, Kind::Integer) => false,
        (Shape::Number { .. }, Kind::Text) => !is_date(declared),
        _ => true,
    }
}

fn shape(default: &str) -> Shape {
    let sql = default_sql(default).unwrap_or_default();
    let tokens = tokens(&sql);
    let has = |words: &[&str]| tokens.iter().any(|token| words.contains(&token.as_str()));
    if sql.parse::<i64>().is_ok() {
        Shape::Number { fraction: false }
    } else if let Ok(real) = sql.parse::<f64>() {
        Shape::Number { fraction: real.fract() != 0.0 }
    } else if let [text] = &tokens[..]
        && text.trim_matches('\'').parse::<f64>().is_err()
    {
        Shape::Text
    } else if has(&["unixepoch", "julianday", "'%s'"]) {
        let rounded = has(&["cast", "round"]);
        let fraction = has(&["'subsec'", "'subsecond'", "julianday"]) && !rounded;
        Shape::Number { fraction }
    } else if has(&["current_timestamp", "current_date", "current_time"])
        || has(&["datetime", "date", "time", "strftime"])
    {
        Shape::Text
    } else {
        Shape::Unknown
    }
}

/// Returns a default in the form that the engine writes, which is also valid as an expression;
/// `None` for null.
///
/// SQLite reports a default as it was written, without the outermost parentheses. A bare name is a
/// text: SQLite allows that in a default and nowhere else.
fn default_sql(written: &str) -> Option<String> {
    // libSQL writes `- 1`.
    let signed = written.trim().split_at_checked(1).filter(|(sign, _)| ["+", "-"].contains(sign));
    let sql = match signed {
        Some((sign, number)) => &format!("{sign}{}", number.trim_start()),
        None => written.trim(),
    };
    let first = sql.chars().next()?;
    let is_numeric = first.is_ascii_digit() || "+-.".contains(first);
    let is_word = sql.chars().all(|c| c.is_alphanumeric() || c == '_');
    if let Ok(integer) = sql.parse::<i64>() {
        return Some(integer.to_string());
    }
    if let Some(real) = sql.parse::<f64>().ok().filter(|real| is_numeric && real.is_finite()) {
        return Some(format!("{real:?}"));
    }
    match sql.to_ascii_lowercase().as_str() {
        "null" => None,
        "true" => Some("1".to_owned()),
        "false" => Some("0".to_owned()),
        "current_timestamp" | "current_date" | "current_time" => Some(format!("({sql})")),
        _ if tokens(sql).len() > 1 || is_numeric => Some(format!("({sql})")),
        _ if is_word => Some(literal(sql)),
        _ if first == '\'' => Some(sql.to_owned()),
        _ => {
            let inner = sql.get(1..sql.len() - 1).unwrap_or_default();
            Some(literal(&inner.replace(&format!("{first}{first}"), &first.to_string())))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_taken_by_sqlites_own_rules() {
        for (declared, expected) in [
            ("integer", Some(Kind::Integer)),
            ("bigint", Some(Kind::Integer)),
            ("charint", Some(Kind::Integer)),
            ("boolean", Some(Kind::Integer)),
            ("text", Some(Kind::Text)),
            ("varchar(20)", Some(Kind::Text)),
            ("date", Some(Kind::Text)),
            ("datetime", Some(Kind::Text)),
            ("timestamp", Some(Kind::Text)),
            ("real", Some(Kind::Real)),
            ("double precision", Some(Kind::Real)),
            ("blob", None),
            ("", None),
            ("any", None),
            ("numeric", None),
            ("decimal(10,2)", None),
            ("json", None),
            ("jsonb", None),
            ("uuid", None),
        ] {
            assert_eq!(kind(declared).ok(), expected, "{declared}");
        }
    }

    #[test]
    fn a_default_is_fit_for_an_expression() {
        for (written, expected) in [
            ("5", Some("5")),
            ("+5", Some("5")),
            ("-1", Some("-1")),
            ("- 1", Some("-1")),
            ("0.50", Some("0.5")),
            ("1e3", Some("1000.0")),
            ("9e999", Some("(9e999)")),
            ("0x10", Some("(0x10)")),
            ("TRUE", Some("1")),
            ("false", Some("0")),
            ("NULL", None),
            ("'it''s'", Some("'it''s'")),
            ("\"it's\"", Some("'it''s'")),
            ("`a``b`", Some("'a`b'")),
            ("[a b]", Some("'a b'")),
            ("\"", Some("''")),
            ("draft", Some("'draft'")),
            ("infinity", Some("'infinity'")),
            ("CURRENT_TIMESTAMP", Some("(CURRENT_TIMESTAMP)")),
            ("unixepoch()", Some("(unixepoch())")),
            ("'a' || 'b'", Some("('a' || 'b')")),
            ("x'00'", Some("(x'00')")),
        ] {
            assert_eq!(default_sql(written).as_deref(), expected, "{written}");
        }
    }

    #[test]
    fn a_default_that_its_column_could_not_keep_is_found() {
        for (declared, default, expected) in [
            ("integer", "CURRENT_TIMESTAMP", false),
            ("integer", "datetime('now')", false),
            ("integer", "strftime('%Y', 'now', 'localtime')", false),
            ("integer", "'soon'", false),
            ("integer", "'7'", true),
            ("integer", "1.5", false),
            ("integer", "2.0", true),
            ("integer", "unixepoch()", true),
            ("integer", "strftime('%s', 'now') * 1000", true),
            ("integer", "unixepoch('subsec') * 1000", false),
            ("integer", "cast(unixepoch('subsecond') * 1000 as integer)", true),
            ("integer", "abs(random())", true),
            ("real", "julianday('now')", true),
            ("text", "unixepoch()", true),
            ("text", "CURRENT_TIMESTAMP", true),
            ("timestamp", "CURRENT_TIMESTAMP", true),
            ("timestamp", "unixepoch()", false),
            ("datetime", "0", false),
        ] {
            let kind = kind(declared).unwrap();
            assert_eq!(fits(default, kind, declared), expected, "{declared} DEFAULT {default}");
        }
    }
}
