//! All output: data to stdout, as text or JSON; notes, warnings and hints to stderr.
//!
//! If the reader of stdout goes away (`fastest log | head -1`), that is remembered, and the command
//! ends quietly. Errors on stderr are ignored, because there is nowhere to report them.
//!
//! Much of the text comes from others: names, messages, answers of servers. All text is passed
//! through [`plain_lines`] here; JSON is exact.

use std::fmt::Display;
use std::io::{self, BufWriter, IsTerminal, Stdout, Write};

use serde::Serialize;

use crate::error::CliError;
use crate::error::code::Code;
use crate::words::plain_lines;

const RED: &str = "31";
const GREEN: &str = "32";
const YELLOW: &str = "33";
const MAGENTA: &str = "35";
const CYAN: &str = "36";

/// Stdout and stderr.
pub struct Output {
    stdout: BufWriter<Stdout>,
    /// Where data goes instead of stdout.
    diversion: Option<BufWriter<Box<dyn Write>>>,
    is_terminal: bool,
    reader_gone: bool,
    json: bool,
    quiet: bool,
    color_out: bool,
    color_err: bool,
}

impl Output {
    /// Returns an output of text. It is in colour on a terminal, unless `NO_COLOR` or `TERM`
    /// forbids it.
    pub fn new() -> Self {
        let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        let plain = set("NO_COLOR").is_some() || set("TERM").is_some_and(|term| term == "dumb");
        Self {
            stdout: BufWriter::with_capacity(64 << 10, io::stdout()),
            diversion: None,
            is_terminal: io::stdout().is_terminal(),
            reader_gone: false,
            json: false,
            quiet: false,
            color_out: !plain && io::stdout().is_terminal(),
            color_err: !plain && io::stderr().is_terminal(),
        }
    }

    /// Sets the output options.
    pub fn set(&mut self, json: bool, quiet: bool) {
        (self.json, self.quiet) = (json, quiet);
    }

    /// Whether JSON was asked for.
    pub fn json(&self) -> bool {
        self.json
    }

    /// Whether stdout is in colour.
    pub fn color(&self) -> bool {
        self.color_out
    }

    /// Whether stdout is a terminal.
    pub fn is_terminal(&self) -> bool {
        self.is_terminal
    }

    /// Sends data to `to`, a pager, instead of stdout.
    pub fn divert(&mut self, to: Box<dyn Write>) {
        self.diversion = Some(BufWriter::with_capacity(64 << 10, to));
    }

    /// Sends data to stdout again. Returns whether the reader of the diversion went away first.
    pub fn end_diversion(&mut self) -> bool {
        let diversion = self.diversion.take();
        // What is still in its buffer could not be written.
        drop(diversion.map(BufWriter::into_parts));
        std::mem::take(&mut self.reader_gone)
    }

    /// Whether stderr may be in colour.
    pub fn color_err(&self) -> bool {
        self.color_err
    }

    /// Whether the reader of stdout has gone away.
    pub fn reader_gone(&self) -> bool {
        self.reader_gone
    }

    /// Prints a report, as a line of JSON or with `text`.
    pub fn report<R: Serialize>(
        &mut self,
        report: &R,
        text: impl FnOnce(&mut Self) -> io::Result<()>,
    ) -> Result<(), CliError> {
        if self.json {
            self.json_line(report)?
        } else {
            text(self)?
        }
        Ok(())
    }

    /// Prints a line of data.
    pub fn line(&mut self, text: impl Display) -> io::Result<()> {
        let text = text.to_string();
        writeln!(self, "{}", plain_lines(&text))
    }

    /// Prints a line that says what was done, unless `--quiet` is set.
    pub fn done(&mut self, text: impl Display) -> io::Result<()> {
        if self.quiet { Ok(()) } else { self.line(text) }
    }

    /// Prints a line that ends with a bar of signs: `+` for what was added, `-` for what was removed.
    pub fn counts_line(&mut self, start: &str, added: usize, removed: usize) -> io::Result<()> {
        let space = if added + removed > 0 { " " } else { "" };
        let bar = |color, sign: &str, length: usize| match length {
            0 => String::new(),
            _ => paint(self.color_out, color, &sign.repeat(length)),
        };
        let (added, removed) = (bar(GREEN, "+", added), bar(RED, "-", removed));
        writeln!(self, "{}{space}{added}{removed}", plain_lines(start))
    }

