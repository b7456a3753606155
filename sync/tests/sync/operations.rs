//! A push sends what changed, in order, and copes with the application's own triggers, on each
//! primary.

use std::path::Path;
use std::sync::LazyLock;

use fastest_fixtures::servers::D1Server;
use fastest_schema::{
    Migration, PUSH_1_SQL, PUSH_SQL, Row, Schema, TRIAL_SQL, TRIED, init_sql, table,
};
use fastest_sync::remote::secret::NoSecrets;
use fastest_sync::remote::statement::Statement;
use fastest_sync::{Database, Remote, World, migrate};

use super::machine::query;
use super::run;
use super::values::{by_hand, primaries, rows_of};

#[table(name = "tasks", policy = versioned("a test"), scope = team)]
struct Task {
    #[pk]
    id: String,
    team: String,
    #[unique]
    slug: String,
    title: String,
    #[watched]
    state: String,
    rank: f64,
    touched_at: Option<String>,
}

static BOARD: LazyLock<Schema> = LazyLock::new(|| {
    let tables = vec![Task::TABLE].leak();
    let sql = init_sql(tables).leak();
    let migrations = vec![Migration { name: "0000_board_init.sql", sql }].leak();
    Schema { owner: "board", tables, migrations }
});

fn task(id: &str, slug: &str) -> Task {
    let (id, team, slug) = (id.into(), "t".into(), slug.into());
    let (title, state) = ("first".into(), "open".into());
    Task { id, team, slug, title, state, rank: 0.1, touched_at: None }
}

/// Runs a scenario on each primary, with two devices.
fn each(story: fn(&Remote, &mut Database, &mut Database, &Path)) {
    let folder = tempfile::tempdir().unwrap();
    let (primaries, _server) = primaries(folder.path());
    for (name, remote) in primaries {
        println!("{name}");
        run(migrate(&*remote.primary, &BOARD)).unwrap();
        let path = |which: &str| folder.path().join(format!("{name} {which}"));
        let open =
            |which: &str| Database::open_for(&path(which), &BOARD, "t", World::system()).unwrap();
        story(&remote, &mut open("one"), &mut open("two"), &path("one"));
    }
}

fn push(device: &mut Database, remote: &Remote) -> u64 {
    let before = remote.meter.traffic().requests;
    run(device.push_all(remote)).unwrap();
    remote.meter.traffic().requests - before
}

fn cell(remote: &Remote, sql: &str) -> String {
    rows_of(remote, sql).remove(0).remove(0).unwrap_or_default()
}

#[test]
fn a_unique_value_is_freed_and_taken_again_in_one_push() {
    each(|remote, one, two, _| {
        one.save(&task("a", "x")).unwrap();
        one.save(&task("b", "y")).unwrap();
        push(one, remote);
        one.delete::<Task>("a").unwrap();
        one.save(&Task { slug: "x".into(), ..task("b", "") }).unwrap();
        one.save(&task("c", "y")).unwrap();
        let pushes = "SELECT CAST(count(*) AS TEXT) FROM fastest_pushes";
        let before: u64 = cell(remote, pushes).parse().unwrap();
        push(one, remote);
        assert_eq!(cell(remote, pushes), (before + 1).to_string(), "one statement");
        run(two.pull(remote, "t")).unwrap();
        let slugs: Vec<_> =
            two.all::<Task>().unwrap().into_iter().map(|t| (t.id, t.slug)).collect();
        assert_eq!(slugs, [("b".into(), "x".into()), ("c".into(), "y".into())]);
    });
}

#[test]
fn only_what_changed_is_sent_and_set() {
    each(|remote, one, two, path| {
        by_hand(remote, "CREATE TABLE fired(what text)");
        by_hand(
            remote,
            "CREATE TRIGGER fired_state AFTER UPDATE OF state ON tasks
             BEGIN INSERT INTO fired VALUES (OLD.state||'>'||NEW.state); END",
        );
        let fired = || cell(remote, "SELECT coalesce(group_concat(what), '') FROM fired");
        one.save(&task("a", "x")).unwrap();
        push(one, remote);
        run(two.pull(remote, "t")).unwrap();
        one.save(&Task { title: "second".into(), ..task("a", "x") }).unwrap();
        run(one.push_all(remote)).unwrap();
        assert_eq!(fired(), "", "the state did not change");
        one.save(&Task { title: "second".into(), state: "done".into(), ..task("a", "x") }).unwrap();
        run(one.push_all(remote)).unwrap();
        assert_eq!(fired(), "open>done");
        // Writes that cancel out are not sent at all.
        one.save(&Task { title: "third".into(), state: "done".into(), ..task("a", "x") }).unwrap();
        one.save(&Task { title: "second".into(), state: "done".into(), ..task("a", "x") }).unwrap();
        let version = "SELECT CAST(version AS TEXT) FROM fastest_changes WHERE pk = 'a'";
        let before = cell(remote, version);
        run(one.push_all(remote)).unwrap();
        assert_eq!(query(path, "SELECT count(*) FROM fastest_local_outbox"), ["0"]);
        assert_eq!(cell(remote, version), before);
        // Both devices change a column each.
        two.save(&Task { rank: 0.2, ..task("a", "x") }).unwrap();
        run(two.push_all(remote)).unwrap();
        run(one.pull(remote, "t")).unwrap();
        let merged = one.get::<Task>("a").unwrap().unwrap();
        assert_eq!((&*merged.title, &*merged.state, merged.rank), ("second", "done", 0.2));
        assert!(two.conflicts().unwrap().is_empty());
        assert_eq!(fired(), "open>done");
    });
}

