//! `clone`: makes a folder a working copy of a new workspace, forked from the head of the main one.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::{fs, io};

use fastest_core::compare::extent::extent;
use fastest_core::files::disk;
use fastest_core::object::id::TreeId;
use fastest_core::object::name::STATE_DIR;
use fastest_core::object::source::ObjectSource;
use fastest_core::object::tree::format::empty_directory;
use fastest_core::object::tree::read::read_root;
use fastest_core::worktree::checkout::folding::Folding;
use fastest_core::worktree::checkout::plan::Plan;
use fastest_core::worktree::checkout::run::{Written, write};
use fastest_core::worktree::stat_index::StatIndex;
use fastest_core::worktree::state_dir::StateDir;
use fastest_schema::tables::auth::User;
use fastest_schema::tables::projects::Project;
use fastest_schema::tables::workspaces::{Snapshot, Workspace};
use fastest_schema::{Change, Page, ProjectId, Row, ScopeId, SnapshotId};

use crate::device::activity::Activity;
use crate::device::find::find_on_primary;
use crate::device::left::show_kept;
use crate::device::names::{check_name, name_of_folder, new_workspace, workspace_taken};
use crate::device::nearest::nearest;
use crate::device::notices::{WENT_BACK, behind_notice};
use crate::device::open::OpenDevice;
use crate::device::report::CloneReport;
use crate::device::working_copy::{CopyLock, WorkingCopy, is_bare};
use crate::error::SyncError;
use crate::error::named::Named;
use crate::exchange::pull::{Reader, pull_and_read, pull_scope};
use crate::exchange::tree_of::tree_of;
use crate::remote::meter::Traffic;
use crate::replica::local::copies::Copies;
use crate::replica::local::outbox::Outbox;
use crate::replica::open::Replica;
use crate::rows::projects::Projects;
use crate::rows::snapshots::Snapshots;

impl OpenDevice {
    /// See [`Device::clone_project`](crate::Device::clone_project).
    pub(crate) async fn clone_project(
        &mut self,
        project: &str,
        dir: &Path,
        workspace: Option<&str>,
        activity: &Activity,
    ) -> Result<CloneReport, SyncError> {
        if let Some(name) = workspace {
            check_name(Named::Workspace, name)?;
        }
        let known = self.known_projects(project)?;
        let unfinished = self.resume_unfinished(
            dir,
            |begun: &Workspace| {
                known.contains(&begun.project_id) && workspace.is_none_or(|name| begun.name == name)
            },
            activity,
        )?;
        if let Some(report) = unfinished {
            return self.announced(report).await;
        }
        check_target(dir)?;
        if let Ok(root) = dir.canonicalize() {
            self.trust.check_target(&root)?;
        }
        activity.begin("Receiving");
        let mut ahead = EagerCheckout { dir, activity, target: None };
        let Fetched { project, traffic, notices } =
            self.fetch_project(project, Some(&mut ahead)).await?;
        let head = match self.named_workspace(&project, None) {
            Ok(main) => main.current_snapshot_id,
            Err(SyncError::Unknown { .. }) => None,
            Err(error) => return Err(error),
        };
        let target = match ahead.target {
            Some(target) => target,
            None => Target::create(dir)?,
        };
        let mut report = self.fork_into(&project, head, target, workspace, activity)?;
        report.add(traffic);
        report.warnings = notices;
        self.announce(&mut report).await?;
        Ok(report)
    }

    /// Continues the working copy that a killed command began in `dir`, if `is_wanted` accepts its
    /// workspace. It is finished if the folder has files. Otherwise its state folder is removed,
    /// and the result is `None`.
    pub(crate) fn resume_unfinished(
        &mut self,
        dir: &Path,
        is_wanted: impl Fn(&Workspace) -> bool,
        activity: &Activity,
    ) -> Result<Option<CloneReport>, SyncError> {
        match self.unfinished(dir, is_wanted)? {
            Some(copy) if is_bare(&copy) => {
                let state = copy.state();
                state.remove_all().map_err(SyncError::io("remove", state.path()))?;
                Ok(None)
            }
            Some(copy) => self.finish(&copy, activity).map(Some),
            None => Ok(None),
        }
    }

    async fn announced(&mut self, mut report: CloneReport) -> Result<CloneReport, SyncError> {
        self.announce(&mut report).await?;
        Ok(report)
    }

