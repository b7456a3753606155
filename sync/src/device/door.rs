//! The public interface of a device. The blocking work behind each future runs on a thread of its
//! own.

use std::io::Write;
use std::path::{Path, PathBuf};

use fastest_core::compare::merge::Side;
use fastest_core::worktree::git::settings::UserSettings;
use fastest_schema::ProjectId;

use crate::base::own_thread::OwnThread;
use crate::base::world::World;
use crate::device::activity::Activity;
use crate::device::diff::{Body, Change, Comparison, DiffRequest, Limits, Version};
use crate::device::merge::MergeRequest;
use crate::device::open::{Identity, Network, OpenDevice};
use crate::device::report::{
    CloneReport, ConflictReport, ConflictsReport, DoctorReport, DriftHistory, DriftMatrix,
    DriftReport, InitReport, LogReport, MergePlan, MergeReport, MigrateReport, OperationsReport,
    ProjectEntry, ProjectsReport, PullReport, PushReport, RemoteReport, ResolveReport,
    RestoreReport, SettledReport, SnapshotReport, StatusReport, UndoReport, UntrackReport,
    WorkspacesReport,
};
use crate::device::trust::Trust;
use crate::device::working_copy::WorkingCopy;
use crate::error::SyncError;
use crate::remote::open::Remote;
use crate::remote::retry::RetryPolicy;
use crate::remote::secret::Secrets;
use crate::remote::state::Packs;
use crate::rows::resolve::Resolution;

/// An open device store. Its methods are the commands, and most return a struct of
/// [`device::report`](crate::device::report).
///
/// A synchronous method works on the caller's thread, and may block for as long as another process
/// holds what it needs. An asynchronous one works on a thread of its own, within the caller's tokio
/// runtime. If its future is dropped, the work stops at its next request to the remote, as if the
/// process had been killed there. Dropping the device does not wait for that: to delete its folder,
/// let a call of a synchronous method return first.
///
/// ```
/// use fastest_sync::device::activity::Activity;
/// use fastest_sync::{Device, Identity, World};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let dir = tempfile::tempdir()?;
/// let folder = dir.path().join("app");
/// let mut device = Device::open(&dir.path().join("store"), Identity::default(), World::system())?;
/// device.init(&folder, Some("app"))?;
/// std::fs::write(folder.join("a.txt"), "one")?;
///
/// let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
/// let activity = Activity::default();
/// let pushed = runtime.block_on(device.push(&folder, Some("first"), &activity))?;
/// let copy = device.find(&folder)?;
/// assert_eq!(device.log(&copy, None)?.snapshots[0].id, pushed.snapshot.snapshot_id);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Device(OwnThread<OpenDevice>);

impl Device {
    /// Opens the store in `dir`, and creates it if it is missing. Times, ids and waits of its
    /// commands, and of the remotes that they open, come from `world`.
    pub fn open(dir: &Path, identity: Identity, world: World) -> Result<Self, SyncError> {
        Ok(Self(OwnThread::new(OpenDevice::open(dir, identity, world)?)))
    }

    /// Sets the locations of the user's git settings, which decide what is ignored on this machine.
    pub fn with_git_settings(self, git_settings: UserSettings) -> Self {
        self.0.lock().git_settings = git_settings;
        self
    }

    /// Trusts further folders, besides the caller's own and those that the store lists.
    pub fn with_trust(self, trust: Trust) -> Self {
        self.0.lock().trust.add(trust);
        self
    }

    /// Sets where tokens and keys come from.
    pub fn with_secrets(self, secrets: Box<dyn Secrets>) -> Self {
        self.0.lock().secrets = secrets;
        self
    }

    /// Sets what stands between this device and its remotes. For the simulator.
    #[doc(hidden)]
    pub fn with_network(self, network: Network) -> Self {
        self.0.lock().network = Some(network);
        self
    }

    /// Sets how often and how long to retry a primary that does not answer.
    pub fn with_retries(self, retries: RetryPolicy) -> Self {
        self.0.lock().retries = retries;
        self
    }

    /// Opens the device's remote: the primary and the pack store.
    pub fn remote(&self) -> Result<Remote, SyncError> {
        self.0.lock().remote()
    }

    /// Returns the working copy that contains `dir`, searching upwards.
    pub fn find(&mut self, dir: &Path) -> Result<WorkingCopy, SyncError> {
        self.0.lock().find(dir)
    }

    /// Returns the notices that were not reported yet, such as that a working copy was restored,
    /// and clears them.
    pub fn take_notices(&mut self) -> Vec<String> {
        self.0.lock().take_notices()
    }

