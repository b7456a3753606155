//! The keyring of the system.
//!
//! A keyring may wait for a person to unlock it, and waits forever if nobody sees the prompt. So
//! each call runs on a thread of its own, which ends with the process, and the wait for it is
//! limited.

use std::io::{self, IsTerminal};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use keyring::{Entry, Error};

use crate::keyring::backend::{Keyring, KeyringError};

const SERVICE: &str = "fastest";

/// Longest wait if a person can type a password.
const PERSON_WAIT: Duration = Duration::from_secs(60);
/// Longest wait if nobody can unlock the keyring.
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
    // `Entry::new` reports only that there is no store. The status has the reason.
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

/// Uses Display, never Debug, because some variants contain the secret.
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
