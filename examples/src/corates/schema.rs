//! The tables of CoRATES: who works on which reviews together.

use fastest_schema::{Migration, Row, Schema, table};

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

fastest_schema::vocabulary! {
    /// What a member may do; each may do all that those before may.
    pub enum Role {
        /// Reviews.
        Member = "member",
        /// Invites, too.
        Admin = "admin",
        /// Answers for it all; there is one.
        Owner = "owner",
    }
}

impl Role {
    /// How much it may do. A role that only a newer version knows may do nothing here.
    pub fn rank(&self) -> usize {
        Role::ALL.iter().position(|role| role == self).map_or(0, |place| place + 1)
    }
}

/// All of it.
pub static CORATES: Schema = Schema {
    owner: "corates",
    tables: &[Organization::TABLE, Member::TABLE, Invitation::TABLE],
    migrations: &[
        Migration {
            name: "0000_corates_init.sql",
            sql: include_str!("migrations/0000_corates_init.sql"),
        },
        Migration {
            name: "0001_corates_exact_values.sql",
            sql: include_str!("migrations/0001_corates_exact_values.sql"),
        },
    ],
};
