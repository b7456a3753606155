//! Rows that refer to each other over many generations, and are deleted with the first. D1 runs ten
//! levels of triggers, and a cascade takes one for each generation.

use std::sync::LazyLock;

use fastest_schema::check::cascade::GENERATIONS_MAX;
use fastest_schema::{Migration, Row, Schema, Table, init_sql, table};
use fastest_sync::device::report::RefusedTransaction;
use fastest_sync::{Database, Remote, World, migrate};

use super::run;
use super::values::{by_hand, primaries, rows_of};

#[table(name = "folders", policy = versioned("a test"), scope = team)]
struct Folder {
    #[pk]
    id: String,
    team: String,
    #[references(folders.id, on_delete = cascade)]
    above: Option<String>,
}

/// Declares tables each of which refers to the one before it.
macro_rules! line {
    ($policy:ident, $tables:ident, $save:ident: $($table:ident $name:literal on $above:ident,)*) => {
        $(
            #[table(name = $name, policy = $policy("a test"), scope = team)]
            struct $table {
                #[pk]
                id: String,
                team: String,
                #[references($above.id, on_delete = cascade)]
                above: String,
            }
        )*

        fn $tables() -> Vec<&'static Table> {
            vec![$($table::TABLE),*]
        }

        fn $save(device: &mut Database) {
            $(
                let row = $table { id: "root".into(), team: "t".into(), above: "root".into() };
                device.save(&row).unwrap();
            )*
        }
    };
}

line! {
    versioned, versioned_line, save_versioned:
    A01 "a01" on folders,
    A02 "a02" on a01,
    A03 "a03" on a02,
    A04 "a04" on a03,
    A05 "a05" on a04,
    A06 "a06" on a05,
    A07 "a07" on a06,
    A08 "a08" on a07,
    A09 "a09" on a08,
    A10 "a10" on a09,
    A11 "a11" on a10,
}

line! {
    append_only, append_only_line, save_append_only:
    B1 "b1" on folders,
    B2 "b2" on b1,
    B3 "b3" on b2,
    B4 "b4" on b3,
    B5 "b5" on b4,
    B6 "b6" on b5,
    B7 "b7" on b6,
}

/// A tree that devices cannot delete from.
#[table(name = "replies", policy = append_only("a test"), scope = team)]
struct Reply {
    #[pk]
    id: String,
    team: String,
    #[references(folders.id, on_delete = cascade)]
    folder: Option<String>,
    #[references(replies.id, on_delete = cascade)]
    to: Option<String>,
}

static VERSIONED: LazyLock<Schema> =
    LazyLock::new(|| schema(&[vec![Folder::TABLE], versioned_line()].concat()));

static APPEND_ONLY: LazyLock<Schema> =
    LazyLock::new(|| schema(&[vec![Folder::TABLE, Reply::TABLE], append_only_line()].concat()));