    /// Makes the folder `dir` a project, and creates the folder if it is missing.
    ///
    /// The project is named after the folder, unless a name is given. The device must not have
    /// another project of that name.
    pub fn init(&mut self, dir: &Path, name: Option<&str>) -> Result<InitReport, SyncError> {
        self.0.lock().init(dir, name)
    }

    /// Makes `dir`, which must be empty or missing, a working copy of a new workspace of a project,
    /// given by name or id. The workspace is named after the folder, unless a name is given.
    pub async fn clone_project(
        &mut self,
        project: &str,
        dir: &Path,
        workspace: Option<&str>,
        activity: &Activity,
    ) -> Result<CloneReport, SyncError> {
        let (project, dir, workspace, activity) =
            (project.to_owned(), dir.to_owned(), workspace.map(str::to_owned), activity.clone());
        self.0
            .run(async move |device: &mut OpenDevice| {
                device.clone_project(&project, &dir, workspace.as_deref(), &activity).await
            })
            .await
    }

    /// Makes `dir` a working copy of a new workspace of a project. It is based on the snapshot of
    /// the project's main workspace to which it is closest. No existing file is changed.
    pub async fn join_project(
        &mut self,
        project: &str,
        dir: &Path,
        workspace: Option<&str>,
        activity: &Activity,
    ) -> Result<CloneReport, SyncError> {
        let (project, dir, workspace, activity) =
            (project.to_owned(), dir.to_owned(), workspace.map(str::to_owned), activity.clone());
        self.0
            .run(async move |device: &mut OpenDevice| {
                device.join_project(&project, &dir, workspace.as_deref(), &activity).await
            })
            .await
    }

    /// Compares a working copy with its head. Changes nothing but the stat index.
    pub fn status(
        &mut self,
        copy: &WorkingCopy,
        activity: &Activity,
    ) -> Result<StatusReport, SyncError> {
        self.0.lock().status(copy, activity)
    }

    /// Takes a snapshot of a working copy, if its tree is not that of its head.
    pub fn snapshot(
        &mut self,
        copy: &WorkingCopy,
        message: Option<&str>,
        activity: &Activity,
    ) -> Result<SnapshotReport, SyncError> {
        self.0.lock().snapshot(copy, message, activity)
    }

    /// Publishes the working copy that contains `dir`, and makes `dir` a project if there is none.
    ///
    /// Work of others in the same workspace is merged first. An unreachable primary is not an
    /// error: everything is saved here, and sent with the next push.
    pub async fn push(
        &mut self,
        dir: &Path,
        message: Option<&str>,
        activity: &Activity,
    ) -> Result<PushReport, SyncError> {
        let (dir, message, activity) =
            (dir.to_owned(), message.map(str::to_owned), activity.clone());
        self.0
            .run(async move |device: &mut OpenDevice| {
                device.push(&dir, message.as_deref(), None, &activity).await
            })
            .await
    }

    /// Publishes a working copy, and moves the head of the workspace `to`, such as the main one, to its
    /// snapshot, once that head is merged here. Nobody needs a working copy of that workspace, and of two that
    /// land at once, both get in.
    ///
    /// While a file is in conflict, the work is published and does not land (`landed` is `None`), unless
    /// `with_conflicts` says that it may.
    pub async fn land(
        &mut self,
        dir: &Path,
        message: Option<&str>,
        to: &str,
        with_conflicts: bool,
        activity: &Activity,
    ) -> Result<PushReport, SyncError> {
        let (dir, message, activity) =
            (dir.to_owned(), message.map(str::to_owned), activity.clone());
        let to = to.to_owned();
        self.0
            .run(async move |device: &mut OpenDevice| {
                let to = Some((to.as_str(), with_conflicts));
                device.push(&dir, message.as_deref(), to, &activity).await
            })
            .await
    }

    /// Brings the head of `workspace`, or of the main one, into a working copy: the head itself if
    /// the copy has no work of its own that the head lacks, and otherwise a merge by file.
    ///
    /// If packs of this store turn out to be damaged or missing, those that the primary has are
    /// fetched again.
    pub async fn pull(
        &mut self,
        copy: &WorkingCopy,
        workspace: Option<&str>,
        activity: &Activity,
    ) -> Result<PullReport, SyncError> {
        let (copy, workspace, activity) =
            (copy.clone(), workspace.map(str::to_owned), activity.clone());
        self.0
            .run(async move |device: &mut OpenDevice| {
                device.pull(&copy, workspace.as_deref(), &activity).await
            })
            .await
    }

