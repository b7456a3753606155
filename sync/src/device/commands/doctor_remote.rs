//! `doctor --remote`: verifies the packs at the remote that this device knows of. The primary
//! inside the store is part of the store, and every `doctor` checks it.

use std::fs;
use std::os::unix::fs::MetadataExt;

use fastest_core::object::id::PackId;
use fastest_schema::{Pack, Row, RowKey};
use rusqlite::{Connection, OpenFlags};

use crate::device::activity::Activity;
use crate::device::open::OpenDevice;
use crate::device::report::{DoctorReport, Problem};
use crate::error::SyncError;
use crate::exchange::pack_key::{owner, pack_key};
use crate::exchange::resend_packs::{AtRemote, OfProject, look, send_again};
use crate::remote::open::Remote;
use crate::remote::pack_store::directory::packs_dir;
use crate::replica::local::outbox::{Entry, Outbox};
use crate::replica::local::remote_row::RemoteRow;
use crate::replica::values::values_of;

impl OpenDevice {
    /// See [`Device::doctor_with_remote`](crate::Device::doctor_with_remote).
    pub(crate) async fn doctor_with_remote(
        &mut self,
        mend: bool,
        remote: bool,
        activity: &Activity,
    ) -> Result<DoctorReport, SyncError> {
        let mut report = self.doctor(mend, activity)?;
        let own = self.dir.join("primary").join("primary.db");
        let has_own = RemoteRow(self.replica.read()).get()?.url.is_none() && own.exists();
        if has_own {
            check_file(&own, &mut report);
        }
        if remote || has_own {
            activity.begin("Checking the remote's packs");
            let remote = self.remote()?;
            if let Err(error) = self.check_remote_packs(&remote, mend, &mut report).await {
                // The problems found so far are still reported.
                report.problems.push(Problem {
                    place: remote.primary.url().to_owned(),
                    what: error.to_string(),
                    mend: "run `fastest remote check`, and this again".to_owned(),
                });
            }
        }
        Ok(report)
    }

    async fn check_remote_packs(
        &mut self,
        remote: &Remote,
        mend: bool,
        report: &mut DoctorReport,
    ) -> Result<(), SyncError> {
        let mut packs = self.replica.read().rows::<Pack>("WHERE ?1 = '' ORDER BY id", "")?;
        packs.dedup_by(|a, b| (&a.project_id, &a.pack_id) == (&b.project_id, &b.pack_id));
        for row in &packs {
            let Ok(id) = row.pack_id.parse::<PackId>() else { continue };
            // A queued pack is not at the remote yet.
            let waits =
                Outbox(self.replica.read()).entry(Pack::TABLE, &RowKey::of(&row.id))?.is_some();
            if waits || self.shares_file(remote, row, &id)? {
                continue;
            }
            let pack = OfProject { project_id: &row.project_id, pack_id: &row.pack_id };
            let what = match look(&mut self.replica, remote, pack, &id).await? {
                AtRemote::Sound => continue,
                AtRemote::Nothing => "it has no such pack, of which it was given all".to_owned(),
                AtRemote::Damaged(what) => what,
            };
            if mend && self.mend_remote(remote, row, &id).await? {
                report.mended.push(format!("sent pack {id} again: at the remote, {what}"));
                continue;
            }
            let mend = if self.store.is_sound(&id)? {
                "run `fastest doctor --remote --mend`: it is sound here, and is sent again"
            } else {
                "run `fastest doctor --remote --mend` on a device that has it sound: here it is not"
            };
            let place = format!("pack {id} at {}", remote.primary.url());
            report.problems.push(Problem {
                place,
                what: remote.primary.sanitize(&what),
                mend: mend.into(),
            });
        }
        Ok(())
    }

    /// Sends a pack again. Returns false if it is not intact here.
    async fn mend_remote(
        &mut self,
        remote: &Remote,
        row: &Pack,
        id: &PackId,
    ) -> Result<bool, SyncError> {
        let pack = OfProject { project_id: &row.project_id, pack_id: &row.pack_id };
        if look(&mut self.replica, remote, pack, id).await? != AtRemote::Nothing {
            return send_again(&mut self.replica, &self.store, remote, pack, id).await;
        }
        if !self.store.is_sound(id)? {
            return Ok(false);
        }
        let (scope, key) = (row.project_id.scope(), RowKey::of(&row.id));
        let entry = Entry::unknown(&scope, Pack::TABLE, &key, values_of(row));
        self.replica.write(|session| Outbox(session).put(&entry))?;
        self.push_scope(remote, &scope).await.map(|_| true)
    }

    /// Whether a pack of the primary inside the store is the same file as the store's own, which
    /// was verified already.
    fn shares_file(&self, remote: &Remote, row: &Pack, id: &PackId) -> Result<bool, SyncError> {
        if remote.chosen.is_some() {
            return Ok(false);
        }
        let Some(owner) = owner(&self.replica, &row.project_id)? else { return Ok(false) };
        let packs = packs_dir(&self.dir.join("primary").join("primary.db"));
        let place = |path| fs::metadata(path).ok().map(|data| (data.dev(), data.ino()));
        let theirs = place(packs.join(pack_key(&owner, &row.pack_id)));
        Ok(theirs.is_some() && theirs == place(self.store.pack_path(id)))
    }
}

fn is_forbidden(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{CannotOpen, PermissionDenied, ReadOnly};
    matches!(error.sqlite_error_code(), Some(CannotOpen | PermissionDenied | ReadOnly))
}

/// Reports the problems that SQLite finds in the file of the primary inside the store.
fn check_file(path: &std::path::Path, report: &mut DoctorReport) {
    let look = || -> Result<Vec<String>, rusqlite::Error> {
        let file = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        file.busy_timeout(crate::base::sqlite::BUSY_TIMEOUT)?;
        let mut asked = file.prepare("PRAGMA integrity_check")?;
        asked.query_map([], |row| row.get(0))?.collect()
    };
    let lines = match look() {
        Ok(lines) => lines,
        // A file that must not be read or written is not damaged.
        Err(error) if is_forbidden(&error) => return,
        Err(error) => vec![crate::base::sqlite::words(&error)],
    };
    for what in lines.into_iter().filter(|line| line != "ok") {
        report.problems.push(Problem {
            place: path.display().to_string(),
            what,
            mend: "move the folder `primary` out of the store, and run `fastest push` in each project: the \
                   device gives a new primary all that it has"
                .to_owned(),
        });
    }
}
