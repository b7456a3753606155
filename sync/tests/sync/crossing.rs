//! Devices that pull each other's last push, so that their histories cross and merges have several
//! best bases. No device's work is lost, whichever device merges and whichever clock is ahead.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use fastest_fixtures::random::Random;
use fastest_sync::device::activity::Activity;
use fastest_sync::remote::state::Packs;

use super::machine::Machine;

/// Devices with a working copy each, of one project.
struct Crowd {
    _folder: tempfile::TempDir,
    machines: Vec<Machine>,
}

/// The working copy of each device, and its workspace.
const COPIES: [(&str, &str); 3] = [("app", "main"), ("desk", "desk"), ("side", "side")];

impl Crowd {
    fn new(devices: usize, files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let primary = folder.path().join("primary.db");
        let new = |_| Machine::following(&primary, Packs::Default);
        let mut machines: Vec<Machine> = (0..devices).map(new).collect();
        for (path, text) in files {
            machines[0].write(&format!("app/{path}"), text);
        }
        machines[0].push("app");
        for (machine, (copy, _)) in machines.iter_mut().zip(COPIES).skip(1) {
            machine.clone_project("app", copy);
            machine.push(copy);
        }
        Self { _folder: folder, machines }
    }

    fn path(&self, device: usize, path: &str) -> PathBuf {
        self.machines[device].path(COPIES[device].0).join(path)
    }

    fn write(&self, device: usize, path: &str, text: &str) {
        self.machines[device].write(&format!("{}/{path}", COPIES[device].0), text);
    }

    fn remove(&self, device: usize, path: &str) {
        fs::remove_file(self.path(device, path)).unwrap();
    }

    fn push(&mut self, device: usize) {
        let pushed = self.machines[device].push(COPIES[device].0);
        assert!(pushed.snapshot.conflicts.is_empty(), "{pushed:?}");
    }

    fn pull(&mut self, device: usize, from: usize) {
        let pulled = self.machines[device].pull(COPIES[device].0, COPIES[from].1);
        assert!(pulled.conflicts.is_empty() && pulled.kept.is_empty(), "{pulled:?}");
    }

    fn files(&self, device: usize) -> BTreeMap<String, Vec<u8>> {
        self.machines[device].files(COPIES[device].0)
    }

    /// Both devices pull what the other pushed last, then push.
    fn cross(&mut self) {
        self.pull(0, 1);
        self.pull(1, 0);
        self.push(0);
        self.push(1);
    }
}

/// Runs a test with each device as the first to push, which gets the smaller snapshot id.
fn both_orders(test: impl Fn(&mut Crowd, [usize; 2])) {
    for order in [[0, 1], [1, 0]] {
        let mut crowd = Crowd::new(2, &[("f", "precious"), ("k", "k")]);
        test(&mut crowd, order);
    }
}

#[test]
fn a_deletion_after_devices_pulled_each_other_holds() {
    both_orders(|crowd, order| {
        for device in order {
            crowd.write(device, ["new", "other"][device], "text");
            crowd.push(device);
        }
        crowd.cross();
        crowd.remove(1, "new");
        crowd.push(1);
        crowd.pull(0, 1);
        assert!(!crowd.path(0, "new").exists(), "the deletion came");
        crowd.push(0);
        crowd.pull(1, 0);
        assert!(!crowd.path(1, "new").exists(), "and holds where it was made");
        assert_eq!(crowd.files(0), crowd.files(1));
    });
}

#[test]
fn a_file_restored_after_devices_pulled_each_other_stays() {
    both_orders(|crowd, order| {
        let first = crowd.machines[0].snapshots("app").remove(0);
        for device in order {
            match device {
                0 => crowd.remove(0, "f"),
                _ => crowd.write(1, "other", "text"),
            }
            crowd.push(device);
        }
        crowd.cross();
        let machine = &mut crowd.machines[0];
        let (copy, paths) = (machine.copy("app"), [PathBuf::from("f")]);
        let to = Some(first.as_str());
        machine.device.restore(&copy, copy.root(), &paths, to, &Activity::default()).unwrap();
        crowd.push(0);
        crowd.pull(1, 0);
        crowd.push(1);
        crowd.pull(0, 1);
        for device in [0, 1] {
            assert_eq!(crowd.files(device)["f"], b"precious", "device {device}");
        }
    });
}

