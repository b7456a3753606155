//! Finds tokens and keys: first in the environment and then, for tokens of primaries, in the
//! system's keyring.

use std::env;
use std::sync::{Mutex, PoisonError};

use fastest_sync::remote::address::Address;
use fastest_sync::remote::secret::{Secret, Secrets};

use crate::keyring::{self, Keyring};

/// The keyring's answer for a remote.
type Answer = Result<Option<Secret>, String>;

/// Looks in the environment, and then in the keyring. The keyring is asked once for each account in
/// a run, and only if a token may be needed that the environment lacks.
#[derive(Debug)]
pub struct EnvironmentThenKeyring {
    keyring: Box<dyn Keyring>,
    answers: Mutex<Vec<(String, Answer)>>,
}

impl EnvironmentThenKeyring {
    pub fn new() -> Self {
        Self { keyring: keyring::of_this_user(), answers: Mutex::default() }
    }

    fn ask_keyring(&self, url: &str) -> Answer {
        let account = keyring::account(url);
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let earlier = answers.iter().find(|(of, _)| *of == account).cloned();
        if let Some((_, answer)) = earlier {
            return answer;
        }
        let answer = match self.keyring.load(&account) {
            Ok(token) => Ok(token.as_deref().and_then(not_empty)),
            Err(error) => Err(format!("the system's keyring cannot be used: {error}")),
        };
        answers.push((account, answer.clone()));
        answer
    }
}

impl Secrets for EnvironmentThenKeyring {
    fn get(&self, name: &str, url: &str) -> Result<Option<Secret>, String> {
        if let Some(found) = from_environment(name)? {
            return Ok(Some(found));
        }
        if may_be_in_keyring(name, url) { self.ask_keyring(url) } else { Ok(None) }
    }
}

/// A token that is tried before it is stored. Other secrets come from the environment.
#[derive(Debug)]
pub struct TokenOnTrial(pub Secret);

impl Secrets for TokenOnTrial {
    fn get(&self, name: &str, url: &str) -> Result<Option<Secret>, String> {
        if is_token_of(name, url) { Ok(Some(self.0.clone())) } else { from_environment(name) }
    }
}

/// Returns the secret in the environment variable `name`. An empty variable counts as unset.
pub fn from_environment(name: &str) -> Result<Option<Secret>, String> {
    match env::var(name) {
        Ok(value) => Ok(not_empty(&value)),
        Err(env::VarError::NotPresent) => Ok(None),
        Err(env::VarError::NotUnicode(_)) => Err(format!("{name} is set to what is no text")),
    }
}

fn not_empty(text: &str) -> Option<Secret> {
    Some(Secret::new(text)).filter(|secret| !secret.expose().is_empty())
}

fn is_token_of(name: &str, url: &str) -> bool {
    Address::parse(url).is_ok_and(|address| address.token_name() == Some(name))
}

/// Whether to ask the keyring. Servers on this machine, which tests and CI start, take their token
/// from the environment only: the keyring could wait for a person who is not there.
fn may_be_in_keyring(name: &str, url: &str) -> bool {
    let local = Address::parse(url).is_ok_and(|address| address.is_local_server());
    is_token_of(name, url) && !local
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::keyring::KeyringError;

    /// Records the accounts that it is asked for, and has a token for each.
    #[derive(Debug, Default)]
    struct Fake(Arc<Mutex<Vec<String>>>);

    impl Keyring for Fake {
        fn load(&self, account: &str) -> Result<Option<String>, KeyringError> {
            self.0.lock().unwrap().push(account.to_owned());
            Ok(Some("kept\n".to_owned()))
        }

        fn store(&self, _: &str, _: &str) -> Result<(), KeyringError> {
            unreachable!("nothing is stored by looking")
        }

        fn delete(&self, _: &str) -> Result<bool, KeyringError> {
            unreachable!("nothing is deleted by looking")
        }
    }

    fn secrets() -> (EnvironmentThenKeyring, Arc<Mutex<Vec<String>>>) {
        let asked = Arc::default();
        let keyring = Box::new(Fake(Arc::clone(&asked)));
        (EnvironmentThenKeyring { keyring, answers: Mutex::default() }, asked)
    }

    #[test]
    fn the_keyring_is_asked_once_for_a_token_and_for_nothing_else() {
        let (secrets, asked) = secrets();
        let url = "libsql://app-ada.turso.io";
        for _ in 0..2 {
            let token = secrets.get("TURSO_AUTH_TOKEN", url).unwrap().unwrap();
            assert_eq!(token.expose(), "kept");
        }
        assert_eq!(*asked.lock().unwrap(), ["https://app-ada.turso.io/"]);
        for (name, url) in [
            ("AWS_SECRET_ACCESS_KEY", url),
            ("CLOUDFLARE_API_TOKEN", url),
            ("TURSO_AUTH_TOKEN", "file:///srv/p.db"),
            ("TURSO_AUTH_TOKEN", "http://127.0.0.1:8080"),
            ("CLOUDFLARE_API_TOKEN", "d1://local/a?api=http://localhost:8787/api"),
        ] {
            assert_eq!(secrets.get(name, url), Ok(None), "{name} {url}");
        }
        assert_eq!(asked.lock().unwrap().len(), 1);
    }

    #[test]
    fn the_environment_comes_first() {
        let (secrets, asked) = secrets();
        // PATH is set in every test.
        let path = secrets.get("PATH", "libsql://app-ada.turso.io").unwrap().unwrap();
        assert_eq!(path.expose(), env::var("PATH").unwrap().trim());
        assert!(asked.lock().unwrap().is_empty());
    }
}
