//! Who uses Fastest.

use crate::table;

/// A registered user.
#[table(
    name = "users",
    policy = versioned("a profile is edited on any device; a lost edit must be seen"),
    scope = id,
)]
pub struct User {
    /// ULID.
    #[pk]
    pub id: String,
    /// The address that the user signs in with.
    #[unique]
    pub email: String,
    /// The name to show.
    pub name: Option<String>,
    /// URL of a profile picture.
    pub picture: Option<String>,
    /// ISO 8601, UTC, milliseconds.
    #[default(now)]
    pub created_at: String,
}