#[test]
fn an_edit_taken_back_after_devices_pulled_each_other_stays_taken_back() {
    both_orders(|crowd, order| {
        for device in order {
            crowd.write(device, ["f", "other"][device], "edited");
            crowd.push(device);
        }
        crowd.cross();
        crowd.write(0, "f", "precious");
        crowd.push(0);
        crowd.write(1, "other", "again");
        crowd.push(1);
        crowd.pull(1, 0);
        assert_eq!(crowd.files(1)["f"], b"precious");
        crowd.push(1);
        crowd.pull(0, 1);
        assert_eq!(crowd.files(0), crowd.files(1));
        assert_eq!(crowd.files(0)["f"], b"precious");
    });
}

/// A file's bytes, and whether it is executable.
type Content = (Vec<u8>, bool);

/// Edits one of a device's own files: writes one of a few contents, changes whether it is
/// executable, or deletes it. The folders are shared by all devices.
fn edit(crowd: &Crowd, device: usize, random: &mut Random) -> (String, Option<Content>) {
    let name = format!("d{}/{device}{}", random.below(2), ["a", "b"][random.below(2)]);
    let path = crowd.path(device, &name);
    if random.below(3) == 0 {
        let _ = fs::remove_file(&path);
        return (name, None);
    }
    let (text, executable) = (["one", "two", "three"][random.below(3)], random.below(4) == 0);
    crowd.write(device, &name, text);
    fs::set_permissions(&path, Permissions::from_mode(if executable { 0o755 } else { 0o644 }))
        .unwrap();
    (name, Some((text.into(), executable)))
}

fn check_last_words(crowd: &Crowd, device: usize, words: &BTreeMap<String, Option<Content>>) {
    for (name, word) in words {
        let path = crowd.path(device, name);
        let executable = || fs::metadata(&path).unwrap().permissions().mode() & 0o100 != 0;
        let found = fs::read(&path).ok().map(|bytes| (bytes, executable()));
        assert_eq!(found, *word, "{name} on device {device}");
    }
}

#[test]
fn random_pulls_between_devices_keep_each_editors_last_word() {
    let named = std::env::var("FASTEST_SEED").ok().and_then(|seed| seed.parse().ok());
    let started = std::time::Instant::now();
    for seed in named.map_or(12_000..12_008u64, |seed| seed..seed + 1) {
        println!("FASTEST_SEED={seed}");
        let mut random = Random::new(seed);
        let devices = 2 + seed as usize % 2;
        let mut crowd = Crowd::new(devices, &[("d0/keep", "k"), ("d1/keep", "k")]);
        let mut words = vec![BTreeMap::new(); devices];
        for _ in 0..40 {
            let device = random.below(devices);
            match random.below(8) {
                0..3 => words[device].extend([edit(&crowd, device, &mut random)]),
                3..6 => crowd.pull(device, (device + 1 + random.below(devices - 1)) % devices),
                _ => crowd.push(device),
            }
            check_last_words(&crowd, device, &words[device]);
        }
        for device in 0..devices {
            crowd.push(device);
        }
        for device in (0..devices).chain(0..devices) {
            (0..devices).for_each(|other| crowd.pull(device, other));
            crowd.push(device);
        }
        for device in 0..devices {
            words.iter().for_each(|words| check_last_words(&crowd, device, words));
            assert_eq!(crowd.files(device), crowd.files(0));
            crowd.machines[device].check();
        }
    }
    println!("{:.1?}", started.elapsed());
}
