//! Checks a folder of migrations, and adds the next one. No file is read or written here: the
//! caller passes the texts in, and saves those that are returned.
//!
//! `NNNN_{owner}_name.sql` are the migrations, in the flat layout of wrangler and drizzle-kit.
//! `meta/_journal.json` holds the SHA-256 of each, so that an edit is noticed: databases that ran
//! the file before would differ from those that run it after. `meta/_schema.json` is the [`Record`]
//! that results from all migrations.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::declare::schema::mark_sql;
use crate::migrate::plan::Plan;
use crate::migrate::text::text;
use crate::record::model::{RECORD_VERSION, Record};
use crate::sql::pattern::{PATTERN_MAX, too_long};
use crate::sql::statements::STATEMENT_BREAKPOINT;
use crate::value::hex::sha256;

/// The path of the journal in the folder.
pub const JOURNAL: &str = "meta/_journal.json";

/// The path of the recorded schema in the folder.
pub const SCHEMA: &str = "meta/_schema.json";

/// The version of the journal's format.
const JOURNAL_VERSION: u32 = 1;

/// The largest number of a migration; the first has 0.
const NUMBER_MAX: usize = 9_999;

/// A folder of migrations that was checked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Folder {
    /// The migrations, in order.
    pub files: Vec<MigrationFile>,
    /// The schema that results from them; `None` in an empty folder.
    pub record: Option<Record>,
    journal: Vec<Entry>,
}

/// One migration of a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MigrationFile {
    /// Its name, with `.sql`.
    pub name: String,
    /// Its text.
    pub sql: String,
}

/// The files that a new migration adds to its folder or replaces there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addition {
    /// The name of the new migration, with `.sql`.
    pub name: String,
    /// Its text.
    pub sql: String,
    /// The text of the journal.
    pub journal: String,
    /// The text of the recorded schema.
    pub schema: String,
}

/// What is wrong with a folder.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FolderError {
    /// A file in `meta` cannot be parsed.
    #[error("{file}, line {line}: {reason}; put it back as it was committed")]
    Meta {
        /// Its path in the folder.
        file: &'static str,
        /// The line.
        line: usize,
        /// The parser's error.
        reason: String,
    },
    /// A file in `meta` has a newer version.
    #[error("{file} is of version {found}, which this version of Fastest does not know: upgrade")]
    Newer {
        /// Its path in the folder.
        file: &'static str,
        /// The version found.
        found: u32,
    },
    /// There are migrations, and one of the files in `meta` is missing.
    #[error("{file} is missing: put it back as it was committed")]
    NoMeta {
        /// Its path in the folder.
        file: &'static str,
    },
    /// The name of a migration does not begin with its number.
    #[error("{0} is no name of a migration: it is NNNN_name.sql, from 0000 on")]
    Name(String),
    /// A number is missing.
    #[error("{after} is followed by {found}: there is no migration {missing:04}")]
    Gap {
        /// The migration before the gap, or the folder's beginning.
        after: String,
        /// The migration after the gap.
        found: String,
        /// The missing number.
        missing: usize,
    },
    /// Two migrations have the same number, because they were generated on two branches.
    #[error(
        "{first} and {second} have the same number: delete the later one, and generate it anew"
    )]
    Duplicate {
        /// The first.
        first: String,
        /// The second.
        second: String,
    },
    /// A migration has carriage returns, which break triggers on D1.
    #[error(
        "{file}, line {line}: a line has a carriage return; save the file with LF, as it was generated"
    )]
    Crlf {
        /// The migration.
        file: String,
        /// The first such line.
        line: usize,
    },
    /// A migration was changed after it was generated.
    #[error(
        "{file} was edited after it was generated: put it back as it was committed, and make the \
         change in a migration of its own"
    )]
    Edited {
        /// The migration.
        file: String,
    },
    /// A migration is not in the journal.
    #[error("{file} is not in {JOURNAL}: move it away, and add it with `--sql FILE`")]
    Unknown {
        /// The migration.
        file: String,
    },
    /// The journal names a migration that does not exist.
    #[error("{file} is missing, and {JOURNAL} names it: put it back as it was committed")]
    Missing {
        /// The migration.
        file: String,
    },
    /// The name of a new migration is not usable as a file name.
    #[error("{0:?} is no name of a migration: use lower-case letters, digits and `_`")]
    NewName(String),
    /// A statement has a pattern of `LIKE` or `GLOB` that is too long for D1.
    #[error(
        "statement {statement} of {file}: a pattern of LIKE or GLOB has {found} bytes; D1 takes \
         {PATTERN_MAX}: shorten it, or test in parts"
    )]
    Pattern {
        /// The migration.
        file: String,
        /// The number of the statement in the migration, from 1.
        statement: usize,
        /// Bytes of the pattern.
        found: usize,
    },
    /// All numbers are used.
    #[error("the folder holds {NUMBER_MAX} migrations, and cannot number another")]
    Full,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    idx: usize,
    tag: String,
    /// Milliseconds since 1970.
    when: u64,
    sha256: String,
}

