//! What language models derive from a project: next steps, decisions, issues in its code, and
//! patches.

pub mod atlas;

use crate::declare::attribute::table;
use crate::declare::column_type::Json;
use crate::declare::vocabulary::vocabulary;
use crate::tables::ids::{ProjectId, SnapshotId, WorkspaceId};

/// A suggestion of what to do next with the product.
#[table(
    name = "next_steps",
    policy = versioned("a step is started, done and dismissed on any device"),
    scope = project_id,
    index(project_id, status),
    index(project_id, priority),
)]
pub struct NextStep {
    /// A unique id.
    #[pk]
    pub id: String,
    /// The project that it is for.
    #[references(projects.id, on_delete = cascade)]
    pub project_id: ProjectId,
    /// The step in a few words.
    pub title: String,
    /// The step in more words.
    pub description: Option<String>,
    /// Why it would help.
    pub rationale: Option<String>,
    /// What kind of step it is.
    pub category: StepCategory,
    /// 1 is high, 2 medium, 3 low.
    #[default(2)]
    pub priority: i64,
    /// How much work it is.
    pub effort: Option<Effort>,
    /// Its status.
    #[default("pending")]
    pub status: StepStatus,
    /// How often it was rated helpful.
    #[default(0)]
    pub helpful_count: i64,
    /// How often it was rated unhelpful.
    #[default(0)]
    pub not_helpful_count: i64,
    /// The language model that made it.
    pub model: Option<String>,
    /// ISO 8601, UTC, milliseconds.
    #[default(now)]
    pub generated_at: String,
    /// When someone started or dismissed it: ISO 8601, UTC, milliseconds.
    pub acted_on_at: Option<String>,
}

vocabulary! {
    /// What kind of step to take next.
    pub enum StepCategory {
        /// Build something.
        Feature = "feature",
        /// Test whether it is wanted.
        Validation = "validation",
        /// Launch it.
        Launch = "launch",
        /// Improve the technical base.
        Technical = "technical",
        /// Ask its users.
        UserResearch = "user_research",
    }
}

vocabulary! {
    /// The amount of work.
    pub enum Effort {
        /// Little.
        Small = "small",
        /// Some.
        Medium = "medium",
        /// Much.
        Large = "large",
    }
}

vocabulary! {
    /// The status of a next step.
    pub enum StepStatus {
        /// Nobody has acted on it yet.
        Pending = "pending",
        /// Someone is working on it.
        Started = "started",
        /// It is done.
        Completed = "completed",
        /// It was dismissed.
        Dismissed = "dismissed",
    }
}

/// A decision, found in a conversation by a language model.
#[table(
    name = "project_decisions",
    policy = versioned("a decision is reworded, and outlives its conversation"),
    scope = project_id,
    index(project_id, decided_at),
    unique(project_id, decision),
)]
pub struct ProjectDecision {
    /// A unique id.
    #[pk]
    pub id: String,
    /// The project that it is about.
    #[references(projects.id, on_delete = cascade)]
    pub project_id: ProjectId,
    /// The conversation that it was found in.
    #[references(conversations.id, on_delete = set_null)]
    pub conversation_id: Option<String>,
    /// What was decided. Unique within a project.
    pub decision: String,
    /// Why.
    pub rationale: Option<String>,
    /// What it is about.
    pub category: Option<DecisionCategory>,
    /// ISO 8601, UTC, milliseconds.
    #[default(now)]
    pub decided_at: String,
}

vocabulary! {
    /// What a decision is about.
    pub enum DecisionCategory {
        /// How the parts fit together.
        Architecture = "architecture",
        /// What is part of the project and what is not.
        Scope = "scope",
        /// What to build with.
        TechChoice = "tech_choice",
        /// How to solve a problem.
        Approach = "approach",
        /// How to work.
        Process = "process",
        /// What the product does for its users.
        Product = "product",
    }
}

/// An issue in the code of a workspace.
#[table(
    name = "action_items",
    policy = versioned("an item is run, applied and dismissed on any device"),
    scope = project_id,
    index(workspace_id, created_at),
    index(project_id, created_at),
    index(workspace_id, status),
)]
pub struct ActionItem {
    /// A unique id.
    #[pk]
    pub id: String,
    /// The workspace whose code has the issue.
    #[references(workspaces.id, on_delete = cascade)]
    pub workspace_id: WorkspaceId,
    /// The project of the workspace.
    #[references(projects.id, on_delete = cascade)]
    pub project_id: ProjectId,
    /// What kind of issue it is.
    pub r#type: ActionItemType,
    /// How bad it is.
    #[default("info")]
    pub severity: Severity,
    /// The issue in a few words.
    pub title: String,
    /// The issue in more words.
    pub description: Option<String>,
    /// Paths in the workspace.
    pub affected_files: Option<Json<Vec<String>>>,
    /// The prompt for a language model to fix it.
    pub suggested_prompt: Option<String>,
    /// Further data from its source.
    pub metadata: Option<Json<serde_json::Value>>,
    /// Its status.
    #[default("pending")]
    pub status: ActionItemStatus,
    /// Who found it.
    #[default("analysis")]
    pub source: ActionItemSource,
    /// ISO 8601, UTC, milliseconds.
    #[default(now)]
    pub created_at: String,
    /// ISO 8601, UTC, milliseconds.
    #[default(now)]
    pub updated_at: String,
}

