//! The machine and the versions that were measured.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread::available_parallelism;
use std::time::SystemTime;

use serde_json::{Value, json};

use crate::settings;

/// Returns the date, cores, processor, memory, kernel, and file system of the work folder. A value
/// that the system does not report is null.
pub fn facts(work: &Path) -> Value {
    json!({
        "date": time(SystemTime::now()),
        "cores": available_parallelism().ok().map(std::num::NonZero::get),
        "processor": field("/proc/cpuinfo", "model name"),
        "memory": field("/proc/meminfo", "MemTotal"),
        "kernel": first_line(Command::new("uname").arg("-sr")),
        "file_system": last_line(Command::new("df").arg("--output=fstype").arg(work)),
    })
}

/// Formats the facts as one line, without the memory.
pub fn line(facts: &Value) -> String {
    let names = ["date", "cores", "processor", "kernel", "file_system"];
    let shown = names.iter().filter_map(|name| match &facts[name] {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        Value::Number(cores) => Some(format!("{cores} cores")),
        other => Some(other.to_string()),
    });
    shown.collect::<Vec<_>>().join(", ")
}

/// Formats a time in UTC, to the second; `None` if it is out of the calendar's range.
pub fn time(time: SystemTime) -> Option<String> {
    let time = jiff::Timestamp::try_from(time).ok()?;
    Some(time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

/// Returns the first line that a program prints for `arguments`, such as `--version`; `None` if it
/// is not installed.
pub fn version(program: &str, arguments: &[&str]) -> Option<String> {
    let mut command = Command::new(program);
    settings::remove(&mut command);
    let output = command.args(arguments).output().ok()?;
    // The version of a program that exists but has no such option is unknown.
    let unknown = || Some("unknown version".to_owned());
    if !output.status.success() {
        return unknown();
    }
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().next().map(|line| line.trim().to_owned()).or_else(unknown)
}

fn first_line(command: &mut Command) -> Option<String> {
    lines(command)?.into_iter().next()
}

fn last_line(command: &mut Command) -> Option<String> {
    lines(command)?.into_iter().next_back()
}

fn lines(command: &mut Command) -> Option<Vec<String>> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(text.lines().map(|line| line.trim().to_owned()).collect())
}

/// Returns the value after `name:` in a file of `/proc`.
fn field(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}
