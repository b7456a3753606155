//! The limits of D1, each reached on the real server: 100 KB of SQL, 100 parameters, 2 MB in a row,
//! 30 s for a request. Also a device that was away for a long time.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use fastest_core::store::open::Store;
use fastest_fixtures::servers::{D1Server, SqldServer};
use fastest_schema::tables::workspaces::{ActivityEvent, Source};
use fastest_schema::{FASTEST, PUSH_SQL, pull_sql, statements};
use fastest_sync::World;
use fastest_sync::device::activity::Activity;
use fastest_sync::internals::{Outbox, Replica, pull_scope};
use fastest_sync::remote::embedded::Embedded;
use fastest_sync::remote::meter::Meter;
use fastest_sync::remote::open::Remote;
use fastest_sync::remote::pack_store::store::{LargePacks, NoPackStore};
use fastest_sync::remote::primary::{Failure, Primary, PrimaryError, Rows};
use fastest_sync::remote::secret::NoSecrets;
use fastest_sync::remote::state::Packs;
use fastest_sync::remote::statement::Statement;

use super::machine::{Machine, noise, query};
use super::run;

const SQL_BYTES_MAX: usize = 100_000;
const ROW_BYTES_MAX: usize = 2_000_000;

fn urls(sqld: &SqldServer) -> [String; 2] {
    let d1 = D1Server::shared();
    [sqld.url(), format!("d1://local/{}?api={}", d1.fresh(), d1.api())]
}

fn following(url: &str) -> Machine {
    let mut machine = Machine::new();
    run(machine.device.remote_set(Some(url), Packs::Rows)).unwrap();
    machine
}

#[test]
fn statements_are_shorter_than_the_limit() {
    let applied = FASTEST.migrations.iter().flat_map(|migration| statements(migration.sql));
    for sql in applied.chain([PUSH_SQL, &pull_sql(&FASTEST)]) {
        assert!(sql.len() < SQL_BYTES_MAX, "{} bytes: {sql:.80}", sql.len());
    }
}

/// D1 has the limit that `fastest_schema::check` enforces on declarations.
#[test]
fn a_pattern_of_fifty_bytes_is_the_longest_for_d1() {
    let d1 = D1Server::shared();
    let url = format!("d1://local/{}?api={}", d1.fresh(), d1.api());
    let remote = Remote::to(&url, &NoSecrets, World::system()).unwrap();
    for words in ["GLOB", "LIKE"] {
        let ask = |bytes| {
            let sql = format!("SELECT 'x' {words} '{}'", "x".repeat(bytes));
            run(remote.primary.run(Statement::reads(&sql), &[])).map_err(|error| error.to_string())
        };
        ask(50).unwrap();
        let refused = ask(51).unwrap_err();
        assert!(refused.contains("pattern too complex"), "{refused}");
    }
}

/// Sends the longest message, of characters that take the most room in JSON, and a large pack in
/// parts.
#[test]
fn the_largest_rows_go_through() {
    let sqld = SqldServer::start();
    for url in urls(&sqld) {
        let mut one = following(&url);
        one.write("app/large", noise(2_500_000, 1));
        let dir = one.path("app");
        let message = "\u{1}".repeat(100_000);
        let activity = Activity::default();
        let pushed = run(one.device.push(&dir, Some(&message), &activity)).unwrap();
        assert!(pushed.pushed, "{pushed:?}");
        one.write("app/a", "1");
        let long = format!("{message}x");
        let refused = run(one.device.push(&dir, Some(&long), &activity)).unwrap_err();
        assert!(refused.to_string().contains("100001 bytes"), "{refused}");
        let copy = one.copy("app");
        let refused = one.device.snapshot(&copy, Some(&long), &activity).unwrap_err();
        assert_eq!(refused.code().as_str(), "too_long");
        // Several of them wait at once.
        for text in ["2", "3", "4", "5"] {
            one.write("app/a", text);
            one.device.snapshot(&copy, Some(&message), &activity).unwrap();
        }
        one.push("app");
        let mut two = following(&url);
        two.clone_project("app", "desk");
        assert_eq!(two.files("desk"), one.files("app"));
        let copy = two.copy("desk");
        let log = two.device.log(&copy, None).unwrap();
        assert!(log.snapshots.iter().any(|entry| entry.message.as_deref() == Some(&*message)));
    }
}

/// Sends the most work that fits into one statement: as many of the smallest rows as possible.
#[test]
fn the_most_rows_of_one_statement_go_through() {
    let sqld = SqldServer::start();
    for url in urls(&sqld) {
        let mut one = following(&url);
        one.write("app/a", "0");
        one.push("app");
        let copy = one.copy("app");
        let mut replica =
            Replica::open(&one.store_dir().join("replica.db"), &FASTEST, World::system()).unwrap();
        const EVENTS: usize = 8_000;
        replica
            .write(|session| {
                (0..EVENTS).try_for_each(|number| {
                    let event = ActivityEvent {
                        id: format!("{number:05}"),
                        project_id: copy.project_id.clone(),
                        workspace_id: None,
                        actor: Source::Cli,
                        r#type: "x".to_owned(),
                        snapshot_id: None,
                        message: None,
                        created_at: String::new(),
                    };
                    Outbox(session).save(&copy.project_id.scope(), &event)
                })
            })
            .unwrap();
        let begun = std::time::Instant::now();
        let pushed = one.push("app");
        println!("{url}: {EVENTS} rows, {} requests, {:?}", pushed.requests, begun.elapsed());
        assert!(pushed.requests < 6, "{pushed:?}");
        let mut two = following(&url);
        two.clone_project("app", "desk");
        let count = "SELECT count(*) FROM activity_events WHERE type = 'x'";
        assert_eq!(two.replica(count), [EVENTS.to_string()]);
    }
}