vocabulary! {
    /// What kind of issue an action item is.
    pub enum ActionItemType {
        /// Code that could be written better.
        Refactoring = "refactoring",
        /// A vulnerability.
        Security = "security",
        /// Code without tests.
        TestCoverage = "test_coverage",
        /// Code that does not build.
        BuildFailure = "build_failure",
    }
}

vocabulary! {
    /// How bad an issue is.
    pub enum Severity {
        /// For information.
        Info = "info",
        /// Should be looked at.
        Warning = "warning",
        /// Must be fixed at once.
        Critical = "critical",
    }
}

vocabulary! {
    /// The status of an action item.
    pub enum ActionItemStatus {
        /// Nothing yet.
        Pending = "pending",
        /// A patch is being made.
        Running = "running",
        /// A patch is ready.
        Ready = "ready",
        /// The patch was applied.
        Applied = "applied",
        /// It was dismissed.
        Dismissed = "dismissed",
    }
}

vocabulary! {
    /// Who found an action item.
    pub enum ActionItemSource {
        /// The background analysis.
        Analysis = "analysis",
        /// Another tool, whose findings were imported.
        Import = "import",
        /// A person.
        Manual = "manual",
    }
}

/// A run that makes and verifies a patch for an action item.
#[table(
    name = "action_item_runs",
    policy = versioned("a run reports its progress, and is applied on any device"),
    scope = project_id,
    index(action_item_id, created_at),
    index(workspace_id, created_at),
    index(status, created_at),
)]
pub struct ActionItemRun {
    /// A unique id.
    #[pk]
    pub id: String,
    /// The item that the patch is for.
    #[references(action_items.id, on_delete = cascade)]
    pub action_item_id: String,
    /// The workspace that the patch is for.
    #[references(workspaces.id, on_delete = cascade)]
    pub workspace_id: WorkspaceId,
    /// The project of the workspace.
    #[references(projects.id, on_delete = cascade)]
    pub project_id: ProjectId,
    /// Its status.
    #[default("queued")]
    pub status: RunStatus,
    /// Attempts so far.
    #[default(0)]
    pub attempt_count: i64,
    /// The maximum number of attempts.
    #[default(3)]
    pub max_attempts: i64,
    /// The tree that the patch was made against: hex BLAKE3 tree id.
    pub base_manifest_hash: Option<String>,
    /// A description of the patch.
    pub summary: Option<String>,
    /// What was done and found.
    pub report: Option<String>,
    /// The patch.
    pub patch: Option<String>,
    /// The checks that were run to verify it, and their results.
    pub checks: Option<Json<serde_json::Value>>,
    /// Why it failed.
    pub error: Option<String>,
    /// ISO 8601, UTC, milliseconds.
    pub started_at: Option<String>,
    /// ISO 8601, UTC, milliseconds.
    pub completed_at: Option<String>,
    /// ISO 8601, UTC, milliseconds.
    #[default(now)]
    pub created_at: String,
    /// ISO 8601, UTC, milliseconds.
    #[default(now)]
    pub updated_at: String,
}

vocabulary! {
    /// The status of a run.
    pub enum RunStatus {
        /// It waits for its turn.
        Queued = "queued",
        /// It is running.
        Running = "running",
        /// It has a verified patch.
        Ready = "ready",
        /// All attempts failed.
        Failed = "failed",
        /// Its patch was applied.
        Applied = "applied",
    }
}

/// A refactoring suggestion of an older server.
#[table(
    name = "refactoring_suggestions",
    policy = private("deprecated; nothing on a device reads it"),
    deprecated = "superseded by `action_items`, whose types and sources say more",
    index(workspace_id, created_at),
    index(workspace_id, status),
)]
pub struct RefactoringSuggestion {
    /// A unique id.
    #[pk]
    pub id: String,
    /// The workspace that has the code.
    #[references(workspaces.id, on_delete = cascade)]
    pub workspace_id: WorkspaceId,
    /// The snapshot that was analyzed.
    #[references(snapshots.id)]
    pub snapshot_id: Option<SnapshotId>,
    /// What kind of suggestion it is.
    pub r#type: SuggestionType,
    /// How bad it is.
    #[default("info")]
    pub severity: Severity,
    /// The suggestion in a few words.
    pub title: String,
    /// The suggestion in more words.
    pub description: Option<String>,
    /// Paths in the workspace.
    pub affected_files: Option<Json<Vec<String>>>,
    /// The prompt for a language model to do it.
    pub suggested_prompt: Option<String>,
    /// Its status.
    #[default("pending")]
    pub status: SuggestionStatus,
    /// ISO 8601, UTC, milliseconds.
    #[default(now)]
    pub created_at: String,
}

vocabulary! {
    /// What a refactoring suggestion is about.
    pub enum SuggestionType {
        /// A vulnerability.
        Security = "security",
        /// Duplicated code.
        Duplication = "duplication",
        /// Slow code.
        Performance = "performance",
        /// Unclear names.
        Naming = "naming",
        /// Code in the wrong place.
        Structure = "structure",
        /// Code without tests.
        TestCoverage = "test_coverage",
    }
}

vocabulary! {
    /// The status of a refactoring suggestion.
    pub enum SuggestionStatus {
        /// Nothing yet.
        Pending = "pending",
        /// It was applied.
        Applied = "applied",
        /// It was dismissed.
        Dismissed = "dismissed",
    }
}
