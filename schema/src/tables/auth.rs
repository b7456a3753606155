//! The users of Fastest, and how they sign in.

use crate::declare::attribute::table;
use crate::declare::column_type::Flag;
use crate::declare::vocabulary::vocabulary;

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

/// A code that was sent by email, to sign in on the web.
#[table(
    name = "auth_codes",
    policy = private("a code lets its holder in; it is the business of the server alone"),
)]
pub struct AuthCode {
    /// A unique id.
    #[pk]
    pub id: String,
    /// The user who signs in, if the address is known. Not a foreign key.
    pub user_id: Option<String>,
    /// The address that the code was sent to.
    pub email: String,
    /// The code, which is part of the link in the email.
    #[unique]
    pub code: String,
    /// When it expires: ISO 8601, UTC, milliseconds.
    pub expires_at: String,
    /// Whether someone signed in with it.
    #[default(0)]
    pub used: Flag,
    /// ISO 8601, UTC, milliseconds.
    #[default(now)]
    pub created_at: String,
}

/// A command line that waits to be authorized, by the device flow of RFC 8628.
#[table(
    name = "device_codes",
    policy = private("a code lets its holder in; it is the business of the server alone"),
)]
pub struct DeviceCode {
    /// A unique id.
    #[pk]
    pub id: String,
    /// The code that the command line polls with.
    #[unique]
    pub device_code: String,
    /// The code that the user enters on the web, such as `ABCD-1234`.
    #[unique]
    pub user_code: String,
    /// The user who authorized it; null until then.
    #[references(users.id)]
    pub user_id: Option<String>,
    /// Whether it was authorized.
    #[default("pending")]
    pub status: DeviceCodeStatus,
    /// When it expires, 15 minutes after it was created: ISO 8601, UTC, milliseconds.
    pub expires_at: String,
    /// ISO 8601, UTC, milliseconds.
    #[default(now)]
    pub created_at: String,
}

vocabulary! {
    /// The status of a device code.
    pub enum DeviceCodeStatus {
        /// Nobody has entered it yet.
        Pending = "pending",
        /// The user authorized the device.
        Authorized = "authorized",
        /// The user refused.
        Denied = "denied",
    }
}

/// The bearer token of a signed-in user.
#[table(
    name = "sessions",
    policy = private("a device knows its own token; those of others are none of its business"),
)]
pub struct Session {
    /// A unique id.
    #[pk]
    pub id: String,
    /// The signed-in user.
    #[references(users.id)]
    pub user_id: String,
    /// The SHA-256 of the bearer token, hex.
    #[unique]
    pub token_hash: String,
    /// When it expires, 30 days after it was created: ISO 8601, UTC, milliseconds.
    pub expires_at: String,
    /// ISO 8601, UTC, milliseconds.
    #[default(now)]
    pub created_at: String,
}

/// A user's API key for a provider of language models.
#[table(
    name = "user_api_keys",
    policy = private("the server uses the keys on the user's behalf, and alone can decrypt them"),
    unique(user_id, provider),
)]
pub struct UserApiKey {
    /// A unique id.
    #[pk]
    pub id: String,
    /// The user who owns it.
    #[references(users.id, on_delete = cascade)]
    pub user_id: String,
    /// Such as `anthropic`, `openai` or `google`.
    pub provider: String,
    /// The environment variable that programs read it from, such as `ANTHROPIC_API_KEY`.
    pub key_name: String,
    /// The key, encrypted with AES-GCM: begins with `enc:v1:`.
    pub key_value: String,
    /// ISO 8601, UTC, milliseconds.
    #[default(now)]
    pub created_at: String,
    /// ISO 8601, UTC, milliseconds.
    #[default(now)]
    pub updated_at: String,
}
