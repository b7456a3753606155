//! An open device store, and what all commands share.
//!
//! ```text
//! format           the store's format number
//! lock             held while the store is set up
//! objects/         packs and their index (fastest-core)
//! replica.db       rows
//! primary/         the primary, if no other is set
//! safe-folders     folders that are trusted regardless of their owner; the user writes this file
//! locks/           a lock file for each operation that one process does at a time
//! left/            for each working copy, the paths that checkouts left as they were
//! begun/           a file for each workspace whose set-up was begun and not finished
//! damaged/         damaged packs that were set aside
//! ```

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fastest_core::files::{disk, private};
use fastest_core::store::open::Store;
use fastest_core::worktree::checkout::outcome::Kept;
use fastest_core::worktree::git::settings::UserSettings;
use fastest_schema::tables::projects::Project;
use fastest_schema::tables::workspaces::{Snapshot, Workspace};
use fastest_schema::{FASTEST, ScopeId, SnapshotId};

use crate::base::waiting;
use crate::base::world::World;
use crate::device::activity::Activity;
use crate::device::names::tell_workspace;
use crate::device::nearest::nearest;
use crate::device::notices::{WENT_BACK, behind_notice, resent_notice};
use crate::device::read_only::{self, forbids_writing};
use crate::device::store_modes::close_store;
use crate::device::trust::{self, Trust};
use crate::device::working_copy::{CopyLock, WorkingCopy};
use crate::error::SyncError;
use crate::error::named::Named;
use crate::exchange::pull::pull_scope;
use crate::remote::meter::Traffic;
use crate::remote::open::Remote;
use crate::remote::retry::RetryPolicy;
use crate::remote::secret::{NoSecrets, Secrets};
use crate::remote::state::RemoteState;
use crate::replica::local::device_row::DeviceRow;
use crate::replica::local::remote_row::RemoteRow;
use crate::replica::open::Replica;
use crate::rows::projects::Projects;
use crate::rows::snapshots::Snapshots;

/// The format number of a store's layout.
const FORMAT: u32 = 1;

/// The user and the machine, for rows that name them.
#[derive(Debug, Clone, Default)]
pub struct Identity {
    /// The user's name.
    pub user_name: Option<String>,
    /// The machine's name.
    pub machine: Option<String>,
}

/// Wraps a remote that was just opened.
#[doc(hidden)]
#[derive(Clone)]
pub struct Network(pub Arc<dyn Fn(Remote) -> Remote + Send + Sync>);

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Network")
    }
}

/// An open device store. The commands are its methods, in the modules named after them, and
/// [`Device`](crate::Device) is their public interface.
#[derive(Debug)]
pub(crate) struct OpenDevice {
    pub(crate) dir: PathBuf,
    pub(crate) identity: Identity,
    pub(crate) store: Store,
    pub(crate) replica: Replica,
    pub(crate) secrets: Box<dyn Secrets>,
    pub(crate) retries: RetryPolicy,
    /// What stands between the device and its remotes.
    pub(crate) network: Option<Network>,
    pub(crate) git_settings: UserSettings,
    pub(crate) trust: Trust,
    /// Notices for the user that were not reported yet, such as that a working copy was restored.
    pub(crate) notices: Vec<String>,
}

impl OpenDevice {
    /// See [`Device::open`](crate::Device::open).
    pub(crate) fn open(dir: &Path, identity: Identity, world: World) -> Result<Self, SyncError> {
        check_place(dir)?;
        let _lock = match take_store(dir) {
            Err(error) if forbids_writing(&error) && dir.join("format").exists() => {
                return Self::open_to_read(dir, identity, world);
            }
            lock => lock?,
        };
        let dir = dir.canonicalize().map_err(SyncError::io("open", dir))?;
        check_format(&dir)?;
        keep_out_of_trees(&dir)?;
        let trust = listed_folders(&dir)?;
        let store = Store::open(&dir.join("objects"))?;
        let rows = dir.join("replica.db");
        private::create_file(&rows).map_err(SyncError::io("create", &rows))?;
        let mut replica = Replica::open(&rows, &FASTEST, world)?;
        replica.write(|session| DeviceRow(session).introduce(identity.user_name.as_deref()))?;
        let mut device = Self::of(dir, identity, trust, store, replica);
        device.learn_copies()?;
        Ok(device)
    }

