//! Seed rows, each checked before it is written.

use fastest_sync::Database;
use fastest_sync::database::error::DatabaseError;
use jiff::Timestamp;

use super::schema::{Invitation, Member, Organization, Role};
use crate::new_id;

/// Why a row was not created.
#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    /// The email address is invalid.
    #[error("{0:?} is no email address: write name@host.domain")]
    Email(String),
    /// The role does not exist.
    #[error("{0:?} is no role: choose owner, admin or member")]
    Role(String),
    /// The time is invalid.
    #[error("{0:?} is no time: write it as 2030-01-01T00:00:00Z")]
    Time(String),
    /// The invitation would already have expired.
    #[error("an invitation until {0} is void: choose a time to come")]
    Expired(String),
    /// The member may not offer this role.
    #[error(
        "{by:?} may not invite {role:?}: only a role as high as the offered one may, from admin on"
    )]
    TooLow {
        /// The role of the member who invites.
        by: Role,
        /// The role offered.
        role: Role,
    },
    /// The organization already has an owner.
    #[error("{organization} has an owner already: {owner}")]
    SecondOwner {
        /// The organization's name.
        organization: String,
        /// The email of its owner.
        owner: String,
    },
    /// The database refused it.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

/// Creates an organization with its owner.
pub fn organization(
    db: &mut Database,
    name: &str,
    owner: &str,
) -> Result<(Organization, Member), SeedError> {
    check_email(owner)?;
    let organization = Organization { id: new_id(), name: name.to_owned() };
    db.save(&organization)?;
    let owner = member(db, &organization, owner, "owner")?;
    Ok((organization, owner))
}

/// Creates a member.
pub fn member(
    db: &mut Database,
    organization: &Organization,
    email: &str,
    role: &str,
) -> Result<Member, SeedError> {
    check_email(email)?;
    let role = parse_role(role)?;
    if role == Role::Owner {
        check_no_owner(db, organization)?;
    }
    let (id, organization_id) = (new_id(), organization.id.clone());
    let member = Member { id, organization_id, email: email.to_owned(), role };
    db.save(&member)?;
    Ok(member)
}

/// Creates an invitation.
pub fn invitation(
    db: &mut Database,
    by: &Member,
    email: &str,
    role: &str,
    expires_at: &str,
) -> Result<Invitation, SeedError> {
    check_email(email)?;
    let role = parse_role(role)?;
    if by.role.rank() < Role::Admin.rank().max(role.rank()) {
        return Err(SeedError::TooLow { by: by.role.clone(), role });
    }
    if role == Role::Owner
        && let Some(organization) = db.get::<Organization>(&by.organization_id)?
    {
        check_no_owner(db, &organization)?;
    }
    let until: Timestamp =
        expires_at.parse().map_err(|_| SeedError::Time(expires_at.to_owned()))?;
    if until <= Timestamp::now() {
        return Err(SeedError::Expired(expires_at.to_owned()));
    }
    let invitation = Invitation {
        id: new_id(),
        organization_id: by.organization_id.clone(),
        email: email.to_owned(),
        role,
        invited_by: by.id.clone(),
        expires_at: until.to_string(),
    };
    db.save(&invitation)?;
    Ok(invitation)
}

fn check_no_owner(db: &Database, organization: &Organization) -> Result<(), SeedError> {
    let members = db.find::<Member>(Member::ORGANIZATION_ID, organization.id.as_str())?;
    match members.into_iter().find(|member| member.role == Role::Owner) {
        None => Ok(()),
        Some(owner) => {
            let (organization, owner) = (organization.name.clone(), owner.email);
            Err(SeedError::SecondOwner { organization, owner })
        }
    }
}

fn parse_role(text: &str) -> Result<Role, SeedError> {
    match Role::from(text.to_owned()) {
        Role::Other(text) => Err(SeedError::Role(text)),
        role => Ok(role),
    }
}

fn check_email(email: &str) -> Result<(), SeedError> {
    let fits =
        |part: &str| !part.is_empty() && !part.contains(|c: char| c.is_whitespace() || c == '@');
    let good = email.split_once('@').is_some_and(|(name, host)| {
        fits(name) && fits(host) && host.split('.').count() > 1 && host.split('.').all(fits)
    });
    if good { Ok(()) } else { Err(SeedError::Email(email.to_owned())) }
}
