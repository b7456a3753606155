//! Primaries and replicas that went back in time, were copied or were swapped. This is found at the
//! next contact, reported in one sentence, and repaired.

use std::fs;
use std::path::Path;

use fastest_sync::device::activity::Activity;
use fastest_sync::remote::state::Packs;
use fastest_sync::{Resolution, SnapshotId};

use super::machine::{Machine, copy_folder, noise, query};
use super::run;

const WENT_BACK: &str = "was put back to an older day";

/// Returns a primary in `now`, and a device that pushed project `app` there.
fn pushed() -> (tempfile::TempDir, Machine) {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("now")).unwrap();
    let mut one = Machine::following(&folder.path().join("now/primary.db"), Packs::Default);
    one.write("app/a", "0");
    one.push("app");
    (folder, one)
}

fn put_back(folder: &Path) {
    fs::remove_dir_all(folder.join("now")).unwrap();
    copy_folder(&folder.join("old"), &folder.join("now"));
}

/// Pulls from the main workspace, and returns the warnings.
fn warnings(machine: &mut Machine, name: &str) -> Vec<String> {
    let copy = machine.copy(name);
    run(machine.device.pull(&copy, None, &Activity::default())).unwrap().warnings
}

fn told(warnings: &[String]) -> usize {
    warnings.iter().filter(|warning| warning.contains(WENT_BACK)).count()
}

#[test]
fn a_device_that_never_pushed_notices_a_restored_primary_that_others_wrote_to_since() {
    let (folder, mut one) = pushed();
    let primary = folder.path().join("now/primary.db");
    let mut reader = Machine::following(&primary, Packs::Default);
    reader.clone_project("app", "desk");
    copy_folder(&folder.path().join("now"), &folder.path().join("old"));
    one.write("app/a", "lost");
    let lost = one.push("app").snapshot.snapshot_id;
    reader.pull("desk", "main");
    put_back(folder.path());
    // Others write until the primary is past the reader's cursor. The device whose work was lost is
    // offline.
    let mut other = Machine::following(&primary, Packs::Default);
    other.clone_project("app", "side");
    for text in ["1", "2", "3", "4"] {
        other.write("side/b", text);
        other.push("side");
    }
    let last = "SELECT max(seq) FROM fastest_changes";
    assert!(query(&primary, last)[0].parse::<i64>().unwrap() > 15);
    let warned = warnings(&mut reader, "desk");
    assert_eq!(told(&warned), 1, "{warned:?}");
    assert_eq!(told(&warnings(&mut reader, "desk")), 0, "it is told once");
    reader.push("desk");
    let known = format!("SELECT id FROM snapshots WHERE id = '{lost}'");
    assert_eq!(
        query(&primary, &known),
        [lost.as_str()],
        "what only the reader held is there again"
    );
    other.pull("side", "desk");
    assert_eq!(other.files("side")["a"], b"lost");
    reader.check();
}

#[test]
fn the_first_snapshot_of_a_workspace_arrives_after_a_restore() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("now")).unwrap();
    let primary = folder.path().join("now/primary.db");
    let [mut one, mut two] = [(); 2].map(|()| Machine::following(&primary, Packs::Default));
    one.device.init(&one.path("app"), Some("app")).unwrap();
    one.push("app");
    two.clone_project("app", "desk");
    one.pull("app", "desk");
    copy_folder(&folder.path().join("now"), &folder.path().join("old"));
    one.write("app/a", "one");
    one.push("app");
    two.write("desk/b", "two");
    put_back(folder.path());
    two.push("desk");
    // It sends again what the primary lost. To it, the other workspace is as empty as it was.
    one.pull("app", "desk");
    assert_eq!(one.files("app")["b"], b"two");
    assert_eq!(one.files("app")["a"], b"one");
}

