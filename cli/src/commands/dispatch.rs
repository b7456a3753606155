//! Parses the arguments, runs the command that they name, and reports its failure.

use std::borrow::Cow;
use std::ffi::OsString;
use std::io::Write as _;

use clap::Parser as _;
use clap::error::ErrorKind;
use fastest_sync::waiting;

use crate::args::{self, Cli, Command};
use crate::commands::{
    conflicts, diff, doctor, drift, history, merge, project, remote, save, schema, shell, sync,
    undo, workspace,
};
use crate::error::code::Code;
use crate::error::{CliError, Exit};
use crate::output::Output;
use crate::session::Session;
use crate::{logs, words};

/// Runs the command that the arguments name, and reports its failure.
pub fn run(args: impl Iterator<Item = OsString>, out: &mut Output) -> Exit {
    let args: Vec<OsString> = args.collect();
    let cli = match Cli::try_parse_from(&args) {
        Ok(cli) => cli,
        Err(error) => {
            out.set(args::wants_json(&args), false);
            return unparsed(&error, out);
        }
    };
    out.set(cli.global.json, cli.global.quiet);
    let verb = cli.command.verb();
    let warn = out.warner();
    waiting::introduce(&format!("fastest {verb}"), move |waiting| {
        warn(&words::plain(&waiting.to_string()));
    });
    let ended = dispatch(cli, out).and_then(|exit| Ok(out.flush().map(|()| exit)?));
    match ended {
        Ok(exit) => exit,
        Err(_) if out.reader_gone() => Exit::Done,
        Err(error) => {
            out.error(error.code(), &error.sentences(), error.hint(verb));
            Exit::Failed
        }
    }
}

fn dispatch(cli: Cli, out: &mut Output) -> Result<Exit, CliError> {
    logs::init(out.color_err())?;
    let session = &mut Session::new(&cli.global, out)?;
    match cli.command {
        Command::Init { dir, name } => save::init(session, dir, name),
        Command::Snapshot { message } => save::snapshot(session, message.message),
        Command::Status => save::status(session),
        Command::Push { message, to, with_conflicts } => {
            sync::push(session, message.message, to, with_conflicts)
        }
        Command::Clone { project, dir, here, workspace } => {
            sync::clone(session, &project, dir.as_deref(), here, workspace)
        }
        Command::Pull { workspace } => sync::pull(session, workspace),
        Command::Merge(asked) => merge::run(session, &asked),
        Command::Drift(asked) => drift::run(session, &asked),
        Command::Diff(asked) => diff::diff(session, &asked),
        Command::Log { limit } => history::log(session, limit),
        Command::Undo { operation } => undo::undo(session, operation),
        Command::Redo => undo::redo(session),
        Command::Op(command) => undo::op(session, &command),
        Command::Restore { paths, to } => history::restore(session, &paths, to),
        Command::Untrack { paths } => save::untrack(session, &paths),
        Command::Cat { snapshot, path } => history::cat(session, &snapshot, &path),
        Command::Workspace(command) => workspace::run(session, command),
        Command::Project(command) => project::run(session, command),
        Command::Conflicts(asked) => conflicts::conflicts(session, &asked),
        Command::Resolve { what, choice } => conflicts::resolve(session, &what, &choice),
        Command::Remote(command) => remote::run(session, command),
        Command::Schema(command) => schema::run(session, command),
        Command::Doctor { mend, remote } => doctor::doctor(session, mend, remote),
        Command::Completions { shell } => shell::completions(session, shell),
        Command::Man { dir } => shell::man(session, dir),
    }
}

/// Prints the help or the version. Anything else that clap refused is reported as a usage error.
fn unparsed(error: &clap::Error, out: &mut Output) -> Exit {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        let text = error.render();
        let text = if out.color() { text.ansi().to_string() } else { text.to_string() };
        return match write!(out, "{text}").and_then(|()| out.flush()) {
            Ok(()) => Exit::Done,
            Err(_) if out.reader_gone() => Exit::Done,
            Err(error) => {
                out.error(Code::Output, &CliError::Output(error).sentences(), None);
                Exit::Failed
            }
        };
    }
    if !out.json() {
        // Clap's own message and format. If stderr fails, there is nowhere to report it.
        let text = error.render().to_string();
        let _ = match words::plain_lines(&text) {
            Cow::Borrowed(_) => error.print(),
            Cow::Owned(text) => write!(std::io::stderr(), "{text}"),
        };
        return Exit::Failed;
    }
    let (message, hint) = match error.kind() {
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            ("a command is missing".to_owned(), None)
        }
        _ => usage_words(&error.to_string()),
    };
    out.error(Code::Usage, &[message], Some(hint.as_deref().unwrap_or("run `fastest --help`")));
    Exit::Failed
}

/// Extracts the message and the tip from the text that clap would print. The message is its first
/// paragraph.
fn usage_words(text: &str) -> (String, Option<String>) {
    let mut paragraphs = text.split("\n\n").map(|paragraph| {
        let lines: Vec<&str> = paragraph.lines().map(str::trim).collect();
        lines.join(" ")
    });
    let message = paragraphs.next().unwrap_or_default();
    let message = message.strip_prefix("error: ").unwrap_or(&message).to_owned();
    let tip = paragraphs.find_map(|paragraph| Some(paragraph.strip_prefix("tip: ")?.to_owned()));
    (message, tip)
}

#[cfg(test)]
mod tests {
    use super::usage_words;

    #[test]
    fn usage_errors_become_a_sentence_and_a_tip() {
        let missing = "error: the following required arguments were not provided:\n  <PROJECT>\n  \
                       <DIR>\n\nUsage: fastest clone <PROJECT> <DIR>\n";
        let sentence = "the following required arguments were not provided: <PROJECT> <DIR>";
        assert_eq!(usage_words(missing), (sentence.into(), None));
        let unknown = "error: unrecognized subcommand 'pul'\n\n  tip: a similar subcommand \
                       exists: 'pull'\n\nUsage: fastest <COMMAND>\n";
        let tip = Some("a similar subcommand exists: 'pull'".into());
        assert_eq!(usage_words(unknown), ("unrecognized subcommand 'pul'".into(), tip));
    }
}
