//! Migrations on real databases: the same tables on each, and each file applied in full or not at
//! all.
//!
//! `FASTEST_KILLS=50` kills servers that often in the middle of a migration. The default is small,
//! because each kill takes seconds.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use fastest_fixtures::keys::Keys;
use fastest_fixtures::servers::{D1Server, SqldServer};
use fastest_schema::live::database::Live;
use fastest_schema::{FASTEST, Migration, Schema};
use fastest_sync::World;
use fastest_sync::migrations::error::MigrationsError;
use fastest_sync::migrations::{Source, apply, check, live};
use fastest_sync::remote::open::Remote;
use fastest_sync::remote::primary::Primary;
use fastest_sync::remote::retry::RetryPolicy;
use fastest_sync::remote::state::RemoteState;
use fastest_sync::remote::statement::Statement;
use futures_util::future::join;

use super::run;

fn open(url: &str) -> Arc<dyn Primary> {
    let state = RemoteState { url: Some(url.to_owned()), ..RemoteState::default() };
    Remote::open(&state, Path::new("/nowhere"), &Keys::default(), World::system()).unwrap().primary
}

fn d1_url(server: &D1Server, uuid: &str) -> String {
    format!("d1://local/{uuid}?api={}", server.api())
}

fn file_url(folder: &Path, name: &str) -> String {
    url::Url::from_file_path(folder.join(name)).unwrap().into()
}

/// Returns the schema with its first migrations only.
fn first(count: usize) -> Source {
    let migrations = &FASTEST.migrations[..count];
    let schema = Schema { owner: FASTEST.owner, tables: &[], migrations };
    Source { schema: Box::leak(Box::new(schema)), ..Source::own() }
}

/// Returns a schema with these migrations after those of Fastest.
fn with(more: &'static [(&'static str, &'static str)]) -> Source {
    let more = more.iter().map(|(name, sql)| Migration { name, sql });
    let migrations: Vec<Migration> = FASTEST.migrations.iter().copied().chain(more).collect();
    let schema = Schema { owner: FASTEST.owner, tables: &[], migrations: migrations.leak() };
    Source { schema: Box::leak(Box::new(schema)), ..Source::own() }
}

/// Returns the names of the migrations that a primary has recorded.
fn recorded(primary: &dyn Primary) -> Vec<String> {
    let sql = "SELECT name FROM d1_migrations ORDER BY name";
    let rows = run(primary.run(Statement::reads(sql), &[])).unwrap_or_default();
    rows.into_iter().map(|row| row[0].clone().unwrap()).collect()
}

/// Checks that each migration was applied in full or not at all, and that a last run applies the
/// rest. Returns how many there were before that.
fn check_whole(primary: &dyn Primary) -> usize {
    let names = recorded(primary);
    let expected = FASTEST.migrations.iter().map(|migration| migration.name);
    assert_eq!(names, expected.take(names.len()).collect::<Vec<_>>());
    if !names.is_empty() {
        let comparison = run(check(primary, &first(names.len()))).unwrap();
        assert_eq!(comparison.differences, [], "after {names:?}");
    }
    run(apply(primary, &Source::own())).unwrap();
    assert_eq!(run(check(primary, &Source::own())).unwrap().differences, []);
    names.len()
}

#[test]
fn every_database_comes_to_the_same_tables() {
    let folder = tempfile::tempdir().unwrap();
    let uuids = ["00000000-0000-4000-8000-00000000000a", "00000000-0000-4000-8000-00000000000b"];
    let mut d1 = D1Server::start(&[("ours", uuids[0]), ("migrated", uuids[1])]);
    let sqld = SqldServer::start();
    let migrations = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schema/migrations");
    let said = d1.wrangler_migrate(uuids[1], &migrations).unwrap();
    for Migration { name, .. } in FASTEST.migrations {
        assert!(said.contains(name), "{said}");
    }
    let urls = [
        file_url(folder.path(), "primary.db"),
        d1_url(&d1, uuids[0]),
        sqld.url(),
        d1_url(&d1, uuids[1]),
    ];
    let mut found: Vec<Live> = Vec::new();
    for (at, url) in urls.iter().enumerate() {
        let primary = open(url);
        let applied = run(apply(&*primary, &Source::own())).unwrap();
        let lacked = if at == 3 { 0 } else { FASTEST.migrations.len() };
        assert_eq!(applied.len(), lacked, "{url}");
        assert_eq!(run(apply(&*primary, &Source::own())).unwrap(), [""; 0], "once is enough");
        let comparison = run(check(&*primary, &Source::own())).unwrap();
        assert_eq!((comparison.differences.len(), comparison.theirs.len()), (0, 0), "{url}");
        found.push(run(live(&*primary)).unwrap());
    }
    for (live, url) in found[1..].iter().zip(&urls[1..]) {
        assert_eq!(live, &found[0], "{url}");
    }
    let said = d1.wrangler_migrate(uuids[0], &migrations).unwrap();
    assert!(said.contains("No migrations to apply"), "wrangler takes what we applied: {said}");
}

/// Runs two migrators at once, fifty times on each kind of database.
#[test]
fn two_migrators_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let d1 = D1Server::shared();
    let mut sqld = SqldServer::start();
    let empty = sqld.backup();
    for round in 0..50 {
        sqld.restore(&empty);
        let urls =
            [file_url(folder.path(), &format!("{round}.db")), d1_url(d1, d1.fresh()), sqld.url()];
        for url in &urls {
            let (one, two) = (open(url), open(url));
            // The second starts a little later each time, and so meets the first at another point.
            let later = async {
                tokio::time::sleep(Duration::from_millis(round)).await;
                apply(&*two, &Source::own()).await
            };
            let source = Source::own();
            let (first, second) = run(join(apply(&*one, &source), later));
            first.unwrap_or_else(|error| panic!("{url}: {error}"));
            second.unwrap_or_else(|error| panic!("{url}: {error}"));
            assert_eq!(check_whole(&*one), FASTEST.migrations.len(), "{url}");
        }
    }
}

