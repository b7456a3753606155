//! What the primary was last seen to hold, from which it can tell whether it has lost something
//! since.

use fastest_schema::{ScopeId, Seen};

use crate::exchange::plan::PlannedRow;
use crate::replica::error::ReplicaError;
use crate::replica::local::cursors::Cursors;
use crate::replica::local::known::Known;
use crate::replica::session::Session;

/// Returns what was last seen in each of these scopes, as JSON: a list of pairs of scope and
/// change.
pub(crate) fn seen_list(session: Session<'_>, scopes: &[ScopeId]) -> Result<String, ReplicaError> {
    let mut list = Vec::new();
    for scope in scopes {
        let seen = Known(session).seen(scope, Cursors(session).of(scope)?)?;
        list.extend(seen.map(|seen| (scope, seen)));
    }
    Ok(serde_json::to_string(&list).expect("texts and numbers serialise"))
}

/// Returns what the primary was last seen to hold in the first of these rows' scopes that has
/// anything. The other scopes were asked about before ([`seen_list`]).
pub(crate) fn proof_of(
    session: Session<'_>,
    rows: &[&PlannedRow],
) -> Result<Option<Seen>, ReplicaError> {
    let mut asked: Option<&ScopeId> = None;
    for row in rows {
        if asked.replace(&row.scope) == Some(&row.scope) {
            continue;
        }
        if let Some(seen) = Known(session).seen(&row.scope, Cursors(session).of(&row.scope)?)? {
            return Ok(Some(seen));
        }
    }
    Ok(None)
}
