//! Folders of migrations: the recorded schema, the journal, and the names of files. Others commit
//! them, and merges damage them.

use std::collections::BTreeMap;

use fastest_schema::migrate::diff::migration;
use fastest_schema::migrate::folder::Folder;
use fastest_schema::migrate::plan::Plan;
use fastest_schema::migrate::replica::replica_migration;
use fastest_schema::record::model::Record;
use fastest_schema::{FASTEST, mermaid, numbered_statements};

use crate::reader::Reader;

/// Parts of the format.
pub const TOKENS: &[&[u8]] = &[
    b"\"version\": 1",
    b"\"engine\": 2",
    b"\"owner\": ",
    b"\"tables\": [",
    b"\"objects\": [",
    b"\"columns\": [",
    b"\"policy\": \"versioned\"",
    b"\"policy\": \"private\"",
    b"\"scope\": {",
    b"\"kind\": \"text\"",
    b"\"references\": {",
    b"\"on_delete\": \"cascade\"",
    b"\"unique\": true",
    b"\"lock_version\": true",
    b"\"external\": true",
    b"\"by\": {",
    b"\"default\": \"1\"",
    b"\"check\": \"x\"",
    b"\"idx\": 0",
    b"\"tag\": ",
    b"\"when\": 0",
    b"\"sha256\": ",
    b"null",
    b"[]",
    b"{}",
    b"0000_app_a.sql",
    b"9999_",
    b"\\\"",
    b"--> statement-breakpoint",
];

/// Returns folders with one migration and with none, each with the record of Fastest's own schema
/// or of a small one.
pub fn seeds() -> Vec<Vec<u8>> {
    let small = Record::of("app", &FASTEST.tables[..2]);
    let plan = migration(None, &small).expect("an empty database can be set up");
    let added = Folder::default().add("init", &plan, &small, 1).expect("a first migration");
    let whole = folder_of(&[(&added.name, &added.sql)], &added.journal, &added.schema);
    let simple = Plan { statements: vec!["SELECT 1".into()], ..Plan::default() };
    let other = Folder::default().add("a", &simple, &small, 1).expect("a first migration");
    let short = r#"{"version":1,"engine":2,"owner":"app","tables":[],"objects":[]}"#;
    vec![
        whole,
        folder_of(&[(&other.name, &other.sql)], &other.journal, &other.schema),
        folder_of(&[(&other.name, &other.sql)], &other.journal, short),
        folder_of(&[], "{\"version\": 1, \"entries\": []}", short),
    ]
}

/// Returns the input for a folder: the number of files, then the texts.
fn folder_of(files: &[(&str, &str)], journal: &str, schema: &str) -> Vec<u8> {
    let text = |text: &str| {
        let length = u16::try_from(text.len()).expect("a seed is short");
        [&length.to_le_bytes(), text.as_bytes()].concat()
    };
    let files: Vec<u8> =
        files.iter().flat_map(|(name, sql)| [text(name), text(sql)].concat()).collect();
    let count = files.len().min(1) as u8;
    [&[count], &files[..], &text(journal), schema.as_bytes()].concat()
}

/// Checks a folder, and generates the next migration in it, which leaves a folder that is valid.
pub fn run(input: &[u8]) {
    let mut reader = Reader::new(input);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut files = BTreeMap::new();
    for _ in 0..reader.below(4) {
        files.insert(text(reader.many()), text(reader.many()));
    }
    let (journal, schema) = (text(reader.many()), text(reader.rest()));
    // The hashes of the files, so that changed ones get past them.
    let journal = fill_in(&journal, &files);
    for file in files.values() {
        numbered_statements(file);
    }
    let Ok(folder) = Folder::check(files.clone(), Some(&journal), Some(&schema)) else { return };
    let Some(record) = &folder.record else { return };
    mermaid(record);
    let target = Record::of("app", &FASTEST.tables[..3]);
    replica_migration(record, &target, None);
    let Ok(plan) = migration(Some(record), &target) else { return };
    let Ok(added) = folder.add("next", &plan, &target, 2) else { return };
    files.insert(added.name.clone(), added.sql.clone());
    let next = Folder::check(files, Some(&added.journal), Some(&added.schema));
    let next = next.unwrap_or_else(|error| panic!("the next migration breaks the folder: {error}"));
    assert_eq!(next.record.as_ref(), Some(&target), "the record is that of the declarations");
    assert_eq!(next.files.len(), folder.files.len() + 1);
    assert!(migration(next.record.as_ref(), &target).is_ok_and(|plan| plan.statements.is_empty()));
}

/// Puts the hash of each file into the journal, if that is JSON with an entry for the file.
fn fill_in(journal: &str, files: &BTreeMap<String, String>) -> String {
    let Ok(mut json) = serde_json::from_str::<serde_json::Value>(journal) else {
        return journal.to_owned();
    };
    let entries = json.get_mut("entries").and_then(|entries| entries.as_array_mut());
    for entry in entries.into_iter().flatten() {
        let file = entry.get("tag").and_then(|tag| tag.as_str()).map(|tag| format!("{tag}.sql"));
        if let (Some(sql), Some(entry)) =
            (file.and_then(|file| files.get(&file)), entry.as_object_mut())
        {
            entry.insert("sha256".to_owned(), fastest_schema::fuzzing::sha256(sql).into());
        }
    }
    json.to_string()
}