#[derive(Deserialize)]
struct Journal {
    version: u32,
    entries: Vec<Entry>,
}

impl Folder {
    /// Checks a folder. `files` are the texts of its `.sql` files by name; `journal` and `schema`
    /// are the texts of the two files in `meta`, if they exist.
    pub fn check(
        files: BTreeMap<String, String>,
        journal: Option<&str>,
        schema: Option<&str>,
    ) -> Result<Folder, FolderError> {
        if files.is_empty() && journal.is_none() {
            return Ok(Folder::default());
        }
        check_numbers(files.keys())?;
        files.iter().try_for_each(|(name, sql)| check_lines(name, sql))?;
        let journal: Journal = parse(JOURNAL, journal)?;
        check_version(JOURNAL, journal.version, JOURNAL_VERSION)?;
        let journal = journal.entries;
        check_journal(&files, &journal)?;
        let record: Record = parse(SCHEMA, schema)?;
        check_version(SCHEMA, record.version, RECORD_VERSION)?;
        let file = |(name, sql)| MigrationFile { name, sql };
        Ok(Folder { files: files.into_iter().map(file).collect(), record: Some(record), journal })
    }

    /// Returns the files that a new migration adds or replaces. `name` describes the migration: the
    /// number and the owner are put in front. `now_ms` is the current time in milliseconds since
    /// 1970.
    pub fn add(
        &self,
        name: &str,
        plan: &Plan,
        record: &Record,
        now_ms: u64,
    ) -> Result<Addition, FolderError> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if name.is_empty() || name.len() > 60 || !name.chars().all(plain) {
            return Err(FolderError::NewName(name.to_owned()));
        }
        let idx = self.files.len();
        if idx > NUMBER_MAX {
            return Err(FolderError::Full);
        }
        let tag = format!("{idx:04}_{}_{name}", record.owner);
        for (at, found) in plan.statements.iter().map(|sql| too_long(sql)).enumerate() {
            if let Some(found) = found {
                let file = format!("{tag}.sql");
                return Err(FolderError::Pattern { file, statement: at + 1, found });
            }
        }
        let mut sql = text(plan);
        if let Some(mark) = mark_sql(&record.owner, &format!("{tag}.sql")) {
            sql.push_str(&format!("{STATEMENT_BREAKPOINT}\n{mark};\n"));
        }
        check_lines(&format!("{tag}.sql"), &sql)?;
        let mut journal = self.journal.clone();
        journal.push(Entry { idx, tag: tag.clone(), when: now_ms, sha256: sha256(&sql) });
        let schema = serde_json::to_string_pretty(record).expect("a record serialises") + "\n";
        Ok(Addition { name: format!("{tag}.sql"), sql, journal: journal_text(&journal), schema })
    }
}

