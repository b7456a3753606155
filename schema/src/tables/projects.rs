//! Projects, and the environment variables that their programs run with.

use crate::declare::attribute::table;
use crate::declare::column_type::{Flag, Json};
use crate::declare::vocabulary::vocabulary;
use crate::tables::ids::{ProjectId, SnapshotId, WorkspaceId};

/// The top-level container of workspaces and snapshots.
#[table(
    name = "projects",
    policy = versioned("name, brief and main workspace are edited on any device"),
    scope = id,
    index(owner_user_id, updated_at),
)]
pub struct Project {
    /// ULID.
    #[pk]
    pub id: ProjectId,
    /// The user who owns it.
    #[references(users.id)]
    pub owner_user_id: String,
    /// The name to show.
    pub name: String,
    /// Its purpose.
    pub intent: Option<Intent>,
    /// A free-form `ProjectBrief`.
    pub brief: Option<Json<serde_json::Value>>,
    /// ISO 8601, UTC, milliseconds.
    #[default(now)]
    pub created_at: String,
    /// ISO 8601, UTC, milliseconds.
    #[default(now)]
    pub updated_at: String,
    /// The most recently pushed snapshot. Not a foreign key: a snapshot refers to its project.
    pub last_snapshot_id: Option<SnapshotId>,
    /// The workspace that drift is compared against. Not a foreign key, for the same reason.
    pub main_workspace_id: Option<WorkspaceId>,
}

vocabulary! {
    /// The purpose of a project.
    pub enum Intent {
        /// To found a company.
        Startup = "startup",
        /// A tool for personal use.
        PersonalTool = "personal_tool",
        /// To learn something.
        Learning = "learning",
        /// For fun.
        Fun = "fun",
        /// To show to others.
        Portfolio = "portfolio",
        /// A work of art.
        Creative = "creative",
        /// To explore an idea.
        Exploration = "exploration",
        /// To publish as open source.
        OpenSource = "open_source",
    }
}

/// An environment variable of a project.
#[table(
    name = "project_env_vars",
    policy = private("values are secrets"),
    unique(project_id, key),
)]
pub struct ProjectEnvVar {
    /// A unique id.
    #[pk]
    pub id: String,
    /// The project that it is for.
    #[references(projects.id, on_delete = cascade)]
    pub project_id: ProjectId,
    /// The name of the variable.
    pub key: String,
    /// The value; a secret's may be encrypted.
    pub value: String,
    /// Whether the value is masked where it is shown.
    #[default(0)]
    pub is_secret: Flag,
    /// ISO 8601, UTC, milliseconds.
    #[default(now)]
    pub created_at: String,
    /// ISO 8601, UTC, milliseconds.
    #[default(now)]
    pub updated_at: String,
}
