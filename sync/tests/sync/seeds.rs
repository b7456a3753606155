//! In a simulated world, the same seed gives the same run: the same ids and times in every row.
//! Waits take no time.

use std::fmt::Write as _;
use std::fs;
use std::net::{Shutdown, TcpListener};
use std::path::Path;
use std::time::{Duration, Instant};

use fastest_fixtures::random::Random;
use fastest_fixtures::world::{STEP, SeededWorld};
use fastest_schema::{FASTEST, Table};
use fastest_sync::device::activity::Activity;
use fastest_sync::remote::primary::{Failure, PrimaryError};
use fastest_sync::remote::retry::RetryPolicy;
use fastest_sync::remote::secret::NoSecrets;
use fastest_sync::remote::state::Packs;
use fastest_sync::remote::statement::Statement;
use fastest_sync::{Device, Identity, Remote, World};

use super::run;

/// The state after a story.
#[derive(PartialEq)]
struct Left {
    /// The rows of all synced tables: of both replicas, and of the primary.
    rows: [String; 3],
    /// The history, as JSON.
    log: String,
    /// How much time has passed in the world.
    passed: Duration,
}

/// Returns every row of every synced table, as text.
fn dump(database: &Path) -> String {
    let connection = rusqlite::Connection::open(database).unwrap();
    let mut text = String::new();
    for Table { name, pk, columns, .. } in FASTEST.synced() {
        let quoted: Vec<String> = columns.iter().map(|c| format!("quote(`{}`)", c.name)).collect();
        let sql = format!("SELECT {} FROM `{name}` ORDER BY `{pk}`", quoted.join(" || ',' || "));
        let mut statement = connection.prepare(&sql).unwrap();
        let rows = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
        for row in rows {
            writeln!(text, "{name}: {}", row.unwrap()).unwrap();
        }
    }
    text
}

fn device(root: &Path, name: &str, world: World) -> Device {
    let (user_name, machine) = (Some(format!("user of {name}")), Some(name.to_owned()));
    let identity = Identity { user_name, machine };
    let mut device = Device::open(&root.join(name).join("store"), identity, world).unwrap();
    let url = format!("file://{}", root.join("primary.db").display());
    run(device.remote_set(Some(&url), Packs::Default)).unwrap();
    device
}

/// Two devices that share a project, from its beginning to a merge.
fn story(root: &Path, seed: u64) -> Left {
    let (seeded, activity) = (SeededWorld::new(seed), Activity::default());
    let [app, desk] = ["one/app", "two/desk"].map(|folder| root.join(folder));
    let write = |path: &Path, text: &str| {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let (mut one, mut two) =
        (device(root, "one", seeded.world()), device(root, "two", seeded.world()));
    for name in ["a", "b", "c/d"] {
        write(&app.join(name), name);
    }
    one.init(&app, Some("app")).unwrap();
    let copy = one.find(&app).unwrap();
    one.snapshot(&copy, Some("first"), &activity).unwrap();
    assert!(run(one.push(&app, None, &activity)).unwrap().pushed);
    run(two.clone_project("app", &desk, Some("desk"), &activity)).unwrap();
    write(&app.join("b"), "changed");
    assert!(run(one.push(&app, Some("second"), &activity)).unwrap().pushed);
    write(&desk.join("e"), "of two");
    let copy = two.find(&desk).unwrap();
    run(two.pull(&copy, Some("main"), &activity)).unwrap();
    assert_eq!(fs::read_to_string(desk.join("b")).unwrap(), "changed");
    assert!(run(two.push(&desk, None, &activity)).unwrap().pushed);
    let compared = one.find(&app).unwrap();
    run(one.drift(&compared, Some("desk"), false, &activity)).unwrap();
    let log = serde_json::to_string_pretty(&two.log(&copy, None).unwrap()).unwrap();
    let rows = ["one/store/replica.db", "two/store/replica.db", "primary.db"];
    Left { rows: rows.map(|file| dump(&root.join(file))), log, passed: seeded.passed() }
}

#[test]
fn a_seed_is_a_run() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap().join("run");
    // Objects are packed in the order in which threads find them: here, on one thread.
    let thread = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    // In the same place each time, because workspaces hold their paths.
    let play = |seed: u64| {
        let left = thread.install(|| story(&root, seed));
        fs::remove_dir_all(&root).unwrap();
        left
    };
    let first = play(7);
    let all = first.rows.concat();
    for table in ["projects", "workspaces", "snapshots", "fastest_packs", "activity_events"] {
        assert!(all.contains(&format!("\n{table}: ")), "no row of {table}:\n{all}");
    }
    let again = play(7);
    for (first, again) in first.rows.iter().zip(&again.rows) {
        let differ = first.lines().zip(again.lines()).find(|(first, again)| first != again);
        assert_eq!(differ, None);
    }
    assert_eq!(first.log, again.log);
    assert!(first == again, "after {:?} and {:?}", first.passed, again.passed);
    let other = play(8);
    assert_eq!(other.log.matches("snap-").count(), first.log.matches("snap-").count());
    let id = |left: &Left| left.log.split("snap-").nth(1).unwrap()[..26].to_owned();
    assert_ne!(id(&first), id(&other));
}

/// Asks a primary that cannot answer. Returns how it failed.
fn failure(remote: &Remote) -> Failure {
    match run(remote.primary.run(Statement::reads("SELECT 1"), &[])) {
        Err(PrimaryError::Unreachable { failure, .. }) => failure,
        other => panic!("{other:?}"),
    }
}

/// Returns the waits that a policy's jitter makes of a seed: up to 400 ms, 800 ms and so on.
fn jitter(seed: u64, count: u32) -> Vec<Duration> {
    let mut random = Random::new(seed);
    let wait = |number: u32| {
        let most = RetryPolicy::default().base * 2_u32.pow(number);
        most.mul_f64(f64::from(random.number() as u32) / f64::from(u32::MAX))
    };
    (0..count).map(wait).collect()
}

#[test]
fn retries_wait_in_the_world_and_take_no_time() {
    // Nobody listens there.
    let closed = "127.0.0.1:1".parse().unwrap();
    // This one hangs up on everybody.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let rude = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for caller in listener.incoming() {
            let _ = caller.unwrap().shutdown(Shutdown::Both);
        }
    });
    let (began, mut all_waited) = (Instant::now(), Duration::ZERO);
    for (address, expected, count) in [(closed, Failure::NoConnection, 2), (rude, Failure::Lost, 4)]
    {
        for seed in [1, 2, 3] {
            for url in [format!("http://{address}"), format!("d1://a/b?api=http://{address}")] {
                let seeded = SeededWorld::new(seed);
                let remote = Remote::to(&url, &NoSecrets, seeded.world()).unwrap();
                assert_eq!(failure(&remote), expected, "{url}");
                assert_eq!(seeded.waits(), jitter(seed, count), "{url}");
                let waited: Duration = seeded.waits().iter().sum();
                assert!(seeded.passed() >= waited && seeded.passed() < waited + 50 * STEP, "{url}");
                all_waited += waited;
            }
        }
    }
    assert!(began.elapsed() < all_waited / 2, "{:?} for {all_waited:?}", began.elapsed());
}
