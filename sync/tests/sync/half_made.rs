//! A first push that is killed or cut off leaves a primary that is set up in part, and the next
//! push finishes it. A primary of an older version that is in use is left as it is.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use fastest_fixtures::proxy::{Fault, Plan, Proxy};
use fastest_fixtures::servers::{D1Server, SqldServer};
use fastest_schema::{FASTEST, Migration, Schema};
use fastest_sync::device::open::Network;
use fastest_sync::remote::open::Remote;
use fastest_sync::remote::primary::{Denial, Primary, PrimaryError, Rows};
use fastest_sync::remote::retry::RetryPolicy;
use fastest_sync::remote::secret::NoSecrets;
use fastest_sync::remote::state::Packs;
use fastest_sync::remote::statement::Statement;
use fastest_sync::{SyncError, World, migrate};

use super::machine::Machine;
use super::run;

fn open(url: &str) -> Arc<dyn Primary> {
    Remote::to(url, &NoSecrets, World::system()).unwrap().primary
}

fn machine(url: &str) -> Machine {
    let patience = RetryPolicy { attempts: 1, ..RetryPolicy::default() };
    let mut machine = Machine::new().with_retries(patience);
    run(machine.device.remote_set(Some(url), Packs::Default)).unwrap();
    machine.write("app/a", "text");
    machine
}

/// Leaves the state that a kill after `count` migrations does.
fn migrate_in_part(primary: &dyn Primary, count: usize) {
    let migrations: &[Migration] = &FASTEST.migrations[..count];
    let schema = Schema { owner: FASTEST.owner, tables: FASTEST.tables, migrations };
    run(migrate(primary, &schema)).unwrap();
}

fn recorded(primary: &dyn Primary) -> usize {
    run(primary.run(Statement::reads("SELECT name FROM d1_migrations"), &[])).unwrap().len()
}

/// Checks that the push succeeds, the primary has all migrations, and another device gets
/// everything.
fn push_finishes(one: &mut Machine, url: &str) {
    one.push("app");
    assert_eq!(recorded(&*open(url)), FASTEST.migrations.len(), "{url}");
    let mut two = machine(url);
    two.clone_project("app", "desk");
    assert_eq!(two.files("desk"), one.files("app"), "{url}");
}

/// Returns the addresses of three empty databases, one of each kind.
fn empty_databases(folder: &Path, sqld: &SqldServer) -> [String; 3] {
    let file = url::Url::from_file_path(folder.join("p.db")).unwrap();
    let d1 = D1Server::shared();
    [file.into(), format!("d1://local/{}?api={}", d1.fresh(), d1.api()), sqld.url()]
}

#[test]
fn what_a_kill_between_two_migrations_leaves_is_finished_by_a_push_or_a_clone() {
    let mut sqld = SqldServer::start();
    let empty = sqld.backup();
    for count in 0..FASTEST.migrations.len() {
        sqld.restore(&empty);
        let folder = tempfile::tempdir().unwrap();
        for url in empty_databases(folder.path(), &sqld) {
            migrate_in_part(&*open(&url), count);
            if count % 2 == 1 {
                // A clone finds no such project, since nobody has pushed one, but it sets up the
                // primary.
                let error = machine(&url).try_clone("app", "desk").unwrap_err();
                assert!(!matches!(error, SyncError::Primary(_)), "{url}: {error}");
            }
            push_finishes(&mut machine(&url), &url);
        }
    }
}

/// Cuts each request of a first push in turn, before it is processed and after.
fn cut_everywhere(proxy: &Proxy, url: impl Fn() -> (String, String)) {
    for fault in [Fault::CutRequest, Fault::LoseAnswer] {
        let mut at = 0;
        loop {
            let (through, direct) = url();
            proxy.set_plan(Plan::calm());
            let mut one = machine(&through);
            proxy.set_plan(Plan::calm());
            proxy.script(std::iter::repeat_n(Fault::Pass, at).chain([fault]));
            // A device without an answer queues its work.
            let pushed = one.try_push("app");
            let met = proxy.log().get(at).is_some_and(|event| event.fault == fault);
            proxy.set_plan(Plan::calm());
            push_finishes(&mut one, &direct);
            if !met {
                assert!(at > FASTEST.migrations.len(), "{fault:?}: {at} requests");
                assert!(pushed.unwrap().pushed);
                break;
            }
            at += 1;
        }
    }
}

#[test]
fn a_first_push_to_d1_that_is_cut_off_anywhere_is_finished_by_the_next() {
    let d1 = D1Server::shared();
    let proxy = Proxy::start(d1.address(), Plan::calm());
    let through = d1.api().replace(&d1.address().to_string(), &proxy.address().to_string());
    cut_everywhere(&proxy, || {
        let database = d1.fresh();
        let url = |api: &str| format!("d1://local/{database}?api={api}");
        (url(&through), url(&d1.api()))
    });
}

