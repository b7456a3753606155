//! Plans how an operation is taken back: what the heads, the files and the rows become.

use fastest_core::compare::merge::{Names, Sides, merge};
use fastest_core::compare::parting::follows;
use fastest_core::object::id::TreeId;
use fastest_core::object::tree::conflicts::Conflict;
use fastest_core::object::tree::format::empty_directory;
use fastest_core::object::tree::write::write_directory;
use fastest_core::store::pack::PackInfo;
use fastest_schema::tables::workspaces::Workspace;
use fastest_schema::{Row, RowKey, SnapshotId, WorkspaceId};

use crate::device::commands::land::head_there;
use crate::device::commands::purpose::Captured;
use crate::device::names::workspace_taken;
use crate::device::open::OpenDevice;
use crate::device::path::show_all;
use crate::device::working_copy::WorkingCopy;
use crate::error::SyncError;
use crate::replica::local::operations::{
    Change, ColumnChange, Effect, Landed, Operation, Operations, text_in,
};
use crate::replica::local::outbox::Outbox;
use crate::replica::local::sent_row::SentRow;
use crate::rows::projects::Projects;
use crate::rows::snapshots::Snapshots;

/// How a head comes back.
pub(super) enum Way {
    /// It stays: the operation did not move it, or what it did is gone already.
    Stays,
    /// It moves to a snapshot, or to none.
    Moves(Option<SnapshotId>),
    /// A new snapshot follows it.
    New,
}

/// A snapshot that takes something out of a history.
pub(super) struct TakenOut {
    pub(super) workspace: Workspace,
    pub(super) tree: TreeId,
    pub(super) parents: Vec<SnapshotId>,
    pub(super) packs: Vec<PackInfo>,
}

/// A merge of the way back into what is there.
pub(super) struct Back {
    tree: TreeId,
    packs: Vec<PackInfo>,
    /// The conflicts that it has found.
    conflicts: Vec<Conflict>,
}

/// What is about to happen.
pub(super) struct Plan {
    pub(super) effect: Effect,
    /// The tree that the files get.
    pub(super) files: TreeId,
    pub(super) head: Option<TakenOut>,
    pub(super) landed: Option<LandedBack>,
}

/// How a landing is taken out of its target.
pub(super) struct LandedBack {
    /// The snapshot that takes it out of what the landing had made.
    pub(super) own: TakenOut,
    /// The merge of that with what others landed since.
    pub(super) merged: Option<TakenOut>,
}

impl OpenDevice {
    /// Returns how the copy's head comes back from where the operation left it.
    pub(super) fn way_back(
        &self,
        copy: &WorkingCopy,
        undone: &Operation,
    ) -> Result<Way, SyncError> {
        let Effect { head, landed, .. } = &undone.effect;
        let now = copy.head()?;
        let target_moves = match landed {
            Some(Landed { workspace_id, head, .. }) => self.may_move(copy, workspace_id, head)?,
            None => true,
        };
        if head.is_none() {
            return Ok(if target_moves { Way::Stays } else { Way::New });
        }
        let row = self.workspace_of(copy)?.current_snapshot_id;
        let is_next = now == head.after && row == head.after;
        if !undone.effect.removed.is_empty() {
            // The snapshots are in no table, and come back only where they were.
            let moves = Way::Moves(head.before.clone());
            let number = undone.number;
            return if is_next { Ok(moves) } else { Err(SyncError::NotNewest { number }) };
        }
        if !is_next {
            return Ok(Way::New);
        }
        let moves = target_moves && self.may_move(copy, &copy.workspace_id, head)?;
        Ok(if moves { Way::Moves(head.before.clone()) } else { Way::New })
    }

    /// Whether a workspace's head may move from after an operation to before it: forward, or back if that is
    /// still not behind the head on the primary.
    pub(super) fn may_move(
        &self,
        copy: &WorkingCopy,
        workspace_id: &WorkspaceId,
        head: &Change<Option<SnapshotId>>,
    ) -> Result<bool, SyncError> {
        let session = self.replica.read();
        let row = session.row::<Workspace>(workspace_id)?;
        if row.is_none_or(|row| row.current_snapshot_id != head.after) {
            return Ok(false);
        }
        let lineage = Snapshots(session).lineage(&copy.project_id);
        let Some(after) = &head.after else { return Ok(true) };
        if let Some(before) = &head.before
            && follows(&lineage, before.as_str(), after.as_str())?
        {
            return Ok(true);
        }
        let there = match Outbox(session).entry(Workspace::TABLE, &RowKey::of(workspace_id))? {
            Some(_) => head_there(session, workspace_id)?,
            None => return Ok(false),
        };
        let is_behind = match (&there, &head.before) {
            (None, _) => true,
            (Some(there), Some(before)) => follows(&lineage, before.as_str(), there.as_str())?,
            (Some(_), None) => false,
        };
        Ok(is_behind && !SentRow(session).is_there()?)
    }

