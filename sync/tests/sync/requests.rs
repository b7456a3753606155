//! The number of requests that daily work takes, on each real server.

use std::path::Path;

use fastest_fixtures::keys::Keys;
use fastest_fixtures::servers::{D1Server, REGION, S3Server, SqldServer};
use fastest_sync::device::activity::Activity;
use fastest_sync::remote::state::Packs;

use super::machine::{Machine, noise};
use super::run;

fn machine(url: &str, packs: &Packs) -> Machine {
    let mut machine = Machine::new().with_secrets(Box::new(Keys::s3()));
    run(machine.device.remote_set(Some(url), packs.clone())).unwrap();
    machine
}

fn pull(machine: &mut Machine, name: &str) -> u64 {
    let copy = machine.copy(name);
    let report = run(machine.device.pull(&copy, Some("main"), &Activity::default())).unwrap();
    assert!(!report.offline, "{report:?}");
    report.requests
}

#[test]
fn small_work_is_one_request() {
    let (sqld, d1) = (SqldServer::start(), D1Server::shared());
    for url in [sqld.url(), format!("d1://local/{}?api={}", d1.fresh(), d1.api())] {
        let mut one = machine(&url, &Packs::Default);
        let mut two = machine(&url, &Packs::Default);
        one.write("app/a", "0");
        one.push("app");
        two.clone_project("app", "desk");
        two.push("desk");
        pull(&mut one, "app");
        for round in 0..3 {
            one.write("app/a", noise(20_000, round));
            let pushed = one.push("app");
            assert_eq!(pushed.requests, 1, "a small push to {url}");
            let copy = two.copy("desk");
            let pulled = run(two.device.pull(&copy, Some("main"), &Activity::default())).unwrap();
            assert_eq!(pulled.requests, 1, "a small pull from {url}");
            println!(
                "{url}: a small push sends {} bytes, a small pull receives {}",
                pushed.bytes_sent, pulled.bytes_received
            );
            assert_eq!(pull(&mut two, "desk"), 1, "a pull with nothing new from {url}");
            assert_eq!(two.files("desk"), one.files("app"));
        }
    }
}

/// Prints how the number grows, and checks that it is bounded by the size of what is sent.
fn growth(counts: &[u64]) {
    let (sqld, d1, s3) = (SqldServer::start(), D1Server::shared(), S3Server::start());
    let (bucket, endpoint) = (s3.bucket(), s3.endpoint());
    let packs = Packs::At(format!("s3://{bucket}?endpoint={endpoint}&region={REGION}"));
    for (what, url) in
        [("sqld", sqld.url()), ("D1", format!("d1://local/{}?api={}", d1.fresh(), d1.api()))]
    {
        for &count in counts {
            let mut one = machine(&url, &packs);
            one.write("app/begun", what);
            let name = format!("{count} files");
            let dir = one.path("app");
            one.device.init(&dir, Some(&name)).unwrap();
            one.push("app");
            write_files(&one.path("app"), count);
            let pushed = one.push("app");
            let mut two = machine(&url, &packs);
            let desk = two.path("desk");
            let activity = Activity::default();
            let cloned = run(two.device.clone_project(&name, &desk, None, &activity)).unwrap();
            println!(
                "{what}, packs in S3, {count} files: push {} requests, {} bytes; clone {} requests",
                pushed.requests, pushed.bytes_sent, cloned.requests
            );
            // A few statements, and at most one request for each 4 MiB: twice what parts of 8 MiB
            // need.
            assert!(pushed.requests <= 4 + pushed.bytes_sent / (4 << 20), "{pushed:?}");
            assert!(cloned.requests <= 6 + pushed.bytes_sent / (4 << 20), "{cloned:?}");
            assert_eq!(cloned.files, count + 1);
        }
    }
}

fn write_files(dir: &Path, count: u64) {
    for number in 0..count {
        let folder = dir.join(format!("{:03}", number / 100));
        if number % 100 == 0 {
            std::fs::create_dir_all(&folder).unwrap();
        }
        std::fs::write(folder.join(format!("{number}")), noise(700, number)).unwrap();
    }
}

/// `FASTEST_FILES=50000` measures 50,000 files instead.
#[test]
fn requests_grow_with_bytes_and_not_with_files() {
    match std::env::var("FASTEST_FILES").ok().and_then(|text| text.parse().ok()) {
        Some(count) => growth(&[count]),
        None => growth(&[10, 1_000]),
    }
}