#[test]
fn what_a_trigger_sets_is_learned_and_no_conflict() {
    each(|remote, one, _, path| {
        by_hand(
            remote,
            "CREATE TRIGGER stamp AFTER UPDATE ON tasks WHEN NEW.title IS NOT OLD.title
             BEGIN UPDATE tasks SET touched_at = 'stamped '||NEW.title WHERE id = NEW.id; END",
        );
        one.save(&task("a", "x")).unwrap();
        push(one, remote);
        for title in ["b", "c", "d"] {
            let now = one.get::<Task>("a").unwrap().unwrap();
            one.save(&Task { title: title.into(), ..now }).unwrap();
            // The question that an application's device asks before it pushes is not counted.
            assert_eq!(push(one, remote), 3, "the push, and the pull that learns the row");
            let now = one.get::<Task>("a").unwrap().unwrap();
            assert_eq!(now.touched_at, Some(format!("stamped {title}")));
        }
        let now = one.get::<Task>("a").unwrap().unwrap();
        one.save(&Task { rank: 7.5, ..now }).unwrap();
        assert_eq!(push(one, remote), 2, "the trigger is not about this column");
        assert!(one.conflicts().unwrap().is_empty());
        assert_eq!(query(path, "SELECT count(*) FROM fastest_local_outbox"), ["0"]);
        assert_eq!(
            query(path, "SELECT version FROM fastest_changes WHERE pk = 'a'"),
            [cell(remote, "SELECT CAST(version AS TEXT) FROM fastest_changes WHERE pk = 'a'")]
        );
    });
}

#[test]
fn a_write_that_a_trigger_swallows_is_heard_of() {
    each(|remote, one, _, path| {
        one.save(&task("a", "x")).unwrap();
        push(one, remote);
        for event in ["UPDATE", "DELETE"] {
            by_hand(
                remote,
                &format!(
                    "CREATE TRIGGER mute BEFORE {event} ON tasks BEGIN SELECT RAISE(IGNORE); END"
                ),
            );
            match event {
                "UPDATE" => one.save(&Task { title: "lost".into(), ..task("a", "x") }).unwrap(),
                _ => drop(one.delete::<Task>("a").unwrap()),
            }
            let refused = run(one.push_all(remote)).unwrap().refused.remove(0);
            assert!(refused.key == "a" && refused.why.contains("trigger"), "{refused}");
            assert_eq!(query(path, "SELECT count(*) FROM fastest_local_sent"), ["0"]);
            assert_eq!(query(path, "SELECT count(*) FROM fastest_local_outbox"), ["1"], "it waits");
            by_hand(remote, "DROP TRIGGER mute");
            one.retry_refused(refused.id).unwrap();
            assert!(run(one.push_all(remote)).unwrap().refused.is_empty());
        }
        assert_eq!(cell(remote, "SELECT CAST(count(*) AS TEXT) FROM tasks"), "0");
    });
}

#[test]
fn a_trial_says_what_would_be_refused_and_changes_nothing() {
    each(|remote, one, _, path| {
        one.save(&task("a", "x")).unwrap();
        push(one, remote);
        let device = query(path, "SELECT device_id FROM fastest_local_device").remove(0);
        let state = "SELECT count(*) || ' ' || (SELECT count(*) FROM fastest_pushes) FROM tasks";
        let before = cell(remote, state);
        for (slug, expected) in [("y", TRIED), ("x", "UNIQUE constraint failed: tasks.slug")] {
            let row = serde_json::json!({"team": "t", "slug": slug, "title": "", "state": "",
                "rank": 1});
            let payload = serde_json::json!({"v": 2, "counter": 7, "locks": [["tasks", "b", 0]],
                "ops": [["tasks", "b", row]]});
            let payload = payload.to_string();
            let trial = run(remote.primary.run(Statement::push(TRIAL_SQL), &[&device, &payload]));
            let error = trial.unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
            assert_eq!(cell(remote, state), before);
        }
    });
}