    pub(super) fn plan_back(
        &mut self,
        copy: &WorkingCopy,
        undone: &Operation,
        way: Way,
        captured: &Captured,
    ) -> Result<Plan, SyncError> {
        let now = captured.parent.clone();
        let is_new = matches!(way, Way::New);
        let mut plan = Plan {
            effect: Effect { head: Change::still(now.clone()), ..Effect::default() },
            files: captured.root.id,
            head: None,
            landed: None,
        };
        self.plan_landed(copy, undone, is_new, &mut plan)?;
        match way {
            Way::Moves(to) => plan.effect.head.after = to,
            Way::Stays => {}
            Way::New => self.plan_new(copy, undone, now, &mut plan)?,
        }
        let trees = undone.effect.trees().filter(|_| !is_new || !undone.effect.keeps_files);
        if let Some(trees) = trees {
            let sides = [trees.after, captured.root.id, trees.before];
            plan.files = self.merge_back(copy, undone, sides)?.tree;
        }
        if plan.files != captured.root.id {
            let (before, after) = (captured.root.id.to_hex(), plan.files.to_hex());
            plan.effect.files = Some(Change { before, after });
        }
        // What a push merged stays, and so does the record of it.
        if !(is_new && undone.effect.keeps_files) {
            plan.effect.columns = self.columns_back(undone)?;
        }
        Ok(plan)
    }

    /// Plans the snapshot that takes an operation out of what may have been sent.
    fn plan_new(
        &self,
        copy: &WorkingCopy,
        undone: &Operation,
        now: Option<SnapshotId>,
        plan: &mut Plan,
    ) -> Result<(), SyncError> {
        let Effect { own, head: moved, keeps_files, brought, .. } = &undone.effect;
        let is_next = self.has_again(copy, now.as_ref(), moved.after.as_ref())?;
        if *brought {
            // A merge of the snapshot that takes the work out would take it from others too, even from its authors.
            return Err(SyncError::PulledAndSent { number: undone.number });
        }
        let changes_files = undone.effect.trees().is_some() && !keeps_files;
        if changes_files && !is_next {
            return Err(SyncError::NotNewest { number: undone.number });
        }
        let own = own.as_ref().filter(|_| *keeps_files).unwrap_or(moved);
        let head = self.tree_at(now.as_ref())?;
        let sides = [self.tree_at(own.after.as_ref())?, head, self.tree_at(own.before.as_ref())?];
        let Back { mut tree, mut packs, conflicts } = self.merge_back(copy, undone, sides)?;
        // What stays in the folder cannot show a conflict of the snapshot. If a landing merged into the same
        // places, what was saved for it stays saved.
        if !conflicts.is_empty() {
            if plan.landed.is_none() {
                return Err(self.built_upon(undone, &conflicts));
            }
            (tree, packs) = (head, Vec::new());
        }
        if tree == head && plan.landed.is_none() {
            return Ok(());
        }
        if is_next && tree == self.tree_at(moved.before.as_ref())? {
            plan.effect.again.clone_from(&moved.before);
        }
        let workspace = self.workspace_of(copy)?;
        let parents = now.into_iter().collect();
        plan.head = Some(TakenOut { workspace, tree, parents, packs });
        Ok(())
    }

    /// Whether a head is a snapshot, or has its state again because all that came after it was taken back.
    pub(super) fn has_again(
        &self,
        copy: &WorkingCopy,
        head: Option<&SnapshotId>,
        snapshot: Option<&SnapshotId>,
    ) -> Result<bool, SyncError> {
        let operations = Operations(self.replica.read());
        let mut at = head.cloned();
        while at.as_ref() != snapshot {
            let Some(id) = at else { return Ok(false) };
            let found = operations.naming(&copy.project_id, &id)?.into_iter();
            let mut undos =
                found.filter(|it| it.finished && it.effect.head.after.as_ref() == Some(&id));
            at = undos.find_map(|it| it.effect.again);
        }
        Ok(true)
    }

    /// Plans what becomes of the head of another workspace that the operation moved.
    pub(super) fn plan_landed(
        &mut self,
        copy: &WorkingCopy,
        undone: &Operation,
        is_new: bool,
        plan: &mut Plan,
    ) -> Result<(), SyncError> {
        let Some(Landed { workspace_id, head, is_mixed }) = &undone.effect.landed else {
            return Ok(());
        };
        let Some(target) = self.replica.read().row::<Workspace>(workspace_id)? else {
            return Ok(());
        };
        let now = target.current_snapshot_id.clone();
        let mut change = Change::still(now.clone());
        if is_new && undone.undoes.is_some() {
            // What others landed is part of what the undo left there, and would count as had here.
            return Err(SyncError::LandAgain { workspace: target.name });
        }
        if is_new {
            let back = self.landed_back(copy, undone, target, head, *is_mixed)?;
            plan.landed = back;
        } else {
            change.after = head.before.clone();
        }
        if !change.is_none() || plan.landed.is_some() {
            let (workspace_id, head, is_mixed) = (workspace_id.clone(), change, false);
            plan.effect.landed = Some(Landed { workspace_id, head, is_mixed });
        }
        Ok(())
    }

