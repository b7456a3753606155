//! Rows that were written in one transaction are pushed in one transaction.

use crate::replica::local::outbox::Outbox;
use crate::replica::session::Session;
use crate::rows::write_error::{TRANSACTION_BYTES_MAX, WriteError};

/// Waiting transactions that have a row in common are joined up to this many bytes.
const JOINED_BYTES_MAX: i64 = 1_000_000;

/// Joins what was queued since `revision` with every waiting transaction of which a row was written
/// again. If all of it would exceed [`JOINED_BYTES_MAX`], the waiting ones stay as they are and are
/// pushed first, without the rows that were written again.
///
/// # Errors
///
/// [`WriteError::TransactionTooLarge`] if what was queued since `revision` is too large by itself.
pub(crate) fn join_since(session: Session<'_>, revision: i64) -> Result<(), WriteError> {
    let outbox = Outbox(session);
    let (count, Some(newest)) = outbox.written_since(revision)? else { return Ok(()) };
    let touched = outbox.joined_since(revision)?;
    if count < 2 && touched.is_empty() {
        return Ok(());
    }
    let written = outbox.bytes_since(revision)?;
    if written > TRANSACTION_BYTES_MAX {
        return Err(WriteError::TransactionTooLarge { bytes: written });
    }
    let mut all = written;
    for joined in &touched {
        all += outbox.bytes_joined(*joined)?;
    }
    // The last of the waiting transactions keeps its number, so that its rows, which may be many, are
    // not updated.
    let one = match touched.last() {
        Some(last) if all <= JOINED_BYTES_MAX => {
            for joined in touched.iter().filter(|joined| *joined != last) {
                outbox.join(*joined, *last)?;
            }
            *last
        }
        _ => newest,
    };
    Ok(outbox.join_since(revision, one)?)
}
