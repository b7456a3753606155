//! `completions`, `man`: what packagers install beside the binary.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::args::Cli;
use crate::error::{CliError, Exit};
use crate::session::Session;

pub fn completions(session: &mut Session<'_>, shell: Shell) -> Result<Exit, CliError> {
    // The generator panics if it cannot write, so it writes to a buffer.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "fastest", &mut script);
    session.out.write_all(&script)?;
    Ok(Exit::Done)
}

pub fn man(session: &mut Session<'_>, dir: Option<PathBuf>) -> Result<Exit, CliError> {
    let Some(dir) = dir else {
        let mut page = Vec::new();
        clap_mangen::Man::new(Cli::command()).render(&mut page).expect("a vector takes all bytes");
        session.out.write_all(&page)?;
        return Ok(Exit::Done);
    };
    let dir = session.path(&dir);
    let io = |action| {
        let path = dir.clone();
        move |source| CliError::Io { action, path, source }
    };
    fs::create_dir_all(&dir).map_err(io("create"))?;
    clap_mangen::generate_to(Cli::command(), &dir).map_err(io("write man pages to"))?;
    session.out.note(format_args!("the man pages are in {}", dir.display()));
    Ok(Exit::Done)
}
