//! Trees that no build of ours writes, pulled by another device.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use fastest_core::object::chunk::write_content;
use fastest_core::object::item::{Item, Kind, Root};
use fastest_core::object::source::ObjectSink;
use fastest_core::object::tree::write::write_directory;
use fastest_core::store::open::Store;
use fastest_sync::SyncError;
use fastest_sync::device::activity::Activity;
use fastest_sync::remote::state::Packs;
use rusqlite::Connection;

use super::machine::Machine;

/// Returns two devices with a project `app`, in the folder `app` of both. The second machine's is a
/// clone.
fn shared(dir: &Path) -> (Machine, Machine) {
    let mut one = Machine::following(&dir.join("primary.db"), Packs::Default);
    let mut two = Machine::following(&dir.join("primary.db"), Packs::Default);
    one.write("app/a", "one");
    one.write("app/old/b", "one");
    one.push("app");
    two.clone_project("app", "yours");
    (one, two)
}

/// Pushes a snapshot of `app` whose tree is what `make` writes, and returns its id.
fn push_forged(machine: &mut Machine, make: impl FnOnce(&dyn ObjectSink) -> Root) -> String {
    machine.write("app/a", "two");
    let honest = machine.snapshot("app");
    let store = Store::open(&machine.store_dir().join("objects")).unwrap();
    let writer = store.writer();
    let root = make(&writer);
    let packs = writer.finish().unwrap();
    assert_eq!(packs.len(), 1);
    let bytes = i64::try_from(packs[0].bytes).unwrap();
    let objects = i64::try_from(packs[0].objects).unwrap();
    let replica = Connection::open(machine.store_dir().join("replica.db")).unwrap();
    let sql = "SELECT pk FROM fastest_local_outbox WHERE tbl = 'fastest_packs'";
    let pk: String = replica.query_row(sql, [], |row| row.get(0)).unwrap();
    let honest_pack = pk.split('/').nth(1).unwrap();
    let forged_pack = packs[0].id.to_hex();
    let swap = |sql: &str, from: &str, to: &str| {
        replica.execute(sql, [from, to]).unwrap();
    };
    swap(
        "UPDATE fastest_packs SET id = replace(id, ?1, ?2), pack_id = replace(pack_id, ?1, ?2)",
        honest_pack,
        &forged_pack,
    );
    let outbox = "UPDATE fastest_local_outbox
                  SET pk = replace(pk, ?1, ?2), row = replace(row, ?1, ?2)";
    swap(outbox, honest_pack, &forged_pack);
    swap(outbox, &honest.manifest_hash, &root.id.to_hex());
    let snapshots = "UPDATE snapshots SET manifest_hash = replace(manifest_hash, ?1, ?2)";
    swap(snapshots, &honest.manifest_hash, &root.id.to_hex());
    let size = "UPDATE fastest_local_outbox SET row = json_set(row, '$[5]', ?1, '$[6]', ?2)
                WHERE tbl = 'fastest_packs'";
    replica.execute(size, [bytes, objects]).unwrap();
    let size = "UPDATE fastest_packs SET bytes = ?1, objects = ?2 WHERE pack_id = ?3";
    replica.execute(size, rusqlite::params![bytes, objects, forged_pack]).unwrap();
    let queued = "INSERT INTO fastest_local_queued(scope, since)
                  SELECT project_id, created_at FROM snapshots WHERE id = ?1";
    replica.execute(queued, [&honest.snapshot_id]).unwrap();
    drop(replica);
    // Queued rows are sent before any other project's push.
    machine.write("carrier/x", "1");
    machine.push("carrier");
    assert!(machine.replica("SELECT tbl FROM fastest_local_outbox").is_empty());
    honest.snapshot_id.into()
}

fn file(text: &str, kind: Kind, sink: &dyn ObjectSink) -> Item {
    let content = write_content(&mut text.as_bytes(), sink).unwrap();
    Item { kind, id: content.id.0, bytes: content.bytes, files: 1, list: None }
}

fn directory(entries: &BTreeMap<&str, Item>, sink: &dyn ObjectSink) -> Item {
    let entries: Vec<(&str, Item)> = entries.iter().map(|(name, item)| (*name, *item)).collect();
    Item::directory(&write_directory(&entries, sink).unwrap())
}

/// Spellings that some file system takes for `.git`.
const SPELLINGS: [&str; 6] = [".git", ".GIT", "git~1", ".g\u{200c}it", ".git ", ".Git."];

/// Writes a tree with a git hook in folders of each such name at several depths, links of these
/// names, and content beside them.
fn with_hooks(sink: &dyn ObjectSink) -> Root {
    let hook = file("#!/bin/sh\ntouch pwned\n", Kind::Executable, sink);
    let hooks = directory(&BTreeMap::from([("post-commit", hook)]), sink);
    let git = directory(&BTreeMap::from([("config", hook), ("hooks", hooks)]), sink);
    let names = |item: Item| SPELLINGS.map(|name| (name, item));
    let link = file("../elsewhere", Kind::Symlink, sink);
    let mut links = BTreeMap::from(names(link));
    links.insert("f", file("linked", Kind::File, sink));
    let mut below = BTreeMap::from(names(git));
    below.insert("f", file("new", Kind::File, sink));
    below.insert("links", directory(&links, sink));
    let below = directory(&below, sink);
    let mut all = BTreeMap::from(names(git));
    all.insert("a", file("forged", Kind::File, sink));
    all.insert("grown", directory(&BTreeMap::from([("deep", below)]), sink));
    all.insert("old", below);
    let entries: Vec<(&str, Item)> = all.into_iter().collect();
    write_directory(&entries, sink).unwrap()
}

