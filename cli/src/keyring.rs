//! Tokens in the system's keyring: an item of service `fastest`, whose account is the remote's
//! address, or what of it the token is good for ([`account`]).
//!
//! A keyring may wait for a person to unlock it, for ever where nobody sees it ask. So each call runs
//! on a thread of its own, which dies with the process, and is waited for only so long.

use std::io::{self, IsTerminal};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use fastest_sync::address::{Address, D1Address};
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
    /// The token kept under an account, if there is one.
    fn load(&self, account: &str) -> Result<Option<String>, KeyringError>;

    /// Keeps a token, in place of an earlier one.
    fn store(&self, account: &str, token: &str) -> Result<(), KeyringError>;

    /// Deletes the token. False where there was none.
    fn delete(&self, account: &str) -> Result<bool, KeyringError>;
}

/// The account under which the token of a remote is kept. A token of Cloudflare's is good for all
/// databases of its account, which have names and ids; a server has several spellings.
pub fn account(url: &str) -> String {
    match Address::parse(url) {
        Ok(Address::D1(D1Address { account, api: None, .. })) => format!("d1://{account}"),
        Ok(Address::D1(D1Address { account, api: Some(api), .. })) => {
            format!("d1://{account}?api={api}")
        }
        Ok(Address::Libsql(url)) => String::from(url),
        _ => url.to_owned(),
    }
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
    fn load(&self, account: &str) -> Result<Option<String>, KeyringError> {
        let account = account.to_owned();
        on_a_thread(move || found(entry(&account)?.get_password()))
    }

    fn store(&self, account: &str, token: &str) -> Result<(), KeyringError> {
        let (account, token) = (account.to_owned(), token.to_owned());
        on_a_thread(move || entry(&account)?.set_password(&token).map_err(unusable))
    }

    fn delete(&self, account: &str) -> Result<bool, KeyringError> {
        let account = account.to_owned();
        on_a_thread(move || Ok(found(entry(&account)?.delete_credential())?.is_some()))
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

fn entry(account: &str) -> Result<Entry, KeyringError> {
    // `Entry::new` says no more than that there is no store: the reason is here.
    match Entry::store_status() {
        Ok(()) => Entry::new(SERVICE, account).map_err(unusable),
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
    let asked = thread::Builder::new().spawn(move || send.send(work()));
    asked.map_err(|error| KeyringError(format!("no thread to ask it on: {error}")))?;
    receive.recv_timeout(wait).unwrap_or_else(|error| {
        Err(KeyringError(match error {
            mpsc::RecvTimeoutError::Timeout => format!("no answer within {} s", wait.as_secs()),
            mpsc::RecvTimeoutError::Disconnected => "its client failed".to_owned(),
        }))
    })
}

#[cfg(test)]
mod tests {
    use super::account;

    #[test]
    fn a_token_is_kept_under_what_it_is_good_for() {
        for (url, kept) in [
            ("d1://0123abc/notes", "d1://0123abc"),
            ("d1://0123abc/00000000-0000-4000-8000-000000000001", "d1://0123abc"),
            ("d1://a/b?api=https://db.example/api", "d1://a?api=https://db.example/api"),
            ("libsql://app-ada.turso.io", "https://app-ada.turso.io/"),
            ("https://APP-ada.turso.io/", "https://app-ada.turso.io/"),
        ] {
            assert_eq!(account(url), kept);
        }
    }
}
