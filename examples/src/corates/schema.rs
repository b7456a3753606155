//! The tables of CoRATES: who works on which reviews together.

use fastest_schema::{ColumnType, Kind, Row, Schema, table};
use serde::{Deserialize, Serialize};

/// A group that reviews together.
#[table(name = "organizations", policy = versioned("names are edited by owners"), scope = id)]
pub struct Organization {
    /// ULID.
    #[pk]
    pub id: String,
    /// The name to show.
    pub name: String,
}

/// Someone's place in an organization.
#[table(
    name = "members",
    policy = versioned("roles change"),
    scope = organization_id,
    unique(organization_id, email),
)]
pub struct Member {
    /// ULID.
    #[pk]
    pub id: String,
    /// Where.
    #[references(organizations.id, on_delete = cascade)]
    pub organization_id: String,
    /// Who.
    pub email: String,
    /// What they may do.
    #[default("member")]
    pub role: Role,
}

/// An offer of a place.
#[table(
    name = "invitations",
    policy = versioned("invitations are withdrawn"),
    scope = organization_id,
    unique(organization_id, email),
)]
pub struct Invitation {
    /// ULID.
    #[pk]
    pub id: String,
    /// Where.
    #[references(organizations.id, on_delete = cascade)]
    pub organization_id: String,
    /// To whom.
    pub email: String,
    /// As what.
    pub role: Role,
    /// By whom.
    #[references(members.id, on_delete = cascade)]
    pub invited_by: String,
    /// Until when: ISO 8601, UTC.
    pub expires_at: String,
}

/// What a member may do; each may do all that those before may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reviews.
    Member,
    /// Invites, too.
    Admin,
    /// Answers for it all; there is one.
    Owner,
}

impl ColumnType for Role {
    const KIND: Kind = Kind::Text;
}

/// All of it. The primary is set up by other means.
pub static CORATES: Schema = Schema {
    owner: "corates",
    tables: &[Organization::TABLE, Member::TABLE, Invitation::TABLE],
    migrations: &[],
};
