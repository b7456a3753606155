//! Proof of what the primary was last seen to hold. The primary compares it with its own data, to
//! find whether it has lost something since.

use fastest_schema::{ScopeId, Seen};

use crate::exchange::plan::PlannedRow;
use crate::replica::error::ReplicaError;
use crate::replica::local::cursors::Cursors;
use crate::replica::local::known::Known;
use crate::replica::session::Session;

/// Returns the last change that was seen in each of these scopes, as a JSON list of pairs of scope
/// and change.
pub(crate) fn seen_list(session: Session<'_>, scopes: &[ScopeId]) -> Result<String, ReplicaError> {
    let mut list = Vec::new();
    for scope in scopes {
        let seen = Known(session).seen(scope, Cursors(session).of(scope)?)?;
        list.extend(seen.map(|seen| (scope, seen)));
    }
    Ok(serde_json::to_string(&list).expect("texts and numbers serialise"))
}

/// Returns the last change that was seen in the scopes of these rows: in the first scope that has
/// one. The other scopes were checked before ([`seen_list`]).
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
