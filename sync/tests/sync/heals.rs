//! Damage is repaired: a device that has a pack sends it again if the remote's copy is damaged, and
//! fetches a pack that it has lost.

use std::fs;
use std::path::{Path, PathBuf};

use fastest_fixtures::keys::Keys;
use fastest_fixtures::servers::{D1Server, REGION, S3Server, SqldServer};
use fastest_sync::device::activity::Activity;
use fastest_sync::remote::open::Remote;
use fastest_sync::remote::primary::Primary;
use fastest_sync::remote::secret::NoSecrets;
use fastest_sync::remote::state::Packs;
use fastest_sync::remote::statement::Statement;
use fastest_sync::{Device, Identity, SyncError, World};

use super::machine::{Machine, noise, query};
use super::run;

/// A small file, whose pack is sent in a row, and a large one.
const FILES: [(&str, usize); 2] = [("app/small", 20_000), ("app/large", 1_500_000)];

fn machine(url: &str, packs: &Packs) -> Machine {
    let mut machine = Machine::new().with_secrets(Box::new(Keys::s3()));
    run(machine.device.remote_set(Some(url), packs.clone())).unwrap();
    machine
}

fn pushed(url: &str, packs: &Packs) -> Machine {
    let mut one = machine(url, packs);
    for (at, (name, bytes)) in FILES.into_iter().enumerate() {
        one.write(name, noise(bytes, at as u64));
        one.push("app");
    }
    one
}

fn pull(machine: &mut Machine, name: &str) -> Vec<String> {
    let copy = machine.copy(name);
    let report = run(machine.device.pull(&copy, None, &Activity::default())).unwrap();
    assert!(!report.offline, "{report:?}");
    report.warnings
}

/// Damages every pack in rows, each in its middle.
fn damage_rows(primary: &dyn Primary) {
    let sql = "UPDATE fastest_packs SET data = substr(data, 1, length(data) / 2) || 'AAAAAAAA'
               || substr(data, length(data) / 2 + 9) WHERE data IS NOT NULL";
    run(primary.run(Statement::once(sql), &[])).unwrap();
}

/// Returns the files below a folder that are large enough to be packs.
fn packs_below(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap().map(|entry| entry.unwrap()) {
        match entry.file_type().unwrap().is_dir() {
            true => found.extend(packs_below(&entry.path())),
            false if entry.metadata().unwrap().len() > 100_000 => found.push(entry.path()),
            false => {}
        }
    }
    found
}

fn damage_files(dir: &Path) {
    let packs = packs_below(dir);
    assert!(!packs.is_empty(), "{}", dir.display());
    for pack in packs {
        let mut bytes = fs::read(&pack).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x40;
        // Not written in place, because the store may share the file.
        fs::remove_file(&pack).unwrap();
        fs::write(&pack, bytes).unwrap();
    }
}

/// Checks that a clone fails, a pull on the device that has the packs sends them again, and the
/// clone then succeeds.
fn heals_by_itself(url: &str, packs: &Packs, damage: &dyn Fn()) {
    let mut one = pushed(url, packs);
    damage();
    let mut two = machine(url, packs);
    // Each attempt finds one pack, and the device that has it answers.
    let mut tries = 0;
    while let Err(error) = two.try_clone("app", "desk") {
        let is_asked = matches!(error, SyncError::DamagedAtRemote { is_asked_for: true, .. });
        assert!(is_asked && tries < 2, "{url}: {error}");
        let warnings = pull(&mut one, "app").join("\n");
        assert!(warnings.contains("sent again"), "{url}: {warnings}");
        tries += 1;
    }
    assert!(tries > 0, "{url}: nothing was damaged");
    assert_eq!(two.files("desk"), one.files("app"), "{url}");
    // Nothing is left to answer, and nothing is asked for again.
    pull(&mut two, "desk");
    assert_eq!(pull(&mut one, "app"), [""; 0], "{url}");
    two.check();
}

/// Checks that `doctor --remote` finds what is damaged, and with `--mend` sends it again.
fn heals_by_doctor(url: &str, packs: &Packs, damage: &dyn Fn()) {
    let mut one = pushed(url, packs);
    let mut doctor = |mend| {
        let activity = Activity::default();
        run(one.device.doctor_with_remote(mend, true, &activity)).unwrap()
    };
    assert_eq!(doctor(false).problems.len(), 0);
    damage();
    let found = doctor(false).problems;
    assert!(!found.is_empty() && found[0].mend.contains("--remote --mend"), "{url}: {found:?}");
    let mended = doctor(true);
    assert_eq!((mended.problems.len(), mended.mended.len()), (0, found.len()), "{url}: {mended:?}");
    assert_eq!(doctor(false).problems.len(), 0, "{url}");
    let mut two = machine(url, packs);
    two.clone_project("app", "desk");
    assert_eq!(two.files("desk"), one.files("app"), "{url}");
}

#[test]
fn rows_of_packs_heal_on_each_primary() {
    let (d1, mut sqld) = (D1Server::shared(), SqldServer::start());
    let empty = sqld.backup();
    for heals in [heals_by_itself, heals_by_doctor] {
        let folder = tempfile::tempdir().unwrap();
        let file = url::Url::from_file_path(folder.path().join("p.db")).unwrap();
        sqld.restore(&empty);
        for url in [file.into(), format!("d1://local/{}?api={}", d1.fresh(), d1.api()), sqld.url()]
        {
            let primary = Remote::to(&url, &NoSecrets, World::system()).unwrap().primary;
            heals(&url, &Packs::Rows, &|| damage_rows(&*primary));
        }
    }
}

