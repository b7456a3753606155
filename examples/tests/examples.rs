//! Each example prints what it should.

use std::io::Write;

fn check(run: fn(&mut dyn Write) -> fastest_examples::Result<()>, expected: &[&str]) {
    let mut out = Vec::new();
    run(&mut out).unwrap();
    let said = String::from_utf8(out).unwrap();
    assert_eq!(said.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn compass() {
    let expected = [
        "running: Dig 2026-12-01 to 2026-12-07, 40.0 %",
        "running: Build 2026-12-08 to 2026-12-27, 0.0 %",
        "invoiced 2199.50",
        "kept: row … of projects cannot be deleted: row … of invoices refers to it",
        "on the site: 1 task, 0 dependencies",
    ];
    check(fastest_examples::compass::run, &expected);
}

#[test]
fn corates() {
    let expected = [
        "refused: \"nobody\" is no email address: write name@host.domain",
        "refused: \"king\" is no role: choose owner, admin or member",
        "refused: Lab has an owner already: ada@lab.example",
        "refused: row … of members has the same organization_id, email",
        "refused: Admin may not invite Owner: only a role as high as the offered one may, from admin on",
        "refused: Member may not invite Member: only a role as high as the offered one may, from admin on",
        "refused: an invitation until 2020-01-01T00:00:00Z is void: choose a time to come",
        "refused: \"soon\" is no time: write it as 2030-01-01T00:00:00Z",
        "Owner: ada@lab.example",
        "Admin: bo@lab.example",
        "Member: cy@lab.example",
        "0 invitations are left",
    ];
    check(fastest_examples::corates::run, &expected);
}

#[test]
fn basicos() {
    let expected = [
        "the bakery's counter has: forty secret rolls",
        "orders in a join without a tenant: 1",
        "refused: row … of customers belongs to \"garage\", and this file holds \"bakery\" only",
        "in the counter's file: the bakery's words are there, the garage's 0 times",
    ];
    check(fastest_examples::basicos::run, &expected);
}

#[test]
fn chronos() {
    let expected = [
        "tables: chronos_entries, directus_migrations, directus_users",
        "monday: 60 minutes of work",
        "tuesday: 90 minutes of work",
        "the phone has 2 entries and 1 holiday",
        "the first version is refused: brought to 0001_chronos_holidays.sql by a newer version, which this one does not know: upgrade",
        "directus has its own migrations still: 1",
    ];
    check(fastest_examples::chronos::run, &expected);
}