#[test]
fn a_push_to_a_restored_primary_is_refused_and_made_good_though_its_lock_fits() {
    let (folder, mut one) = pushed();
    copy_folder(&folder.path().join("now"), &folder.path().join("old"));
    one.write("app/a", "after the backup");
    one.push("app");
    put_back(folder.path());
    // A push of another project would be accepted: its rows are as they were.
    one.write("lib/x", "1");
    let pushed = one.push("lib");
    assert_eq!(told(&pushed.snapshot.warnings), 1, "{:?}", pushed.snapshot.warnings);
    // What the first project lost is restored as well, without a push of its own.
    let mut two = Machine::following(&folder.path().join("now/primary.db"), Packs::Default);
    two.clone_project("app", "desk");
    assert_eq!(two.files("desk")["a"], b"after the backup");
    assert_eq!(one.push("app").snapshot.warnings, Vec::<String>::new());
}

#[test]
fn what_a_restored_primary_lost_of_a_row_is_kept_beside_what_it_holds_now() {
    for others_write in [false, true] {
        let (folder, mut one) = pushed();
        let primary = folder.path().join("now/primary.db");
        copy_folder(&folder.path().join("now"), &folder.path().join("old"));
        let rename = |name: &str| {
            let primary = rusqlite::Connection::open(&primary).unwrap();
            primary.execute("UPDATE projects SET name = ?1", [name]).unwrap();
        };
        rename("lost");
        one.write("app/a", "1");
        one.push("app");
        warnings(&mut one, "app");
        put_back(folder.path());
        if others_write {
            rename("since");
            rename("since then");
        }
        one.push("app");
        let stands = if others_write { "since then" } else { "app" };
        assert_eq!(query(&primary, "SELECT name FROM projects"), [stands]);
        let kept = one.device.conflicts(None).unwrap().conflicts;
        let [kept] = &kept[..] else { panic!("one conflict: {kept:?}") };
        assert_eq!(kept.columns[0].ours, "lost");
        one.device.resolve(kept.id.as_str(), &Resolution::Ours).unwrap();
        one.push("app");
        assert_eq!(query(&primary, "SELECT name FROM projects"), ["lost"]);
    }
}

#[test]
fn a_primary_that_was_swapped_for_anothers_gets_ours_beside_its_own() {
    let (folder, mut one) = pushed();
    let theirs = tempfile::tempdir().unwrap();
    let mut other = Machine::following(&theirs.path().join("primary.db"), Packs::Default);
    other.write("lib/x", "theirs");
    other.push("lib");
    drop(other);
    fs::remove_dir_all(folder.path().join("now")).unwrap();
    copy_folder(theirs.path(), &folder.path().join("now"));
    one.write("app/a", "1");
    let pushed = one.push("app");
    assert_eq!(told(&pushed.snapshot.warnings), 1, "{:?}", pushed.snapshot.warnings);
    let mut two = Machine::following(&folder.path().join("now/primary.db"), Packs::Default);
    two.clone_project("app", "desk");
    two.clone_project("lib", "theirs");
    assert_eq!(two.files("desk")["a"], b"1");
    assert_eq!(two.files("theirs")["x"], b"theirs");
}

#[test]
fn a_copied_store_says_that_it_is_a_device_of_its_own_now() {
    let (_folder, mut one) = pushed();
    let mut two = one.copied();
    one.write("app/a", "one");
    one.push("app");
    two.write("app/b", "two");
    let pushed = two.push("app");
    let own = |warning: &String| warning.contains("a device of its own");
    assert_eq!(pushed.snapshot.warnings.iter().filter(|w| own(w)).count(), 1);
    let device = "SELECT device_id FROM fastest_local_device";
    assert_ne!(one.replica(device), two.replica(device));
    two.write("app/b", "again");
    assert!(two.push("app").snapshot.warnings.is_empty());
}