#[test]
fn packs_beside_a_file_heal() {
    for heals in [heals_by_itself, heals_by_doctor] {
        let folder = tempfile::tempdir().unwrap();
        let url: String = url::Url::from_file_path(folder.path().join("p.db")).unwrap().into();
        let packs = folder.path().join("p.db.packs");
        heals(&url, &Packs::Default, &|| damage_files(&packs));
        let folder = tempfile::tempdir().unwrap();
        let url: String = url::Url::from_file_path(folder.path().join("p.db")).unwrap().into();
        let packs = folder.path().join("p.db.packs");
        // A missing pack counts as damaged, too.
        heals(&url, &Packs::Default, &|| {
            packs_below(&packs).iter().for_each(|pack| fs::remove_file(pack).unwrap());
        });
    }
}

#[test]
fn packs_in_a_bucket_heal() {
    let s3 = S3Server::start();
    let (bucket, endpoint) = (s3.bucket(), s3.endpoint());
    for (at, heals) in [heals_by_itself, heals_by_doctor].into_iter().enumerate() {
        let folder = tempfile::tempdir().unwrap();
        let url: String = url::Url::from_file_path(folder.path().join("p.db")).unwrap().into();
        let prefix = format!("{bucket}/{at}");
        let packs = Packs::At(format!("s3://{prefix}?endpoint={endpoint}&region={REGION}"));
        heals(&url, &packs, &|| damage_files(&s3.root().join(&prefix)));
    }
}

#[test]
fn the_primary_inside_the_store_is_looked_at_too() {
    let mut one = Machine::new();
    for (at, (name, bytes)) in FILES.into_iter().enumerate() {
        one.write(name, noise(bytes, at as u64));
        one.push("app");
    }
    let dir = one.store_dir().join("primary");
    damage_rows(
        &*Remote::to(
            &format!("file://{}", dir.join("primary.db").display()),
            &NoSecrets,
            World::system(),
        )
        .unwrap()
        .primary,
    );
    damage_files(&dir.join("primary.db.packs"));
    let mut doctor =
        |mend| run(one.device.doctor_with_remote(mend, false, &Activity::default())).unwrap();
    let found = doctor(false).problems;
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!(doctor(true).problems.len(), 0);
    assert_eq!(doctor(false).problems.len(), 0);
}

#[test]
fn packs_that_a_device_lost_come_again_with_a_pull() {
    let damage: [fn(&Path); 2] = [damage_files, |dir: &Path| {
        packs_below(dir).iter().for_each(|pack| fs::remove_file(pack).unwrap());
    }];
    for damage in damage {
        let folder = tempfile::tempdir().unwrap();
        let url: String = url::Url::from_file_path(folder.path().join("p.db")).unwrap().into();
        let mut one = pushed(&url, &Packs::Default);
        let mut two = machine(&url, &Packs::Default);
        two.clone_project("app", "desk");
        let pull = |two: &mut Machine| {
            let copy = two.copy("desk");
            run(two.device.pull(&copy, Some("main"), &Activity::default())).unwrap()
        };
        // The content that is added again is in a pack that the device has, or had.
        let large = fs::read(one.path("app/large")).unwrap();
        fs::remove_file(one.path("app/large")).unwrap();
        one.push("app");
        pull(&mut two);
        damage(&two.store_dir().join("objects/packs"));
        // A process keeps objects that it has read, so this opens the store again.
        two.device = Device::open(&two.store_dir(), Identity::default(), World::system()).unwrap();
        one.write("app/large", &large);
        one.push("app");
        let report = pull(&mut two);
        assert!(report.warnings[0].contains("came again"), "{report:?}");
        assert_eq!(two.files("desk"), one.files("app"));
        assert_eq!(two.device.doctor(false, &Activity::default()).unwrap().problems.len(), 0);
    }
}

/// The pack was never pushed, and somebody who knows its hash asks for it in another project.
#[test]
fn a_pack_of_another_project_is_sent_to_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.db");
    let url: String = url::Url::from_file_path(&path).unwrap().into();
    let mut one = pushed(&url, &Packs::Rows);
    one.write("private/secret", noise(20_000, 9));
    let private = one.path("private");
    one.device.init(&private, Some("private")).unwrap();
    one.snapshot("private");
    let private = "SELECT pack_id || ' ' || bytes || ' ' || objects FROM fastest_packs
                   WHERE project_id = (SELECT id FROM projects WHERE name = 'private')";
    let private = one.replica(private);
    assert!(!private.is_empty());
    let primary = Remote::to(&url, &NoSecrets, World::system()).unwrap().primary;
    for pack in &private {
        let [id, bytes, objects] = pack.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{pack}")
        };
        let plant =
            "INSERT INTO fastest_packs(id, part, parts, bytes, objects, data, project_id, pack_id)
            SELECT project_id || '/' || ?1 || '/0', 0, 1, ?2, ?3, 'AAAA', project_id, ?1
            FROM fastest_packs LIMIT 1";
        run(primary.run(Statement::once(plant), &[id, bytes, objects])).unwrap();
    }
    let ask = Statement::once("UPDATE fastest_packs SET created_at = created_at");
    run(primary.run(ask, &[])).unwrap();
    assert_eq!(pull(&mut one, "app"), [""; 0]);
    let report = run(one.device.doctor_with_remote(true, true, &Activity::default())).unwrap();
    assert!(report.mended.is_empty(), "{report:?}");
    let planted = query(&path, "SELECT count(*) FROM fastest_packs WHERE data = 'AAAA'");
    assert_eq!(planted, [private.len().to_string()]);
}
