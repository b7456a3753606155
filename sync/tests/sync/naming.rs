//! How users name snapshots.

use std::path::Path;

use fastest_sync::remote::state::Packs;

use super::machine::Machine;

/// Returns the content of file `a` in the snapshot of this name, as a working copy resolves it, or
/// the error's text.
fn named(machine: &mut Machine, copy: &str, snapshot: &str) -> String {
    let copy = machine.copy(copy);
    let mut out = Vec::new();
    match machine.device.cat(&copy, snapshot, Path::new("a"), &mut out) {
        Ok(()) => String::from_utf8(out).unwrap(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn snapshots_are_named_by_where_they_stand_and_by_any_beginning() {
    let folder = tempfile::tempdir().unwrap();
    let mut one = Machine::following(&folder.path().join("primary.db"), Packs::Default);
    let mut ids = Vec::new();
    for text in ["1", "2", "3"] {
        one.write("app/a", text);
        ids.push(one.push("app").snapshot.snapshot_id);
    }
    one.clone_project("app", "desk");
    one.write("desk/a", "4");
    one.push("desk");
    for (name, expected) in [("@", "3"), ("@-", "2"), ("@--", "1"), ("main", "3"), ("desk@", "4")] {
        assert_eq!(named(&mut one, "app", name), expected, "{name}");
    }
    assert_eq!(named(&mut one, "desk", "@"), "4");
    assert_eq!(named(&mut one, "desk", "main"), "3");
    assert!(named(&mut one, "app", "@---").contains("there is no snapshot"));
    assert!(named(&mut one, "app", "nobody@").contains("there is no workspace"));
    for (id, expected) in ids.iter().zip(["1", "2", "3"]) {
        let ulid = id.as_str().strip_prefix("snap-").unwrap();
        for name in [id.as_str(), ulid, &ulid[10..], &ulid[10..20], &ulid[..24].to_lowercase()] {
            assert_eq!(named(&mut one, "app", name), expected, "{name}");
        }
    }
    // Other programs may make ids of another form.
    let id = &ids[0];
    let sql = format!(
        "INSERT INTO snapshots SELECT 'snap-550e8400-e29b', project_id, workspace_id, manifest_hash,
           parent_snapshot_ids, source, summary, created_at, conflicts FROM snapshots WHERE id = '{id}';
         INSERT INTO snapshots SELECT 'snap-MAIN', project_id, workspace_id, manifest_hash,
           parent_snapshot_ids, source, summary, created_at, conflicts FROM snapshots WHERE id = '{id}'"
    );
    rusqlite::Connection::open(folder.path().join("primary.db"))
        .unwrap()
        .execute_batch(&sql)
        .unwrap();
    one.pull("app", "desk");
    assert_eq!(named(&mut one, "app", "550e8400-e"), "1");
    assert_eq!(named(&mut one, "app", "main"), named(&mut one, "app", "@"));
    // All ids begin with their time.
    let many = named(&mut one, "app", "0");
    assert!(many.contains("may be any of the snapshots"), "{many}");
    let near = named(&mut one, "app", &format!("{}X", &ids[0]));
    assert!(near.contains(&format!("did you mean {:?}", ids[0])), "{near}");
}
