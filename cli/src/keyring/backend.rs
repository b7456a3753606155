//! The interface of a keyring.

/// Why the keyring cannot be used. The message contains no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct KeyringError(pub(super) String);

/// Stores one token for each account.
pub trait Keyring: std::fmt::Debug + Send + Sync {
    /// Returns the token of an account, if there is one.
    fn load(&self, account: &str) -> Result<Option<String>, KeyringError>;

    /// Stores a token, and replaces an earlier one.
    fn store(&self, account: &str, token: &str) -> Result<(), KeyringError>;

    /// Deletes the token. Returns false if there was none.
    fn delete(&self, account: &str) -> Result<bool, KeyringError>;
}
