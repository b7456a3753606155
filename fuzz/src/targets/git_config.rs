//! Settings of git, which a repository from elsewhere may bring, with whatever they include.

use std::cell::RefCell;
use std::fs;

use fastest_core::worktree::git::Git;
use fastest_core::worktree::git::settings::UserSettings;
use tempfile::TempDir;

use crate::place::folder;

/// Parts of the format.
pub const TOKENS: &[&[u8]] = &[
    b"[core]\n",
    b"[include]\n",
    b"path = config\n",
    b"path = ../other\n",
    b"[includeIf \"gitdir:/**/x/**\"]\n",
    b"excludesFile = ~/x\n",
    b"excludesFile = %(prefix)/x\n",
    b"[extensions]\nobjectFormat = sha256\n",
    b"\\\n",
    b"\"",
    b"~user/",
    b"\0",
    b"= ",
];

thread_local! {
    static FOLDER: RefCell<TempDir> = RefCell::new(repository());
}

fn repository() -> TempDir {
    let folder = folder();
    fs::create_dir_all(folder.path().join(".git/objects")).expect("a folder");
    fs::create_dir_all(folder.path().join(".git/refs")).expect("a folder");
    fs::create_dir_all(folder.path().join(".git/info")).expect("a folder");
    fs::write(folder.path().join(".git/HEAD"), "ref: refs/heads/main\n").expect("a file");
    folder
}

/// Returns settings as git writes them, and others that include files.
pub fn seeds() -> Vec<Vec<u8>> {
    [
        "[core]\n\trepositoryformatversion = 0\n\tbare = false\n\texcludesFile = ~/ignored\n",
        "[include]\n\tpath = config\n[extensions]\n\tobjectFormat = sha256\n",
        "[includeIf \"gitdir/i:~/work/**\"]\n\tpath = \"../a \\\" b\" ; c\n# x\n[a \"b\"] c\n",
        "",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}

/// Reads the settings of a repository.
pub fn run(input: &[u8]) {
    FOLDER.with_borrow(|folder| {
        fs::write(folder.path().join(".git/config"), input).expect("a file in memory");
        let home = Some(folder.path().to_owned());
        Git::of(folder.path(), &UserSettings { home, ..UserSettings::default() });
    });
}
