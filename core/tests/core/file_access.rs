//! `docs/file-access.md` lists every call in core and sync that opens, creates, renames or removes
//! something on a disk, what it works on, and how it stays there. This test finds new calls. All
//! changes go through `core/src/files/disk.rs`, whose functions count like the system's.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The ends of the calls' names. A match does not count if it is the end of a longer name.
const CALLS: &[&str] = &[
    "fs::read(",
    "fs::read_to_string(",
    "fs::write(",
    "fs::copy(",
    "fs::create_dir(",
    "fs::create_dir_all(",
    "fs::read_dir(",
    "fs::remove_dir(",
    "fs::remove_dir_all(",
    "fs::remove_file(",
    "fs::rename(",
    "fs::hard_link(",
    "fs::set_permissions(",
    "fs::symlink(",
    "File::open(",
    "File::create(",
    "OpenOptions::new(",
    "DirBuilder::new(",
    "fs::open(",
    "fs::openat(",
    "fs::openat2(",
    "fs::mkdirat(",
    "fs::unlinkat(",
    "fs::renameat(",
    "fs::renameat_with(",
    "fs::symlinkat(",
    "fs::linkat(",
    "fs::chmodat(",
    "tempfile_in(",
    "tempdir_in(",
    "new_in(",
    ".persist(",
    "Connection::open(",
    "Connection::open_with_flags(",
    "fs::mknodat(",
    "fs::metadata(",
    "fs::symlink_metadata(",
    "disk::create_at(",
    "disk::create_dir(",
    "disk::create_dir_all(",
    "disk::create_file(",
    "disk::create_temporary(",
    "disk::create_temporary_dir(",
    "disk::create_with(",
    "disk::exchange(",
    "disk::hard_link(",
    "disk::make_directory(",
    "disk::make_link(",
    "disk::open_or_create(",
    "disk::open_or_create_at(",
    "disk::overwrite(",
    "disk::remove_dir(",
    "disk::remove_file(",
    "disk::rename(",
    "disk::rename_at(",
    "disk::rename_new(",
    "disk::set_permissions(",
    "disk::unlink(",
];

/// Calls that change something, which only `core/src/files/disk.rs` makes.
const CHANGES: &[&str] = &[
    "fs::write",
    "fs::copy",
    "fs::create_dir",
    "fs::create_dir_all",
    "fs::remove_dir",
    "fs::remove_dir_all",
    "fs::remove_file",
    "fs::rename",
    "fs::hard_link",
    "fs::set_permissions",
    "fs::symlink",
    "File::create",
    "DirBuilder::new",
    "fs::mkdirat",
    "fs::unlinkat",
    "fs::renameat",
    "fs::renameat_with",
    "fs::symlinkat",
    "fs::linkat",
    "fs::chmodat",
    "fs::mknodat",
    "fs::fchmod",
    "fs::fsync",
    "fs::syncfs",
    "tempfile_in",
    "tempdir_in",
    "new_in",
    ".set_len",
    ".sync_all",
    ".sync_data",
    ".write_all_at",
];

/// Files that change what no simulator of power loss has to see: a developer's folder of migrations,
/// a private copy that nothing outlives, and a file without a name.
const EXEMPT: &[&str] = &[
    "sync/src/device/read_only.rs",
    "sync/src/migrations/adopt.rs",
    "sync/src/migrations/folder.rs",
    "sync/src/remote/pack_store/directory.rs",
];

/// Calls by file, as in the first two columns of the table.
type Calls = BTreeMap<String, BTreeMap<String, usize>>;

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") && !path.ends_with("tests.rs") {
            found.push(path);
        }
    }
}

/// Returns the source without the tests at its end, and without comments.
fn code(text: &str) -> String {
    let code = text.split("\n#[cfg(test)]\nmod ").next().unwrap_or_default();
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

fn calls_in(code: &str) -> BTreeMap<String, usize> {
    let mut calls = BTreeMap::new();
    for &call in CALLS {
        let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
        let count = code
            .match_indices(call)
            .filter(|(at, _)| call.starts_with('.') || !code[..*at].ends_with(is_word))
            .count();
        if count > 0 {
            calls.insert(call.trim_matches(['.', '(']).to_owned(), count);
        }
    }
    calls
}

fn in_sources(top: &Path) -> Calls {
    let mut files = Vec::new();
    ["core/src", "sync/src"].iter().for_each(|folder| sources(&top.join(folder), &mut files));
    let calls = files.iter().map(|file| {
        let name = file.strip_prefix(top).unwrap().to_str().unwrap().to_owned();
        (name, calls_in(&code(&fs::read_to_string(file).unwrap())))
    });
    calls.filter(|(_, calls)| !calls.is_empty()).collect()
}

fn in_table(text: &str) -> Calls {
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    let rows = rows.map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        assert!(cells.len() == 4 && cells.iter().all(|cell| !cell.is_empty()), "{row}");
        let calls = cells[1].split(", ").map(|call| {
            let (name, count) = call.rsplit_once(' ').unwrap_or((call, "1"));
            (name.trim_matches('`').to_owned(), count.parse().unwrap())
        });
        (cells[0].trim_matches('`').to_owned(), calls.collect())
    });
    rows.collect()
}

fn row(file: &str, calls: &BTreeMap<String, usize>) -> String {
    let calls: Vec<_> = calls.iter().map(|(name, count)| format!("`{name}` {count}")).collect();
    format!("| `{file}` | {} |", calls.join(", "))
}

#[test]
fn every_file_access_is_known() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let known = in_table(&fs::read_to_string(top.join("docs/file-access.md")).unwrap());
    let found = in_sources(top);
    let differs = found.iter().filter(|(file, calls)| known.get(*file) != Some(calls));
    let differs: Vec<String> = differs.map(|(file, calls)| row(file, calls)).collect();
    assert!(differs.is_empty(), "docs/file-access.md should have:\n{}", differs.join("\n"));
    let gone: Vec<_> = known.keys().filter(|file| !found.contains_key(*file)).collect();
    assert!(gone.is_empty(), "docs/file-access.md has rows for nothing: {gone:?}");
}

#[test]
fn what_changes_the_disk_is_in_one_place() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut files = Vec::new();
    ["core/src", "sync/src"].iter().for_each(|folder| sources(&top.join(folder), &mut files));
    for file in files {
        let name = file.strip_prefix(top).unwrap().to_str().unwrap();
        if name == "core/src/files/disk.rs" || EXEMPT.contains(&name) {
            continue;
        }
        let code = code(&fs::read_to_string(&file).unwrap());
        for change in CHANGES {
            let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
            let call = format!("{change}(");
            let found = code
                .match_indices(&call)
                .find(|(at, _)| change.starts_with('.') || !code[..*at].ends_with(is_word));
            assert!(found.is_none(), "{name} calls `{change}`: see `core/src/files/disk.rs`");
        }
    }
}

#[test]
fn calls_are_found_where_they_stand() {
    let text = "fn f() { std::fs::remove_file(a); renamefs::write(b); file.persist(c) }\n\
                // fs::rename(x)\n\n#[cfg(test)]\nmod tests {\n    fs::read(d)\n}";
    let calls: Vec<_> = calls_in(&code(text)).into_iter().collect();
    assert_eq!(calls, [("fs::remove_file".to_owned(), 1), ("persist".to_owned(), 1)]);
}