/// A primary that is out of reach after each page, and records the size of its answers.
struct OnePage {
    inner: Embedded,
    seen: Arc<Seen>,
}

/// State that a test shares with its primary.
#[derive(Default)]
struct Seen {
    pages_left: AtomicU32,
    /// The rows and bytes of the largest answers.
    largest: Mutex<(usize, usize)>,
}

#[async_trait]
impl Primary for OnePage {
    fn url(&self) -> &str {
        self.inner.url()
    }

    fn world(&self) -> &World {
        self.inner.world()
    }

    async fn run(
        &self,
        statement: Statement<'_>,
        parameters: &[&str],
    ) -> Result<Rows, PrimaryError> {
        assert!(parameters.len() <= 100 && statement.sql.len() < SQL_BYTES_MAX);
        let left = self.seen.pages_left.load(Ordering::Relaxed);
        if left == 0 {
            let (url, reason) = (self.url().to_owned(), "the page ends here".to_owned());
            return Err(PrimaryError::Unreachable { url, reason, failure: Failure::Lost });
        }
        self.seen.pages_left.store(left - 1, Ordering::Relaxed);
        let answer = self.inner.run(statement, parameters).await?;
        let bytes = answer.iter().flatten().flatten().map(String::len).sum();
        let mut largest = self.seen.largest.lock().unwrap();
        *largest = (largest.0.max(answer.len()), largest.1.max(bytes));
        Ok(answer)
    }

    async fn migrate(&self, name: &str, statements: &[&str]) -> Result<(), PrimaryError> {
        self.inner.migrate(name, statements).await
    }
}

#[test]
fn who_was_away_for_a_year_catches_up_page_by_page() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("primary.db");
    let mut one = Machine::following(&path, Packs::Rows);
    one.write("app/a", "0");
    one.push("app");
    let mut two = Machine::following(&path, Packs::Rows);
    two.clone_project("app", "desk");
    let scope = two.copy("desk").project_id;
    let fill =
        |sql: &str| rusqlite::Connection::open(&path).unwrap().execute(sql, [&scope]).unwrap();
    // Many small rows, then fewer large ones.
    for (from, to, bytes) in [(0, 5_000, 10), (5_000, 5_300, 20_000), (5_300, 5_304, 900_000)] {
        fill(&format!(
            "WITH RECURSIVE n(i) AS (SELECT {from} UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {to})
             INSERT INTO activity_events(id, project_id, actor, type, message)
             SELECT printf('%06d', i), ?1, 'cli', 'x', hex(zeroblob({bytes} / 2)) FROM n"
        ));
    }
    let mut replica =
        Replica::open(&two.store_dir().join("replica.db"), &FASTEST, World::system()).unwrap();
    let store = Store::open(&two.store_dir().join("objects")).unwrap();
    let seen = Arc::new(Seen::default());
    let primary = OnePage { inner: Embedded::new(&path, World::system()), seen: Arc::clone(&seen) };
    let remote = Remote {
        primary: Arc::new(primary),
        packs: Arc::new(NoPackStore),
        large: LargePacks::Rows,
        meter: Meter::default(),
        chosen: Some(format!("file://{}", path.display())),
    };
    let held = "SELECT count(*) FROM activity_events WHERE type = 'x'";
    let (mut pages, mut before) = (0, 0);
    loop {
        seen.pages_left.store(1, Ordering::Relaxed);
        let pulled = run(pull_scope(&mut replica, Some(&store), &remote, &scope.scope()));
        pages += 1;
        let now: u64 = two.replica(held)[0].parse().unwrap();
        match pulled {
            Ok(_) => break,
            Err(error) => assert!(error.to_string().contains("the page ends here"), "{error}"),
        }
        assert!(now > before, "page {pages} is kept though the next one does not come");
        before = now;
    }
    assert_eq!(two.replica(held), ["5304"]);
    // 5 pages of 1,000 rows, 7 of 0.9 MB, and one for each of the largest.
    assert!((12..25).contains(&pages), "{pages} pages");
    let (rows, bytes) = *seen.largest.lock().unwrap();
    assert!(rows <= 1_001 && bytes < ROW_BYTES_MAX, "{rows} rows, {bytes} bytes in an answer");
    let all = "SELECT id FROM activity_events WHERE type = 'x' ORDER BY id";
    assert!(two.replica(all) == query(&path, all));
}
