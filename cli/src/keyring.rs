//! Tokens in the system's keyring: an item of service `fastest`, whose account is the remote's
//! address.
//!
//! A keyring may wait for a person to unlock it, for ever where nobody sees it ask. So each call runs
//! on a thread of its own, which dies with the process, and is waited for only so long.

use std::io::{self, IsTerminal};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use keyring::{Entry, Error};

const SERVICE: &str = "fastest";

/// Time for a person to type a password.
const PERSON_WAIT: Duration = Duration::from_secs(60);
/// Time for a keyring that is open, where nobody could unlock it.
const ALONE_WAIT: Duration = Duration::from_secs(5);

/// Why the keyring cannot be used, in words that hold no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct KeyringError(String);

/// A keyring.
pub trait Keyring: std::fmt::Debug {
    /// The token kept for a remote, if there is one.
    fn load(&self, url: &str) -> Result<Option<String>, KeyringError>;

    /// Keeps a token, in place of an earlier one.
    fn store(&self, url: &str, token: &str) -> Result<(), KeyringError>;

    /// Deletes the token. False where there was none.
    fn delete(&self, url: &str) -> Result<bool, KeyringError>;
}

/// The keyring of this machine's user; with `FASTEST_KEYRING=off` none at all.
pub fn of_this_user() -> Box<dyn Keyring> {
    match std::env::var_os("FASTEST_KEYRING") {
        Some(value) if value == "off" => Box::new(Off),
        _ => Box::new(System),
    }
}

#[derive(Debug)]
struct System;

impl Keyring for System {
    fn load(&self, url: &str) -> Result<Option<String>, KeyringError> {
        let url = url.to_owned();
        on_a_thread(move || found(entry(&url)?.get_password()))
    }

    fn store(&self, url: &str, token: &str) -> Result<(), KeyringError> {
        let (url, token) = (url.to_owned(), token.to_owned());
        on_a_thread(move || entry(&url)?.set_password(&token).map_err(unusable))
    }

    fn delete(&self, url: &str) -> Result<bool, KeyringError> {
        let url = url.to_owned();
        on_a_thread(move || Ok(found(entry(&url)?.delete_credential())?.is_some()))
    }
}

#[derive(Debug)]
struct Off;

impl Off {
    fn error() -> KeyringError {
        KeyringError("FASTEST_KEYRING turns it off".to_owned())
    }
}

impl Keyring for Off {
    fn load(&self, _: &str) -> Result<Option<String>, KeyringError> {
        Err(Self::error())
    }

    fn store(&self, _: &str, _: &str) -> Result<(), KeyringError> {
        Err(Self::error())
    }

    fn delete(&self, _: &str) -> Result<bool, KeyringError> {
        Err(Self::error())
    }
}

fn entry(url: &str) -> Result<Entry, KeyringError> {
    // `Entry::new` says no more than that there is no store: the reason is here.
    match Entry::store_status() {
        Ok(()) => Entry::new(SERVICE, url).map_err(unusable),
        Err(error) => Err(KeyringError(error.to_string())),
    }
}

fn found<T>(answer: keyring::Result<T>) -> Result<Option<T>, KeyringError> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(Error::NoEntry) => Ok(None),
        Err(error) => Err(unusable(error)),
    }
}

/// Display, never Debug: some variants hold the secret.
fn unusable(error: Error) -> KeyringError {
    KeyringError(error.to_string())
}

fn on_a_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, KeyringError> + Send + 'static,
) -> Result<T, KeyringError> {
    let wait = match io::stderr().is_terminal() {
        true => PERSON_WAIT,
        false => ALONE_WAIT,
    };
    let (send, receive) = mpsc::channel();
    thread::spawn(move || send.send(work()));
    receive.recv_timeout(wait).unwrap_or_else(|error| {
        Err(KeyringError(match error {
            mpsc::RecvTimeoutError::Timeout => format!("no answer within {} s", wait.as_secs()),
            mpsc::RecvTimeoutError::Disconnected => "its client failed".to_owned(),
        }))
    })
}
