//! What [`Device::merge`](crate::Device::merge) is asked to do.

pub use fastest_core::compare::merge::Side;

/// What to merge, and how.
#[derive(Debug, Clone, Default)]
pub struct MergeRequest {
    /// The workspace; without it, the main one.
    pub workspace: Option<String>,
    /// The side that settles what conflicts.
    pub side: Option<Side>,
    /// Whether to merge a workspace that has no snapshot in common with this one.
    pub allow_unrelated: bool,
    /// The id of a plan to carry out.
    pub preview: Option<String>,
}