/// Returns how often servers are killed.
fn kills() -> u32 {
    std::env::var("FASTEST_KILLS").map_or(3, |kills| kills.parse().expect("FASTEST_KILLS counts"))
}

/// A server that can be killed.
trait Mortal {
    fn url(&self) -> String;
    fn kill(&mut self);
    fn revive(&mut self);
}

impl Mortal for SqldServer {
    fn url(&self) -> String {
        SqldServer::url(self)
    }

    fn kill(&mut self) {
        self.stop();
    }

    fn revive(&mut self) {
        self.start_again();
    }
}

/// A database of a server.
struct Database(D1Server, String);

impl Mortal for Database {
    fn url(&self) -> String {
        d1_url(&self.0, &self.1)
    }

    fn kill(&mut self) {
        self.0.stop();
    }

    fn revive(&mut self) {
        self.0.start_again();
    }
}

/// Kills a server while it migrates, a little later each time. Returns how many migrations it had
/// by then.
fn kill_in_the_middle(server: &mut dyn Mortal, after: Duration) -> usize {
    let url = server.url();
    let migrator = std::thread::spawn(move || {
        let patience = RetryPolicy { attempts: 1, ..RetryPolicy::default() };
        let state = RemoteState { url: Some(url), ..RemoteState::default() };
        let keys = Keys::default();
        let remote = Remote::open_with_retries(
            &state,
            Path::new("/nowhere"),
            &keys,
            World::system(),
            patience,
        );
        drop(run(apply(&*remote.unwrap().primary, &Source::own())));
    });
    std::thread::sleep(after);
    server.kill();
    migrator.join().unwrap();
    server.revive();
    check_whole(&*open(&server.url()))
}

#[test]
fn a_server_is_killed_in_the_middle() {
    let mut found = Vec::new();
    for round in 0..kills() {
        let after = Duration::from_millis(u64::from(round * 37 % 150));
        found.push(kill_in_the_middle(&mut SqldServer::start(), after));
        let uuid = "00000000-0000-4000-8000-00000000000a".to_owned();
        let server = D1Server::start(&[("killed", &uuid)]);
        found.push(kill_in_the_middle(&mut Database(server, uuid), after * 2));
    }
    println!("migrations that were there: {found:?}");
}

#[test]
fn a_statement_that_fails_is_named_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (d1, sqld) = (D1Server::shared(), SqldServer::start());
    let urls = [file_url(folder.path(), "p.db"), d1_url(d1, d1.fresh()), sqld.url()];
    for url in &urls {
        let primary = open(url);
        run(apply(&*primary, &Source::own())).unwrap();
        let sql = "INSERT INTO users(id, email) VALUES ('u', 'one'), ('v', 'one ')";
        run(primary.run(Statement::once(sql), &[])).unwrap();
        let before = run(live(&*primary)).unwrap();
        let check = |more: &'static [(&'static str, &'static str)], line: usize, words: &str| {
            let error = run(apply(&*primary, &with(more))).unwrap_err();
            let MigrationsError::Statement { file, line: found, message } = &error else {
                panic!("{error}")
            };
            assert_eq!((&file[..], *found), ("0009_fastest_test.sql", line), "{error}");
            assert!(message.contains(words), "{error}");
            assert_eq!(run(live(&*primary)).unwrap(), before);
            assert_eq!(recorded(&*primary).len(), FASTEST.migrations.len());
        };
        // Fails in memory.
        check(
            &[(
                "0009_fastest_test.sql",
                "CREATE TABLE t(id);\n--> statement-breakpoint\nCREATE TABEL u(id);\n",
            )],
            3,
            "syntax error",
        );
        // Fails only because of existing rows.
        check(
            &[(
                "0009_fastest_test.sql",
                "CREATE TABLE t(id);\n--> statement-breakpoint\nDROP TABLE t;\n--> \
                 statement-breakpoint\nUPDATE users\nSET email = trim(email);\n--> \
                 statement-breakpoint\nCREATE TABLE t(id);\n",
            )],
            5,
            "UNIQUE",
        );
        // Fails at the end only.
        check(
            &[(
                "0009_fastest_test.sql",
                "PRAGMA defer_foreign_keys = ON;\n--> statement-breakpoint\nUPDATE users SET email = \
                 id || email;\n--> statement-breakpoint\nINSERT INTO sessions(id, user_id, \
                 token_hash, expires_at) SELECT 'x', 'nobody', 'h', '' WHERE (SELECT count(*) FROM \
                 users) > 1;\n",
            )],
            5,
            "FOREIGN KEY",
        );
    }
}

#[test]
fn a_newer_schema_is_refused_before_anything_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let url = file_url(folder.path(), "p.db");
    let primary = open(&url);
    let newer = with(&[("0009_fastest_later.sql", "CREATE TABLE later(id);\n")]);
    run(apply(&*primary, &newer)).unwrap();
    let before = run(live(&*primary)).unwrap();
    let error = run(apply(&*primary, &Source::own())).unwrap_err();
    assert!(error.to_string().contains("has migration 0009_fastest_later.sql"), "{error}");
    assert_eq!(run(live(&*primary)).unwrap(), before);
}
