//! The push statements that a client sends, and their payload.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::wire::ids::{DeviceId, PushId, RowKey};

/// The version of the payload that this crate writes.
pub const PAYLOAD_VERSION: i64 = 2;

/// How many pushes the primary remembers for each device.
pub const PUSHES_KEPT: i64 = 1000;

/// The push statement. Its parameters are texts: push id, device id, payload.
///
/// It returns one row: the push id, so that the answer to another request is noticed, and a JSON
/// array of `[table, key, version, deleted]` for each locked row whose version after the push is
/// not the lock's version plus one. It returns no row if the push was applied before; then ask with
/// [`PUSH_KNOWN_SQL`].
pub const PUSH_SQL: &str =
    "INSERT INTO fastest_push_2(id, device, payload) VALUES (?1, ?2, ?3) RETURNING id, (
  SELECT json_group_array(json_array(c.tbl, c.pk, c.version, c.deleted))
  FROM json_each(payload->'locks') AS l
  JOIN fastest_changes AS c ON c.tbl = l.value->>0 AND c.pk = l.value->>1
  WHERE c.version IS NOT (l.value->>2) + 1)";

/// The push statement for payload 1; otherwise like [`PUSH_SQL`].
pub const PUSH_1_SQL: &str =
    "INSERT INTO fastest_push(id, device, payload) VALUES (?1, ?2, ?3) RETURNING id, (
  SELECT json_group_array(json_array(c.tbl, c.pk, c.version, c.deleted))
  FROM json_each(payload->'locks') AS l
  JOIN fastest_changes AS c ON c.tbl = l.value->>0 AND c.pk = l.value->>1
  WHERE c.version IS NOT (l.value->>2) + 1)";

/// Asks whether a push was applied. Its parameters are the push id and the push's locks as JSON. It
/// returns the same row as [`PUSH_SQL`], or no row if the push was not applied.
pub const PUSH_KNOWN_SQL: &str = "SELECT id, (
  SELECT json_group_array(json_array(c.tbl, c.pk, c.version, c.deleted))
  FROM json_each(?2) AS l
  JOIN fastest_changes AS c ON c.tbl = l.value->>0 AND c.pk = l.value->>1
  WHERE c.version IS NOT (l.value->>2) + 1)
FROM fastest_pushes WHERE id = ?1";

/// A trial push, which is never applied. It has no id, so it fails with [`TRIED`] when it is
/// recorded, unless a check or an operation fails before. Foreign keys are not checked, because
/// SQLite would check them later. Its parameters are the device id and the payload.
pub const TRIAL_SQL: &str = "INSERT INTO fastest_push_2(id, device, payload) VALUES (NULL, ?1, ?2)";

/// Part of the error message of a trial push that found nothing wrong.
pub const TRIED: &str = "NOT NULL constraint failed: fastest_pushes.id";

/// The contents of one push.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Payload {
    /// Always [`PAYLOAD_VERSION`].
    pub v: i64,
    /// Increases with each push of the device.
    pub counter: i64,
    /// The epoch of the primary that the push is meant for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epoch: Option<String>,
    /// The id of the device's last push that was applied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<PushId>,
    /// The last push of anyone that the device has seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mark: Option<Mark>,
    /// A change that the device has seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seen: Option<Seen>,
    /// The rows that the push changes, with the versions that the writer last saw.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub locks: Vec<Lock>,
    /// The operations on rows, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ops: Vec<Op>,
}

impl Payload {
    /// Returns a payload without operations.
    pub fn new(counter: i64) -> Payload {
        Payload {
            v: PAYLOAD_VERSION,
            counter,
            epoch: None,
            after: None,
            mark: None,
            seen: None,
            locks: Vec::new(),
            ops: Vec::new(),
        }
    }
}

/// The table, key and version of a row as the writer last saw it; version 0 for a row that never
/// existed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lock(pub String, pub RowKey, pub i64);

/// Columns of a row, with their values in wire form.
pub type Columns = Map<String, Json>;

/// An operation on one row, which is identified by its table and its key.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Op {
    /// Writes these columns of the row. The others keep their values, or get their defaults in a
    /// new row.
    Write(String, RowKey, Columns),
    /// Changes these columns in a row of a versioned table, if the row exists, without a lock. The
    /// last field is always 1.
    Patch(String, RowKey, Columns, u8),
    /// Deletes the row.
    Delete(String, RowKey),
}

/// A change that a device has seen: table, key, version, sequence number. If the primary has
/// neither this change nor a later version of its row, it is another database, or was restored from
/// an older backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Seen(pub String, pub RowKey, pub i64, pub i64);

/// The last push that a primary had applied when it answered: id, device, counter. A primary that does
/// not know it was restored from a backup since, and what was pushed after the backup is lost there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark(pub PushId, pub DeviceId, pub i64);

/// Returns an SQL condition: whether the primary has applied the push in the JSON array `mark`, or its
/// device has pushed so often since that the primary has deleted the record.
pub(crate) fn mark_sql(mark: &str) -> String {
    format!(
        "(EXISTS (SELECT 1 FROM fastest_pushes WHERE id = {mark}->>0)
      OR coalesce((SELECT max(counter) FROM fastest_pushes WHERE device = {mark}->>1), 0)
        >= {mark}->>2 + {PUSHES_KEPT})"
    )
}

/// Returns a SELECT that finds the scopes in which the primary lacks a change that was seen there.
/// The parameter `?2` is a JSON array of `[scope, [table, key, version, seq]]`, and the result a
/// JSON array of scopes. `?1` is left to the caller.
pub fn unseen_sql() -> String {
    let seen = seen_sql("(s.value->1)");
    format!("SELECT json_group_array(s.value->>0) FROM json_each(?2) AS s WHERE NOT {seen}")
}

/// Returns an SQL condition: whether the primary has the change in the JSON array `seen`, or a
/// later one of the same row.
pub(crate) fn seen_sql(seen: &str) -> String {
    format!(
        "EXISTS (SELECT 1 FROM fastest_changes WHERE tbl = {seen}->>0 AND pk = {seen}->>1
      AND (version > {seen}->>2 OR version = {seen}->>2 AND seq = {seen}->>3))"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_payload_is_short() {
        let json = serde_json::to_string(&Payload::new(7)).unwrap();
        assert_eq!(json, r#"{"v":2,"counter":7}"#);
    }

    #[test]
    fn operations_are_lists() {
        let (table, key) = ("t".to_owned(), "k".to_owned());
        let columns = Columns::from_iter([("a".to_owned(), Json::from(1))]);
        let ops = [
            Op::Write(table.clone(), key.clone().into(), columns.clone()),
            Op::Patch(table.clone(), key.clone().into(), columns, 1),
            Op::Delete(table, key.into()),
        ];
        let json = serde_json::to_string(&ops).unwrap();
        assert_eq!(json, r#"[["t","k",{"a":1}],["t","k",{"a":1},1],["t","k"]]"#);
    }
}
