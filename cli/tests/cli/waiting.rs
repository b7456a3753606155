//! A command that waits for another one names it.

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use rusqlite::Connection;

use crate::scene::Scene;

fn saved() -> Scene {
    let scene = Scene::new();
    scene.write("demo/a", "1");
    let pushed = scene.run("store", "demo", "push");
    assert!(pushed.starts_with("exit 0"), "{pushed}");
    scene.write("demo/a", "2");
    scene
}

/// Returns the first line that a command prints to stderr while something is in its way. The
/// command must succeed once that is dropped.
fn said<T>(mut command: Command, in_the_way: T) -> String {
    let mut running = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(running.stderr.as_mut().unwrap()).read_line(&mut line).unwrap();
    drop(in_the_way);
    assert!(running.wait().unwrap().success(), "{line}");
    line
}

fn command(scene: &Scene, dir: &str, words: &str) -> Command {
    let mut command = scene.command("store", dir);
    command.args(words.split_whitespace());
    command
}

#[test]
fn every_lock_is_told() {
    let scene = saved();
    let holder = format!("1 {} 2026-01-02T03:04:05.678Z fastest test\n", std::process::id());
    fs::create_dir(scene.path("other")).unwrap();
    for (lock, dir, words) in [
        ("demo/.fastest/lock", "demo", "snapshot"),
        ("demo/.fastest/lock", "demo", "-q pull"),
        ("store/lock", "demo", "status"),
        ("store/locks/push", "demo", "push"),
        ("store/locks/copies", "other", "init"),
    ] {
        let file = OpenOptions::new().write(true).open(scene.path(lock)).unwrap();
        file.lock().unwrap();
        fs::write(scene.path(lock), &holder).unwrap();
        let line = said(command(&scene, dir, words), file);
        let who = format!("warning: waiting for `fastest test` (process {})", std::process::id());
        assert!(line.starts_with(&who), "{words}: {line}");
        assert!(line.contains("since 2026-01-02T03:04:05.678Z"), "{words}: {line}");
        // The command that takes the lock writes itself into the file.
        let signed = fs::read_to_string(scene.path(lock)).unwrap();
        assert!(signed.starts_with("1 ") && !signed.contains("fastest test"), "{words}: {signed}");
    }
}

#[test]
fn a_lock_that_an_older_version_holds_is_told_without_a_name() {
    let scene = saved();
    let file = File::create(scene.path("demo/.fastest/lock")).unwrap();
    file.lock().unwrap();
    let line = said(command(&scene, "demo", "snapshot"), file);
    assert!(line.contains("waiting for another command, which holds the working copy"), "{line}");
}

#[test]
fn whoever_writes_to_a_database_is_told() {
    for database in ["store/replica.db", "store/primary/primary.db"] {
        let scene = saved();
        let writer = Connection::open(scene.path(database)).unwrap();
        writer.execute_batch("BEGIN IMMEDIATE").unwrap();
        let line = said(command(&scene, "demo", "push"), writer);
        assert!(line.starts_with("warning: waiting for ") && line.contains(database), "{line}");
        #[cfg(target_os = "linux")]
        assert!(
            line.contains(&format!("(process {})", std::process::id()))
                && line.contains(" since 20"),
            "{line}"
        );
    }
}

#[test]
fn nobody_is_told_in_json() {
    let scene = saved();
    let file = File::create(scene.path("demo/.fastest/lock")).unwrap();
    file.lock().unwrap();
    let mut waiting = command(&scene, "demo", "snapshot --json");
    let waiting = waiting.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(1500));
    drop(file);
    let output = waiting.wait_with_output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
}

/// A process that was stopped with Ctrl-Z is reported as such.
#[test]
#[cfg(target_os = "linux")]
fn a_stopped_command_is_called_so() {
    let scene = saved();
    let mut sleeper = Command::new("sleep").arg("60").spawn().unwrap();
    let signal = |name: &str| {
        let pid = sleeper.id().to_string();
        assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
    };
    signal("-STOP");
    let path = scene.path("demo/.fastest/lock");
    let file = OpenOptions::new().write(true).open(&path).unwrap();
    file.lock().unwrap();
    let holder = format!("1 {} 2026-01-02T03:04:05.678Z fastest push\n", sleeper.id());
    fs::write(&path, holder).unwrap();
    let line = said(command(&scene, "demo", "snapshot"), file);
    signal("-KILL");
    sleeper.wait().unwrap();
    assert!(line.contains(&format!("it is stopped: `kill -CONT {}`", sleeper.id())), "{line}");
}
