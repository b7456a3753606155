//! `remote login`, `remote logout`: the primary's token in the system's keyring.

use std::io::{self, IsTerminal, Read};

use fastest_sync::device::report::{CheckName, RemoteReport};
use fastest_sync::remote::address::Address;
use fastest_sync::remote::secret::Secret;
use serde::Serialize;

use crate::error::{CliError, Exit};
use crate::keyring::{self, KeyringError};
use crate::output::Output;
use crate::secrets::{TokenOnTrial, from_environment};
use crate::session::{Session, runtime};
use crate::words::plain;

/// Maximum number of bytes of input that are read. No token is that long.
const TOKEN_BYTES_MAX: u64 = 64 << 10;

/// `fastest remote login`
#[derive(Debug, Serialize)]
struct LoginReport {
    /// Address of the primary.
    url: String,
    /// Whether this kind of primary uses a token at all.
    needs_token: bool,
    /// Whether the token was stored in the keyring.
    kept: bool,
    /// Whether the primary could be reached and accepted it.
    checked: bool,
    /// Another problem that the primary reported, or why it could not be asked.
    problem: Option<String>,
}

/// `fastest remote logout`
#[derive(Debug, Serialize)]
struct LogoutReport {
    /// Address of the primary.
    url: String,
    /// Whether this kind of primary uses a token at all.
    needs_token: bool,
    /// Whether there was a token to delete.
    deleted: bool,
}

pub fn login(session: &mut Session<'_>) -> Result<Exit, CliError> {
    let url = session.device()?.remote_show()?.url;
    let Some(variable) = token_name(&url) else {
        let report =
            LoginReport { url, needs_token: false, kept: false, checked: false, problem: None };
        session.out.report(&report, |out| no_token_needed(out, &report.url))?;
        return Ok(Exit::Done);
    };
    let token = read_token()?;
    let checked = try_token(session, &token)?;
    if Address::parse(&url).is_ok_and(|address| address.is_local_server()) {
        let why = "it is not asked for a primary on this machine".to_owned();
        return Err(CliError::NoKeyring { why, instead: format!("set {variable}") });
    }
    keyring::of_this_user()
        .store(&keyring::account(&url), token.expose())
        .map_err(|error| no_keyring(&error, format!("set {variable}")))?;
    let in_force = from_environment(variable);
    let problem = checked.problem;
    let checked = checked.reachable == Some(true);
    let report = LoginReport { url, needs_token: true, kept: true, checked, problem };
    session.out.report(&report, |out| {
        out.done(format_args!("The token for {} is in the keyring", plain(&report.url)))?;
        match &report.problem {
            Some(problem) if !report.checked => {
                out.warning(format_args!("it could not be tried: {}", plain(problem)));
            }
            Some(problem) => out.warning(plain(problem)),
            None => {}
        }
        if !matches!(in_force, Ok(None)) {
            out.warning(format_args!("{variable} is set, and comes first"));
        }
        Ok(())
    })?;
    Ok(Exit::Done)
}

pub fn logout(session: &mut Session<'_>) -> Result<Exit, CliError> {
    let url = session.device()?.remote_show()?.url;
    let Some(variable) = token_name(&url) else {
        let report = LogoutReport { url, needs_token: false, deleted: false };
        session.out.report(&report, |out| no_token_needed(out, &report.url))?;
        return Ok(Exit::Done);
    };
    let deleted = keyring::of_this_user()
        .delete(&keyring::account(&url))
        .map_err(|error| no_keyring(&error, "nothing is deleted".to_owned()))?;
    let report = LogoutReport { url, needs_token: true, deleted };
    session.out.report(&report, |out| {
        let url = plain(&report.url);
        if deleted {
            out.done(format_args!("The token for {url} is deleted from the keyring"))?
        } else {
            out.done(format_args!("The keyring has no token for {url}"))?
        }
        if !matches!(from_environment(variable), Ok(None)) {
            out.warning(format_args!("{variable} is set, and goes on being used"));
        }
        Ok(())
    })?;
    Ok(Exit::Done)
}

fn no_keyring(error: &KeyringError, instead: String) -> CliError {
    CliError::NoKeyring { why: error.to_string(), instead }
}

fn token_name(url: &str) -> Option<&'static str> {
    Address::parse(url).ok()?.token_name()
}

fn no_token_needed(out: &mut Output, url: &str) -> io::Result<()> {
    out.done(format_args!("{} needs no token", plain(url)))
}

/// Reads the token from the terminal, without echo, or from stdin. An argument would be in the
/// shell's history.
fn read_token() -> Result<Secret, CliError> {
    let io = |source| CliError::Io { action: "read the token from", path: "stdin".into(), source };
    let text = if io::stdin().is_terminal() {
        rpassword::prompt_password("Token (it is not shown): ").map_err(io)?
    } else {
        let mut text = String::new();
        io::stdin().take(TOKEN_BYTES_MAX).read_to_string(&mut text).map_err(io)?;
        text
    };
    let token = Secret::new(&text);
    match token.expose() {
        "" => Err(CliError::NotAToken("no token was given")),
        text if !text.bytes().all(|byte| byte.is_ascii_graphic()) => {
            Err(CliError::NotAToken("what was given is no token: it has spaces or other letters"))
        }
        _ => Ok(token),
    }
}

/// Tries the token on the primary. If the primary cannot be reached, the token is not refused.
fn try_token(session: &Session<'_>, token: &Secret) -> Result<RemoteReport, CliError> {
    let mut device = session.device_with(TokenOnTrial(token.clone()))?;
    let report = runtime()?.block_on(device.remote_check())?;
    let token_check = report.checks.iter().find(|check| check.name == CheckName::Token);
    match token_check.map(|check| check.ok) {
        Some(true) => Ok(report),
        None if report.reachable == Some(false) => Ok(report),
        found => Err(CliError::TokenRefused {
            problem: report.problem.unwrap_or_default(),
            denied: found == Some(false),
        }),
    }
}
