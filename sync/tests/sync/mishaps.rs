//! Mishaps: no network, lost answers, restored and copied databases. Nothing that was acknowledged,
//! and nothing that a device holds, is lost.

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use fastest_core::store::open::Store;
use fastest_schema::{FASTEST, PUSH_SQL};
use fastest_sync::device::activity::Activity;
use fastest_sync::internals::{Directory, Outbox, Replica, packs_dir, push_scope};
use fastest_sync::remote::embedded::Embedded;
use fastest_sync::remote::meter::Meter;
use fastest_sync::remote::open::Remote;
use fastest_sync::remote::pack_store::store::LargePacks;
use fastest_sync::remote::primary::{Failure, Primary, PrimaryError, Rows};
use fastest_sync::remote::state::Packs;
use fastest_sync::remote::statement::Statement;
use fastest_sync::{SyncError, World};

use super::machine::{Machine, copy_folder, noise, query};
use super::run;

#[test]
fn work_offline_goes_out_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let (near, far) = (folder.path().join("near"), folder.path().join("far"));
    fs::create_dir(&near).unwrap();
    let mut one = Machine::following(&near.join("primary.db"), Packs::Default);
    one.write("app/a", "0");
    let mut made = vec![one.push("app").snapshot.snapshot_id];
    fs::rename(&near, &far).unwrap();
    for text in ["1", "2", "3"] {
        one.write("app/a", text);
        let queued = one.try_push("app").unwrap();
        assert!(!queued.pushed && queued.queued_because.is_some(), "{queued:?}");
        made.push(queued.snapshot.snapshot_id);
    }
    fs::rename(&far, &near).unwrap();
    one.push("app");
    assert_eq!(one.replica("SELECT pk FROM fastest_local_outbox"), Vec::<String>::new());
    let arrived = "SELECT pk FROM fastest_changes WHERE tbl = 'snapshots' ORDER BY seq";
    let made: Vec<String> = made.into_iter().map(String::from).collect();
    assert_eq!(query(&near.join("primary.db"), arrived), made);
    let mut two = Machine::following(&near.join("primary.db"), Packs::Default);
    two.clone_project("app", "desk");
    assert_eq!(two.files("desk")["a"], b"3");
    two.check();
}

#[test]
fn an_index_that_was_lost_is_made_again_only_where_the_store_has_everything() {
    let mut one = Machine::new();
    one.write("app/a", "a");
    one.push("app");
    let copy = one.copy("app");
    let index = one.path("app/.fastest/index");
    let look = |one: &mut Machine| one.device.status(&copy, &Activity::default()).unwrap();
    fs::remove_file(&index).unwrap();
    assert!(!look(&mut one).dirty && index.exists());

    // The store loses the first pack and forgets it: only the files in the folder are left.
    let packs = || -> Vec<_> {
        let shards = fs::read_dir(one.store_dir().join("objects/packs")).unwrap();
        let files = shards.flat_map(|shard| fs::read_dir(shard.unwrap().path()).unwrap());
        files.map(|pack| pack.unwrap().path()).collect()
    };
    let first = packs();
    one.write("app/b", "b");
    one.push("app");
    first.iter().for_each(|pack| fs::remove_file(pack).unwrap());
    one.device.doctor(true, &Activity::default()).unwrap();
    assert!(!index.exists(), "what is gone has to be read from the folder");
    look(&mut one);
    assert!(!index.exists(), "an index vouches for what the store lacks");
    assert_eq!(one.snapshot("app").objects_new, 1);
}

