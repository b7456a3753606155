//! Long output goes through a pager, as in git.

use std::env;
use std::io::Write as _;
use std::process::{Child, Command, Stdio};

use crate::commands::diff::interrupts::leave_interrupts;
use crate::error::CliError;
use crate::output::Output;

/// What a shell returns if it cannot run a command.
const CANNOT_RUN: [i32; 2] = [126, 127];

/// A pager that the output goes to.
pub struct Pager {
    child: Child,
    name: String,
}

impl Pager {
    /// Starts the pager that the environment names, if stdout is a terminal. `None` if there is none.
    pub fn start(out: &mut Output) -> Option<Self> {
        if !out.is_terminal() {
            return None;
        }
        let named = ["FASTEST_PAGER", "PAGER"].into_iter().find_map(|name| env::var(name).ok());
        let (mut command, name) = match named.map(|name| name.trim().to_owned()) {
            Some(name) if name.is_empty() || name == "cat" => return None,
            Some(name) => {
                let mut command = Command::new("sh");
                command.arg("-c").arg(&name);
                (command, name)
            }
            None => {
                let mut command = Command::new("less");
                command.arg("-FRX");
                (command, "less".to_owned())
            }
        };
        // What `less` and `lv` need for colours.
        for (name, value) in [("LESS", "FRX"), ("LV", "-c")] {
            if env::var_os(name).is_none() {
                command.env(name, value);
            }
        }
        let mut child = command.stdin(Stdio::piped()).spawn().ok()?;
        out.divert(Box::new(child.stdin.take()?));
        leave_interrupts();
        Some(Self { child, name })
    }

    /// Waits until the reader has seen enough. Returns how the printing ended: if the reader ended the pager
    /// early, that is no error.
    pub fn end(mut self, out: &mut Output, printed: Result<(), CliError>) -> Result<(), CliError> {
        // What was printed before an error is shown too. If the reader has gone, this fails at once.
        let _ = out.flush();
        let has_read_enough = out.end_diversion();
        let status = self.child.wait();
        let cannot_run =
            status.is_ok_and(|status| status.code().is_some_and(|code| CANNOT_RUN.contains(&code)));
        if cannot_run {
            return Err(CliError::NotRun { what: "pager", command: self.name });
        }
        match printed {
            Err(CliError::Output(_)) if has_read_enough => Ok(()),
            printed => printed,
        }
    }
}
