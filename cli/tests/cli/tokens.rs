//! No token is printed, logged or written down, whatever a server does with it.
//!
//! Each server here repeats what it was sent. The first letters of a token count as a leak too,
//! because a message may have been cut short.

use std::io::{BufReader, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::{fs, thread};

use fastest_fixtures::http::{Message, read_request};
use fastest_fixtures::servers::{D1Server, S3Server, SqldServer};

use crate::scene::{SECRETS, Scene, told};

/// Returns a secret for each variable, and for the one that is typed in. No two begin alike.
fn secret(name: &str) -> String {
    let place = SECRETS.iter().position(|of| *of == name).unwrap_or(SECRETS.len());
    format!("hush{place}hush{place}0123456789abcdefghijklmnopqrstuvwxyz")
}

/// Returns the beginning of each secret, which must appear nowhere.
fn telltales() -> Vec<String> {
    let names = SECRETS.iter().copied().chain(["typed in"]);
    names.map(|name| secret(name)[..8].to_owned()).collect()
}

/// How a server answers.
#[derive(Debug, Clone, Copy)]
enum Answer {
    /// This status, and the request as the body.
    Echo(&'static str),
    /// This status, and the request as the message of an error of D1 and libSQL.
    Json(&'static str),
    /// A page of D1's that names a table after the secret.
    Table,
    /// A page of D1's whose last migration is named after the secret.
    Migration,
}

/// A server that answers every request in one way. It lives as long as the test process.
struct Parrot {
    address: SocketAddr,
    /// Whether it was sent a secret. Otherwise, the test tests nothing.
    told: Arc<AtomicBool>,
}

impl Parrot {
    fn start(answer: Answer) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let (address, told) = (listener.local_addr().unwrap(), Arc::<AtomicBool>::default());
        let heard = Arc::clone(&told);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let heard = Arc::clone(&heard);
                thread::spawn(move || {
                    let mut reader = BufReader::new(stream.try_clone().unwrap());
                    while let Ok(Some(request)) = read_request(&mut reader, &stream) {
                        let text = String::from_utf8_lossy(&request.to_bytes()).into_owned();
                        heard.fetch_or(telltales().iter().any(|t| text.contains(t)), Relaxed);
                        if (&stream).write_all(&reply(answer, &text).to_bytes()).is_err() {
                            break;
                        }
                    }
                });
            }
        });
        Self { address, told }
    }
}

fn reply(answer: Answer, request: &str) -> Message {
    let (status, body) = match answer {
        Answer::Echo(status) => (status, request.to_owned()),
        Answer::Json(status) => {
            let error = serde_json::json!({ "code": 7500, "message": request });
            let body = serde_json::json!({
                "success": false, "errors": [error], "result": null, "messages": [],
                "error": request, "message": request, "baton": null, "base_url": null,
                "results": [{ "type": "error", "error": { "message": request, "code": "X" } }],
            });
            (status, body.to_string())
        }
        Answer::Table => ("200 OK", page(request, "0001", true)),
        Answer::Migration => ("200 OK", page(request, &bearer(request), false)),
    };
    Message::answer(status, &[("content-type", "application/json")], body.as_bytes())
}

/// Returns the secret in a request; empty if there is none.
fn bearer(request: &str) -> String {
    let rest = request.split_once("Bearer ").map_or("", |(_, rest)| rest);
    rest.split_whitespace().next().unwrap_or_default().to_owned()
}

/// Returns an answer to a pull: its header, and if `change` is set, a change of a table named after
/// the secret.
fn page(request: &str, migration: &str, change: bool) -> String {
    let body = request.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    let body: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
    let params = body["params"].as_array().cloned().unwrap_or_default();
    let header = serde_json::json!({
        "epoch": "e", "migration": migration, "push_known": 1, "seen_known": 1, "mark_known": 1, "mark": null,
        "request": params.last().cloned().unwrap_or_default(),
    });
    let mut rows = vec![serde_json::json!(["9", null, null, null, null, header.to_string()])];
    if change {
        rows.push(serde_json::json!(["9", bearer(request), "x", "1", "1", null]));
    }
    serde_json::json!({
        "success": true, "errors": [], "messages": [],
        "result": [{ "success": true, "meta": {}, "results": { "columns": [], "rows": rows } }],
    })
    .to_string()
}

const PAGES: [Answer; 2] = [Answer::Table, Answer::Migration];

const ANSWERS: [Answer; 9] = [
    Answer::Echo("200 OK"),
    Answer::Echo("401 Unauthorized"),
    Answer::Echo("403 Forbidden"),
    Answer::Echo("404 Not Found"),
    Answer::Echo("500 Internal Server Error"),
    Answer::Json("200 OK"),
    Answer::Json("400 Bad Request"),
    Answer::Json("401 Unauthorized"),
    Answer::Json("403 Forbidden"),
];