    /// Makes `dir` a working copy of a new workspace that starts from the snapshot `head`.
    pub(crate) fn fork(
        &mut self,
        project: &Project,
        head: Option<SnapshotId>,
        dir: &Path,
        name: Option<&str>,
        activity: &Activity,
    ) -> Result<CloneReport, SyncError> {
        self.fork_into(project, head, Target::create(dir)?, name, activity)
    }

    fn fork_into(
        &mut self,
        project: &Project,
        head: Option<SnapshotId>,
        mut target: Target,
        name: Option<&str>,
        activity: &Activity,
    ) -> Result<CloneReport, SyncError> {
        let root = target.root.clone();
        self.trust.check_target(&root)?;
        let tree = match &head {
            Some(head) => Some(read_root(&tree_of(&self.snapshot_row(head)?)?, &self.store)?),
            None => None,
        };
        let tree = tree.filter(|tree| tree.id != empty_directory());
        if let (Some(head), Some(tree)) = (&head, &tree) {
            let is_looked_at = target.written.as_ref().is_some_and(|(known, _)| *known == tree.id);
            if !is_looked_at {
                self.check_extent(head, &tree.id, None)?;
            }
        }
        // Files are written before the name is taken, so that a full disk leaves no workspace
        // behind.
        if let Some(tree) = &tree
            && target.written.as_ref().is_none_or(|(written, _)| *written != tree.id)
        {
            target.written = Some((tree.id, target.write(&self.store, &tree.id, activity)?));
        }
        let making = self.copies_lock()?;
        if WorkingCopy::at(&root, &self.trust)?.is_some() {
            // Another process made it a working copy meanwhile.
            target.is_kept = true;
            return Err(SyncError::NotEmpty { path: root });
        }
        let workspace = match self.begun_for(&project.id, &root, name)? {
            Some(begun) => begun,
            None => {
                let name = self.free_name(&project.id, name, &root)?;
                let machine = self.identity.machine.clone();
                new_workspace(self.world(), &project.id, &name, &root, machine)
            }
        };
        let workspace = Workspace {
            base_snapshot_id: head.clone(),
            current_snapshot_id: head.clone(),
            ..workspace
        };
        self.note_begun(&workspace.id)?;
        self.replica.write(|session| {
            Outbox(session).save(&project.id.scope(), &workspace)?;
            Snapshots(session).record(
                &project.id,
                &workspace.id,
                "workspace.created",
                head.as_ref(),
                None,
            )
        })?;
        let settled = self.settle_in(&mut target, &workspace);
        drop(making);
        if let Err(error) = settled {
            if !target.is_kept {
                self.take_back(&workspace)?;
            }
            return Err(error);
        }
        Ok(CloneReport {
            project: project.name.clone(),
            project_id: project.id.clone(),
            workspace: workspace.name,
            workspace_id: workspace.id,
            snapshot_id: head,
            files: tree.map_or(0, |tree| tree.files),
            bytes: tree.map_or(0, |tree| tree.bytes),
            path: root.display().to_string(),
            ..CloneReport::default()
        })
    }

    /// Makes a target the working copy of a workspace whose row exists. If this fails before one of
    /// the project's files is in place, everything can be undone.
    fn settle_in(&mut self, target: &mut Target, workspace: &Workspace) -> Result<(), SyncError> {
        let copy = WorkingCopy::create(&target.root, &workspace.project_id, &workspace.id)?;
        self.keep_left(&copy)?;
        let head = workspace.current_snapshot_id.as_ref();
        let written = target.written.take();
        if let (None, Some(head)) = (&written, head) {
            // There is nothing to write.
            copy.set_head(head)?;
        }
        if let (Some((_, written)), Some(head)) = (written, head) {
            let done = written.complete(&StatIndex::empty(), &self.store, head.as_str().as_bytes());
            target.is_kept = !is_bare(&copy);
            if let Some((path, why)) = show_kept(&done?).into_iter().next() {
                return Err(SyncError::NotUpdated { path, why });
            }
        }
        target.is_kept = true;
        self.replica.write_unsynced(|session| Copies(session).put(&copy.known(head)))?;
        self.forget_begun(&copy.workspace_id);
        Ok(())
    }