#[test]
fn what_is_queued_goes_out_with_the_next_command_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let (near, far) = (folder.path().join("near"), folder.path().join("far"));
    fs::create_dir(&near).unwrap();
    let mut one = Machine::following(&near.join("primary.db"), Packs::Default);
    for project in ["app", "lib"] {
        one.write(&format!("{project}/a"), "0");
        one.push(project);
    }
    fs::rename(&near, &far).unwrap();
    let mut made = Vec::new();
    for (project, text) in [("lib", "1"), ("app", "1"), ("lib", "2")] {
        one.write(&format!("{project}/a"), text);
        let queued = one.try_push(project).unwrap();
        assert!(queued.queued_because.is_some());
        made.push((project, queued.snapshot.snapshot_id));
    }
    let copy = one.copy("lib");
    let status = one.device.status(&copy, &Activity::default()).unwrap();
    assert!(status.queued_since.is_some() && status.waiting_rows > 0 && status.unpushed == 2);
    // This snapshot is saved but not pushed. It is sent along with the queued ones.
    one.write("app/a", "2");
    one.snapshot("app");
    fs::rename(&far, &near).unwrap();
    one.pull("app", "main");
    let status = one.device.status(&copy, &Activity::default()).unwrap();
    assert!(status.queued_since.is_none() && status.waiting_rows == 0 && status.unpushed == 0);
    // Scopes arrive in the order in which they were queued, and within each its snapshots.
    let order = "SELECT id FROM snapshots ORDER BY rowid";
    let arrived = query(&near.join("primary.db"), order);
    let place = |id: &SnapshotId| arrived.iter().position(|other| id == other.as_str()).unwrap();
    let places: Vec<usize> = made.iter().map(|(_, id)| place(id)).collect();
    assert!(places[0] < places[2] && places[2] < places[1], "{places:?}");
}

#[test]
fn a_folder_of_packs_whose_disk_is_gone_takes_none_and_another_place_gets_all() {
    let folder = tempfile::tempdir().unwrap();
    let primary = folder.path().join("primary.db");
    let url = format!("file://{}", primary.display());
    let at = |name: &str| Packs::At(format!("file://{}", folder.path().join(name).display()));
    let mut one = Machine::new();
    run(one.device.remote_set(Some(&url), at("disk"))).unwrap();
    one.write("app/large", noise(600_000, 1));
    one.push("app");
    fs::rename(folder.path().join("disk"), folder.path().join("gone")).unwrap();
    fs::create_dir(folder.path().join("disk")).unwrap();
    one.write("app/large", noise(600_000, 2));
    let queued = one.try_push("app").unwrap();
    assert!(queued.queued_because.is_some(), "{queued:?}");
    assert_eq!(fs::read_dir(folder.path().join("disk")).unwrap().count(), 0);
    fs::remove_dir(folder.path().join("disk")).unwrap();
    fs::rename(folder.path().join("gone"), folder.path().join("disk")).unwrap();
    one.push("app");
    // The same address keeps the place for packs; another place gets the packs of the first.
    run(one.device.remote_set(Some(&url), None)).unwrap();
    run(one.device.remote_set(Some(&url), at("other"))).unwrap();
    one.push("app");
    fs::remove_dir_all(folder.path().join("disk")).unwrap();
    let mut two = Machine::new();
    run(two.device.remote_set(Some(&url), at("other"))).unwrap();
    two.clone_project("app", "desk");
    assert_eq!(two.files("desk"), one.files("app"));
    two.check();
}

#[test]
fn who_has_packs_from_a_pack_store_can_give_them_to_another_primary() {
    let (folder, mut one) = pushed();
    one.write("app/large", noise(600_000, 4));
    one.push("app");
    let mut two = Machine::following(&folder.path().join("now/primary.db"), Packs::Default);
    two.clone_project("app", "desk");
    let other = tempfile::tempdir().unwrap();
    two.follow(&other.path().join("primary.db"), Packs::Default);
    two.push("desk");
    let mut three = Machine::following(&other.path().join("primary.db"), Packs::Default);
    three.clone_project("app", "third");
    assert_eq!(three.files("third"), one.files("app"));
    three.check();
}