    /// Opens a store that cannot be written. Commands that only read work with it.
    fn open_to_read(dir: &Path, identity: Identity, world: World) -> Result<Self, SyncError> {
        let dir = dir.canonicalize().map_err(SyncError::io("open", dir))?;
        check_format(&dir)?;
        let (trust, store) = (listed_folders(&dir)?, Store::open(&dir.join("objects"))?);
        let replica = read_only::open_replica(&dir.join("replica.db"), &FASTEST, world)?;
        let mut device = Self::of(dir, identity, trust, store, replica);
        device.notices.push(read_only::NOTICE.to_owned());
        Ok(device)
    }

    fn of(dir: PathBuf, identity: Identity, trust: Trust, store: Store, replica: Replica) -> Self {
        Self {
            dir,
            identity,
            store,
            replica,
            secrets: Box::new(NoSecrets),
            retries: RetryPolicy::default(),
            network: None,
            git_settings: UserSettings::default(),
            trust,
            notices: Vec::new(),
        }
    }

    /// Takes the lock of a working copy, and finishes what an interrupted command left undone.
    /// Returns the warnings that came up.
    pub(crate) fn enter(
        &mut self,
        copy: &WorkingCopy,
    ) -> Result<(CopyLock, Vec<String>), SyncError> {
        // The folder may belong to another store, and have a journal that only that store may
        // finish.
        self.workspace_of(copy)?;
        let (lock, kept) = copy.lock()?;
        let mut warnings = self.take_notices();
        let left =
            |kept: &Kept| format!("{} was left as it was found: {}", kept.path.display(), kept.why);
        warnings.extend(kept.iter().map(left));
        warnings.extend(self.find_head(copy)?);
        warnings.extend(self.keep_known(copy)?);
        self.settle(copy)?;
        self.close_operations(copy, &Activity::default())?;
        Ok((lock, warnings))
    }

    /// Returns the snapshot that a working copy is based on, and a notice about it.
    ///
    /// If the store does not know the snapshot, the store was restored from an older backup. The
    /// folder then counts as based on the workspace's head that the store does know.
    pub(crate) fn head_of(
        &self,
        copy: &WorkingCopy,
    ) -> Result<(Option<SnapshotId>, Option<String>), SyncError> {
        let Some(head) = copy.head()? else { return Ok((None, None)) };
        if self.replica.read().row::<Snapshot>(&head)?.is_some() {
            return Ok((Some(head), None));
        }
        let notice = format!(
            "the store does not know {head}, as after a restored backup: what stands here follows \
             what it does know"
        );
        Ok((self.workspace_of(copy)?.current_snapshot_id, Some(notice)))
    }

    /// Bases a working copy on the workspace's head, if the store does not know the copy's head.
    fn find_head(&mut self, copy: &WorkingCopy) -> Result<Option<String>, SyncError> {
        let (head, notice) = self.head_of(copy)?;
        if notice.is_some() {
            copy.forget_index()?;
            copy.set_head(&head.unwrap_or_default())?;
        }
        Ok(notice)
    }

    /// Advances the workspace's head to the working copy's head, if the latter follows it: a crash
    /// may have come between the two writes.
    fn settle(&mut self, copy: &WorkingCopy) -> Result<(), SyncError> {
        let Some(head) = copy.head()? else { return Ok(()) };
        let workspace = self.workspace_of(copy)?;
        if workspace.current_snapshot_id.as_ref() != Some(&head) {
            self.replica.write(|session| Snapshots(session).advance_head(&workspace.id, &head))?;
        }
        Ok(())
    }

    /// Returns the row of a working copy's workspace.
    pub(crate) fn workspace_of(&self, copy: &WorkingCopy) -> Result<Workspace, SyncError> {
        let row = self.replica.read().row::<Workspace>(&copy.workspace_id)?;
        row.ok_or_else(|| SyncError::ForeignWorkingCopy {
            path: copy.root().to_owned(),
            workspace_id: copy.workspace_id.clone(),
            store: self.dir.clone(),
        })
    }

