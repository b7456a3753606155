//! Tables that are synced, adopted from a database that another tool makes.
#![allow(non_snake_case)]

use fastest_schema::table;

/// A row of `organisations`, which the application makes and changes.
#[table(
    name = "organisations",
    policy = versioned("the application and every device change its rows"),
    scope = id,
    external,
)]
pub struct Organisation {
    /// Text, the key.
    #[pk]
    pub id: String,
    /// Text.
    pub name: String,
    /// Text.
    #[unique]
    pub slug: String,
    /// Text.
    #[default("{\"theme\":\"dark\"}")]
    pub settings: String,
    /// Integer.
    #[default(sql = "unixepoch()")]
    pub createdAt: i64,
}

/// A row of `members`, which the application makes and changes.
#[table(
    name = "members",
    policy = versioned("the application and every device change its rows"),
    scope = organisationId,
    external,
    unique(organisationId, email),
)]
pub struct Member {
    /// Text, the key.
    #[pk]
    pub id: String,
    /// Text; refers to `organisations.id`.
    #[references(organisations.id, on_delete = cascade)]
    pub organisationId: String,
    /// Text.
    pub email: String,
    /// Text.
    #[default("member")]
    pub role: String,
    /// Integer.
    #[default(1)]
    pub active: i64,
    /// Text.
    #[default(sql = "CURRENT_TIMESTAMP")]
    pub joinedAt: String,
}

/// A row of `projects`, which the application makes and changes.
#[table(
    name = "projects",
    policy = versioned("the application and every device change its rows"),
    scope = organisationId,
    external,
)]
pub struct Project {
    /// Text, the key.
    #[pk]
    pub id: String,
    /// Text; refers to `organisations.id`.
    #[references(organisations.id, on_delete = cascade)]
    pub organisationId: String,
    /// Text, or null; refers to `members.id`.
    #[references(members.id, on_delete = set_null)]
    pub leadId: Option<String>,
    /// Text.
    pub title: String,
    /// Text, or null.
    pub r#type: Option<String>,
    /// Integer.
    #[default(0)]
    pub archived: i64,
    /// Integer, or null.
    pub dueAt: Option<i64>,
    /// Integer.
    #[default(sql = "unixepoch()")]
    pub updatedAt: i64,
}

/// A row of `tasks`, which the application makes and changes.
#[table(
    name = "tasks",
    policy = versioned("the application and every device change its rows"),
    scope = projectId -> projects.organisationId,
    external,
)]
pub struct Task {
    /// Text, the key.
    #[pk]
    pub id: String,
    /// Text; refers to `projects.id`.
    #[references(projects.id, on_delete = cascade)]
    pub projectId: String,
    /// Text.
    #[default("it's new")]
    pub title: String,
    /// Real.
    #[default(1.5)]
    pub estimate: f64,
    /// Integer.
    #[default(-1)]
    pub position: i64,
    /// Text, or null.
    pub labels: Option<String>,
    /// Integer, or null.
    pub doneAt: Option<i64>,
    /// Integer.
    #[default(0)]
    pub blocked: i64,
}
