//! The contract suite on every primary and pack store that there is. A new one is added here.

use std::path::Path;

use fastest_fixtures::contract::{every_pack_store, every_primary, out_of_reach};
use fastest_sync::embedded::Embedded;
use fastest_sync::pack_store::Directory;
use fastest_sync::remote::{Packs, Remote, RemoteState};
use fastest_sync::secret::NoSecrets;

use super::run;

/// Every kind of remote, as a user chooses it.
fn remotes(folder: &Path) -> Vec<(&'static str, RemoteState)> {
    let url = |name: &str| Some(format!("file://{}", folder.join(name).display()));
    vec![
        ("a file", RemoteState { url: url("file.db"), ..RemoteState::default() }),
        (
            "a file with inline packs",
            RemoteState { url: url("inline.db"), packs: Packs::Rows, ..RemoteState::default() },
        ),
        (
            "a file with odd letters",
            RemoteState { url: url("a%20b%C3%BC.db"), ..RemoteState::default() },
        ),
        ("inside the store", RemoteState::default()),
    ]
}

#[test]
fn primaries() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("primary")).unwrap();
    for (what, state) in remotes(folder.path()) {
        println!("{what}");
        run(every_primary(&|| Remote::open(&state, folder.path(), &NoSecrets).unwrap()));
    }
}

#[test]
fn pack_stores() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("primary")).unwrap();
    for (what, state) in remotes(folder.path()) {
        println!("{what}");
        run(every_pack_store(&*Remote::open(&state, folder.path(), &NoSecrets).unwrap().packs));
    }
    for link in [false, true] {
        run(every_pack_store(&Directory::new(&folder.path().join(format!("packs {link}")), link)));
    }
}

#[test]
fn a_folder_that_is_not_there_is_out_of_reach() {
    run(out_of_reach(&Embedded::new(Path::new("/nowhere/at/all/primary.db"))));
}