    /// Returns the row of a working copy's project.
    pub(crate) fn project_of(&self, copy: &WorkingCopy) -> Result<Project, SyncError> {
        let row = self.replica.read().row::<Project>(&copy.project_id)?;
        row.ok_or_else(|| SyncError::ForeignWorkingCopy {
            path: copy.root().to_owned(),
            workspace_id: copy.workspace_id.clone(),
            store: self.dir.clone(),
        })
    }

    /// Returns the workspace that a user gives by name, `NAME@MACHINE` or id; without a name, the
    /// main one.
    pub(crate) fn named_workspace(
        &self,
        project: &Project,
        name: Option<&str>,
    ) -> Result<Workspace, SyncError> {
        let all = Projects(self.replica.read()).workspaces(&project.id)?;
        let Some(name) = name else {
            let main = project.main_workspace_id.as_ref();
            let found = all.iter().find(|w| Some(&w.id) == main).or(all.first());
            return found.cloned().ok_or_else(|| SyncError::Unknown {
                what: Named::Workspace,
                name: "main".into(),
                nearest: None,
            });
        };
        if let Some(found) = all.iter().find(|workspace| workspace.id == name) {
            return Ok(found.clone());
        }
        let mut found: Vec<&Workspace> = all.iter().filter(|w| w.name == name).collect();
        if found.is_empty()
            && let Some((name, machine)) = name.rsplit_once('@')
        {
            let is_meant =
                |w: &&Workspace| w.name == name && w.machine_id.as_deref() == Some(machine);
            found = all.iter().filter(is_meant).collect();
        }
        match found[..] {
            [one] => Ok(one.clone()),
            [] => {
                let nearest = nearest(name, all.iter().map(|w| w.name.as_str()));
                Err(SyncError::Unknown { what: Named::Workspace, name: name.into(), nearest })
            }
            _ => {
                let candidates = found.into_iter().map(tell_workspace).collect();
                Err(SyncError::Ambiguous { what: Named::Workspace, name: name.into(), candidates })
            }
        }
    }

    /// Returns the row of a snapshot that another row refers to.
    pub(crate) fn snapshot_row(&self, id: &SnapshotId) -> Result<Snapshot, SyncError> {
        let row = self.replica.read().row::<Snapshot>(id)?;
        row.ok_or_else(|| SyncError::Unknown {
            what: Named::Snapshot,
            name: id.to_string(),
            nearest: None,
        })
    }

    /// Opens the device's remote.
    pub(crate) fn remote(&self) -> Result<Remote, SyncError> {
        self.open_remote(&RemoteRow(self.replica.read()).get()?)
    }

    pub(crate) fn open_remote(&self, state: &RemoteState) -> Result<Remote, SyncError> {
        let (secrets, world) = (&*self.secrets, self.world().clone());
        let remote = Remote::open_with_retries(state, &self.dir, secrets, world, self.retries)?;
        Ok(match &self.network {
            Some(Network(wrap)) => wrap(remote),
            None => remote,
        })
    }

    /// Returns the source of times, ids and waits.
    pub(crate) fn world(&self) -> &World {
        self.replica.world()
    }

    /// Sends the queued pushes, and pulls a scope. An unreachable primary is not an error.
    pub(crate) async fn refresh(&mut self, scope: &ScopeId) -> Result<Refreshed, SyncError> {
        let remote = self.remote()?;
        if self.replica.is_read_only() {
            let (notices, traffic) = (Vec::new(), remote.meter.traffic());
            return Ok(Refreshed { offline: true, notices, traffic });
        }
        let mut notices = match self.send_queued(&remote).await {
            Err(error) if error.is_unreachable() => {
                let (notices, traffic) = (Vec::new(), remote.meter.traffic());
                return Ok(Refreshed { offline: true, notices, traffic });
            }
            notices => notices?,
        };
        match pull_scope(&mut self.replica, Some(&self.store), &remote, scope).await {
            Ok(pulled) => {
                notices.extend(pulled.primary_went_back.then(|| WENT_BACK.to_owned()));
                notices.extend(pulled.behind.as_deref().map(behind_notice));
                notices.extend(resent_notice(pulled.packs_resent));
                Ok(Refreshed { offline: false, notices, traffic: remote.meter.traffic() })
            }
            Err(error) if error.is_unreachable() => {
                Ok(Refreshed { offline: true, notices, traffic: remote.meter.traffic() })
            }
            Err(error) => Err(error),
        }
    }
}

