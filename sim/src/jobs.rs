//! Runs the seeds in several processes.

use std::process::{Child, Command, ExitCode, ExitStatus};

use fastest_fixtures::memory;
use fastest_fixtures::output::say_line;
use fastest_sim::play::PROGRAM;

/// The seeds from one on, and before another one. There is at least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seeds {
    pub from: u64,
    pub to: u64,
}

impl Seeds {
    /// Reads `A..B`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (from, to) = text.split_once("..").ok_or("two numbers with `..` between them")?;
        let number = |text: &str| text.parse().map_err(|_| format!("{text:?} is not a number"));
        let (from, to) = (number(from)?, number(to)?);
        if from < to {
            Ok(Self { from, to })
        } else {
            Err(format!("no seeds: {from} is not below {to}"))
        }
    }

    /// Returns how many there are.
    pub fn count(self) -> u64 {
        self.to - self.from
    }

    /// Returns one of so many parts.
    fn part(self, number: u64, parts: u64) -> Self {
        let bound = |number: u64| {
            let before = u128::from(self.count()) * u128::from(number) / u128::from(parts);
            self.from + u64::try_from(before).expect("it is at most the count")
        };
        Self { from: bound(number), to: bound(number + 1) }
    }
}

/// Runs a part of the seeds in each of several processes, or fresh ones for so many minutes.
pub fn at_once(seeds: Seeds, minutes: Option<u64>, jobs: u64, is_brief: bool) -> ExitCode {
    let start = |job| start(seeds.part(job, jobs), minutes, is_brief);
    let running: Vec<(Child, String)> = (0..jobs).map(start).collect();
    let ended = running.into_iter().map(|(mut child, seeds)| {
        let process = child.id();
        let status = child.wait().expect("it is a child of this process");
        if status.code().is_none() {
            tell_killed(process, &seeds, status);
        }
        status.success()
    });
    let results: Vec<bool> = ended.collect();
    if results.into_iter().all(|ok| ok) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Starts a process. Returns it, and which seeds it runs.
fn start(Seeds { from, to }: Seeds, minutes: Option<u64>, is_brief: bool) -> (Child, String) {
    let program = std::env::current_exe().expect("this program has a path");
    let mut command = Command::new(&program);
    command.args(["--child-of", &std::process::id().to_string()]);
    if is_brief {
        command.arg("--brief");
    }
    let seeds = match minutes {
        Some(minutes) => {
            command.arg("--minutes").arg(minutes.to_string());
            "fresh seeds".to_owned()
        }
        None => {
            command.arg("--seeds").arg(format!("{from}..{to}"));
            format!("seeds {from}..{to}")
        }
    };
    (command.spawn().expect("this program can be started"), seeds)
}

/// Tells that a process was killed, which is a finding if no person did it: the stack may have run over,
/// for example.
fn tell_killed(process: u32, seeds: &str, status: ExitStatus) {
    let at = memory::left_by(PROGRAM, process);
    let at = at.map_or_else(String::new, |seed| format!(" at seed {seed}"));
    say_line(&format!("the process of {seeds} was killed{at} ({status})"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_seed_is_in_one_part() {
        let check = |from, to, parts| {
            let seeds = Seeds { from, to };
            let parts: Vec<Seeds> = (0..parts).map(|part| seeds.part(part, parts)).collect();
            assert!(parts[0].from == from && parts.last().unwrap().to == to, "{parts:?}");
            assert!(parts.windows(2).all(|pair| pair[0].to == pair[1].from), "{parts:?}");
        };
        check(0, 10, 3);
        check(u64::MAX - 5, u64::MAX, 2);
        check(0, u64::MAX, 7);
    }

    #[test]
    fn seeds_without_a_seed_are_refused() {
        assert_eq!(Seeds::parse("2..5"), Ok(Seeds { from: 2, to: 5 }));
        for text in ["5..2", "5..5", "5", "a..b", "..", "0..18446744073709551616"] {
            assert!(Seeds::parse(text).is_err(), "{text}");
        }
    }
}
