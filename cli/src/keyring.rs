//! Tokens in the system's keyring. Each is an item of the service `fastest`, whose account is the
//! address of the remote, or the part of it that the token is valid for ([`account`]).
//!
//! In a build without the feature `keyring`, every call fails with that reason.

mod backend;
#[cfg(feature = "keyring")]
mod system;

pub use backend::{Keyring, KeyringError};

use fastest_sync::remote::address::{Address, D1Address};

/// Returns the account under which the token of a remote is stored. A Cloudflare token is valid for
/// all databases of its account, and the address of a server can be spelt in several ways.
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

/// Returns the keyring of the current user. It fails at each call if `FASTEST_KEYRING` is `off` or
/// this build has no keyring.
pub fn of_this_user() -> Box<dyn Keyring> {
    match std::env::var_os("FASTEST_KEYRING") {
        Some(value) if value == "off" => Box::new(Off("FASTEST_KEYRING turns it off")),
        #[cfg(feature = "keyring")]
        _ => Box::new(system::System),
        #[cfg(not(feature = "keyring"))]
        _ => Box::new(Off("this build of fastest has none")),
    }
}

/// A keyring that cannot be used, and the reason.
#[derive(Debug)]
struct Off(&'static str);

impl Off {
    fn error(&self) -> KeyringError {
        KeyringError(self.0.to_owned())
    }
}

impl Keyring for Off {
    fn load(&self, _: &str) -> Result<Option<String>, KeyringError> {
        Err(self.error())
    }

    fn store(&self, _: &str, _: &str) -> Result<(), KeyringError> {
        Err(self.error())
    }

    fn delete(&self, _: &str) -> Result<bool, KeyringError> {
        Err(self.error())
    }
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
