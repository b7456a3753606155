//! Finds the row of a transaction that the primary refuses, if its message points at none. By
//! bisection, prefixes of the transaction are tried in a push that is never applied.

use fastest_schema::{Payload, TRIAL_SQL};

use crate::exchange::plan::PlannedRow;
use crate::exchange::sent::add;
use crate::remote::cause::Cause;
use crate::remote::primary::{Primary, PrimaryError};
use crate::remote::statement::Statement;
use crate::replica::local::device_row::DeviceRow;
use crate::replica::open::Replica;

/// Returns the row at fault among rows that were refused together; `None` if the answers do not
/// show it.
pub(crate) async fn at_fault<'r>(
    replica: &mut Replica,
    primary: &dyn Primary,
    unit: &'r [PlannedRow],
) -> Option<&'r PlannedRow> {
    // The first `taken` rows are accepted, and the first `refused` rows are not.
    let (mut taken, mut refused) = (0, unit.len());
    while refused - taken > 1 {
        let middle = taken + (refused - taken) / 2;
        if is_refused(replica, primary, &unit[..middle]).await? {
            refused = middle;
        } else {
            taken = middle;
        }
    }
    unit.get(taken)
}

/// Whether the primary would refuse these rows; `None` if its answer does not show it.
async fn is_refused(
    replica: &mut Replica,
    primary: &dyn Primary,
    rows: &[PlannedRow],
) -> Option<bool> {
    let (device, counter) = DeviceRow(replica.read()).counter().ok()?;
    let mut payload = Payload::new(counter + 1);
    for row in rows {
        let sent = row.sent().map(|(name, value)| (name.clone(), value.to_wire()));
        add(&mut payload, row, sent.collect());
    }
    let payload = serde_json::to_string(&payload).expect("a payload serialises");
    // The trial is never applied. A rule of the primary may refuse it like any push.
    match primary.run(Statement::push(TRIAL_SQL), &[device.as_str(), &payload]).await {
        Err(PrimaryError::Failed { cause: Cause::Tried, .. }) => Some(false),
        Err(error) if error.is_of_rows() => Some(true),
        _ => None,
    }
}
