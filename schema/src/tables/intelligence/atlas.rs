//! The atlas: a graph of the parts of a project, with texts to search, and diagrams.
//!
//! Most of it is derived from snapshots. When it is derived again from a later snapshot, rows that
//! no longer apply are deleted. So every table is versioned, even where rows never change: devices
//! would keep rows of an append-only table forever.
//!
//! `concept_id` is never a foreign key: concepts and the rows that refer to them are derived at
//! different times.

use crate::declare::attribute::table;
use crate::declare::column_type::Json;
use crate::declare::vocabulary::vocabulary;
use crate::tables::ids::{ProjectId, SnapshotId};

/// A node of the graph: a part of a project.
#[table(
    name = "atlas_concepts",
    policy = versioned("described and derived anew; concepts of files that are gone must go"),
    scope = project_id,
    index(project_id, layer),
    unique(project_id, id),
)]
pub struct AtlasConcept {
    /// `system:<name>`, `module:<path>` or `code:<file path>`. Ids are unique across projects, so
    /// two projects cannot both hold the same one.
    #[pk]
    pub id: String,
    /// The project that it is a part of.
    #[references(projects.id, on_delete = cascade)]
    pub project_id: ProjectId,
    /// The name to show.
    pub name: String,
    /// Its level of abstraction.
    pub layer: ConceptLayer,
    /// Its type within the layer.
    pub r#type: Option<String>,
    /// Its purpose.
    pub description: Option<String>,
    /// The snapshot that it was derived from.
    #[references(snapshots.id, on_delete = set_null)]
    pub source_snapshot_id: Option<SnapshotId>,
    /// The tree that it was derived from: hex BLAKE3 tree id.
    pub source_manifest_hash: Option<String>,
    /// Further data from the derivation.
    pub metadata: Option<Json<serde_json::Value>>,
    /// ISO 8601, UTC, milliseconds.
    #[default(now)]
    pub created_at: String,
    /// ISO 8601, UTC, milliseconds.
    #[default(now)]
    pub updated_at: String,
}

vocabulary! {
    /// Levels of abstraction, the highest first.
    pub enum ConceptLayer {
        /// What the project is about.
        Narrative = "narrative",
        /// What it can do.
        Capability = "capability",
        /// A self-contained part.
        System = "system",
        /// A folder of code.
        Module = "module",
        /// A file of code.
        Code = "code",
    }
}

/// A relation between two concepts.
#[table(
    name = "atlas_edges",
    policy = versioned("derived anew; a relation that is gone must go from devices, weights change"),
    scope = project_id,
    index(project_id, from_concept_id),
    index(project_id, to_concept_id),
    index(project_id, type),
)]
pub struct AtlasEdge {
    /// A unique id.
    #[pk]
    pub id: String,
    /// The project that both are parts of.
    #[references(projects.id, on_delete = cascade)]
    pub project_id: ProjectId,
    /// The first concept.
    pub from_concept_id: String,
    /// The second concept.
    pub to_concept_id: String,
    /// The kind of relation.
    pub r#type: EdgeType,
    /// How strong it is.
    pub weight: Option<i64>,
    /// ISO 8601, UTC, milliseconds.
    #[default(now)]
    pub created_at: String,
}

vocabulary! {
    /// The kind of relation between two concepts.
    pub enum EdgeType {
        /// The second concept is a part of the first.
        Contains = "contains",
        /// The first depends on the second.
        DependsOn = "depends_on",
        /// The second depends on the first.
        UsedBy = "used_by",
        /// They are related in another way.
        Relates = "relates",
    }
}

/// A piece of text for semantic search.
#[table(
    name = "atlas_chunks",
    policy = versioned("derived anew; a piece of text that is gone must not be found on devices"),
    scope = project_id,
    index(project_id, kind),
    index(project_id, concept_id),
)]
pub struct AtlasChunk {
    /// A unique id.
    #[pk]
    pub id: String,
    /// The project that it is from.
    #[references(projects.id, on_delete = cascade)]
    pub project_id: ProjectId,
    /// The concept that it is about.
    pub concept_id: Option<String>,
    /// Where it is from.
    pub kind: ChunkKind,
    /// The text, at most about 4000 characters.
    pub content: String,
    /// The file that it is from, in the project.
    pub file_path: Option<String>,
    /// The function or type that it is from.
    pub symbol: Option<String>,
    /// A hash of the source, to detect changes.
    pub source_hash: Option<String>,
    /// ISO 8601, UTC, milliseconds.
    #[default(now)]
    pub created_at: String,
}

vocabulary! {
    /// Where a piece of text is from.
    pub enum ChunkKind {
        /// A source file.
        Code = "code",
        /// A decision.
        Decision = "decision",
        /// A conversation.
        Conversation = "conversation",
    }
}

/// The embedding vector of a piece of text.
#[table(
    name = "atlas_embeddings",
    policy = versioned("a vector goes with its piece of text, and must go from devices too"),
    scope = chunk_id -> atlas_chunks.project_id,
    index(chunk_id),
)]
pub struct AtlasEmbedding {
    /// A unique id.
    #[pk]
    pub id: String,
    /// The piece of text.
    #[references(atlas_chunks.id, on_delete = cascade)]
    pub chunk_id: String,
    /// The model that computed the vector, such as `@cf/baai/bge-small-en-v1.5`.
    pub model: String,
    /// One number for each dimension of the model.
    pub vector: Json<Vec<f64>>,
    /// ISO 8601, UTC, milliseconds.
    #[default(now)]
    pub created_at: String,
}

/// A concept that a decision is about.
#[table(
    name = "atlas_decision_links",
    policy = versioned("derived anew with another confidence; a link that is gone must go"),
    scope = project_id,
    index(project_id, decision_id),
    index(project_id, concept_id),
)]
pub struct AtlasDecisionLink {
    /// A unique id.
    #[pk]
    pub id: String,
    /// The project that both are parts of.
    #[references(projects.id, on_delete = cascade)]
    pub project_id: ProjectId,
    /// The decision.
    #[references(project_decisions.id, on_delete = cascade)]
    pub decision_id: String,
    /// The concept.
    pub concept_id: String,
    /// The confidence, from 0 to 100.
    pub confidence: Option<i64>,
    /// ISO 8601, UTC, milliseconds.
    #[default(now)]
    pub created_at: String,
}

/// A diagram of a project, or of a concept.
#[table(
    name = "atlas_diagrams",
    policy = versioned("drawn anew; a diagram that was replaced must go from devices"),
    scope = project_id,
    index(project_id, created_at),
    index(project_id, concept_id),
)]
pub struct AtlasDiagram {
    /// A unique id.
    #[pk]
    pub id: String,
    /// The project that it shows.
    #[references(projects.id, on_delete = cascade)]
    pub project_id: ProjectId,
    /// The concept that it shows, if it shows one.
    pub concept_id: Option<String>,
    /// What kind of diagram it is.
    pub r#type: DiagramType,
    /// The diagram, as the canvas draws it.
    pub data: Json<serde_json::Value>,
    /// ISO 8601, UTC, milliseconds.
    #[default(now)]
    pub created_at: String,
}

vocabulary! {
    /// What a diagram shows.
    pub enum DiagramType {
        /// The order of steps.
        Flow = "flow",
        /// Dependencies.
        Dependency = "dependency",
        /// Components and their parts.
        Component = "component",
        /// Calls in chronological order.
        Sequence = "sequence",
    }
}
