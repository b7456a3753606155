//! The infrastructure that projects run on: credentials for providers, provisioned resources, and
//! deployments.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::declare::attribute::table;
use crate::declare::column_type::{Flag, Json};
use crate::declare::vocabulary::vocabulary;
use crate::tables::ids::{ProjectId, SnapshotId, WorkspaceId};

/// A user's token for a provider of infrastructure.
#[table(
    name = "provider_credentials",
    policy = private("the server uses the tokens on the user's behalf, and alone can decrypt them"),
    unique(user_id, provider),
)]
pub struct ProviderCredential {
    /// A unique id.
    #[pk]
    pub id: String,
    /// The user who owns it.
    #[references(users.id, on_delete = cascade)]
    pub user_id: String,
    /// The provider that accepts it.
    pub provider: Provider,
    /// The token, encrypted.
    pub api_token: String,
    /// The account that it belongs to.
    pub metadata: Option<Json<CredentialMetadata>>,
    /// ISO 8601, UTC, milliseconds.
    #[default(now)]
    pub created_at: String,
    /// ISO 8601, UTC, milliseconds.
    #[default(now)]
    pub updated_at: String,
}

/// The account that a token belongs to.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct CredentialMetadata {
    /// The account id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_id: Option<String>,
    /// The team id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team_id: Option<String>,
    /// Other fields, stored as they are.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

vocabulary! {
    /// A provider of infrastructure.
    pub enum Provider {
        /// Railway.
        Railway = "railway",
        /// Cloudflare.
        Cloudflare = "cloudflare",
    }
}

/// A database, machine or blob store that was provisioned for a project.
#[table(
    name = "infrastructure_resources",
    policy = private("connection_info holds passwords"),
    index(project_id),
    index(project_id, type),
)]
pub struct InfrastructureResource {
    /// A unique id.
    #[pk]
    pub id: String,
    /// The project that it is for.
    #[references(projects.id, on_delete = cascade)]
    pub project_id: ProjectId,
    /// The type of the resource.
    pub r#type: ResourceType,
    /// The provider that hosts it.
    pub provider: Provider,
    /// The provider's own id for it.
    pub provider_resource_id: Option<String>,
    /// The name to show.
    pub name: String,
    /// Encrypted JSON: url, host, port, username, password.
    pub connection_info: Option<String>,
    /// Its status.
    #[default("pending")]
    pub status: ResourceStatus,
    /// Why it failed.
    pub error: Option<String>,
    /// ISO 8601, UTC, milliseconds.
    #[default(now)]
    pub created_at: String,
    /// ISO 8601, UTC, milliseconds.
    #[default(now)]
    pub updated_at: String,
}

vocabulary! {
    /// The type of a resource.
    pub enum ResourceType {
        /// A machine.
        Compute = "compute",
        /// Edge functions.
        ComputeEdge = "compute:edge",
        /// A PostgreSQL database.
        DatabasePostgres = "database:postgres",
        /// A Redis database.
        DatabaseRedis = "database:redis",
        /// A blob store.
        StorageBlob = "storage:blob",
    }
}

vocabulary! {
    /// The status of a resource.
    pub enum ResourceStatus {
        /// It was requested.
        Pending = "pending",
        /// The provider is creating it.
        Provisioning = "provisioning",
        /// It can be used.
        Ready = "ready",
        /// It could not be created.
        Error = "error",
        /// It was deleted.
        Deleted = "deleted",
    }
}

/// How a workspace is deployed.
#[table(
    name = "deployment_settings",
    policy = versioned("settings are edited on any device; a lost edit must be seen"),
    scope = workspace_id -> workspaces.project_id,
)]
pub struct DeploymentSettings {
    /// The workspace that is deployed.
    #[pk]
    #[references(workspaces.id, on_delete = cascade)]
    pub workspace_id: WorkspaceId,
    /// Whether each new snapshot is deployed automatically.
    #[default(0)]
    pub auto_deploy: Flag,
    /// The runtime to use instead of the detected one.
    pub runtime_override: Option<String>,
    /// The command that builds it.
    pub build_command: Option<String>,
    /// The command that starts it.
    pub start_command: Option<String>,
    /// ISO 8601, UTC, milliseconds.
    #[default(now)]
    pub created_at: String,
    /// ISO 8601, UTC, milliseconds.
    #[default(now)]
    pub updated_at: String,
}

/// A deployment of a snapshot.
#[table(
    name = "deployments",
    policy = versioned("a deployment reports its progress, and how it ended"),
    scope = project_id,
    index(workspace_id, started_at),
    index(project_id, started_at),
    index(status, started_at),
)]
pub struct Deployment {
    /// A unique id.
    #[pk]
    pub id: String,
    /// The workspace that was deployed.
    #[references(workspaces.id, on_delete = set_null)]
    pub workspace_id: Option<WorkspaceId>,
    /// The project that was deployed.
    #[references(projects.id, on_delete = cascade)]
    pub project_id: ProjectId,
    /// The snapshot that was deployed.
    #[references(snapshots.id, on_delete = set_null)]
    pub snapshot_id: Option<SnapshotId>,
    /// Its status.
    pub status: DeploymentStatus,
    /// What started it.
    pub trigger: DeploymentTrigger,
    /// The URL that it runs at.
    pub url: Option<String>,
    /// Why it failed.
    pub error: Option<String>,
    /// ISO 8601, UTC, milliseconds.
    pub started_at: String,
    /// ISO 8601, UTC, milliseconds.
    pub completed_at: Option<String>,
}

vocabulary! {
    /// The status of a deployment.
    pub enum DeploymentStatus {
        /// It is in progress.
        Deploying = "deploying",
        /// It succeeded.
        Success = "success",
        /// It failed.
        Failed = "failed",
    }
}

vocabulary! {
    /// What started a deployment.
    pub enum DeploymentTrigger {
        /// A person.
        Manual = "manual",
        /// A request in a conversation.
        Chat = "chat",
        /// A new snapshot.
        Auto = "auto",
    }
}

/// A task in the agent queue of older servers.
#[table(
    name = "jobs",
    policy = private("deprecated; nothing on a device reads it"),
    deprecated = "nothing runs jobs any more; patches are made by `action_item_runs`",
)]
pub struct Job {
    /// A unique id.
    #[pk]
    pub id: String,
    /// The workspace to work in.
    #[references(workspaces.id)]
    pub workspace_id: WorkspaceId,
    /// The project of the workspace.
    #[references(projects.id)]
    pub project_id: ProjectId,
    /// What to do.
    pub prompt: String,
    /// The status: `pending`, or a word that the server chose.
    #[default("pending")]
    pub status: String,
    /// The resulting snapshot.
    #[references(snapshots.id)]
    pub output_snapshot_id: Option<SnapshotId>,
    /// Why it failed.
    pub error: Option<String>,
    /// ISO 8601, UTC, milliseconds.
    #[default(now)]
    pub created_at: String,
    /// ISO 8601, UTC, milliseconds.
    pub started_at: Option<String>,
    /// ISO 8601, UTC, milliseconds.
    pub completed_at: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_credential_says_beside_the_known_is_kept() {
        let text = r#"{"account_id":"a","region":["eu"]}"#;
        let metadata: CredentialMetadata = serde_json::from_str(text).unwrap();
        assert_eq!((metadata.account_id.as_deref(), &metadata.team_id), (Some("a"), &None));
        assert_eq!(metadata.other["region"][0], "eu");
        assert_eq!(serde_json::to_string(&metadata).unwrap(), text);
    }
}