    /// Takes a landing out of what it had made, and merges that with what others landed since. These are two
    /// snapshots, so that a head which follows only the first does not count as having the work of others.
    fn landed_back(
        &self,
        copy: &WorkingCopy,
        undone: &Operation,
        target: Workspace,
        head: &Change<Option<SnapshotId>>,
        is_mixed: bool,
    ) -> Result<Option<LandedBack>, SyncError> {
        let name = target.name.clone();
        let in_all = || SyncError::BuiltUpon { number: undone.number, paths: vec![name.clone()] };
        let (Some(made), Some(now)) = (head.after.clone(), target.current_snapshot_id.clone())
        else {
            return Ok(None);
        };
        let lineage = Snapshots(self.replica.read()).lineage(&copy.project_id);
        if is_mixed || !follows(&lineage, now.as_str(), made.as_str())? {
            return Err(in_all());
        }
        let landed = self.tree_at(Some(&made))?;
        let before = self.tree_at(head.before.as_ref())?;
        if landed == before {
            return Ok(None);
        }
        let Back { tree, packs, .. } = self.merge_back(copy, undone, [landed, landed, before])?;
        let taken_out = |tree, parent, packs| TakenOut {
            workspace: target.clone(),
            tree,
            parents: vec![parent],
            packs,
        };
        let merged = if now == made {
            None
        } else {
            let sides = [landed, self.tree_at(Some(&now))?, before];
            let Back { tree, packs, conflicts } = self.merge_back(copy, undone, sides)?;
            if !conflicts.is_empty() {
                return Err(self.built_upon(undone, &conflicts));
            }
            Some(taken_out(tree, now, packs))
        };
        Ok(Some(LandedBack { own: taken_out(tree, made, packs), merged }))
    }

    pub(super) fn built_upon(&self, undone: &Operation, conflicts: &[Conflict]) -> SyncError {
        let paths: Vec<Vec<u8>> = conflicts.iter().map(|conflict| conflict.path.clone()).collect();
        let mut paths = show_all(&paths);
        paths.dedup();
        SyncError::BuiltUpon { number: undone.number, paths }
    }

    /// Merges the way back into what is there now.
    pub(super) fn merge_back(
        &self,
        copy: &WorkingCopy,
        undone: &Operation,
        [base, ours, theirs]: [TreeId; 3],
    ) -> Result<Back, SyncError> {
        let own = self.workspace_of(copy)?.name;
        let number = undone.number;
        let (theirs_name, label) = (format!("{own} before {number}"), format!("before-{number}"));
        let names = Names { ours: &own, theirs: &theirs_name, label: &label };
        let sides = Sides { base: Some(&base), ours: &ours, theirs: &theirs, names };
        let mut packs = Vec::new();
        if theirs == empty_directory() {
            // Nothing was there before the first snapshot. Its tree may be in no store yet.
            let writer = self.store.writer();
            write_directory::<&[u8]>(&[], &writer)?;
            packs = writer.finish()?;
        }
        let writer = self.store.writer();
        let merged = merge(&sides, &self.store, &writer)?;
        let (tree, conflicts) = (merged.root.id, merged.conflicts);
        packs.extend(writer.finish()?);
        Ok(Back { tree, packs, conflicts })
    }

    /// Returns the columns that nobody has changed since the operation, with what they had before it.
    pub(super) fn columns_back(&self, undone: &Operation) -> Result<Vec<ColumnChange>, SyncError> {
        let session = self.replica.read();
        let mut columns = Vec::new();
        for change in &undone.effect.columns {
            let Some(table) = session.schema.synced_table(&change.table) else { continue };
            if text_in(session, table, &change.key, &change.column)? == change.value.after {
                self.check_name_free(undone, change)?;
                columns.push(ColumnChange { value: change.value.mirrored(), ..change.clone() });
            }
        }
        Ok(columns)
    }

    /// Refuses a former name of a workspace that another one has by now.
    pub(super) fn check_name_free(
        &self,
        undone: &Operation,
        change: &ColumnChange,
    ) -> Result<(), SyncError> {
        let all = Projects(self.replica.read()).workspaces(&undone.project_id)?;
        let name = change.value.before.as_deref().unwrap_or_default();
        let is_taken = |it: &Workspace| it.name == name && RowKey::of(&it.id) != change.key;
        let is_name = change.table == Workspace::TABLE.name && change.column == "name";
        if is_name && all.iter().any(is_taken) { Err(workspace_taken(name)) } else { Ok(()) }
    }
}