    /// Merges another workspace, as [`Device::pull`] does, on conditions: with one side where both changed the
    /// same lines, or exactly as a plan has shown it.
    ///
    /// # Errors
    /// [`SyncError::Unrelated`] for a workspace without a common past, unless the request allows that;
    /// [`SyncError::PreviewPassed`] if either side moved since the plan.
    pub async fn merge(
        &mut self,
        copy: &WorkingCopy,
        request: &MergeRequest,
        activity: &Activity,
    ) -> Result<MergeReport, SyncError> {
        let (copy, request, activity) = (copy.clone(), request.clone(), activity.clone());
        self.0
            .run(async move |device: &mut OpenDevice| {
                device.merge(&copy, &request, &activity).await
            })
            .await
    }

    /// Returns what [`Device::merge`] would do, and changes nothing. Its id can be carried out for 30 minutes.
    pub async fn merge_plan(
        &mut self,
        copy: &WorkingCopy,
        request: &MergeRequest,
        activity: &Activity,
    ) -> Result<MergePlan, SyncError> {
        let (copy, request, activity) = (copy.clone(), request.clone(), activity.clone());
        self.0
            .run(async move |device: &mut OpenDevice| {
                device.merge_plan(&copy, &request, &activity).await
            })
            .await
    }

    /// Compares a working copy, or with `committed` its head, with the head of another workspace or
    /// of the main one, and records a report. The other head is pulled first. If the primary is
    /// unreachable, it is the one that this device last saw.
    pub async fn drift(
        &mut self,
        copy: &WorkingCopy,
        workspace: Option<&str>,
        committed: bool,
        activity: &Activity,
    ) -> Result<DriftReport, SyncError> {
        let (copy, workspace, activity) =
            (copy.clone(), workspace.map(str::to_owned), activity.clone());
        self.0
            .run(async move |device: &mut OpenDevice| {
                device.drift(&copy, workspace.as_deref(), committed, &activity).await
            })
            .await
    }

    /// Compares every pair of the project's workspaces since they parted: those with a folder on this device
    /// with their unsaved changes, unless `committed` is set, and the others by their newest snapshots. The
    /// project is pulled first. Records no report, and changes nothing in the folders.
    pub async fn drift_all(
        &mut self,
        copy: &WorkingCopy,
        committed: bool,
        activity: &Activity,
    ) -> Result<DriftMatrix, SyncError> {
        let (copy, activity) = (copy.clone(), activity.clone());
        self.0
            .run(async move |device: &mut OpenDevice| {
                device.drift_all(&copy, committed, &activity).await
            })
            .await
    }

    /// Returns the recorded reports of [`Device::drift`] on how a working copy's workspace drifted from another
    /// one, or from the main one: newest first. Does not contact the primary.
    pub fn drift_history(
        &mut self,
        copy: &WorkingCopy,
        workspace: Option<&str>,
    ) -> Result<DriftHistory, SyncError> {
        self.0.lock().drift_history(copy, workspace)
    }

    /// Compares two states of a project: which files differ, and which were renamed. Changes nothing but
    /// the stat index, and does not contact the primary. [`Device::diff_contents`] compares the contents.
    pub fn diff(
        &mut self,
        copy: &WorkingCopy,
        request: &DiffRequest,
        activity: &Activity,
    ) -> Result<Comparison, SyncError> {
        self.0.lock().diff(copy, request, activity)
    }

    /// Compares the contents of the files that differ, and delivers each of them in order. Only a part of
    /// them is in memory at a time.
    ///
    /// # Errors
    /// Those of `deliver`; also if a file of the working copy was changed since it was listed. What was
    /// compared before is delivered.
    pub fn diff_contents<E: From<SyncError>>(
        &mut self,
        comparison: &Comparison,
        limits: Limits,
        deliver: impl FnMut(&Change, &Body) -> Result<(), E>,
    ) -> Result<(), E> {
        self.0.lock().diff_contents(comparison, limits, deliver)
    }

    /// Returns the content of a file that differs, or the target of a link. `None` if it is a database that
    /// an application has open: its content is made when a snapshot is taken.
    pub fn diff_content(
        &mut self,
        comparison: &Comparison,
        version: &Version,
    ) -> Result<Option<Vec<u8>>, SyncError> {
        let content = self.0.lock().diff_content(comparison, version)?;
        Ok(content.map(|content| content.to_vec()))
    }

    /// Returns the project's snapshots, at most `limit` of them: newest first, and children before
    /// their parents, whatever the clocks were.
    pub fn log(
        &mut self,
        copy: &WorkingCopy,
        limit: Option<usize>,
    ) -> Result<LogReport, SyncError> {
        self.0.lock().log(copy, limit)
    }

