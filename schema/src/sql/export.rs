//! Exports of a database as SQL, cut into statements.
//!
//! `wrangler d1 export` writes triggers before views, and one of ours is on a view: such a file cannot
//! be imported. What is needed is to know where a statement ends, and whether it makes a trigger.
//! wrangler and sqld also write an infinite real by its name, which SQL does not have, and NUL as it is.

/// A statement of an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Its text, with what stands before it, up to its semicolon.
    pub text: String,
    /// Whether it makes a trigger.
    pub is_trigger: bool,
}

/// Cuts SQL into statements, as SQLite's `sqlite3_complete` does: at each semicolon that is in no
/// quotes, no comment and no trigger's body.
#[derive(Debug, Default)]
pub struct Splitter {
    text: String,
    place: Place,
    /// The last letter, where it may begin a comment or end one.
    last: Option<char>,
    word: String,
    /// How many words the statement has so far, up to the one that says what it makes.
    words: usize,
    is_create: bool,
    is_trigger: bool,
    is_insert: bool,
    /// Whether what follows are the values of an `INSERT`.
    in_values: bool,
    /// How many `BEGIN`s and `CASE`s of a trigger are open.
    depth: usize,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Place {
    #[default]
    Plain,
    /// In quotes, up to this letter.
    Quotes(char),
    LineComment,
    BlockComment,
}

impl Splitter {
    /// Takes a letter; returns the statement that it ends.
    pub fn push(&mut self, letter: char) -> Option<Statement> {
        self.text.push(letter);
        let last = self.last.replace(letter);
        match self.place {
            Place::Quotes(end) if letter == end => self.place = Place::Plain,
            // It would end the statement for SQLite.
            Place::Quotes('\'') if letter == '\0' && self.in_values => {
                self.text.pop();
                self.text.push_str("'||char(0)||'");
            }
            Place::LineComment if letter == '\n' => self.place = Place::Plain,
            Place::BlockComment if last == Some('*') && letter == '/' => self.place = Place::Plain,
            Place::Quotes(_) | Place::LineComment | Place::BlockComment => {}
            Place::Plain if letter.is_alphanumeric() || letter == '_' => self.word.push(letter),
            Place::Plain => {
                self.end_word(letter);
                match letter {
                    '\'' | '"' | '`' => self.place = Place::Quotes(letter),
                    '[' => self.place = Place::Quotes(']'),
                    '-' if last == Some('-') => self.place = Place::LineComment,
                    '*' if last == Some('/') => {
                        self.place = Place::BlockComment;
                        // `/*/` is no whole comment.
                        self.last = None;
                    }
                    ';' if self.depth == 0 => return Some(self.take()),
                    _ => {}
                }
            }
        }
        None
    }

    /// What stands after the last statement.
    pub fn rest(self) -> String {
        self.text
    }

    /// Takes a word that `next` ends.
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
