//! The keyring of the system.
//!
//! A keyring may wait for a person to unlock it, for ever where nobody sees it ask. So each call runs
//! on a thread of its own, which dies with the process, and is waited for only so long.

use std::io::{self, IsTerminal};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use keyring::{Entry, Error};

use crate::keyring::backend::{Keyring, KeyringError};

const SERVICE: &str = "fastest";

/// Time for a person to type a password.
const PERSON_WAIT: Duration = Duration::from_secs(60);
/// Time for a keyring that is open, where nobody could unlock it.
const ALONE_WAIT: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(super) struct System;

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
    let wait = if io::stderr().is_terminal() { PERSON_WAIT } else { ALONE_WAIT };
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
