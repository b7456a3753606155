//! Rows that were written in one transaction go to the primary in one.

use crate::replica::local::outbox::Outbox;
use crate::replica::session::Session;
use crate::rows::write_error::{TRANSACTION_BYTES_MAX, WriteError};

/// Bytes up to which transactions that wait become one by a row of both.
const JOINED_BYTES_MAX: i64 = 1_000_000;

/// Makes one transaction of what was queued since `revision`, with every other of which a row was
/// written again; but where that would come to more than a statement holds, what waits already
/// goes before, without the rows that were written again.
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
    // The rows that were written before are not written down anew: they may be many.
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
