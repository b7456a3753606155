//! A statement for a primary, with its effect.

/// A statement for a primary.
///
/// Its author declares the effect, because SQL does not show whether a statement may run twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statement<'a> {
    /// Its SQL.
    pub sql: &'a str,
    /// Its effect.
    pub effect: Effect,
}

/// The effect of a statement, which decides whether it is sent again after its answer was lost, and
/// whether its answer has rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It reads, and returns rows.
    Reads,
    /// It writes, and does no harm if it is applied twice. It returns no rows.
    Repeatable,
    /// It is a push: it has an id, so it is applied once, however often it is sent. It may return
    /// rows. Only pushes are refused by a rule of the protocol.
    Push,
    /// It writes, and must not be applied twice. It returns no rows.
    Once,
}

impl Effect {
    /// Whether applying a statement twice does no harm.
    pub fn is_repeatable(self) -> bool {
        match self {
            Self::Reads | Self::Repeatable | Self::Push => true,
            Self::Once => false,
        }
    }

    /// Whether the answer may have rows.
    pub fn returns_rows(self) -> bool {
        match self {
            Self::Reads | Self::Push => true,
            Self::Repeatable | Self::Once => false,
        }
    }
}

impl<'a> Statement<'a> {
    /// Makes a statement that reads.
    pub const fn reads(sql: &'a str) -> Self {
        Self { sql, effect: Effect::Reads }
    }

    /// Makes a statement that writes, and does no harm if it is applied twice.
    pub const fn repeatable(sql: &'a str) -> Self {
        Self { sql, effect: Effect::Repeatable }
    }

    /// Makes a push, of any version of the payload.
    pub const fn push(sql: &'a str) -> Self {
        Self { sql, effect: Effect::Push }
    }

    /// Makes a statement that writes, and must not be applied twice.
    pub const fn once(sql: &'a str) -> Self {
        Self { sql, effect: Effect::Once }
    }
}
