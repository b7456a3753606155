//! Splits a database export into statements, so that it can be repaired.
//!
//! `wrangler d1 export` writes triggers before views, and some of ours are on views: such a file
//! cannot be imported until its triggers are moved to the end. For that, [`Splitter`] finds where
//! each statement ends and whether it creates a trigger. wrangler and sqld also write infinite
//! reals by name, which SQL does not know, and NUL characters unescaped; [`Splitter`] rewrites both
//! as valid SQL.

/// A statement of an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The text from the end of the previous statement to the semicolon, inclusive.
    pub text: String,
    /// Whether it creates a trigger.
    pub is_trigger: bool,
}

/// Splits SQL into statements as SQLite's `sqlite3_complete` does: at each semicolon outside of
/// quotes, comments and trigger bodies.
#[derive(Debug, Default)]
pub struct Splitter {
    text: String,
    place: Place,
    /// The previous character, which may begin or end a comment together with the next one.
    last: Option<char>,
    word: String,
    /// How many words of the statement were read: the first ones show what it creates.
    words: usize,
    is_create: bool,
    is_trigger: bool,
    is_insert: bool,
    /// Whether the `VALUES` of an `INSERT` were reached.
    in_values: bool,
    /// How many `BEGIN`s and `CASE`s of a trigger are open.
    depth: usize,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Place {
    #[default]
    Plain,
    /// Inside quotes that this character closes.
    Quotes(char),
    LineComment,
    BlockComment,
}

impl Splitter {
    /// Reads the next character. Returns the statement that it completes, if it completes one.
    pub fn push(&mut self, next: char) -> Option<Statement> {
        self.text.push(next);
        let last = self.last.replace(next);
        match self.place {
            Place::Quotes(end) if next == end => self.place = Place::Plain,
            // SQLite would stop reading the statement here.
            Place::Quotes('\'') if next == '\0' && self.in_values => {
                self.text.pop();
                self.text.push_str("'||char(0)||'");
            }
            Place::LineComment if next == '\n' => self.place = Place::Plain,
            Place::BlockComment if last == Some('*') && next == '/' => self.place = Place::Plain,
            Place::Quotes(_) | Place::LineComment | Place::BlockComment => {}
            Place::Plain if next.is_alphanumeric() || next == '_' => self.word.push(next),
            Place::Plain => {
                self.end_word(next);
                match next {
                    '\'' | '"' | '`' => self.place = Place::Quotes(next),
                    '[' => self.place = Place::Quotes(']'),
                    '-' if last == Some('-') => self.place = Place::LineComment,
                    '*' if last == Some('/') => {
                        self.place = Place::BlockComment;
                        // `/*/` opens a comment and does not close it.
                        self.last = None;
                    }
                    ';' if self.depth == 0 => return Some(self.take()),
                    _ => {}
                }
            }
        }
        None
    }

    /// Returns the text after the last complete statement.
    pub fn rest(self) -> String {
        self.text
    }

    /// Ends the current word. `next` is the character after it.
    fn end_word(&mut self, next: char) {
        let word = std::mem::take(&mut self.word).to_ascii_uppercase();
        match (self.words, word.as_str()) {
            (_, "") => return,
            (0, "CREATE") => self.is_create = true,
            (0, "INSERT") => self.is_insert = true,
            (_, "VALUES") if self.is_insert => self.in_values = true,
            (_, "INF" | "INFINITY") if self.in_values => {
                self.text.truncate(self.text.len() - next.len_utf8() - word.len());
                self.text.extend(['9', 'e', '9', '9', '9', next]);
            }
            // `CREATE TEMP TRIGGER`
            (1, "TEMP" | "TEMPORARY") if self.is_create => return,
            (1, "TRIGGER") => self.is_trigger = self.is_create,
            (_, "BEGIN") if self.is_trigger && self.depth == 0 => self.depth = 1,
            (_, "CASE") if self.depth > 0 => self.depth += 1,
            (_, "END") if self.depth > 0 => self.depth -= 1,
            _ => {}
        }
        self.words += 1;
    }

    fn take(&mut self) -> Statement {
        let Self { text, is_trigger, .. } = std::mem::take(self);
        Statement { text, is_trigger }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(sql: &str) -> (Vec<(String, bool)>, String) {
        let mut splitter = Splitter::default();
        let found: Vec<_> = sql.chars().filter_map(|letter| splitter.push(letter)).collect();
        let found = found.into_iter().map(|one| (one.text, one.is_trigger)).collect();
        (found, splitter.rest())
    }

    #[test]
    fn statements_end_where_they_end_for_sqlite() {
        let statements = [
            ("CREATE TABLE a(x TEXT DEFAULT ';', `y;` INT, [z;] INT, \"w;\" INT);", false),
            ("\nINSERT INTO a VALUES('it''s; -- no comment', '/*', '*/');", false),
            ("\n-- a comment; CREATE TRIGGER\nSELECT 1 - -1;", false),
            ("/* ; */ SELECT /*/ ; */ 2;", false),
            (
                "\ncreate trigger t AFTER INSERT ON a BEGIN\n  SELECT CASE WHEN 1 THEN 2 END;\n  \
                 UPDATE a SET x = 'END;' WHERE begin_at = 1;\nEND;",
                true,
            ),
            (
                "CREATE TEMP TRIGGER u AFTER INSERT ON a WHEN CASE 1 WHEN 1 THEN 1 END BEGIN SELECT 1; END;",
                true,
            ),
            ("BEGIN TRANSACTION;", false),
            ("CREATE VIEW v AS SELECT CASE WHEN 1 THEN 2 END || 'x';", false),
            ("COMMIT;", false),
        ];
        let sql: String = statements.iter().map(|(text, _)| *text).collect();
        let (found, rest) = split(&(sql + "\n"));
        let expect = statements.map(|(text, is_trigger)| (text.to_owned(), is_trigger));
        assert_eq!(found, expect);
        assert_eq!(rest, "\n");
        let (found, _) = split("INSERT INTO inf VALUES('inf\0',Infinity,-inf);");
        assert_eq!(found[0].0, "INSERT INTO inf VALUES('inf'||char(0)||'',9e999,-9e999);");
        assert_eq!(split("SELECT 'no end;").1, "SELECT 'no end;");
    }
}
