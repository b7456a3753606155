//! Finds projects on a primary.

use fastest_schema::{ProjectId, find_projects_sql};

use crate::error::SyncError;
use crate::remote::cause::Cause;
use crate::remote::primary::{Primary, PrimaryError, ask_list};

/// Returns the ids of the projects on a primary that have this name or id.
pub(crate) async fn find_on_primary(
    primary: &dyn Primary,
    name: &str,
) -> Result<Vec<ProjectId>, SyncError> {
    match ask_list(primary, find_projects_sql(), name).await {
        Ok(found) => Ok(found.into_iter().map(ProjectId::from).collect()),
        // Nothing has been pushed to it yet.
        Err(
            PrimaryError::NotMigrated { .. } | PrimaryError::Failed { cause: Cause::NoTable, .. },
        ) => Ok(Vec::new()),
        Err(error) => Err(error.into()),
    }
}
