//! A device with its store, and folders for working copies.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use fastest_sync::device::activity::Activity;
use fastest_sync::device::open::Network;
use fastest_sync::device::report::{CloneReport, PullReport, PushReport, SnapshotReport};
use fastest_sync::remote::retry::RetryPolicy;
use fastest_sync::remote::secret::Secrets;
use fastest_sync::remote::state::Packs;
use fastest_sync::{Device, Identity, SyncError, WorkingCopy, World};

use super::run;

/// Returns incompressible bytes, so that packs are as large as their content.
pub fn noise(count: usize, mut state: u64) -> Vec<u8> {
    let step = |_| {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 56) as u8
    };
    (0..count).map(step).collect()
}

pub struct Machine {
    folder: tempfile::TempDir,
    pub device: Device,
}

impl Machine {
    /// Makes a device that follows the primary inside its store.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let device =
            Device::open(&folder.path().join("store"), Identity::default(), World::system())
                .unwrap();
        Self { folder, device }
    }

    /// Makes a device that follows the primary at `path`.
    pub fn following(path: &Path, packs: Packs) -> Self {
        let mut machine = Self::new();
        machine.follow(path, packs);
        machine
    }

    pub fn follow(&mut self, path: &Path, packs: Packs) {
        let url = format!("file://{}", path.display());
        run(self.device.remote_set(Some(&url), packs)).unwrap();
    }

    /// Sets the device's secrets.
    pub fn with_secrets(self, secrets: Box<dyn Secrets>) -> Self {
        Self { device: self.device.with_secrets(secrets), ..self }
    }

    /// Sets the way to the device's primary.
    pub fn with_network(self, network: Network) -> Self {
        Self { device: self.device.with_network(network), ..self }
    }

    /// Sets how patient the device is with its primary.
    pub fn with_retries(self, retries: RetryPolicy) -> Self {
        Self { device: self.device.with_retries(retries), ..self }
    }

    /// Makes another machine with a copy of everything on this one: store and working copies.
    pub fn copied(&self) -> Self {
        let folder = tempfile::tempdir().unwrap();
        copy_folder(self.folder.path(), folder.path());
        let device =
            Device::open(&folder.path().join("store"), Identity::default(), World::system())
                .unwrap();
        Self { folder, device }
    }

    pub fn store_dir(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, path: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    pub fn copy(&mut self, name: &str) -> WorkingCopy {
        self.device.find(&self.folder.path().join(name)).unwrap()
    }

    pub fn try_push(&mut self, name: &str) -> Result<PushReport, SyncError> {
        run(self.device.push(&self.folder.path().join(name), None, &Activity::default()))
    }

    /// Pushes, and checks that this reaches the primary.
    pub fn push(&mut self, name: &str) -> PushReport {
        let report = self.try_push(name).unwrap();
        assert!(report.pushed && report.queued_because.is_none(), "{report:?}");
        report
    }

    pub fn snapshot(&mut self, name: &str) -> SnapshotReport {
        let copy = self.copy(name);
        self.device.snapshot(&copy, None, &Activity::default()).unwrap()
    }

    pub fn clone_project(&mut self, project: &str, name: &str) {
        self.try_clone(project, name).unwrap();
    }

    pub fn try_clone(&mut self, project: &str, name: &str) -> Result<CloneReport, SyncError> {
        let dir = self.folder.path().join(name);
        run(self.device.clone_project(project, &dir, Some(name), &Activity::default()))
    }

    pub fn pull(&mut self, name: &str, from: &str) -> PullReport {
        let copy = self.copy(name);
        let pulled = run(self.device.pull(&copy, Some(from), &Activity::default())).unwrap();
        assert!(!pulled.offline, "{pulled:?}");
        pulled
    }

    /// Returns the files of a working copy.
    pub fn files(&self, name: &str) -> BTreeMap<String, Vec<u8>> {
        let mut all = BTreeMap::new();
        let root = self.path(name);
        list(&root, &root, &mut all);
        all
    }

    /// Returns the ids of the snapshots that the device knows.
    pub fn snapshots(&mut self, name: &str) -> Vec<String> {
        let copy = self.copy(name);
        let log = self.device.log(&copy, None).unwrap();
        let mut ids: Vec<String> = log.snapshots.into_iter().map(|entry| entry.id.into()).collect();
        ids.sort();
        ids
    }

    /// Returns the first column of a query on the device's replica.
    pub fn replica(&self, sql: &str) -> Vec<String> {
        query(&self.store_dir().join("replica.db"), sql)
    }

    /// Checks that nothing is wrong with the store, down to every object of every snapshot.
    pub fn check(&mut self) {
        let report = self.device.doctor(false, &Activity::default()).unwrap();
        assert!(report.problems.is_empty(), "{:?}", report.problems);
    }
}

/// Returns the first column of a query, as text.
pub fn query(database: &Path, sql: &str) -> Vec<String> {
    let connection = rusqlite::Connection::open(database).unwrap();
    let mut statement = connection.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| row.get::<_, rusqlite::types::Value>(0)).unwrap();
    let text = |value| match value {
        rusqlite::types::Value::Text(text) => text,
        rusqlite::types::Value::Integer(number) => number.to_string(),
        other => format!("{other:?}"),
    };
    rows.map(|value| text(value.unwrap())).collect()
}

pub fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy_folder(&entry.path(), &to),
            false => drop(fs::copy(entry.path(), to).unwrap()),
        }
    }
}

fn list(root: &Path, dir: &Path, all: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.ends_with(".fastest") {
            continue;
        }
        match path.is_dir() {
            true => list(root, &path, all),
            false => {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                all.insert(name, fs::read(&path).unwrap());
            }
        }
    }
}
