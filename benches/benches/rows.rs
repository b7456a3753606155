//! Rows: the plan of a push, a page of a pull, and both with the embedded primary, 1,000 rows each.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use fastest_schema::{Migration, Row, Schema, Value, decode_page, init_sql, pull_sql, table};
use fastest_sync::internals::{Entry, plan_all};
use fastest_sync::remote::embedded::Embedded;
use fastest_sync::remote::pack_store::store::LargePacks;
use fastest_sync::remote::statement::Statement;
use fastest_sync::{Database, Remote, World, migrate};

const ROWS: u64 = 1_000;
const TEAM: &str = "red";

#[table(
    name = "notes",
    policy = versioned("notes are edited on any device"),
    scope = team,
    unique(team, title),
)]
struct Note {
    #[pk]
    id: String,
    team: String,
    title: String,
    text: String,
}

static NOTES: LazyLock<Schema> = LazyLock::new(|| {
    let tables = vec![Note::TABLE].leak();
    let migrations =
        vec![Migration { name: "0000_notes_init.sql", sql: init_sql(tables).leak() }].leak();
    Schema { owner: "notes", tables, migrations }
});

fn note(number: u64, text: &str) -> Note {
    let text = format!("{text} {number}: bread, butter, and what else there is to bring along");
    Note { id: format!("note-{number:06}"), team: TEAM.into(), title: format!("{number}"), text }
}

fn run<T>(work: impl Future<Output = T>) -> T {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().expect("a runtime is made").block_on(work)
}

/// The rows of a push that was not sent yet. With `names`, every other row takes over the title
/// that the row before it releases, so that the order of operations matters.
fn entries(names: bool) -> Vec<Entry> {
    let values = |Note { id, team, title, text }: Note| -> Vec<Value> {
        [id, team, title, text].map(Value::from).to_vec()
    };
    let entry = |number: u64| {
        let mut row = note(number, "new");
        let base = names.then(|| values(note(number, "old")));
        match number % 2 {
            _ if !names => {}
            0 => row.title = format!("was {number}"),
            _ => row.title = format!("{}", number - 1),
        }
        Entry {
            revision: number.cast_signed(),
            joined: None,
            scope: TEAM.into(),
            table: Note::TABLE,
            key: row.id.clone().into(),
            base_version: i64::from(names),
            base,
            row: Some(values(row)),
        }
    };
    (0..ROWS).map(entry).collect()
}

fn push_plan(c: &mut Criterion) {
    let mut group = c.benchmark_group("push plan of 1,000 rows");
    group.throughput(Throughput::Elements(ROWS));
    for (what, names) in [("new", false), ("names handed on", true)] {
        let entries = entries(names);
        let planned =
            || plan_all(&NOTES, &entries, &std::collections::HashSet::new(), LargePacks::Rows);
        let rows: usize = planned().units.iter().map(Vec::len).sum();
        assert_eq!(rows, entries.len());
        group.bench_function(what, |b| b.iter(planned));
    }
    group.finish();
}

/// Files of a device or a primary, from which each repetition starts.
struct Scene {
    folder: tempfile::TempDir,
}

impl Scene {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder is made") }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Copies some files to a new folder.
    fn copied(&self, names: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir_in(self.folder.path()).expect("a folder is made");
        for name in names {
            fs::copy(self.path(name), folder.path().join(name)).expect("a file is copied");
        }
        folder
    }
}

fn remote(path: &Path) -> Remote {
    Remote::of(Box::new(Embedded::new(path, World::system())))
}

fn open(path: &Path) -> Database {
    Database::open_for(path, &NOTES, TEAM, World::system()).expect("a database is opened")
}

/// Creates these files: `empty.db` and `writer.db`, an empty primary and a device with unsent rows;
/// `full.db`, the primary after their push; `reader.db`, a device that pulled them and then changed
/// every title; `edited.db`, the primary after the first device changed every text.
fn scene() -> Scene {
    let scene = Scene::new();
    let primary = remote(&scene.path("empty.db"));
    run(migrate(&*primary.primary, &NOTES)).unwrap();
    drop(primary);
    let mut writer = open(&scene.path("writer.db"));
    (0..ROWS).for_each(|number| writer.save(&note(number, "first")).unwrap());
    drop(writer);
    let copy = |from: &str, to: &str| fs::copy(scene.path(from), scene.path(to)).unwrap();
    copy("empty.db", "full.db");
    copy("writer.db", "pushed.db");
    let full = remote(&scene.path("full.db"));
    let mut pushed = open(&scene.path("pushed.db"));
    run(pushed.push_all(&full)).unwrap();

    let mut reader = open(&scene.path("reader.db"));
    run(reader.pull_all(&full)).unwrap();
    assert_eq!(reader.all::<Note>().unwrap().len() as u64, ROWS);
    for mut row in reader.all::<Note>().unwrap() {
        row.title.push_str(" of the reader");
        reader.save(&row).unwrap();
    }
    drop((reader, full));
    copy("full.db", "edited.db");
    let edited = remote(&scene.path("edited.db"));
    (0..ROWS).for_each(|number| pushed.save(&note(number, "second")).unwrap());
    run(pushed.push_all(&edited)).unwrap();
    scene
}

fn sync(c: &mut Criterion) {
    let scene = scene();
    let mut group = c.benchmark_group("1,000 rows, embedded primary");
    group.sample_size(20).throughput(Throughput::Elements(ROWS));
    group.bench_function("push", |b| {
        b.iter_with_setup(
            || scene.copied(&["empty.db", "writer.db"]),
            |folder| {
                let mut writer = open(&folder.path().join("writer.db"));
                run(writer.push_all(&remote(&folder.path().join("empty.db")))).unwrap();
                folder
            },
        )
    });
    group.bench_function("pull into an empty replica", |b| {
        b.iter_with_setup(
            || scene.copied(&["full.db"]),
            |folder| {
                let mut reader = open(&folder.path().join("new.db"));
                run(reader.pull_all(&remote(&folder.path().join("full.db")))).unwrap();
                folder
            },
        )
    });
    group.bench_function("pull and merge with rows that wait", |b| {
        b.iter_with_setup(
            || scene.copied(&["edited.db", "reader.db"]),
            |folder| {
                let mut reader = open(&folder.path().join("reader.db"));
                run(reader.pull_all(&remote(&folder.path().join("edited.db")))).unwrap();
                folder
            },
        )
    });
    let full = remote(&scene.path("full.db"));
    let parameters = [TEAM, "0", "1000", "900000", "", "", "", "one request"];
    let page = run(full.primary.run(Statement::reads(&pull_sql(&NOTES)), &parameters)).unwrap();
    group.bench_function("decode a page", |b| {
        b.iter_with_setup(|| page.clone(), |page| decode_page(NOTES.tables, 0, page).unwrap())
    });
    group.finish();
}

criterion_group!(benches, push_plan, sync);
criterion_main!(benches);