/// Writes each entry on a line of its own, so that merging two branches that each add an entry is a
/// conflict.
fn journal_text(entries: &[Entry]) -> String {
    let lines = entries.iter().map(|Entry { idx, tag, when, sha256 }| {
        format!(r#"    {{ "idx": {idx}, "tag": "{tag}", "when": {when}, "sha256": "{sha256}" }}"#)
    });
    let lines: Vec<String> = lines.collect();
    format!(
        "{{\n  \"version\": {JOURNAL_VERSION},\n  \"entries\": [\n{}\n  ]\n}}\n",
        lines.join(",\n")
    )
}

fn parse<T: for<'a> Deserialize<'a>>(
    file: &'static str,
    text: Option<&str>,
) -> Result<T, FolderError> {
    let text = text.ok_or(FolderError::NoMeta { file })?;
    serde_json::from_str(text).map_err(|error| FolderError::Meta {
        file,
        line: error.line(),
        reason: error.to_string(),
    })
}

fn check_version(file: &'static str, found: u32, known: u32) -> Result<(), FolderError> {
    if found <= known { Ok(()) } else { Err(FolderError::Newer { file, found }) }
}

/// Returns an error if a line has a carriage return.
fn check_lines(file: &str, sql: &str) -> Result<(), FolderError> {
    match sql.split('\n').position(|line| line.contains('\r')) {
        Some(line) => Err(FolderError::Crlf { file: file.to_owned(), line: line + 1 }),
        None => Ok(()),
    }
}

/// Checks that the names, which are sorted, are numbered from 0 without gaps and duplicates.
fn check_numbers<'a>(names: impl Iterator<Item = &'a String>) -> Result<(), FolderError> {
    let mut last: Option<(usize, &String)> = None;
    for name in names {
        let number = number(name).ok_or_else(|| FolderError::Name(name.clone()))?;
        let missing = last.map_or(0, |(last, _)| last + 1);
        if let Some((_, first)) = last.filter(|(last, _)| *last == number) {
            return Err(FolderError::Duplicate { first: first.clone(), second: name.clone() });
        }
        if number != missing {
            let after = last.map_or("the folder's beginning".to_owned(), |(_, name)| name.clone());
            return Err(FolderError::Gap { after, found: name.clone(), missing });
        }
        last = Some((number, name));
    }
    Ok(())
}

fn number(name: &str) -> Option<usize> {
    let (number, rest) = name.split_at_checked(4)?;
    let rest = rest.strip_prefix('_')?.strip_suffix(".sql")?;
    let digits = number.bytes().all(|byte| byte.is_ascii_digit());
    if digits && !rest.is_empty() { number.parse().ok() } else { None }
}