    /// Prints a path after the letter of its state.
    pub fn entry(&mut self, letter: char, path: impl Display) -> io::Result<()> {
        let color = match letter {
            'A' | '+' => GREEN,
            'D' | '-' => RED,
            'C' => MAGENTA,
            _ => YELLOW,
        };
        let letter = paint(self.color_out, color, &letter.to_string());
        let path = path.to_string();
        writeln!(self, "{letter} {}", plain_lines(&path))
    }

    /// Prints a line for each path, all with the same letter.
    pub fn entries(&mut self, letter: char, paths: &[String]) -> io::Result<()> {
        paths.iter().try_for_each(|path| self.entry(letter, path))
    }

    /// Like [`Self::entries`], unless `--quiet` is set.
    pub fn entries_done(&mut self, letter: char, paths: &[String]) -> io::Result<()> {
        if self.quiet { Ok(()) } else { self.entries(letter, paths) }
    }

    /// Prints a note to stderr, unless `--quiet` is set.
    pub fn note(&mut self, text: impl Display) {
        if !self.quiet {
            self.aside("note", CYAN, text);
        }
    }

    /// Prints a hint, which names something to try, to stderr, unless `--quiet` is set.
    pub fn hint(&mut self, text: impl Display) {
        if !self.quiet {
            self.aside("hint", CYAN, text);
        }
    }

    /// Prints a warning to stderr, even if `--quiet` is set.
    pub fn warning(&mut self, text: impl Display) {
        self.aside("warning", YELLOW, text);
    }

    /// Returns a function that prints warnings while a command works on another thread. It prints
    /// nothing with `--json`.
    pub fn warner(&self) -> impl Fn(&dyn Display) + Send + Sync + 'static {
        let (json, color) = (self.json, self.color_err);
        // Clears the line, because it may show a progress bar.
        let clear = if io::stderr().is_terminal() { "\r\x1b[2K" } else { "" };
        move |text| {
            if !json {
                let word = paint(color, YELLOW, "warning:");
                let text = text.to_string();
                let _ = writeln!(io::stderr(), "{clear}{word} {}", plain_lines(&text));
            }
        }
    }

    /// Prints why the command failed, with a line for each reason.
    pub fn error(&mut self, code: Code, reasons: &[String], hint: Option<&str>) {
        if self.json {
            let message = &reasons.join("\n");
            let error = ErrorReport { error: ErrorBody { code: code.as_str(), message, hint } };
            // If stdout itself failed, there is nowhere to report it.
            let _ = self.json_line(&error).and_then(|()| self.flush());
            return;
        }
        for reason in reasons {
            self.aside("error", RED, crate::words::plain(reason));
        }
        if let Some(hint) = hint {
            self.aside("hint", CYAN, hint);
        }
    }

    fn aside(&mut self, word: &str, color: &str, text: impl Display) {
        if !self.json {
            // A terminal shows both streams as one text, so their order is kept. If this fails, it
            // fails again when the command ends.
            let _ = self.flush();
            let word = paint(self.color_err, color, &format!("{word}:"));
            let text = text.to_string();
            let _ = writeln!(io::stderr(), "{word} {}", plain_lines(&text));
        }
    }

    fn json_line(&mut self, value: &impl Serialize) -> io::Result<()> {
        let text = serde_json::to_string(value).expect("a report has nothing JSON cannot say");
        writeln!(self, "{text}")
    }

    fn watched<T>(&mut self, result: io::Result<T>) -> io::Result<T> {
        if let Err(error) = &result {
            self.reader_gone |= error.kind() == io::ErrorKind::BrokenPipe;
        }
        result
    }
}

/// Writes bytes to stdout unchanged.
impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let result = match &mut self.diversion {
            Some(diversion) => diversion.write(bytes),
            None => self.stdout.write(bytes),
        };
        self.watched(result)
    }

    fn flush(&mut self) -> io::Result<()> {
        let result = match &mut self.diversion {
            Some(diversion) => diversion.flush(),
            None => self.stdout.flush(),
        };
        self.watched(result)
    }
}

#[derive(Serialize)]
struct ErrorReport<'a> {
    error: ErrorBody<'a>,
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    code: &'a str,
    message: &'a str,
    hint: Option<&'a str>,
}

/// Returns how wide the terminal is. Without one, output is as wide as on most.
pub fn terminal_columns() -> usize {
    let (width, _) = terminal_size::terminal_size().unzip();
    width.map_or(80, |width: terminal_size::Width| usize::from(width.0)).max(20)
}

fn paint(color: bool, code: &str, text: &str) -> String {
    if color { format!("\x1b[1;{code}m{text}\x1b[0m") } else { text.to_owned() }
}
