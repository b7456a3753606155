//! BasicOS: two tenants on one primary, and devices that hold one tenant's rows each.

pub mod schema;

use std::io::Write;

use fastest_sync::{Database, World};
use schema::{BASICOS, Customer, Order};

use crate::{Result, Scene, new_id, occurrences};

/// Runs the example, and prints what it does.
pub fn run(out: &mut dyn Write) -> Result<()> {
    let scene = Scene::with(&BASICOS)?;
    let mut bakery =
        Database::open_for(&scene.file("bakery.db"), &BASICOS, "bakery", World::system())?;
    let mut garage =
        Database::open_for(&scene.file("garage.db"), &BASICOS, "garage", World::system())?;
    take_order(&mut bakery, "bakery", "Ms Crumb", "forty secret rolls")?;
    take_order(&mut garage, "garage", "Mr Piston", "two quiet tyres")?;
    for db in [&mut bakery, &mut garage] {
        scene.sync(db)?;
    }

    // A second device of the bakery. Its query names no tenant.
    let mut counter =
        Database::open_for(&scene.file("counter.db"), &BASICOS, "bakery", World::system())?;
    scene.sync(&mut counter)?;
    for Order { what, .. } in counter.all::<Order>()? {
        writeln!(out, "the bakery's counter has: {what}")?;
    }
    let count: i64 = counter.connection()?.query_row(
        "SELECT count(*) FROM orders JOIN customers ON customers.id = customer_id",
        [],
        |row| row.get(0),
    )?;
    writeln!(out, "orders in a join without a tenant: {count}")?;

    // A row of another tenant is refused.
    let (id, tenant_id) = (new_id(), "garage".to_owned());
    let foreign = Customer { id: id.clone(), tenant_id, name: "Lost".into() };
    match counter.save(&foreign) {
        Err(error) => writeln!(out, "refused: {}", error.to_string().replace(&id, "…"))?,
        Ok(()) => return Err("a row of another tenant was taken".into()),
    }
    let garages = occurrences(&scene.file("counter.db"), "two quiet tyres")?;
    let own = occurrences(&scene.file("counter.db"), "forty secret rolls")?;
    writeln!(
        out,
        "in the counter's file: the bakery's words {}, the garage's {garages} times",
        words(own)
    )?;
    Ok(())
}

fn words(count: usize) -> &'static str {
    if count > 0 { "are there" } else { "are missing" }
}

fn take_order(db: &mut Database, tenant: &str, name: &str, what: &str) -> Result<()> {
    let (tenant_id, name) = (tenant.to_owned(), name.to_owned());
    let customer = Customer { id: new_id(), tenant_id, name };
    db.save(&customer)?;
    db.save(&Order { id: new_id(), customer_id: customer.id, what: what.to_owned() })?;
    Ok(())
}
