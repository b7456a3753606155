//! What a device remembers of its remote.

use fastest_schema::{Mark, PushId};

/// What a device remembers of its remote.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RemoteState {
    /// The address that the user set; `None` if the primary is inside the device's store.
    pub url: Option<String>,
    /// Where packs are stored that are not sent inline.
    pub packs: Packs,
    /// The primary's epoch, once it has answered.
    pub epoch: Option<String>,
    /// The last push that the primary accepted from this device.
    pub last_push_id: Option<PushId>,
    /// The last push of anyone, as of the newest page that brought something.
    pub mark: Option<Mark>,
}

/// Where packs are stored that are too large to be sent inline.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Packs {
    /// A folder beside a primary that is a file; rows of any other primary.
    #[default]
    Default,
    /// Rows of the primary.
    Rows,
    /// The pack store at this address.
    At(String),
}

impl Packs {
    const ROWS: &str = "rows";

    pub(crate) fn from_cell(cell: Option<String>) -> Self {
        match cell {
            None => Self::Default,
            Some(text) if text == Self::ROWS => Self::Rows,
            Some(url) => Self::At(url),
        }
    }

    /// Returns `default`, `rows` or the address, as the user writes it.
    pub fn name(&self) -> &str {
        self.to_cell().unwrap_or("default")
    }

    pub(crate) fn to_cell(&self) -> Option<&str> {
        match self {
            Self::Default => None,
            Self::Rows => Some(Self::ROWS),
            Self::At(url) => Some(url),
        }
    }
}
