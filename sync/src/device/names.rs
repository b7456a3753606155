//! Names of projects and workspaces: which are valid, and how workspaces are told apart.

use fastest_schema::ProjectId;
use std::path::Path;

use fastest_schema::tables::workspaces::Workspace;

use crate::base::world::World;
use crate::error::SyncError;
use crate::error::named::Named;

/// Refuses a name that would cause trouble on a command line or in a path.
pub(crate) fn check_name(what: Named, name: &str) -> Result<(), SyncError> {
    let reason = if name.trim().is_empty() {
        "it is empty"
    } else if name.trim() != name {
        "it begins or ends with a space"
    } else if name.len() > NAME_BYTES_MAX {
        "it is longer than 100 bytes"
    } else if name.starts_with('-') {
        "it begins with a dash"
    } else if name.chars().any(|letter| letter.is_control() || "/\\".contains(letter)) {
        "it has a slash, a backslash or a control character"
    } else if name == "." || name == ".." {
        "it means a folder"
    } else {
        return Ok(());
    };
    Err(SyncError::BadName { what, name: name.to_owned(), reason })
}

/// Returns the folder's name, changed as far as needed for [`check_name`] to accept it.
pub(crate) fn name_of_folder(root: &Path) -> String {
    let name = root.file_name().map(|name| name.to_string_lossy().into_owned());
    let name: String = name.unwrap_or_default().trim().trim_start_matches('-').to_owned();
    let name = name.replace(|letter: char| letter.is_control() || letter == '\\', "_");
    let end = name.floor_char_boundary(NAME_BYTES_MAX - 10);
    match name[..end].trim() {
        "" => "project".to_owned(),
        name => name.to_owned(),
    }
}

/// Returns the row of a new workspace without snapshots.
pub(crate) fn new_workspace(
    world: &World,
    project_id: &ProjectId,
    name: &str,
    root: &Path,
    machine_id: Option<String>,
) -> Workspace {
    Workspace {
        id: world.new_id().into(),
        project_id: project_id.to_owned(),
        name: name.to_owned(),
        machine_id,
        base_snapshot_id: None,
        current_snapshot_id: None,
        current_manifest_hash: None,
        local_path: root.to_str().map(str::to_owned),
        last_seen_at: Some(world.now_text()),
        created_at: world.now_text(),
        version: 1,
        merge_history: None,
    }
}

/// The longest name of a project or workspace, in bytes.
const NAME_BYTES_MAX: usize = 100;

/// Describes a workspace so that it can be told from others with the same name.
pub(crate) fn tell_workspace(workspace: &Workspace) -> String {
    let Workspace { id, machine_id, local_path, created_at, .. } = workspace;
    let machine = machine_id.as_deref().map(|name| format!(" on {name}")).unwrap_or_default();
    let path = local_path.as_deref().map(|path| format!(" in {path}")).unwrap_or_default();
    format!("{id} (made {created_at}{machine}{path})")
}

/// Returns the error for a name that another workspace of the project already has.
pub(crate) fn workspace_taken(name: &str) -> SyncError {
    SyncError::NameTaken { what: Named::Workspace, name: name.to_owned(), place: None }
}
