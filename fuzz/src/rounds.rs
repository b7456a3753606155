//! Runs of targets, each in a process of its own.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use fastest_fixtures::output::say_line;
use fastest_fuzz::drive::{Budget, read_current};
use fastest_fuzz::place;
use fastest_fuzz::target::Target;

use crate::findings::Findings;

/// How targets are run.
pub struct Rounds {
    pub findings: Findings,
    pub seed: u64,
    pub budget: Budget,
}

impl Rounds {
    /// Runs targets, so many at the same time. Returns whether nothing was found.
    ///
    /// # Errors
    /// If a process cannot be started.
    pub fn all(&self, targets: &[&'static Target], jobs: usize) -> Result<bool, String> {
        say_line(&format!("seed {}", self.seed));
        say_line(&format!(
            "{:<14} {:>7} {:>12} {:>10}",
            "target", "corpus", "executions", "a second"
        ));
        let (folder, mut is_clean) = (place::folder(), true);
        let mut waiting = targets.iter();
        let mut running = Vec::new();
        loop {
            while running.len() < jobs
                && let Some(target) = waiting.next()
            {
                let current = folder.path().join(target.name);
                running.push((*target, self.start(target, &current)?, current));
            }
            if running.is_empty() {
                return Ok(is_clean);
            }
            let (target, child, current) = running.remove(0);
            is_clean &= self.end(target, child, &current);
        }
    }

    fn start(&self, target: &Target, current: &Path) -> Result<Child, String> {
        let cannot = |error| format!("{} cannot be started: {error}", target.name);
        let mut command = Command::new(std::env::current_exe().map_err(cannot)?);
        command.arg(target.name).args(["--seed", &self.seed.to_string()]);
        command.args(["--child-of", &std::process::id().to_string()]);
        command.arg("--current").arg(current);
        match self.budget {
            Budget::Time(time) => command.args(["--seconds", &time.as_secs().max(1).to_string()]),
            Budget::Executions(count) => command.args(["--executions", &count.to_string()]),
        };
        // Blocks are read on all threads, which the limit on memory must not depend on.
        command.env("RAYON_NUM_THREADS", "2");
        command.stdout(Stdio::piped()).spawn().map_err(cannot)
    }

    /// Waits for a run, and tells what it did. Returns whether nothing was found.
    fn end(&self, target: &Target, child: Child, current: &Path) -> bool {
        let output = match child.wait_with_output() {
            Ok(output) => output,
            Err(error) => {
                say_line(&format!("{:<14} FAILED ({error})", target.name));
                return false;
            }
        };
        let text = String::from_utf8_lossy(&output.stdout);
        let figures: Vec<f64> =
            text.split_whitespace().filter_map(|word| word.parse().ok()).collect();
        if let ([corpus, executions, seconds], true) = (&figures[..], output.status.success()) {
            let rate = executions / seconds;
            say_line(&format!("{:<14} {corpus:>7} {executions:>12} {rate:>10.0}", target.name));
            return true;
        }
        say_line(&format!("{:<14} FAILED ({})", target.name, output.status));
        match read_current(current) {
            Ok(input) => self.tell(target, &input),
            Err(error) => say_line(&format!("  before its first input ({error})")),
        }
        say_line(&format!("  found with --seed {}", self.seed));
        false
    }

    /// Tells how to run an input again.
    fn tell(&self, target: &Target, input: &[u8]) {
        let line = match self.findings.save(target.name, input) {
            Ok(path) => format!(
                "cargo run --release -p fastest-fuzz -- {} --file {}",
                target.name,
                path.display()
            ),
            Err(hex) => format!("the input, which cannot be saved, in hexadecimal digits: {hex}"),
        };
        say_line(&format!("  {line}"));
    }
}