#[test]
fn a_clone_that_fails_leaves_nothing_and_one_that_was_killed_is_in_nobodys_way() {
    let folder = tempfile::tempdir().unwrap();
    let primary = folder.path().join("primary.db");
    let mut one = Machine::following(&primary, Packs::Default);
    one.write("app/large", noise(600_000, 1));
    one.write("app/d/small", "small");
    one.push("app");
    let two = &mut Machine::following(&primary, Packs::Default);
    let (packs, away) = (packs_dir(&primary), folder.path().join("away"));
    fs::rename(&packs, &away).unwrap();
    fs::create_dir(two.path("there")).unwrap();
    for name in ["new", "there"] {
        two.try_clone("app", name).unwrap_err();
    }
    assert!(!two.path("new").exists() && fs::read_dir(two.path("there")).unwrap().count() == 0);

    fs::rename(&away, &packs).unwrap();
    two.write("new/.fastest/lock", "");
    two.write("new/.fastest/tmp/c0", "half a file");
    two.clone_project("app", "new");
    assert_eq!(two.files("new"), one.files("app"));
    assert!(!two.path("new/.fastest/tmp/c0").exists());
    two.write("taken/.fastest/lock", "");
    let holder = fs::File::open(two.path("taken/.fastest/lock")).unwrap();
    holder.lock().unwrap();
    assert!(matches!(two.try_clone("app", "taken"), Err(SyncError::NotEmpty { .. })));
}

/// A primary that loses its first answer to each push.
struct Lossy {
    inner: Embedded,
    answered: Mutex<HashSet<String>>,
}

#[async_trait]
impl Primary for Lossy {
    fn url(&self) -> &str {
        self.inner.url()
    }

    fn world(&self) -> &World {
        self.inner.world()
    }

    async fn run(
        &self,
        statement: Statement<'_>,
        parameters: &[&str],
    ) -> Result<Rows, PrimaryError> {
        let answer = self.inner.run(statement, parameters).await?;
        if statement.sql == PUSH_SQL
            && self.answered.lock().unwrap().insert(parameters[0].to_owned())
        {
            let (url, reason) = (self.url().to_owned(), "the answer was lost".to_owned());
            return Err(PrimaryError::Unreachable { url, reason, failure: Failure::Lost });
        }
        Ok(answer)
    }

    async fn migrate(&self, name: &str, statements: &[&str]) -> Result<(), PrimaryError> {
        self.inner.migrate(name, statements).await
    }
}

fn lossy(path: &Path, large: LargePacks) -> Remote {
    let primary = Lossy { inner: Embedded::new(path, World::system()), answered: Mutex::default() };
    let packs = Directory::new(&packs_dir(path), false);
    Remote {
        primary: Arc::new(primary),
        packs: Arc::new(packs),
        large,
        meter: Meter::default(),
        chosen: None,
    }
}

fn an_answer_is_lost(large: LargePacks) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("primary.db");
    let mut one = Machine::new();
    one.write("app/a", "0");
    one.write("app/large", noise(1_600_000, 5));
    let dir = one.path("app");
    let scope = one.device.init(&dir, None).unwrap().project_id;
    one.snapshot("app");
    run(fastest_sync::migrate(&Embedded::new(&path, World::system()), &FASTEST)).unwrap();

    let store_dir = one.store_dir();
    let mut replica =
        Replica::open(&store_dir.join("replica.db"), &FASTEST, World::system()).unwrap();
    let store = Store::open(&store_dir.join("objects")).unwrap();
    let remote = lossy(&path, large);
    let mut lost = 0;
    loop {
        let waiting = Outbox(replica.read()).entries(&scope.scope()).unwrap();
        // Each attempt loses one answer, so every statement of the push is sent twice.
        let locks = store_dir.join("locks");
        match run(push_scope(&mut replica, &store, &remote, &scope.scope(), &locks)) {
            Ok(_) => break,
            Err(error) => assert!(error.to_string().contains("was lost"), "{error}"),
        }
        lost += 1;
        assert!(lost < 20, "the push gets no further: {waiting:?}");
    }
    assert!(lost >= 1);
    assert!(Outbox(replica.read()).entries(&scope.scope()).unwrap().is_empty());
    let versions = "SELECT DISTINCT version FROM fastest_changes WHERE tbl <> 'projects'";
    assert_eq!(query(&path, versions), ["1"], "each row is written once");
    let mut two = Machine::following(&path, Packs::Default);
    two.clone_project("app", "desk");
    assert_eq!(two.files("desk"), one.files("app"));
    two.check();
}

#[test]
fn a_lost_answer_is_asked_for_again_and_applied_once() {
    an_answer_is_lost(LargePacks::Stored);
}

#[test]
fn a_lost_answer_amid_the_parts_of_a_pack_does_no_harm() {
    an_answer_is_lost(LargePacks::Rows);
}

