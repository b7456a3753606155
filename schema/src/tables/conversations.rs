//! Conversations. Their messages are not in the database.

use crate::declare::attribute::table;
use crate::tables::ids::WorkspaceId;

/// A chat in a workspace. The server stores its messages outside of the database.
#[table(
    name = "conversations",
    policy = versioned("a conversation is retitled on any device"),
    scope = workspace_id -> workspaces.project_id,
    index(workspace_id, updated_at),
)]
pub struct Conversation {
    /// UUID.
    #[pk]
    pub id: String,
    /// The workspace that it is about.
    #[references(workspaces.id)]
    pub workspace_id: WorkspaceId,
    /// The title, derived from the first message.
    pub title: Option<String>,
    /// ISO 8601, UTC, milliseconds.
    #[default(now)]
    pub created_at: String,
    /// ISO 8601, UTC, milliseconds.
    #[default(now)]
    pub updated_at: String,
}
