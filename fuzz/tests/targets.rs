//! Runs every target on its corpus and on a few fresh inputs, as CI does for longer.

use std::process::Command;
use std::time::SystemTime;

/// Inputs of each target. The slowest run some hundred a second without optimisation.
const EXECUTIONS: &str = "300";

#[test]
fn no_target_finds_anything() {
    let time = SystemTime::UNIX_EPOCH.elapsed().unwrap();
    let findings = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_fastest-fuzz"))
        .args(["--executions", EXECUTIONS, "--seed", &time.as_millis().to_string()])
        .arg("--findings")
        .arg(findings.path())
        .output()
        .unwrap();
    // The seed, and the command that runs a failing input again.
    let findings = findings.keep();
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}\n{err}\nsaved in {}", findings.display());
    std::fs::remove_dir(&findings).ok();
}
