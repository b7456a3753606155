//! Backups that are put back, copies of devices, and new versions.

use fastest_sync::migrate;
use fastest_sync::remote::embedded::Embedded;
use rusqlite::Connection;

use crate::finding::Kind;
use crate::folders::copy_folder;
use crate::rows::application::APPLICATION;
use crate::rows::device::Sight;
use crate::rows::model::{Fate, Written};
use crate::rows::run::{Run, look_at};
use crate::world::Party;

impl Run<'_> {
    /// Fills the disk of a device, or makes room on it. Its process is restarted, so that it notices.
    pub(super) fn fill(&mut self, device: u8, is_full: bool) {
        let root = self.root.clone();
        let at = self.at(device);
        at.party.set_full(is_full);
        at.close();
        at.connect(&root);
    }

    pub(super) fn back_up(&mut self, device: u8) {
        let written = self.model.written.len();
        self.at(device).back_up(written).expect("there is room for a backup");
    }

    pub(super) fn restore(&mut self, device: u8) {
        let at = self.at(device);
        let Some(backup) = at.backup.clone() else { return };
        let number = at.number;
        at.put_back(&backup).expect("the backup is there");
        self.forget(number, backup.written);
    }

    /// Notes that a device no longer has what it wrote from the transaction with this number on.
    pub(super) fn forget(&mut self, device: u8, from: usize) {
        for written in self.model.written.iter_mut().skip(from) {
            if written.device == Some(device) {
                written.is_forgotten = true;
                if written.fate == Fate::Waits || written.is_undone {
                    written.fate = Fate::PutBack;
                }
            }
        }
    }

    pub(super) fn copy(&mut self, from: u8, to: u8) {
        let count = self.devices.len();
        let (from, to) = (usize::from(from) % count, usize::from(to) % count);
        if from == to {
            return;
        }
        let [source, target] = self.devices.get_disjoint_mut([from, to]).expect("they differ");
        target.become_copy_of(source).expect("there is room for a copy");
        let (source, number) = (source.number, target.number);
        self.forget(number, 0);
        self.model.copy(source);
    }

    pub(super) fn back_up_primary(&mut self) {
        let (from, to) = (self.root.join("primary"), self.root.join("primary.backup"));
        copy_folder(&from, &to).expect("there is room for a backup");
        let has = |(number, written): (usize, &Written)| {
            (written.fate == Fate::Acknowledged).then_some(number)
        };
        let has = self.model.written.iter().enumerate().filter_map(has).collect();
        self.backup = Some((self.version, has));
    }

    pub(super) fn restore_primary(&mut self) {
        let Some((version, has)) = self.backup.clone() else { return };
        for (number, written) in self.model.written.iter_mut().enumerate() {
            let is_lost = written.fate == Fate::Acknowledged && !has.contains(&number);
            written.is_undone |= is_lost;
            if is_lost && (written.device.is_none() || written.is_forgotten) {
                written.fate = Fate::PutBack;
            }
        }
        self.primary = Connection::open_in_memory().expect("there is memory");
        let (from, to) = (self.root.join("primary.backup"), self.root.join("primary"));
        copy_folder(&from, &to).expect("the backup is there");
        (self.version, self.whole_from) = (version, self.model.written.len());
        self.primary = look_at(&to.join("primary.db"));
        for device in &mut self.devices {
            device.connect(&self.root);
            device.sight = Sight::default();
        }
        self.see_primary();
        self.model.primary_put_back();
    }

    pub(super) fn migrate(&mut self) {
        self.primary_rows();
        if self.version + 1 == APPLICATION.len() {
            return;
        }
        self.version += 1;
        let path = self.root.join("primary").join("primary.db");
        let primary = Embedded::new(&path, Party::new(1).world());
        let schema = APPLICATION[self.version].schema;
        let done = self.runtime.block_on(migrate(&primary, schema));
        drop(primary);
        self.primary = look_at(&path);
        if let Err(error) = done {
            self.found(Kind::Failed, format!("the primary cannot be migrated: {error}"));
        }
    }

    pub(super) fn upgrade(&mut self, device: u8) {
        let at = self.at(device);
        if at.version + 1 < APPLICATION.len() {
            at.close();
            at.version += 1;
        }
    }
}
