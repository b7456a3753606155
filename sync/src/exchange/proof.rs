//! What the primary was seen to hold, to tell whether it lacks what it had.

use fastest_schema::Seen;

use crate::exchange::plan::PlannedRow;
use crate::replica::error::ReplicaError;
use crate::replica::local::cursors::Cursors;
use crate::replica::local::known::Known;
use crate::replica::session::Session;

/// What was seen last in each of these scopes, as JSON: a list of a scope and a change each.
pub(crate) fn seen_list(session: Session<'_>, scopes: &[String]) -> Result<String, ReplicaError> {
    let mut list = Vec::new();
    for scope in scopes {
        let seen = Known(session).seen(scope, Cursors(session).of(scope)?)?;
        list.extend(seen.map(|seen| (scope, seen)));
    }
    Ok(serde_json::to_string(&list).expect("texts and numbers serialise"))
}

/// What the primary was seen to hold in one of the scopes of these rows, the first that has any.
/// Of the others, it was asked before ([`seen_list`]).
pub(crate) fn proof_of(
    session: Session<'_>,
    rows: &[&PlannedRow],
) -> Result<Option<Seen>, ReplicaError> {
    let mut asked: Option<&str> = None;
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