/// Runs every command that deals with a remote, with all secrets set and all logs on, and looks for
/// the secrets in what they say and in what they leave in the scene.
fn check(remote: &str) -> Scene {
    let scene = Scene::new();
    scene.write("app/a.txt", "one\n");
    // Large enough to go into a pack store.
    let text: String =
        (0..200_000u32).map(|n| format!("{:x}", n.wrapping_mul(0x9E37_79B9))).collect();
    scene.write("app/large", &text);
    let set = format!("remote set {remote}");
    for words in [
        &set,
        "remote show",
        "remote check --json",
        "remote migrate",
        "remote login",
        "remote logout",
        "push",
        "pull",
        "status",
        "doctor",
        "push --json",
    ] {
        let mut command = scene.command("store", "app");
        command.args(words.split_whitespace()).env("FASTEST_LOG", "trace");
        command.envs(SECRETS.map(|name| (name, secret(name))));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // Only `remote login` reads it.
        let _ = writeln!(child.stdin.take().unwrap(), "{}", secret("typed in"));
        let told = told(&child.wait_with_output().unwrap());
        println!("{remote}: {words}: {told}");
        for telltale in telltales() {
            assert!(!told.contains(&telltale), "{telltale} in {words}: {told}");
        }
    }
    assert_clean(&scene.path(""));
    scene
}

/// Checks that no file below a folder contains a secret.
fn assert_clean(folder: &Path) {
    let mut folders = vec![PathBuf::from(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
                continue;
            }
            let bytes = fs::read(entry.path()).unwrap();
            for telltale in telltales() {
                let found = bytes.windows(8).any(|window| window == telltale.as_bytes());
                assert!(!found, "{telltale} in {}", entry.path().display());
            }
        }
    }
}

/// Checks a remote against one server for each of these answers.
fn parrots(answers: &[Answer], remote: impl Fn(SocketAddr) -> String + Sync) {
    thread::scope(|scope| {
        for &answer in answers {
            let remote = &remote;
            scope.spawn(move || {
                let parrot = Parrot::start(answer);
                check(&remote(parrot.address));
                assert!(parrot.told.load(Relaxed), "{answer:?} was never sent a secret");
            });
        }
    });
}

const DATABASE: &str = "00000000-0000-4000-8000-000000000001";

#[test]
fn a_d1_that_repeats_what_it_is_sent() {
    parrots(&ANSWERS, |address| format!("d1://account/{DATABASE}?api=http://{address}/api"));
}

#[test]
fn a_d1_whose_pages_hold_what_it_is_sent() {
    parrots(&PAGES, |address| format!("d1://account/{DATABASE}?api=http://{address}/api"));
}

#[test]
fn a_d1_that_repeats_the_question_for_its_id() {
    parrots(&ANSWERS, |address| format!("d1://account/notes?api=http://{address}/api"));
}

#[test]
fn a_libsql_that_repeats_what_it_is_sent() {
    parrots(&ANSWERS, |address| format!("http://{address}"));
}

#[test]
fn a_pack_store_that_repeats_what_it_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let disk = folder.path();
    parrots(&ANSWERS, |address| {
        let primary = disk.join(format!("{}.db", address.port()));
        format!("file://{} --packs s3://bucket/packs?endpoint=http://{address}", primary.display())
    });
    assert_clean(disk);
}

#[test]
fn nobody_is_there() {
    let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
    thread::scope(|scope| {
        scope.spawn(|| drop(check(&format!("http://{address}"))));
        let d1 = format!("d1://account/{DATABASE}?api=http://{address}/api");
        scope.spawn(move || drop(check(&d1)));
    });
}

#[test]
fn a_real_libsql() {
    let mut server = SqldServer::start();
    let scene = check(&server.url());
    assert!(scene.run("store", "app", "push").starts_with("exit 0"));
    server.stop();
    assert_clean(&server.dir());
}

#[test]
fn a_real_d1_and_a_real_pack_store() {
    let mut server = D1Server::start(&[("team", DATABASE)]);
    let packs = S3Server::start();
    let (api, bucket, endpoint) = (server.api(), packs.bucket(), packs.endpoint());
    // The keys are not the server's, so it refuses requests, and its message is reported.
    check(&format!("d1://local/{DATABASE}?api={api} --packs s3://{bucket}/p?endpoint={endpoint}"));
    check(&format!("d1://local/{DATABASE}?api={api}"));
    server.stop();
    assert_clean(&server.dir());
    assert_clean(packs.root());
}