    /// Returns the name of a new workspace: the given one, which must be free, or a free one
    /// derived from the folder's name.
    pub(crate) fn free_name(
        &self,
        project_id: &ProjectId,
        name: Option<&str>,
        root: &Path,
    ) -> Result<String, SyncError> {
        let taken = Projects(self.replica.read()).workspaces(project_id)?;
        let is_taken = |name: &str| taken.iter().any(|workspace| workspace.name == name);
        if let Some(name) = name {
            return if is_taken(name) { Err(workspace_taken(name)) } else { Ok(name.to_owned()) };
        }
        let stem = name_of_folder(root);
        let names = (1..).map(|n| if n == 1 { stem.clone() } else { format!("{stem}-{n}") });
        Ok(names.into_iter().find(|name| !is_taken(name)).expect("numbers do not end"))
    }

    /// Returns a project by name or id, with its rows up to date if the primary answers. With
    /// `ahead`, the files of its main workspace are written while they arrive.
    pub(crate) async fn fetch_project(
        &mut self,
        name: &str,
        ahead: Option<&mut EagerCheckout<'_>>,
    ) -> Result<Fetched, SyncError> {
        let remote = self.remote()?;
        let mut known = self.known_projects(name)?;
        let is_known = !known.is_empty();
        if !known.iter().any(|id| *id == name) {
            // The primary may have another project of this name.
            match find_on_primary(&*remote.primary, name).await {
                Ok(found) => known.extend(found),
                Err(_) if is_known => {}
                Err(error) => return Err(error),
            }
            known.sort_unstable();
            known.dedup();
        }
        let found = self.one_project(name, known)?;
        let (replica, store) = (&mut self.replica, Some(&self.store));
        let mut reader = ahead.map(|ahead| {
            let found = found.clone();
            move |replica: &Replica, source: &dyn ObjectSource, page: &Page| {
                ahead.read(replica, source, page, &found);
            }
        });
        let reader = reader.as_mut().map(|reader| reader as &mut Reader<'_>);
        let mut notices = Vec::new();
        match pull_and_read(replica, store, &remote, &found.scope(), reader).await {
            Ok(pulled) => {
                notices.extend(pulled.primary_went_back.then(|| WENT_BACK.to_owned()));
                notices.extend(pulled.behind.as_deref().map(behind_notice));
                // The project refers to its owner's row. With both, this device can bring the
                // project to a primary that has neither.
                let owner = replica.read().row::<Project>(&found)?.map(|p| p.owner_user_id);
                if let Some(owner) = owner
                    && replica.read().row::<User>(&owner)?.is_none()
                {
                    pull_scope(replica, store, &remote, &ScopeId::from(owner)).await?;
                }
            }
            Err(SyncError::Primary(error)) if error.is_unreachable() && is_known => {}
            Err(error) => return Err(error),
        }
        let row = self.replica.read().row::<Project>(&found)?;
        let unknown =
            || SyncError::Unknown { what: Named::Project, name: name.to_owned(), nearest: None };
        let (project, traffic) = (row.ok_or_else(unknown)?, remote.meter.traffic());
        Ok(Fetched { project, traffic, notices })
    }

    /// Returns the ids of the device's projects with this name or id.
    pub(crate) fn known_projects(&self, name: &str) -> Result<Vec<ProjectId>, SyncError> {
        Ok(Projects(self.replica.read()).called(name)?)
    }

    pub(crate) fn one_project(
        &self,
        name: &str,
        mut found: Vec<ProjectId>,
    ) -> Result<ProjectId, SyncError> {
        let exact = found.iter().position(|id| id == name);
        match (exact, found.len()) {
            (Some(at), _) => Ok(found.swap_remove(at)),
            (None, 1) => Ok(found.remove(0)),
            (None, 0) => {
                let names = Projects(self.replica.read()).names()?;
                let nearest = nearest(name, names.iter().map(String::as_str));
                Err(SyncError::Unknown { what: Named::Project, name: name.to_owned(), nearest })
            }
            (None, _) => {
                let candidates = found.iter().map(|id| self.tell_project(id));
                let candidates = candidates.collect::<Result<_, _>>()?;
                Err(SyncError::Ambiguous {
                    what: Named::Project,
                    name: name.to_owned(),
                    candidates,
                })
            }
        }
    }
}

/// Refuses a folder that is not empty.
fn check_target(dir: &Path) -> Result<(), SyncError> {
    match fs::read_dir(dir) {
        Ok(mut entries) => {
            let is_ours = |name: &OsStr| name == STATE_DIR && WorkingCopy::has_clone_remains(dir);
            if entries.all(|entry| entry.is_ok_and(|entry| is_ours(&entry.file_name()))) {
                Ok(())
            } else {
                Err(SyncError::NotEmpty { path: dir.to_owned() })
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            Err(SyncError::NotAFolder { path: dir.to_owned() })
        }
        Err(error) => Err(SyncError::io("open", dir)(error)),
    }
}

/// A project whose rows are up to date, if the primary answered.
pub(crate) struct Fetched {
    pub project: Project,
    /// Requests and bytes on the wire.
    pub traffic: Traffic,
    /// What the user should know.
    pub notices: Vec<String>,
}

/// Writes the files of a clone while their packs arrive, so that each object is read and verified
/// once.
pub(crate) struct EagerCheckout<'a> {
    dir: &'a Path,
    activity: &'a Activity,
    target: Option<Target>,
}

impl EagerCheckout<'_> {
    /// Writes the files of the main workspace's head. Errors are ignored: the clone writes the
    /// files again later, and reports them then.
    fn read(
        &mut self,
        replica: &Replica,
        source: &dyn ObjectSource,
        page: &Page,
        project_id: &ProjectId,
    ) {
        if self.target.is_none()
            && let Some(tree) = main_tree(replica, page, project_id)
            && tree != empty_directory()
            && extent(None, &tree, source).is_ok_and(|found| !found.is_excessive())
            && let Ok(mut target) = Target::create(self.dir)
        {
            let written = target.write(source, &tree, self.activity);
            target.written = written.ok().map(|written| (tree, written));
            self.target = target.written.is_some().then_some(target);
        }
    }
}

