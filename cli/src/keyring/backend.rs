//! What a keyring does.

/// Why the keyring cannot be used, in words that hold no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct KeyringError(pub(super) String);

/// A keyring.
pub trait Keyring: std::fmt::Debug {
    /// The token kept under an account, if there is one.
    fn load(&self, account: &str) -> Result<Option<String>, KeyringError>;

    /// Keeps a token, in place of an earlier one.
    fn store(&self, account: &str, token: &str) -> Result<(), KeyringError>;

    /// Deletes the token. False where there was none.
    fn delete(&self, account: &str) -> Result<bool, KeyringError>;
}
