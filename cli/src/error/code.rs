//! Error codes: one word for each kind of error, for programs.

use fastest_sync::Code as EngineCode;

/// The kind of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// A kind of error of the engine.
    Engine(EngineCode),
    /// An application's database could not be used.
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
    /// Returns the code's word. These words never change.
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