/// The outcome of [`OpenDevice::refresh`].
pub(crate) struct Refreshed {
    /// Whether the scope was not pulled, because the primary is unreachable or the store read-only.
    pub(crate) offline: bool,
    /// What the user should know.
    pub(crate) notices: Vec<String>,
    /// Requests and bytes on the wire.
    pub(crate) traffic: Traffic,
}

/// Refuses a folder with other files: a store in a project's root would hide the project's files,
/// because it adds a `.gitignore` with `*`.
fn check_place(dir: &Path) -> Result<(), SyncError> {
    const OURS: [&str; 6] = [".gitignore", "format.new", "lock", "locks", "primary", trust::LIST];
    if dir.join("format").exists() {
        return Ok(());
    }
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(SyncError::io("open", dir)(error)),
    };
    for entry in entries {
        let name = entry.map_err(SyncError::io("list", dir))?.file_name();
        // These names belong to a process that is setting the store up, or was killed while it did.
        if OURS.iter().all(|ours| name != *ours) && !dir.join("format").exists() {
            return Err(SyncError::StoreNotEmpty { path: dir.to_owned() });
        }
    }
    Ok(())
}

/// Creates the folders and lock files of a store, and locks it.
fn take_store(dir: &Path) -> Result<File, SyncError> {
    for part in ["", "locks", "primary"] {
        let part = dir.join(part);
        private::create_dir_all(&part).map_err(SyncError::io("create", &part))?;
    }
    close_store(dir)?;
    for file in ["lock", "locks/push", "locks/copies"] {
        let file = dir.join(file);
        private::create_file(&file).map_err(SyncError::io("create", &file))?;
    }
    Ok(waiting::lock(&dir.join("lock"), &format!("the store {}", dir.display()))?)
}

/// Returns the folders that the store's list trusts, regardless of their owner.
fn listed_folders(dir: &Path) -> Result<Trust, SyncError> {
    let (path, mut trust, mut text) = (dir.join(trust::LIST), Trust::default(), Vec::new());
    match File::open(&path).and_then(|f| f.take(trust::LIST_BYTES_MAX).read_to_end(&mut text)) {
        Ok(_) => trust.add_list(&text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(SyncError::io("read", &path)(error)),
    }
    Ok(trust)
}

/// Writes a `.gitignore`, so that a store inside of a project does not become part of its
/// snapshots.
fn keep_out_of_trees(dir: &Path) -> Result<(), SyncError> {
    let path = dir.join(".gitignore");
    if path.exists() {
        Ok(())
    } else {
        let write = || private::create_file(&path).and_then(|()| disk::overwrite(&path, b"*\n"));
        write().map_err(SyncError::io("write", &path))
    }
}

fn check_format(dir: &Path) -> Result<(), SyncError> {
    let path = dir.join("format");
    match fs::read_to_string(&path) {
        Ok(text) => match text.trim().parse::<u32>() {
            Ok(FORMAT) => Ok(()),
            Ok(found) => Err(SyncError::NewerState { path, found: found.to_string() }),
            Err(_) => {
                let what = format!("it holds {:?}, not a format number", text.trim());
                Err(SyncError::DamagedState { path, what })
            }
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let temp = dir.join("format.new");
            let write = || {
                private::create_file(&temp)?;
                disk::overwrite(&temp, format!("{FORMAT}\n").as_bytes())?;
                disk::sync(&File::open(&temp)?)?;
                disk::rename(&temp, &path)?;
                disk::sync_folder(dir)
            };
            write().map_err(SyncError::io("write", &path))
        }
        Err(error) => Err(SyncError::io("read", &path)(error)),
    }
}