    /// Writes the content of a file, or the target of a link, in a snapshot to `out`.
    pub fn cat(
        &mut self,
        copy: &WorkingCopy,
        snapshot: &str,
        path: &Path,
        out: &mut dyn Write,
    ) -> Result<(), SyncError> {
        self.0.lock().cat(copy, snapshot, path, out)
    }

    /// Restores `paths`, or the whole tree if there are none, from the snapshot `to`, or from the
    /// head. No snapshot is taken: [`Device::undo`] brings back what is replaced. Paths are absolute, or
    /// relative to `base`.
    pub fn restore(
        &mut self,
        copy: &WorkingCopy,
        base: &Path,
        paths: &[PathBuf],
        to: Option<&str>,
        activity: &Activity,
    ) -> Result<RestoreReport, SyncError> {
        self.0.lock().restore(copy, base, paths, to, activity)
    }

    /// Takes back an operation of a working copy's workspace: the newest one that stands, or the one with this
    /// number. What only this device has moves back as it was; of what was sent, a new snapshot takes the
    /// change out, which the next push sends. Unsaved changes stay.
    pub fn undo(
        &mut self,
        copy: &WorkingCopy,
        operation: Option<i64>,
        activity: &Activity,
    ) -> Result<UndoReport, SyncError> {
        self.0.lock().undo(copy, operation, activity)
    }

    /// Does again what the last undo took back, unless something else was done since.
    pub fn redo(
        &mut self,
        copy: &WorkingCopy,
        activity: &Activity,
    ) -> Result<UndoReport, SyncError> {
        self.0.lock().redo(copy, activity)
    }

    /// Returns the operations of a working copy's workspace on this device, at most `limit`, newest first.
    pub fn operations(
        &mut self,
        copy: &WorkingCopy,
        limit: Option<usize>,
    ) -> Result<OperationsReport, SyncError> {
        self.0.lock().operations(copy, limit)
    }

    /// Removes `paths` from the project and takes a snapshot, while their files stay where they
    /// are. For each path a rule is added to the `.fastestignore` in its folder. The rule is part
    /// of the snapshot, so that other devices keep their files as well. Paths are absolute, or
    /// relative to `base`.
    pub fn untrack(
        &mut self,
        copy: &WorkingCopy,
        base: &Path,
        paths: &[PathBuf],
        activity: &Activity,
    ) -> Result<UntrackReport, SyncError> {
        self.0.lock().untrack(copy, base, paths, activity)
    }

    /// Creates a new workspace of the project, forked from this one's head, in `dir`. Without
    /// `dir`, the folder is beside this one, and named after this folder and the workspace.
    pub async fn workspace_new(
        &mut self,
        copy: &WorkingCopy,
        name: &str,
        dir: Option<&Path>,
        activity: &Activity,
    ) -> Result<CloneReport, SyncError> {
        let (copy, name, dir, activity) =
            (copy.clone(), name.to_owned(), dir.map(Path::to_owned), activity.clone());
        self.0
            .run(async move |device: &mut OpenDevice| {
                device.workspace_new(&copy, &name, dir.as_deref(), &activity).await
            })
            .await
    }

    /// Moves a working copy to a new workspace, which starts from the copy's head. Unsaved changes
    /// stay unsaved.
    pub async fn workspace_new_here(
        &mut self,
        copy: &WorkingCopy,
        name: &str,
    ) -> Result<CloneReport, SyncError> {
        let (copy, name) = (copy.clone(), name.to_owned());
        self.0
            .run(async move |device: &mut OpenDevice| device.workspace_new_here(&copy, &name).await)
            .await
    }

    /// Returns the workspaces of the project, as this device knows them.
    pub fn workspaces(&mut self, copy: &WorkingCopy) -> Result<WorkspacesReport, SyncError> {
        self.0.lock().workspaces(copy)
    }

    /// Renames a workspace. The new name must be free.
    pub fn workspace_rename(
        &mut self,
        copy: &WorkingCopy,
        workspace: &str,
        name: &str,
    ) -> Result<WorkspacesReport, SyncError> {
        self.0.lock().workspace_rename(copy, workspace, name)
    }

    /// Makes a workspace the project's main one, with which others are compared, and from which
    /// clones start.
    pub fn workspace_set_main(
        &mut self,
        copy: &WorkingCopy,
        name: &str,
    ) -> Result<WorkspacesReport, SyncError> {
        self.0.lock().workspace_set_main(copy, name)
    }

    /// Returns the projects that the device knows or the primary has, by name.
    pub async fn projects(&mut self) -> Result<ProjectsReport, SyncError> {
        self.0.run(async move |device: &mut OpenDevice| device.projects().await).await
    }

