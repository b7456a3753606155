//! The tables of CoRATES: organizations that review together, their members and invitations.

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

/// A person's membership in an organization.
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
    /// The organization.
    #[references(organizations.id, on_delete = cascade)]
    pub organization_id: String,
    /// The email address of the person.
    pub email: String,
    /// The role.
    #[default("member")]
    pub role: Role,
}

/// An invitation to become a member.
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
    /// The organization.
    #[references(organizations.id, on_delete = cascade)]
    pub organization_id: String,
    /// The email address of the person.
    pub email: String,
    /// The role that is offered.
    pub role: Role,
    /// The member who invites.
    #[references(members.id, on_delete = cascade)]
    pub invited_by: String,
    /// When it expires: ISO 8601, UTC.
    pub expires_at: String,
}

fastest_schema::vocabulary! {
    /// The role of a member. Each role includes the rights of those before it.
    pub enum Role {
        /// Reviews.
        Member = "member",
        /// Also invites.
        Admin = "admin",
        /// The owner. There is exactly one.
        Owner = "owner",
    }
}

impl Role {
    /// Returns the rank of the role, from 1. A role that only a newer version knows has rank 0, and
    /// no rights here.
    pub fn rank(&self) -> usize {
        Role::ALL.iter().position(|role| role == self).map_or(0, |place| place + 1)
    }
}

/// The whole schema.
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
        Migration {
            name: "0002_corates_marks.sql",
            sql: include_str!("migrations/0002_corates_marks.sql"),
        },
    ],
};
