//! Who uses Fastest, and how they sign in.

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

/// A code that was sent by mail, to sign in on the web.
#[table(
    name = "auth_codes",
    policy = private("a code lets its holder in; it is the business of the server alone"),
)]
pub struct AuthCode {
    /// A unique id.
    #[pk]
    pub id: String,
    /// Who signs in, if the address is known. Not a foreign key.
    pub user_id: Option<String>,
    /// The address that the code went to.
    pub email: String,
    /// What the link in the mail carries.
    #[unique]
    pub code: String,
    /// When it is of no more use: ISO 8601, UTC, milliseconds.
    pub expires_at: String,
    /// Whether someone came with it.
    #[default(0)]
    pub used: Flag,
    /// ISO 8601, UTC, milliseconds.
    #[default(now)]
    pub created_at: String,
}

/// A command line that waits to be let in, by the device flow of RFC 8628.
#[table(
    name = "device_codes",
    policy = private("a code lets its holder in; it is the business of the server alone"),
)]
pub struct DeviceCode {
    /// A unique id.
    #[pk]
    pub id: String,
    /// What the command line asks with.
    #[unique]
    pub device_code: String,
    /// What the user types in on the web: `ABCD-1234`.
    #[unique]
    pub user_code: String,
    /// Who let it in; null until then.
    #[references(users.id)]
    pub user_id: Option<String>,
    /// What became of it.
    #[default("pending")]
    pub status: DeviceCodeStatus,
    /// 15 minutes after it was made: ISO 8601, UTC, milliseconds.
    pub expires_at: String,
    /// ISO 8601, UTC, milliseconds.
    #[default(now)]
    pub created_at: String,
}

vocabulary! {
    /// What became of a device code.
    pub enum DeviceCodeStatus {
        /// Nobody typed it in yet.
        Pending = "pending",
        /// The user let the device in.
        Authorized = "authorized",
        /// The user did not.
        Denied = "denied",
    }
}

/// A bearer token that lets its holder in.
#[table(
    name = "sessions",
    policy = private("a device knows its own token; those of others are none of its business"),
)]
pub struct Session {
    /// A unique id.
    #[pk]
    pub id: String,
    /// Who is let in.
    #[references(users.id)]
    pub user_id: String,
    /// The SHA-256 of the bearer token, hex.
    #[unique]
    pub token_hash: String,
    /// 30 days after it was made: ISO 8601, UTC, milliseconds.
    pub expires_at: String,
    /// ISO 8601, UTC, milliseconds.
    #[default(now)]
    pub created_at: String,
}

/// A user's key for a provider of language models.
#[table(
    name = "user_api_keys",
    policy = private("the server uses the keys on the user's behalf, and alone can decrypt them"),
    unique(user_id, provider),
)]
pub struct UserApiKey {
    /// A unique id.
    #[pk]
    pub id: String,
    /// Whose it is.
    #[references(users.id, on_delete = cascade)]
    pub user_id: String,
    /// Such as `anthropic`, `openai` or `google`.
    pub provider: String,
    /// The environment variable that it goes by, such as `ANTHROPIC_API_KEY`.
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
