//! Two devices that share a primary: everything of one reaches the other, and their work is merged
//! with nothing lost.

use fastest_core::object::tree::DEPTH_MAX;
use fastest_sync::device::report::ConflictKind;
use std::fs;

use fastest_sync::remote::state::Packs;

use super::machine::{Machine, noise};
use super::run;

/// Larger than fits into a payload, or into one row.
const LARGE_BYTES: usize = 2_500_000;

fn there_and_back(packs: Packs) {
    let folder = tempfile::tempdir().unwrap();
    let primary = folder.path().join("primary.db");
    let mut one = Machine::following(&primary, packs.clone());
    let mut two = Machine::following(&primary, packs.clone());
    one.write("app/small", "one");
    one.write("app/d/large", noise(LARGE_BYTES, 1));
    one.push("app");
    two.clone_project("app", "desk");
    assert_eq!(two.files("desk"), one.files("app"));

    two.write("desk/d/other", noise(LARGE_BYTES, 2));
    two.write("desk/small", "two");
    fs::remove_file(two.path("desk/d/large")).unwrap();
    two.push("desk");
    let pulled = one.pull("app", "desk");
    assert_eq!(
        (pulled.added, pulled.modified, pulled.deleted),
        (vec!["d/other".to_owned()], vec!["small".to_owned()], vec!["d/large".to_owned()],)
    );
    assert_eq!(one.files("app"), two.files("desk"));
    assert_eq!(one.snapshots("app"), two.snapshots("desk"));
    one.check();
    two.check();
    assert!(two.push("desk").snapshot.snapshot_id == two.push("desk").snapshot.snapshot_id);
}

#[test]
fn packs_in_a_folder_go_both_ways() {
    there_and_back(Packs::Default);
}

#[test]
fn packs_in_rows_go_both_ways_in_parts() {
    there_and_back(Packs::Rows);
}

/// Returns two devices with a working copy each, `app` and `desk`, of the same files.
#[test]
fn the_deepest_tree_goes_both_ways() {
    let folder = tempfile::tempdir().unwrap();
    let primary = folder.path().join("primary.db");
    let [mut one, mut two] = [(); 2].map(|()| Machine::following(&primary, Packs::Default));
    let path = format!("{}f", "d/".repeat(DEPTH_MAX - 1));
    one.write(&format!("app/{path}"), "deep");
    one.push("app");
    two.clone_project("app", "desk");
    assert_eq!(two.files("desk"), one.files("app"));
    two.write(&format!("desk/{path}"), "deeper");
    two.push("desk");
    assert_eq!(one.pull("app", "desk").modified, [path]);
}

fn pair(files: &[(&str, &str)]) -> (tempfile::TempDir, Machine, Machine) {
    let folder = tempfile::tempdir().unwrap();
    let primary = folder.path().join("primary.db");
    let mut one = Machine::following(&primary, Packs::Default);
    for (path, text) in files {
        one.write(&format!("app/{path}"), text);
    }
    one.push("app");
    let mut two = Machine::following(&primary, Packs::Default);
    two.clone_project("app", "desk");
    (folder, one, two)
}

#[test]
fn what_both_changed_stays_twice() {
    let (_folder, mut one, mut two) =
        pair(&[("both.txt", "0"), ("gone", "0"), ("kept", "0"), ("mine", "0")]);
    one.write("app/both.txt", "one\0");
    one.write("app/kept", "one");
    fs::remove_file(one.path("app/gone")).unwrap();
    one.push("app");
    two.write("desk/both.txt", "two\0");
    two.write("desk/gone", "two");
    two.write("desk/mine", "two");
    fs::remove_file(two.path("desk/kept")).unwrap();

    let pulled = two.pull("desk", "main");
    let mut kinds: Vec<_> =
        pulled.conflicts.iter().map(|conflict| (conflict.path.as_str(), conflict.kind)).collect();
    kinds.sort_by_key(|(path, _)| *path);
    use ConflictKind::{BothChanged, DeletedByThem, DeletedByUs};
    let expected = [("both.txt", BothChanged), ("gone", DeletedByThem), ("kept", DeletedByUs)];
    assert_eq!(kinds, expected);
    assert_eq!(serde_json::to_value(kinds[1].1).unwrap(), "deleted_by_them");
    assert!(pulled.safety_snapshot_id.is_some(), "what was unsaved is saved first");
    let files = two.files("desk");
    let aside = pulled.conflicts.iter().find_map(|conflict| conflict.theirs.clone()).unwrap();
    assert_eq!(files["both.txt"], b"two\0");
    assert_eq!(files[&aside], b"one\0");
    assert_eq!((&files["gone"][..], &files["kept"][..]), (&b"two"[..], &b"one"[..]));
    assert_eq!(files["mine"], b"two");
    two.push("desk");
    one.pull("app", "desk");
    assert_eq!(one.files("app"), two.files("desk"));
}

#[test]
fn a_row_that_both_changed_keeps_both_versions() {
    let (folder, mut one, mut two) = pair(&[("a", "0")]);
    one.push("app");
    two.push("desk");
    one.pull("app", "desk");
    let [app, desk] = ["main", "desk"].map(|name| {
        let copy = one.copy("app");
        let all = one.device.workspaces(&copy).unwrap().workspaces;
        all.into_iter().find(|workspace| workspace.name == name).unwrap().id
    });
    // A third workspace, so that each side can choose another one.
    let copy = one.copy("app");
    let dir = one.path("third");
    run(one.device.workspace_new(&copy, "third", Some(&dir), &Default::default())).unwrap();
    one.device.workspace_set_main(&copy, "third").unwrap();
    let copy = two.copy("desk");
    two.device.workspace_set_main(&copy, "desk").unwrap();
    one.push("app");
    two.push("desk");

    let main = "SELECT main_workspace_id FROM projects";
    let on_primary = super::machine::query(&folder.path().join("primary.db"), main);
    assert_ne!(on_primary, [app.as_str()]);
    assert_ne!(on_primary, [desk.as_str()], "the primary's row stands");
    assert_eq!(two.replica(main), on_primary);
    assert_eq!(two.replica("SELECT columns FROM fastest_local_conflict"), ["main_workspace_id"]);
    let ours = two.replica("SELECT ours FROM fastest_local_conflict");
    assert!(ours[0].contains(desk.as_str()), "{ours:?}");
    let theirs = two.replica("SELECT theirs FROM fastest_local_conflict");
    assert!(theirs[0].contains(&on_primary[0]), "{theirs:?}");
    one.push("app");
    assert_eq!(one.replica(main), on_primary);
}

#[test]
fn two_folders_of_one_workspace_are_merged() {
    let (_folder, mut one, _two) = pair(&[("a", "0"), ("b", "0")]);
    super::machine::copy_folder(&one.path("app"), &one.path("app2"));
    one.write("app/a", "first");
    one.write("app2/b", "second");
    one.write("app2/new", "second");
    assert!(!one.push("app").merged);
    let second = one.push("app2");
    assert!(second.merged && second.snapshot.conflicts.is_empty(), "{second:?}");
    let files = one.files("app2");
    assert_eq!(
        (&files["a"][..], &files["b"][..], &files["new"][..]),
        (&b"first"[..], &b"second"[..], &b"second"[..],)
    );
    one.pull("app", "main");
    assert_eq!(one.files("app"), files);
}
