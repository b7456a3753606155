//! CoRATES: organizations whose members have roles, and seed rows that are checked.

pub mod schema;
pub mod seed;

use std::io::Write;

use fastest_sync::{Database, World};
use schema::{CORATES, Invitation, Member};

use crate::{Result, Scene};

/// Runs the example, and prints what it does.
pub fn run(out: &mut dyn Write) -> Result<()> {
    const LATER: &str = "2999-01-01T00:00:00Z";
    let scene = Scene::with(&CORATES)?;
    let mut db = Database::open(&scene.file("seed.db"), &CORATES, World::system())?;
    let (lab, owner) = seed::organization(&mut db, "Lab", "ada@lab.example")?;
    let admin = seed::member(&mut db, &lab, "bo@lab.example", "admin")?;
    let member = seed::member(&mut db, &lab, "cy@lab.example", "member")?;
    seed::invitation(&mut db, &admin, "di@lab.example", "admin", LATER)?;

    let refused = [
        seed::member(&mut db, &lab, "nobody", "member").err(),
        seed::member(&mut db, &lab, "ed@lab.example", "king").err(),
        seed::member(&mut db, &lab, "ed@lab.example", "owner").err(),
        seed::member(&mut db, &lab, "bo@lab.example", "member").err(),
        seed::invitation(&mut db, &admin, "ed@lab.example", "owner", LATER).err(),
        seed::invitation(&mut db, &member, "ed@lab.example", "member", LATER).err(),
        seed::invitation(&mut db, &owner, "ed@lab.example", "member", "2020-01-01T00:00:00Z").err(),
        seed::invitation(&mut db, &owner, "ed@lab.example", "member", "soon").err(),
    ];
    for error in refused {
        let error = error.ok_or("it should have been refused")?;
        writeln!(out, "refused: {}", error.to_string().replace(&admin.id, "…"))?;
    }
    scene.sync(&mut db)?;

    let mut other =
        Database::open_for(&scene.file("other.db"), &CORATES, &lab.id, World::system())?;
    scene.sync(&mut other)?;
    let mut members = other.all::<Member>()?;
    members.sort_by_key(|member| std::cmp::Reverse(member.role.rank()));
    for Member { email, role, .. } in members {
        writeln!(out, "{role:?}: {email}")?;
    }
    // The invitations of a member who leaves are deleted too.
    other.delete::<Member>(&admin.id)?;
    scene.sync(&mut other)?;
    scene.sync(&mut db)?;
    writeln!(out, "{} invitations are left", db.all::<Invitation>()?.len())?;
    Ok(())
}
