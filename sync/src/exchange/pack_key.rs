//! The keys of packs in a pack store.

use fastest_schema::tables::projects::Project;
use fastest_schema::{ProjectId, Row};

use crate::error::SyncError;
use crate::exchange::claims::inconsistent;
use crate::remote::primary::{Primary, ask_cell};
use crate::replica::open::Replica;

/// Returns the key of a pack in a pack store. It begins with the owner of the pack's project.
pub(crate) fn pack_key(owner: &str, pack_id: &str) -> String {
    format!("{owner}/packs/{pack_id}")
}

/// Returns the owner of a project, if the replica knows the project.
pub(crate) fn owner(
    replica: &Replica,
    project_id: &ProjectId,
) -> Result<Option<String>, SyncError> {
    let project: Option<Project> = replica.read().row(project_id)?;
    Ok(project.map(|project| project.owner_user_id))
}

/// Returns the owner of a project, and asks the primary if the replica does not know the project
/// yet.
pub(crate) async fn owner_of(
    replica: &mut Replica,
    primary: &dyn Primary,
    project_id: &ProjectId,
) -> Result<String, SyncError> {
    match owner(replica, project_id)? {
        Some(owner) => Ok(owner),
        None => ask_owner(primary, project_id).await,
    }
}

async fn ask_owner(primary: &dyn Primary, project_id: &ProjectId) -> Result<String, SyncError> {
    let place = (Project::TABLE.name, Project::TABLE.pk, "owner_user_id");
    let owner = ask_cell(primary, place, project_id.as_str()).await?;
    let what = || format!("project {project_id} has packs and no row");
    owner.ok_or_else(|| inconsistent(primary, what()))
}
