//! Tables that are synced, adopted from a database that another tool makes.
#![allow(non_snake_case)]

use fastest_schema::table;

/// A row of `organisations`, which the application makes and changes.
#[table(
    name = "organisations",
    policy = append_only("its rows are written once"),
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
    #[default(
        "{\"theme\":\"dark\",\"locale\":\"en-GB\",\"weekStartsOn\":1,\"mails\":true,\"beta\":false}"
    )]
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

/// A row of `tasks`, which the application makes and changes.
#[table(
    name = "tasks",
    policy = versioned("the application and every device change its rows"),
    scope = memberId -> members.organisationId,
    external,
    unique_sql("`memberId`", "lower(\"title\")", filter = "\"type\" = 'once' and \"doneAt\" is null"),
)]
pub struct Task {
    /// Text, the key.
    #[pk]
    pub id: String,
    /// Text; refers to `members.id`.
    #[references(members.id, on_delete = cascade)]
    pub memberId: String,
    /// Text, or null.
    pub sprintId: Option<String>,
    /// Text, or null.
    pub r#type: Option<String>,
    /// Text.
    #[default("it's new")]
    pub title: String,
    /// Real.
    #[default(0.5)]
    pub estimate: f64,
    /// Integer.
    #[default(-1)]
    pub rank: i64,
    /// Integer, or null.
    pub doneAt: Option<i64>,
}
