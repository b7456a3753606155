//! The kind of an error in a word, for programs.

use fastest_sync::Code as EngineCode;

/// The kind of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// One of the engine's.
    Engine(EngineCode),
    /// An application's file of rows could not be read.
    BadDatabase,
    /// The command line or a variable is wrong.
    Usage,
    /// No keyring can be used.
    NoKeyring,
    /// There is no home folder.
    NoHome,
    /// Stdout cannot be written.
    Output,
}

impl Code {
    /// Returns the word for it. These words never change.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Engine(code) => code.as_str(),
            Self::BadDatabase => "bad_database",
            Self::Usage => "usage",
            Self::NoKeyring => "no_keyring",
            Self::NoHome => "no_home",
            Self::Output => "output",
        }
    }
}