/// Returns what exists under a spelling of `.git` in a folder, except for its own repository at the
/// top.
fn state_of_git(root: &Path) -> Vec<std::path::PathBuf> {
    let (mut found, mut folders) = (Vec::new(), vec![root.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name();
            if SPELLINGS.iter().any(|spelling| name == *spelling) {
                found.push(entry.path());
            } else if entry.file_type().unwrap().is_dir() && name != ".fastest" {
                folders.push(entry.path());
            }
        }
    }
    found
}

#[test]
fn nothing_that_comes_is_written_into_a_repository_of_git() {
    let dir = tempfile::tempdir().unwrap();
    let (mut one, mut two) = shared(dir.path());
    two.write("yours/.git/HEAD", "ref: refs/heads/main\n");
    two.write("yours/.git/hooks/sample", "");
    two.clone_project("app", "merging");
    two.clone_project("app", "restoring");
    two.write("merging/old/b", "mine");
    two.write("merging/a", "mine");
    two.write("merging/grown/deep/f", "mine");
    let forged = push_forged(&mut one, with_hooks);
    let check = |machine: &Machine, name: &str| {
        let own = machine.path(name).join(".git");
        let mut found = state_of_git(&machine.path(name));
        if found == [own.clone()] {
            let hooks: Vec<_> = fs::read_dir(own.join("hooks")).unwrap().collect();
            assert_eq!(hooks.len(), 1, "{name}: {hooks:?}");
            assert!(!own.join("config").exists(), "{name}");
            found.clear();
        }
        assert!(found.is_empty(), "{name}: {found:?}");
        assert!(machine.path(name).join("grown/deep/links/f").exists(), "{name}");
    };
    // A pull that fast-forwards, with a repository in the folder.
    two.pull("yours", "main");
    check(&two, "yours");
    // A pull that merges, with conflicts and their copies.
    two.pull("merging", "main");
    check(&two, "merging");
    // A clone into a new folder, and a fork of it.
    two.clone_project("app", "cloned");
    check(&two, "cloned");
    let (copy, activity) = (two.copy("cloned"), Activity::default());
    let beside = two.path("beside");
    super::run(two.device.workspace_new(&copy, "beside", Some(&beside), &activity)).unwrap();
    check(&two, "beside");
    // A restore of everything, and of one folder.
    let copy = two.copy("restoring");
    let base = copy.root().to_owned();
    for paths in [vec!["old".into()], vec![]] {
        let to = Some(forged.as_str());
        two.device.restore(&copy, &base, &paths, to, &activity).unwrap();
    }
    check(&two, "restoring");
    // A path in git's state can be named, and is refused.
    for path in [".git", "old/.GIT/hooks", "grown/deep/git~1"] {
        let paths = vec![path.into()];
        let outcome = two.device.restore(&copy, &base, &paths, Some(&forged), &activity);
        assert!(outcome.is_err(), "{path}");
    }
    check(&two, "restoring");
}

/// Writes a tree of a few kilobytes with 2^40 folders: each contains the next one under two names.
fn doubled(sink: &dyn ObjectSink) -> Root {
    let mut root = write_directory(&[("f", file("forged", Kind::File, sink))], sink).unwrap();
    for _ in 0..40 {
        let below = Item::directory(&root);
        root = write_directory(&[("a", below), ("b", below)], sink).unwrap();
    }
    root
}

#[test]
fn a_tree_that_doubles_at_each_level_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let (mut one, mut two) = shared(dir.path());
    let forged = push_forged(&mut one, doubled);
    let activity = Activity::default();
    let check = |what: &str, outcome: Option<SyncError>| match outcome {
        Some(SyncError::TooManyPaths { snapshot }) => {
            assert_eq!(snapshot.as_str(), forged, "{what}")
        }
        other => panic!("{what}: {other:?}"),
    };
    check("clone", two.try_clone("app", "cloned").err());
    assert!(!two.path("cloned").exists());
    let (copy, base) = (two.copy("yours"), two.path("yours"));
    check("pull", super::run(two.device.pull(&copy, Some("main"), &activity)).err());
    check("drift", super::run(two.device.drift(&copy, Some("main"), false, &activity)).err());
    let to = Some(forged.as_str());
    check("restore", two.device.restore(&copy, &base, &[], to, &activity).err());
    let paths = vec!["a".into()];
    check("restore a", two.device.restore(&copy, &base, &paths, to, &activity).err());
    two.write("joined/f", "mine");
    let joined = two.path("joined");
    check("join", super::run(two.device.join_project("app", &joined, None, &activity)).err());
    // Everything else continues to work.
    two.write("yours/a", "mine");
    two.push("yours");
    two.device.log(&copy, None).unwrap();
    two.device.status(&copy, &activity).unwrap();
    two.check();
}