/// A statement that a build before payload 2 recorded, and whose answer was lost.
#[test]
fn a_payload_1_that_was_on_its_way_goes_through_its_own_door() {
    each(|remote, one, two, path| {
        one.save(&task("a", "x")).unwrap();
        push(one, remote);
        one.save(&Task { title: "by the older build".into(), ..task("a", "x") }).unwrap();
        let device = query(path, "SELECT device_id FROM fastest_local_device").remove(0);
        let revision = query(path, "SELECT revision FROM fastest_local_outbox").remove(0);
        let row = serde_json::json!({"id": "a", "team": "t", "slug": "x",
            "title": "by the older build", "state": "open", "rank": 0.1, "touched_at": null});
        let payload = serde_json::json!({"v": 1, "counter": 2, "locks": [["tasks", "a", 1]],
            "rows": {"tasks": [row]}});
        let revision: i64 = revision.parse().unwrap();
        let entries = serde_json::json!({"scope": "t", "patch": null, "rows": [{"table": "tasks",
            "key": "a", "revision": revision, "lock": 1, "columns": row, "more": false}]});
        let file = rusqlite::Connection::open(path).unwrap();
        let sent = [&device, &payload.to_string(), &entries.to_string()];
        file.execute("UPDATE fastest_local_device SET counter = 2", []).unwrap();
        let insert = "INSERT INTO fastest_local_sent(one, push_id, device_id, payload, entries)
                      VALUES (1, 'old push', ?1, ?2, ?3)";
        file.execute(insert, sent).unwrap();
        drop(file);
        push(one, remote);
        let known = "SELECT id FROM fastest_pushes WHERE id = 'old push'";
        assert_eq!(cell(remote, known), "old push");
        assert_eq!(query(path, "SELECT count(*) FROM fastest_local_outbox"), ["0"]);
        run(two.pull(remote, "t")).unwrap();
        let there = two.get::<Task>("a").unwrap().unwrap();
        assert_eq!((&*there.title, there.rank), ("by the older build", 0.1));
        // Sent again after a lost answer, it changes nothing.
        run(remote
            .primary
            .run(Statement::push(PUSH_1_SQL), &["old push", &device, &payload.to_string()]))
        .unwrap();
    });
}

/// Rows that refer to each other in a chain, and are deleted by the primary's own cascade.
#[table(name = "links", policy = append_only("a test"), scope = team)]
struct Link {
    #[pk]
    id: String,
    team: String,
    #[references(links.id, on_delete = cascade)]
    above: Option<String>,
}

static CHAIN: LazyLock<Schema> = LazyLock::new(|| {
    let tables = vec![Link::TABLE].leak();
    let sql = init_sql(tables).leak();
    let migrations = vec![Migration { name: "0000_chain_init.sql", sql }].leak();
    Schema { owner: "chain", tables, migrations }
});

/// D1 allows ten levels of triggers, and a cascade takes one for each generation.
/// `docs/protocol.md` states these depths.
#[test]
fn how_deep_a_cascade_goes_on_d1() {
    let d1 = D1Server::shared();
    let url = format!("d1://local/{}?api={}", d1.fresh(), d1.api());
    let remote = Remote::to(&url, &NoSecrets, World::system()).unwrap();
    run(migrate(&*remote.primary, &CHAIN)).unwrap();
    let mut counter = 0;
    let mut deepest = |delete: &dyn Fn(i64) -> Option<(&'static str, String)>| {
        (1..15)
            .take_while(|generations| {
                let mut above = "NULL".to_owned();
                for at in 0..*generations {
                    let id = format!("'{counter} {at}'");
                    by_hand(&remote, &format!("INSERT INTO links VALUES ({id}, 't', {above})"));
                    above = id;
                }
                counter += 1;
                let done = match delete(counter) {
                    Some((sql, payload)) => {
                        let id = format!("p{counter}");
                        run(remote.primary.run(Statement::push(sql), &[&id, "d", &payload]))
                    }
                    None => {
                        let sql = format!("DELETE FROM links WHERE id = '{} 0'", counter - 1);
                        run(remote.primary.run(Statement::once(&sql), &[]))
                    }
                };
                done.is_ok()
            })
            .last()
            .unwrap()
    };
    let by_hand = deepest(&|_| None);
    let two = deepest(&|counter| {
        let key = format!("{} 0", counter - 1);
        let payload = serde_json::json!({"v": 2, "counter": counter, "ops": [["links", key]]});
        Some((PUSH_SQL, payload.to_string()))
    });
    let one = deepest(&|counter| {
        let key = format!("{} 0", counter - 1);
        let payload = serde_json::json!({"v": 1, "counter": counter, "delete": {"links": [key]}});
        Some((PUSH_1_SQL, payload.to_string()))
    });
    println!(
        "generations that go in one delete: {by_hand} by hand, {two} by payload 2, {one} by 1"
    );
    assert_eq!((by_hand, two, one), (10, 8, 7));
}