/// Returns the tree of the main workspace's head, from rows of a page or else of the replica.
fn main_tree(replica: &Replica, page: &Page, project_id: &ProjectId) -> Option<TreeId> {
    let project: Project = row(replica, page, project_id)?;
    let workspace: Workspace = row(replica, page, project.main_workspace_id.as_ref()?)?;
    let head: Snapshot = row(replica, page, workspace.current_snapshot_id.as_ref()?)?;
    tree_of(&head).ok()
}

fn row<R: Row<Key: AsRef<str>>>(replica: &Replica, page: &Page, key: &R::Key) -> Option<R> {
    let rows = page.changes.iter().filter(|change| change.key == key.as_ref());
    let in_page = rows.filter_map(Change::row::<R>).find_map(Result::ok);
    in_page.or_else(|| replica.read().row::<R>(key).ok().flatten())
}

/// A folder that is about to become a working copy. If it is dropped before then, everything that
/// was created for it is removed.
struct Target {
    root: PathBuf,
    /// Whether the folder itself was created.
    is_made: bool,
    /// Whether it has become a working copy, or must stay for another reason.
    is_kept: bool,
    /// A tree whose files were written to the state folder, and not moved to their places yet.
    written: Option<(TreeId, Written)>,
    _lock: CopyLock,
}

impl Target {
    /// Locks the folder, and creates it if it is missing.
    fn create(dir: &Path) -> Result<Self, SyncError> {
        check_target(dir)?;
        let is_made = !dir.exists();
        disk::create_dir_all(dir, 0o777).map_err(SyncError::io("create", dir))?;
        let root = dir.canonicalize().map_err(SyncError::io("open", dir))?;
        if WorkingCopy::has_clone_remains(&root) {
            let state = StateDir::of(&root);
            state.remove_all().map_err(SyncError::io("remove", state.path()))?;
        }
        let lock = WorkingCopy::lock_new(&root)?;
        Ok(Self { root, is_made, is_kept: false, written: None, _lock: lock })
    }

    fn write(
        &self,
        source: &dyn ObjectSource,
        tree: &TreeId,
        activity: &Activity,
    ) -> Result<Written, SyncError> {
        let progress = activity.begin("Writing files");
        let state = StateDir::of(&self.root);
        let folding = Folding::probe(&state).map_err(SyncError::io("use", &self.root))?;
        let plan = Plan::whole(&StatIndex::empty(), tree, source, folding)?;
        Ok(write(&self.root, plan, source, &progress)?)
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        if !self.is_kept {
            let _ = StateDir::of(&self.root).remove_all();
            if self.is_made {
                let _ = disk::remove_dir(&self.root);
            }
        }
    }
}
