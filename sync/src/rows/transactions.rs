//! Joins queued rows, so that rows written in one transaction are pushed in one transaction.

use crate::replica::local::outbox::Outbox;
use crate::replica::session::Session;
use crate::rows::write_error::{TRANSACTION_BYTES_MAX, WriteError};

/// Queued transactions that have a row in common are joined up to this many bytes.
const JOINED_BYTES_MAX: i64 = 1_000_000;

/// Joins the rows queued since `revision` with every earlier transaction of several rows of which
/// one was written again. If the result would exceed [`JOINED_BYTES_MAX`], the earlier transactions
/// stay as they are and are pushed first, without the rows that were written again.
///
/// # Errors
///
/// Returns [`WriteError::TransactionTooLarge`] if the rows queued since `revision` are too large by
/// themselves.
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
    // The last of the earlier transactions keeps its number, so that its rows, which may be many,
    // need no update.
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
