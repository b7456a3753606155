//! The `fastest` command: arguments in, text or JSON out.
//!
//! Nothing is decided here. The engine (`fastest-sync`) does the work and reports it. This crate
//! reads the arguments, the environment and the home folder, and prints the reports. `docs/cli.md`
//! documents what people and programs may rely on.

mod args;
mod commands;
mod error;
mod keyring;
mod logs;
mod output;
mod progress;
mod secrets;
mod session;
mod words;

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut out = output::Output::new();
    commands::dispatch::run(std::env::args_os(), &mut out).into()
}
