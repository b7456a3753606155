//! The `fastest` command: arguments in, text or JSON out.
//!
//! Nothing is decided here: the engine does the work and reports it (`fastest-sync`), and this
//! crate reads arguments, the environment and the home folder, and words what is said. What it
//! promises to people and programs is in `docs/cli.md`.

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