    /// Renames a project that the device knows, given by name or id. The new name must be free.
    pub async fn project_rename(
        &mut self,
        project: &str,
        name: &str,
    ) -> Result<ProjectEntry, SyncError> {
        let (project, name) = (project.to_owned(), name.to_owned());
        self.0
            .run(async move |device: &mut OpenDevice| device.project_rename(&project, &name).await)
            .await
    }

    /// Returns the conflicts of a project, or of all projects.
    pub fn conflicts(
        &mut self,
        project_id: Option<&ProjectId>,
    ) -> Result<ConflictsReport, SyncError> {
        self.0.lock().conflicts(project_id)
    }

    /// Returns the files of a working copy that are in conflict.
    pub fn file_conflicts(
        &mut self,
        copy: &WorkingCopy,
        activity: &Activity,
    ) -> Result<Vec<ConflictReport>, SyncError> {
        self.0.lock().file_conflicts(copy, activity)
    }

    /// Settles the conflicts of files: with the lines or the version of one side, or with what stands at the
    /// path. Unsaved changes are saved first, and the result is saved as well. A folder names all conflicts in
    /// it. Paths are absolute, or relative to `base`.
    pub fn resolve_files(
        &mut self,
        copy: &WorkingCopy,
        base: &Path,
        paths: &[PathBuf],
        side: Option<Side>,
        activity: &Activity,
    ) -> Result<SettledReport, SyncError> {
        self.0.lock().resolve_files(copy, base, paths, side, activity)
    }

    /// Resolves a conflict, named by its id or a prefix of one.
    pub fn resolve(
        &mut self,
        name: &str,
        resolution: &Resolution,
    ) -> Result<ResolveReport, SyncError> {
        self.0.lock().resolve(name, resolution)
    }

    /// Makes the primary at `url` this device's primary, or with `None` the one inside the store.
    /// The next push sends everything to a new primary, and all large packs to a new place for
    /// packs. Without `packs`, their place stays as it is for the same primary, and is the default
    /// for another one.
    pub async fn remote_set(
        &mut self,
        url: Option<&str>,
        packs: impl Into<Option<Packs>>,
    ) -> Result<RemoteReport, SyncError> {
        let (url, packs) = (url.map(str::to_owned), packs.into());
        self.0
            .run(async move |device: &mut OpenDevice| {
                device.remote_set(url.as_deref(), packs).await
            })
            .await
    }

    /// Works as [`Device::remote_set`], for a primary that is a file which every member of a Unix
    /// group may read and write, along with its packs. The file and the packs are given to the
    /// group.
    pub async fn remote_set_shared(
        &mut self,
        url: &str,
        packs: Option<Packs>,
        group: &str,
    ) -> Result<RemoteReport, SyncError> {
        let (url, group) = (url.to_owned(), group.to_owned());
        self.0
            .run(async move |device: &mut OpenDevice| {
                device.remote_set_shared(&url, packs, &group).await
            })
            .await
    }

    /// Returns the device's primary and its place for packs, without contacting them.
    pub fn remote_show(&mut self) -> Result<RemoteReport, SyncError> {
        self.0.lock().remote_show()
    }

    /// Brings the primary's schema up to date.
    pub async fn remote_migrate(&mut self) -> Result<MigrateReport, SyncError> {
        self.0.run(async move |device: &mut OpenDevice| device.remote_migrate().await).await
    }

    /// Checks the primary and the pack store.
    pub async fn remote_check(&mut self) -> Result<RemoteReport, SyncError> {
        self.0.run(async move |device: &mut OpenDevice| device.remote_check().await).await
    }

    /// Checks every pack, object, index segment and row. With `mend`, rebuilds a wrong index, sets
    /// damaged packs aside, and saves their intact objects.
    pub fn doctor(&mut self, mend: bool, activity: &Activity) -> Result<DoctorReport, SyncError> {
        self.0.lock().doctor(mend, activity)
    }

    /// Runs [`Device::doctor`], and checks the packs at the remote: always if the primary is the
    /// one inside the store, and otherwise only with `remote`. With `mend`, packs that are damaged
    /// there and intact here are sent again.
    pub async fn doctor_with_remote(
        &mut self,
        mend: bool,
        remote: bool,
        activity: &Activity,
    ) -> Result<DoctorReport, SyncError> {
        let activity = activity.clone();
        self.0
            .run(async move |device: &mut OpenDevice| {
                device.doctor_with_remote(mend, remote, &activity).await
            })
            .await
    }
}
