//! Bytes as hex digits.

use sha2::{Digest, Sha256};

/// Encodes bytes as lower-case hex digits.
pub(crate) fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Decodes hex digits of either case; `None` if the text is not hex.
pub(crate) fn from_hex(hex: &str) -> Option<Vec<u8>> {
    if !hex.len().is_multiple_of(2) || !hex.is_ascii() {
        return None;
    }
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).ok()).collect()
}

/// Returns the SHA-256 of a text, as lower-case hex digits.
pub(crate) fn sha256(text: &str) -> String {
    to_hex(&Sha256::digest(text))
}
