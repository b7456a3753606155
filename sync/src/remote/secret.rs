//! Tokens and keys, and where they come from.

use std::fmt;

/// A token or key. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a token or key, and trims white space, such as the line end of a pasted token.
    pub fn new(text: &str) -> Self {
        Self(text.trim().to_owned())
    }

    /// Returns the secret itself, for the code that sends it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// A source of secrets, such as the environment or the system's keyring. The caller implements it.
pub trait Secrets: fmt::Debug + Send + Sync {
    /// Returns a secret for the remote at `url`, by the name of its environment variable. `None` if
    /// there is none; an error, for messages, if the source cannot be read.
    fn get(&self, name: &str, url: &str) -> Result<Option<Secret>, String>;
}

/// A source without secrets, which is enough for a primary that is a file.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoSecrets;

impl Secrets for NoSecrets {
    fn get(&self, _: &str, _: &str) -> Result<Option<Secret>, String> {
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn a_secret_does_not_show_itself() {
        assert_eq!(format!("{:?}", Secret::new(" hush\n")), "Secret(…)");
        assert_eq!(Secret::new(" hush\n").expose(), "hush");
    }
}
