//! A device with a store, and its working copies of the project.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use fastest_sync::device::open::Network;
use fastest_sync::remote::embedded::Embedded;
use fastest_sync::{Device, Identity, SyncError};

use crate::events::Events;
use crate::folders::copy_folder;
use crate::network::Line;
use crate::world::Party;

/// A device.
pub struct Desk {
    /// Its number.
    pub number: usize,
    /// Its world.
    pub party: Arc<Party>,
    /// Its way to the primary.
    line: Arc<Mutex<Line>>,
    /// Its store, while a process has it open.
    device: Option<Device>,
    /// Whether it has a backup.
    has_backup: bool,
    folder: PathBuf,
    /// The file of the primary.
    primary: PathBuf,
}

impl Desk {
    /// Makes a device without a store.
    pub fn new(number: usize, seed: u64, root: &Path, events: &Events) -> Self {
        let folder = root.join(format!("d{number}"));
        fs::create_dir(&folder).expect("the folder of the run is new");
        let party = Party::new(seed ^ (number as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let primary = root.join("primary").join("primary.db");
        let there = Arc::new(Embedded::new(&primary, party.world()));
        let line = Line::new(&format!("d{number}"), there, events.clone());
        let (line, device) = (Arc::new(Mutex::new(line)), None);
        Self { number, party, line, device, has_backup: false, folder, primary }
    }

    /// Returns its way to the primary.
    pub fn line(&self) -> Line {
        self.line.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns its store, and opens it if no process has it open.
    pub fn open(&mut self) -> Result<&mut Device, SyncError> {
        if self.device.is_none() {
            let (user_name, machine) = (Some("user".to_owned()), Some(format!("m{}", self.number)));
            let identity = Identity { user_name, machine };
            let device = Device::open(&self.store(), identity, self.party.world())?;
            let line = Arc::clone(&self.line);
            let network = Network(Arc::new(move |remote| {
                line.lock().unwrap_or_else(PoisonError::into_inner).over(remote)
            }));
            self.device = Some(device.with_network(network));
        }
        Ok(self.device.as_mut().expect("it was opened above"))
    }

    /// Ends its process.
    pub fn close(&mut self) {
        self.device = None;
        self.hang_up();
    }

    /// Lets the next command open the primary.
    pub fn hang_up(&mut self) {
        let there = Arc::new(Embedded::new(&self.primary, self.party.world()));
        self.line.lock().unwrap_or_else(PoisonError::into_inner).hang_up(there);
    }

    /// Backs up its store.
    pub fn back_up(&mut self) -> io::Result<()> {
        self.has_backup = true;
        copy_folder(&self.store(), &self.folder.join("backup"))
    }

    /// Puts its store back from the backup. Returns whether there is one.
    pub fn put_back(&mut self) -> io::Result<bool> {
        if self.has_backup {
            self.close();
            copy_folder(&self.folder.join("backup"), &self.store())?;
        }
        Ok(self.has_backup)
    }

    /// Returns the place of a folder of this device.
    pub fn place(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Returns the folder of its store.
    pub fn store(&self) -> PathBuf {
        self.place("store")
    }
}