fn schema(tables: &[&'static Table]) -> Schema {
    let tables = tables.to_vec().leak();
    let sql = init_sql(tables).leak();
    let migrations = vec![Migration { name: "0000_deep_init.sql", sql }].leak();
    Schema { owner: "deep", tables, migrations }
}

fn folder(id: &str, above: Option<String>) -> Folder {
    Folder { id: id.into(), team: "t".into(), above }
}

/// Saves a chain of replies, the first of which is in a folder.
fn save_replies(device: &mut Database, folder: &str, count: usize) {
    for at in 0..count {
        let id = |at| format!("{folder} {at}");
        let (folder, to) = match at {
            0 => (Some(folder.to_owned()), None),
            _ => (None, Some(id(at - 1))),
        };
        device.save(&Reply { id: id(at), team: "t".into(), folder, to }).unwrap();
    }
}

/// Runs a scenario on each primary, with two devices.
fn each(schema: &'static Schema, story: fn(&str, &Remote, &mut Database, &mut Database)) {
    let dir = tempfile::tempdir().unwrap();
    let (primaries, _server) = primaries(dir.path());
    for (name, remote) in primaries {
        run(migrate(&*remote.primary, schema)).unwrap();
        let path = |which: &str| dir.path().join(format!("{name} {which}"));
        let open =
            |which: &str| Database::open_for(&path(which), schema, "t", World::system()).unwrap();
        story(name, &remote, &mut open("one"), &mut open("two"));
    }
}

fn sync(name: &str, remote: &Remote, from: &mut Database, to: &mut Database) {
    run(from.push_all(remote)).unwrap_or_else(|error| panic!("{name}: {error}"));
    run(to.pull(remote, "t")).unwrap();
}

/// Checks that nothing is left on the primary, and that nothing waits or is in conflict.
fn all_is_gone(name: &str, remote: &Remote, devices: [&Database; 2]) {
    let left = "SELECT count(*) || '' FROM fastest_changes WHERE deleted = 0";
    assert_eq!(rows_of(remote, left), [[Some("0".to_owned())]], "{name}");
    for device in devices {
        assert!(device.all::<Folder>().unwrap().is_empty(), "{name}");
        assert!(device.conflicts().unwrap().is_empty() && device.waiting().unwrap().is_empty());
    }
}

#[test]
fn what_devices_can_delete_hangs_on_a_row_however_deep() {
    each(&VERSIONED, |name, remote, one, two| {
        for depth in 0..30 {
            let above = (depth > 0).then(|| (depth - 1).to_string());
            one.save(&folder(&depth.to_string(), above)).unwrap();
        }
        one.save(&folder("root", None)).unwrap();
        save_versioned(one);
        sync(name, remote, one, two);
        two.delete::<Folder>("0").unwrap();
        two.delete::<Folder>("root").unwrap();
        sync(name, remote, two, one);
        all_is_gone(name, remote, [one, two]);
        assert!(one.all::<A11>().unwrap().is_empty(), "{name}");
    });
}

#[test]
fn what_devices_cannot_delete_hangs_on_a_row_as_deep_as_d1_allows() {
    each(&APPEND_ONLY, |name, remote, one, two| {
        one.save(&folder("above", None)).unwrap();
        one.save(&folder("root", Some("above".into()))).unwrap();
        save_append_only(one);
        save_replies(one, "root", GENERATIONS_MAX);
        sync(name, remote, one, two);
        two.delete::<Folder>("above").unwrap();
        sync(name, remote, two, one);
        all_is_gone(name, remote, [one, two]);

        // D1 would refuse the delete at each push from then on.
        one.save(&folder("above", None)).unwrap();
        one.save(&folder("root", Some("above".into()))).unwrap();
        save_replies(one, "root", GENERATIONS_MAX + 1);
        sync(name, remote, one, two);
        let refused = one.delete::<Folder>("above").unwrap_err().to_string();
        let expect = "row root of folders cannot be deleted: ";
        assert!(refused.starts_with(expect) && refused.contains("7 generations"), "{refused}");
        assert!(one.waiting().unwrap().is_empty() && one.all::<Folder>().unwrap().len() == 2);

        // The device cannot know of rows that others have.
        one.save(&folder("other", None)).unwrap();
        sync(name, remote, one, two);
        for at in 0..=GENERATIONS_MAX {
            let (folder, to) = match at {
                0 => ("'other'".to_owned(), "NULL".to_owned()),
                _ => ("NULL".to_owned(), format!("'far {}'", at - 1)),
            };
            by_hand(
                remote,
                &format!("INSERT INTO replies VALUES ('far {at}', 'u', {folder}, {to})"),
            );
        }
        one.delete::<Folder>("other").unwrap();
        one.save(&folder("new", None)).unwrap();
        let refused = run(one.push_all(remote)).unwrap().refused;
        let whom = |refused: &RefusedTransaction| refused.key == "other";
        assert_eq!(refused.len(), usize::from(name == "D1"), "{name}: {refused:?}");
        assert!(refused.iter().all(whom), "{refused:?}");
        for refused in refused {
            assert!(refused.why.contains("than go in one delete"), "{refused}");
            one.drop_refused(refused.id).unwrap();
        }
        run(two.pull(remote, "t")).unwrap();
        assert!(two.get::<Folder>("new").unwrap().is_some(), "nothing else waits for it");
        assert!(one.conflicts().unwrap().is_empty() && one.waiting().unwrap().is_empty());
    });
}
