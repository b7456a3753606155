//! A file and its primary follow a schema that grew, while rows wait and a conflict is open.

use super::*;

/// The same application, a version later: with one more table and two more columns.
mod later {
    use super::*;

    #[table(
        name = "projects",
        policy = versioned("names are edited on any device"),
        scope = tenant,
        unique(tenant, name),
    )]
    pub struct Project {
        #[pk]
        pub id: String,
        pub tenant: String,
        #[default("none")]
        pub colour: String,
        pub name: String,
        #[default("open")]
        pub state: Option<String>,
        #[lock_version]
        #[default(1)]
        pub lock: i64,
    }

    #[table(name = "notes", policy = versioned("a test"), scope = tenant)]
    pub struct Note {
        #[pk]
        pub id: String,
        pub tenant: String,
    }

    pub static DESK: LazyLock<Schema> = LazyLock::new(|| {
        let tables = [Project::TABLE, Note::TABLE];
        let others = [Task::TABLE, Invoice::TABLE, Event::TABLE, User::TABLE];
        let tables: Vec<_> = tables.into_iter().chain(others).collect();
        let tables = tables.leak();
        let whole = fastest_schema::create_table(Note::TABLE);
        let mut steps =
            vec!["ALTER TABLE projects ADD COLUMN colour text NOT NULL DEFAULT 'none'".to_owned()];
        steps.extend(whole);
        let drop = |name: &str, at: &str| format!("DROP TRIGGER fastest_{name}_{at}");
        steps.extend(["insert", "update", "delete", "lock"].map(|at| drop("projects", at)));
        steps.extend(fastest_schema::trigger_ddl(Project::TABLE));
        steps.extend(fastest_schema::trigger_ddl(Note::TABLE));
        steps.extend(
            ["push", "push_2", "push_op", "push_delete", "row_projects"]
                .map(|view| format!("DROP VIEW fastest_{view}")),
        );
        steps.extend([Project::TABLE, Note::TABLE].map(fastest_schema::row_ddl));
        steps.extend(fastest_schema::push_ddl(tables));
        let sql = steps.join(&format!(";\n{}\n", fastest_schema::STATEMENT_BREAKPOINT)).leak();
        let migrations =
            vec![super::super::DESK.migrations[0], Migration { name: "0001_desk_colour.sql", sql }];
        Schema { owner: "desk", tables, migrations: migrations.leak() }
    });
}

#[test]
fn a_file_follows_its_schema() {
    let (folder, remote, mut old, two) = pair();
    drop(two);
    let path = folder.path().join("two.db");
    // The waiting rows and the conflict have the old columns.
    rename(&mut old, "theirs");
    sync(&mut old, &remote);
    let mut two = open(folder.path(), "two.db");
    rename(&mut two, "ours");
    sync(&mut two, &remote);
    let held = two.get::<Project>("p").unwrap().unwrap();
    two.save(&Project { state: Some("shut".into()), ..held }).unwrap();
    drop(two);

    let mut two = Database::open(&path, &later::DESK, World::system()).unwrap();
    let error = run(two.pull(&remote, "a")).unwrap_err().to_string();
    assert!(error.contains("lacks migration 0001_desk_colour.sql"), "{error}");
    assert_eq!(run(migrate(&*remote.primary, &later::DESK)).unwrap(), ["0001_desk_colour.sql"]);
    let paint = "UPDATE projects SET colour = 'red' WHERE id = 'p'";
    run(remote.primary.run(Statement::once(paint), &[])).unwrap();
    sync(&mut two, &remote);
    let row = two.get::<later::Project>("p").unwrap().unwrap();
    assert_eq!(
        (&row.name[..], row.state.as_deref(), &row.colour[..]),
        ("theirs", Some("shut"), "red")
    );
    let [conflict] = &two.conflicts().unwrap()[..] else { panic!("one conflict") };
    assert_eq!(conflict.columns[0].ours, "ours");
    two.resolve(conflict.id.as_str(), &Resolution::Ours).unwrap();
    two.save(&later::Note { id: "n".into(), tenant: "a".into() }).unwrap();
    sync(&mut two, &remote);
    let rows = query(&folder.path().join("primary.db"), "SELECT name || colour FROM projects");
    assert_eq!(rows, ["oursred"]);

    // The old version refuses both its own file and the primary.
    let error = Database::open(&path, &DESK, World::system()).unwrap_err().to_string();
    assert!(error.contains("by a newer version, which this one does not know"), "{error}");
    let error = run(old.pull(&remote, "a")).unwrap_err().to_string();
    assert!(error.contains("0001_desk_colour.sql, which this version does not know"), "{error}");
}

/// Nothing is wrong with the rows, so none of them is set aside.
#[test]
fn a_column_that_is_gone_stops_the_push_by_name() {
    let (_folder, remote, mut one, _two) = pair();
    for sql in ["DROP TABLE events", "CREATE TABLE events(id TEXT PRIMARY KEY, tenant TEXT)"] {
        run(remote.primary.run(Statement::once(sql), &[])).unwrap();
    }
    one.save(&Event { id: "e".into(), tenant: "a".into(), what: "tea".into() }).unwrap();
    let error = run(one.push_all(&remote)).unwrap_err().to_string();
    assert!(error.contains("its table `events` has no `what`"), "{error}");
    assert!(one.refused().unwrap().is_empty() && !one.waiting().unwrap().is_empty());
}