/// Returns a machine with the project `app`, and its primary's folder.
fn pushed() -> (tempfile::TempDir, Machine) {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("now")).unwrap();
    let mut one = Machine::following(&folder.path().join("now/primary.db"), Packs::Default);
    one.write("app/a", "0");
    one.write("app/b", "0");
    one.push("app");
    (folder, one)
}

#[test]
fn a_primary_restored_to_an_older_day_gets_everything_again() {
    let (folder, mut one) = pushed();
    let (now, old) = (folder.path().join("now"), folder.path().join("old"));
    let mut two = Machine::following(&now.join("primary.db"), Packs::Default);
    two.clone_project("app", "desk");
    two.push("desk");
    copy_folder(&now, &old);
    one.write("app/a", "after the backup");
    one.push("app");
    two.write("desk/b", "after the backup");
    two.push("desk");
    two.pull("desk", "main");
    two.push("desk");

    fs::remove_dir_all(&now).unwrap();
    fs::rename(&old, &now).unwrap();
    // First with nothing new to send, and then with something.
    one.push("app");
    two.write("desk/c", "after the restore");
    two.push("desk");
    one.pull("app", "desk");
    one.push("app");

    let mut three = Machine::following(&now.join("primary.db"), Packs::Default);
    three.clone_project("app", "third");
    assert_eq!(three.files("third"), two.files("desk"));
    assert_eq!(one.files("app"), two.files("desk"));
    let known = three.snapshots("third");
    for id in [one.snapshots("app"), two.snapshots("desk")].concat() {
        assert!(known.contains(&id), "{id} is lost");
    }
    three.check();
}

#[test]
fn a_copied_store_becomes_a_device_of_its_own() {
    let (folder, mut one) = pushed();
    let primary = folder.path().join("now/primary.db");
    let mut two = one.copied();
    let device = "SELECT device_id FROM fastest_local_device";
    assert_eq!(one.replica(device), two.replica(device));
    for round in 0..3 {
        one.write("app/a", format!("one {round}"));
        one.write(&format!("app/one {round}"), "x");
        one.push("app");
        two.write("app/b", format!("two {round}"));
        two.write(&format!("app/two {round}"), "x");
        assert!(two.push("app").merged);
    }
    assert_ne!(one.replica(device), two.replica(device));
    one.pull("app", "main");
    one.push("app");
    assert_eq!(one.files("app"), two.files("app"));
    assert_eq!(one.files("app").len(), 8);
    let heads = "SELECT count(*) FROM snapshots";
    assert_eq!(query(&primary, heads), one.replica(heads));
    one.check();
    two.check();
}

#[test]
fn another_primary_is_given_everything() {
    let (folder, mut one) = pushed();
    one.write("app/large", noise(700_000, 9));
    one.push("app");
    one.write("app/a", "not pushed yet");
    one.snapshot("app");
    let other = folder.path().join("other.db");
    one.follow(&other, Packs::Rows);
    one.push("app");
    let mut two = Machine::following(&other, Packs::Rows);
    two.clone_project("app", "desk");
    assert_eq!(two.files("desk"), one.files("app"));
    assert_eq!(two.snapshots("desk"), one.snapshots("app"));
    two.check();
    // Back to the first primary, which is behind and catches up.
    one.write("app/a", "on the other");
    one.push("app");
    one.follow(&folder.path().join("now/primary.db"), Packs::Default);
    one.push("app");
    let mut three = Machine::following(&folder.path().join("now/primary.db"), Packs::Default);
    three.clone_project("app", "third");
    assert_eq!(three.files("third"), one.files("app"));
    three.check();
}

#[test]
fn a_clone_of_an_empty_folder_is_based_on_its_snapshot() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("primary.db");
    let mut one = Machine::following(&path, Packs::Default);
    one.write("app/a", "text");
    one.push("app");
    fs::remove_file(one.path("app/a")).unwrap();
    one.push("app");
    let mut two = Machine::following(&path, Packs::Default);
    two.clone_project("app", "new");
    let head = two.copy("new").head().unwrap();
    assert!(head.is_some());
    assert_eq!(head, one.copy("app").head().unwrap());
}