/// Checks that the folder and the journal have the same files, and that none was changed.
fn check_journal(files: &BTreeMap<String, String>, journal: &[Entry]) -> Result<(), FolderError> {
    for Entry { tag, sha256: recorded, .. } in journal {
        let file = format!("{tag}.sql");
        match files.get(&file) {
            None => return Err(FolderError::Missing { file }),
            Some(sql) if sha256(sql) != *recorded => return Err(FolderError::Edited { file }),
            Some(_) => {}
        }
    }
    let known = |name: &String| journal.iter().any(|entry| format!("{}.sql", entry.tag) == *name);
    match files.keys().find(|name| !known(name)) {
        Some(file) => Err(FolderError::Unknown { file: file.clone() }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(sql: &str) -> Plan {
        Plan { statements: vec![sql.to_owned()], ..Plan::default() }
    }

    /// The files of a folder with two migrations: migrations, journal, schema.
    fn two() -> (BTreeMap<String, String>, String, String) {
        let record = Record::of("app", &[]);
        let mut files = BTreeMap::new();
        let first = Folder::default().add("init", &plan("SELECT 1"), &record, 1).unwrap();
        files.insert(first.name, first.sql);
        let folder =
            Folder::check(files.clone(), Some(&first.journal), Some(&first.schema)).unwrap();
        let second = folder.add("more", &plan("SELECT 2"), &record, 2).unwrap();
        files.insert(second.name, second.sql);
        (files, second.journal, second.schema)
    }

    #[test]
    fn what_is_added_is_read_again() {
        let (files, journal, schema) = two();
        let folder = Folder::check(files, Some(&journal), Some(&schema)).unwrap();
        let names: Vec<&str> = folder.files.iter().map(|file| file.name.as_str()).collect();
        assert_eq!(names, ["0000_app_init.sql", "0001_app_more.sql"]);
        assert_eq!(folder.record, Some(Record::of("app", &[])));
        assert_eq!(Folder::check(BTreeMap::new(), None, None), Ok(Folder::default()));
    }

    type Files = BTreeMap<String, String>;

    /// Changes the files, the journal or the schema of a folder, and expects this error.
    fn check(change: fn(&mut Files, &mut String, &mut String), expect: &str) {
        let (mut files, mut journal, mut schema) = two();
        change(&mut files, &mut journal, &mut schema);
        let error = Folder::check(files, Some(&journal), Some(&schema)).unwrap_err();
        assert_eq!(error.to_string(), expect);
    }

    #[test]
    fn what_is_wrong_is_named() {
        check(
            |files, _, _| drop(files.remove("0000_app_init.sql")),
            "the folder's beginning is followed by 0001_app_more.sql: there is no migration 0000",
        );
        check(
            |files, _, _| drop(files.insert("0003_app_x.sql".into(), String::new())),
            "0001_app_more.sql is followed by 0003_app_x.sql: there is no migration 0002",
        );
        check(
            |files, _, _| drop(files.insert("0001_app_other.sql".into(), String::new())),
            "0001_app_more.sql and 0001_app_other.sql have the same number: delete the later one, and \
             generate it anew",
        );
        check(
            |files, _, _| drop(files.insert("notes.sql".into(), String::new())),
            "notes.sql is no name of a migration: it is NNNN_name.sql, from 0000 on",
        );
        check(
            |files, _, _| drop(files.insert("0002_é.sql".into(), String::new())),
            "0002_é.sql is not in meta/_journal.json: move it away, and add it with `--sql FILE`",
        );
        check(
            |files, _, _| files.get_mut("0001_app_more.sql").unwrap().insert_str(0, "--\n\r\n"),
            "0001_app_more.sql, line 2: a line has a carriage return; save the file with LF, as it \
             was generated",
        );
        check(
            |files, _, _| files.get_mut("0001_app_more.sql").unwrap().push(' '),
            "0001_app_more.sql was edited after it was generated: put it back as it was committed, \
             and make the change in a migration of its own",
        );
        check(
            |files, _, _| drop(files.remove("0001_app_more.sql")),
            "0001_app_more.sql is missing, and meta/_journal.json names it: put it back as it was \
             committed",
        );
    }

    #[test]
    fn what_is_wrong_in_meta_is_named() {
        check(
            |_, journal, _| journal.insert_str(20, "\n<<<<<<< ours\n"),
            "meta/_journal.json, line 4: key must be a string at line 4 column 1; put it back as it \
             was committed",
        );
        check(
            |_, journal, _| *journal = journal.replace("\"version\": 1", "\"version\": 2"),
            "meta/_journal.json is of version 2, which this version of Fastest does not know: upgrade",
        );
        check(
            |_, _, schema| schema.clear(),
            "meta/_schema.json, line 1: EOF while parsing a value at line 1 column 0; put it back as \
             it was committed",
        );
        let (files, journal, schema) = two();
        let error = Folder::check(files.clone(), None, Some(&schema)).unwrap_err();
        assert!(error.to_string().starts_with("meta/_journal.json is missing"));
        let error = Folder::check(files, Some(&journal), None).unwrap_err();
        assert!(error.to_string().starts_with("meta/_schema.json is missing"));
    }

    #[test]
    fn names_of_new_migrations_are_plain() {
        let record = Record::of("app", &[]);
        for name in ["", "A", "a b", "../x", "é", "a.sql"] {
            let error = Folder::default().add(name, &Plan::default(), &record, 0);
            assert_eq!(error, Err(FolderError::NewName(name.to_owned())));
        }
    }

    #[test]
    fn a_pattern_that_d1_refuses_is_named() {
        let add = |pattern: String| {
            let sql = format!("DELETE FROM notes WHERE text LIKE '{pattern}'");
            let plan = Plan { statements: vec!["SELECT 1".into(), sql], ..Plan::default() };
            Folder::default().add("tidy", &plan, &Record::of("app", &[]), 0)
        };
        add("x".repeat(50)).unwrap();
        let error = add("x".repeat(51)).unwrap_err().to_string();
        let expect = "statement 2 of 0000_app_tidy.sql: a pattern of LIKE or GLOB has 51 bytes";
        assert!(error.starts_with(expect), "{error}");
    }
}