#[test]
fn a_first_push_to_sqld_that_is_cut_off_anywhere_is_finished_by_the_next() {
    let mut sqld = SqldServer::start();
    let (empty, direct) = (sqld.backup(), sqld.url());
    let proxy = Proxy::start(sqld.address(), Plan::calm());
    let sqld = std::cell::RefCell::new(&mut sqld);
    cut_everywhere(&proxy, || {
        sqld.borrow_mut().restore(&empty);
        (proxy.url(), direct.clone())
    });
}

#[test]
fn a_primary_of_an_older_version_that_is_in_use_is_left_to_its_owner() {
    let mut sqld = SqldServer::start();
    let empty = sqld.backup();
    for use_of_it in [
        "INSERT INTO fastest_pushes(id, device, counter) VALUES ('p', 'd', 1)",
        "INSERT INTO users(id, email) VALUES ('u', 'e')",
        // A private table, so that the row is sent to no device.
        "INSERT INTO auth_codes(id, email, code, expires_at) VALUES ('c', 'e', 'x', '')",
    ] {
        sqld.restore(&empty);
        let folder = tempfile::tempdir().unwrap();
        for url in empty_databases(folder.path(), &sqld) {
            let primary = open(&url);
            migrate_in_part(&*primary, 4);
            run(primary.run(Statement::once(use_of_it), &[])).unwrap();
            for _ in 0..2 {
                let error = machine(&url).try_push("app").unwrap_err();
                let is_behind = matches!(error, SyncError::Primary(PrimaryError::Behind { .. }));
                assert!(is_behind, "{use_of_it} at {url}: {error}");
            }
            assert_eq!(recorded(&*primary), 4, "{use_of_it} at {url}");
        }
    }
}

/// A primary whose token may not change tables.
struct Limited(Arc<dyn Primary>);

#[async_trait]
impl Primary for Limited {
    fn url(&self) -> &str {
        self.0.url()
    }

    fn world(&self) -> &World {
        self.0.world()
    }

    async fn run(
        &self,
        statement: Statement<'_>,
        parameters: &[&str],
    ) -> Result<Rows, PrimaryError> {
        self.0.run(statement, parameters).await
    }

    async fn migrate(&self, _: &str, _: &[&str]) -> Result<(), PrimaryError> {
        let (url, message) = (self.url().to_owned(), String::new());
        Err(PrimaryError::Denied { url, denial: Denial::Forbidden, message })
    }
}

#[test]
fn a_token_that_may_not_migrate_is_told_what_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let url = url::Url::from_file_path(folder.path().join("p.db")).unwrap().to_string();
    let (primary, count) = (open(&url), FASTEST.migrations.len() - 1);
    migrate_in_part(&*primary, count);
    let use_of_it = "INSERT INTO users(id, email) VALUES ('u', 'e')";
    run(primary.run(Statement::once(use_of_it), &[])).unwrap();
    let limited = |remote: Remote| Remote { primary: Arc::new(Limited(remote.primary)), ..remote };
    let network = || Network(Arc::new(limited));
    let error = machine(&url).with_network(network()).try_push("app").unwrap_err();
    let SyncError::Primary(PrimaryError::Behind { needed, .. }) = error else {
        panic!("{error}");
    };
    assert_eq!(needed, FASTEST.migrations.last().unwrap().name);
    assert_eq!(recorded(&*primary), count);
}

/// A primary that another process sets up as soon as this one has heard that it is not.
struct SetUpMeanwhile {
    primary: Arc<dyn Primary>,
    set_up: Arc<AtomicUsize>,
}

#[async_trait]
impl Primary for SetUpMeanwhile {
    fn url(&self) -> &str {
        self.primary.url()
    }

    fn world(&self) -> &World {
        self.primary.world()
    }

    async fn run(
        &self,
        statement: Statement<'_>,
        parameters: &[&str],
    ) -> Result<Rows, PrimaryError> {
        let answer = self.primary.run(statement, parameters).await;
        if matches!(answer, Err(PrimaryError::NotMigrated { .. })) {
            self.set_up.fetch_add(1, Ordering::Relaxed);
            migrate(&*self.primary, &FASTEST).await?;
        }
        answer
    }

    async fn migrate(&self, name: &str, statements: &[&str]) -> Result<(), PrimaryError> {
        self.primary.migrate(name, statements).await
    }
}

/// It finds nothing to migrate then, and takes the primary for one whose views were detached only if they
/// are missing.
#[test]
fn a_primary_that_another_process_sets_up_meanwhile_is_used() {
    let folder = tempfile::tempdir().unwrap();
    let url = url::Url::from_file_path(folder.path().join("p.db")).unwrap().to_string();
    let set_up = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&set_up);
    let network = Network(Arc::new(move |remote: Remote| {
        let (primary, set_up) = (Arc::clone(&remote.primary), Arc::clone(&seen));
        Remote { primary: Arc::new(SetUpMeanwhile { primary, set_up }), ..remote }
    }));
    let mut one = machine(&url).with_network(network);
    push_finishes(&mut one, &url);
    assert_eq!(set_up.load(Ordering::Relaxed), 1);
}
