//! Fastest's own schema.

use crate::declare::schema::{FASTEST_OWNER, Schema};
use crate::declare::table::{Row, Table};
use crate::tables::intelligence::atlas;
use crate::tables::migrations::MIGRATIONS;
use crate::tables::{
    auth, conversations, infrastructure, intelligence, packs, projects, workspaces,
};

/// The schema of Fastest itself.
pub static FASTEST: Schema =
    Schema { owner: FASTEST_OWNER, tables: TABLES, migrations: &MIGRATIONS };

/// Every table that Fastest declares: parents before children, and packs before the snapshots whose
/// content they hold. A push writes rows in this order, and a pull returns changes in the order in
/// which they were written. So neither leaves a snapshot without its content if it is interrupted.
pub const TABLES: &[&Table] = &[
    auth::User::TABLE,
    projects::Project::TABLE,
    packs::Pack::TABLE,
    workspaces::Snapshot::TABLE,
    workspaces::Workspace::TABLE,
    workspaces::DriftReport::TABLE,
    workspaces::ActivityEvent::TABLE,
    auth::AuthCode::TABLE,
    auth::DeviceCode::TABLE,
    auth::Session::TABLE,
    auth::UserApiKey::TABLE,
    projects::ProjectEnvVar::TABLE,
    conversations::Conversation::TABLE,
    intelligence::NextStep::TABLE,
    intelligence::ProjectDecision::TABLE,
    intelligence::ActionItem::TABLE,
    intelligence::ActionItemRun::TABLE,
    intelligence::RefactoringSuggestion::TABLE,
    atlas::AtlasConcept::TABLE,
    atlas::AtlasEdge::TABLE,
    atlas::AtlasChunk::TABLE,
    atlas::AtlasEmbedding::TABLE,
    atlas::AtlasDecisionLink::TABLE,
    atlas::AtlasDiagram::TABLE,
    infrastructure::ProviderCredential::TABLE,
    infrastructure::InfrastructureResource::TABLE,
    infrastructure::DeploymentSettings::TABLE,
    infrastructure::Deployment::TABLE,
    infrastructure::Job::TABLE,
];

impl Schema {
    /// Whether this is the schema of Fastest itself.
    pub fn is_fastest(&self) -> bool {
        std::ptr::eq(self, &raw const FASTEST)
    }
}
