//! What the programs print.

use std::io::{ErrorKind, Write as _};
use std::process::exit;

/// The exit code if nobody reads what is printed.
const UNREAD: i32 = 2;

/// Prints a text as it is. If nobody reads any more, as after `| head`, the program ends.
pub fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => exit(UNREAD),
        printed => printed.expect("the output can be written"),
    }
}

/// Prints a line.
pub fn say_line(line: &str) {
    say(&format!("{line}\n"));
}
