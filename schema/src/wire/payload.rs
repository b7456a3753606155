//! What a client sends: the statements of a push, and its payload.

use serde::Serialize;
use serde_json::{Map, Value as Json};

/// The version of the payload that this crate writes.
pub const PAYLOAD_VERSION: i64 = 2;

/// How many of its newest pushes the primary remembers for each device.
pub const PUSHES_KEPT: i64 = 1000;

/// The push statement. Its parameters are texts: push id, device id, payload.
///
/// It answers with the push id, so that no other answer can pass for its own, and with a JSON array:
/// `[table, key, version, deleted]` of each row with a lock whose version is another than the lock's
/// plus one by now. Where the push was applied before it answers with nothing:
/// [`PUSH_KNOWN_SQL`] tells then.
pub const PUSH_SQL: &str =
    "INSERT INTO fastest_push_2(id, device, payload) VALUES (?1, ?2, ?3) RETURNING id, (
  SELECT json_group_array(json_array(c.tbl, c.pk, c.version, c.deleted))
  FROM json_each(payload->'locks') AS l
  JOIN fastest_changes AS c ON c.tbl = l.value->>0 AND c.pk = l.value->>1
  WHERE c.version IS NOT (l.value->>2) + 1)";

/// The push statement for a payload 1, as [`PUSH_SQL`] otherwise.
pub const PUSH_1_SQL: &str =
    "INSERT INTO fastest_push(id, device, payload) VALUES (?1, ?2, ?3) RETURNING id, (
  SELECT json_group_array(json_array(c.tbl, c.pk, c.version, c.deleted))
  FROM json_each(payload->'locks') AS l
  JOIN fastest_changes AS c ON c.tbl = l.value->>0 AND c.pk = l.value->>1
  WHERE c.version IS NOT (l.value->>2) + 1)";

/// Whether a push was applied. Its parameters are the push id, and the push's locks as JSON; it
/// answers as [`PUSH_SQL`] does, or with nothing.
pub const PUSH_KNOWN_SQL: &str = "SELECT id, (
  SELECT json_group_array(json_array(c.tbl, c.pk, c.version, c.deleted))
  FROM json_each(?2) AS l
  JOIN fastest_changes AS c ON c.tbl = l.value->>0 AND c.pk = l.value->>1
  WHERE c.version IS NOT (l.value->>2) + 1)
FROM fastest_pushes WHERE id = ?1";

/// A push that is never applied: it lacks the id that it would be recorded by, and fails for that,
/// as [`TRIED`] says, unless it fails for a row before. Foreign keys are looked at later still, and
/// not here. Its parameters are the device and the payload.
pub const TRIAL_SQL: &str = "INSERT INTO fastest_push_2(id, device, payload) VALUES (NULL, ?1, ?2)";

/// Words by which a trial fails that found no fault.
pub const TRIED: &str = "NOT NULL constraint failed: fastest_pushes.id";

/// What one push carries.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Payload {
    /// Always [`PAYLOAD_VERSION`].
    pub v: i64,
    /// Grows with each push of the device.
    pub counter: i64,
    /// The epoch of the primary that the push is meant for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epoch: Option<String>,
    /// The last push of the device that was applied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// A change that the device has seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seen: Option<Seen>,
    /// What the writer saw of the rows that it changes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub locks: Vec<Lock>,
    /// What to do to rows, in this order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ops: Vec<Op>,
}

impl Payload {
    /// A payload that carries nothing yet.
    pub fn new(counter: i64) -> Payload {
        Payload {
            v: PAYLOAD_VERSION,
            counter,
            epoch: None,
            after: None,
            seen: None,
            locks: Vec::new(),
            ops: Vec::new(),
        }
    }
}

/// The table, key and version of a row as the writer last saw it; version 0 for one that never was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lock(pub String, pub String, pub i64);

/// Columns of a row, with their values as they travel.
pub type Columns = Map<String, Json>;

/// What to do to one row, which is named by its table and its key.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Op {
    /// Writes these columns of the row. The others stay, or take their defaults in a row that is new.
    Write(String, String, Columns),
    /// Changes these columns in a row of a versioned table, where it is there; without a lock. The
    /// last is always 1.
    Patch(String, String, Columns, u8),
    /// Deletes the row.
    Delete(String, String),
}

/// A change as a device has seen it: table, key, version, sequence number. Where the primary has
/// neither it nor a later version of its row, it is not the primary that the device knew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Seen(pub String, pub String, pub i64, pub i64);

/// Asks which of several scopes the primary lacks a change of that was seen there: a SELECT of one
/// column, whose parameter `?2` is a JSON array of `[scope, [table, key, version, seq]]`.
pub fn unseen_sql() -> String {
    let seen = seen_sql("(s.value->1)");
    format!("SELECT json_group_array(s.value->>0) FROM json_each(?2) AS s WHERE NOT {seen}")
}

/// Whether the primary has the change in the JSON array `seen`, or a later one of its row.
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
            Op::Write(table.clone(), key.clone(), columns.clone()),
            Op::Patch(table.clone(), key.clone(), columns, 1),
            Op::Delete(table, key),
        ];
        let json = serde_json::to_string(&ops).unwrap();
        assert_eq!(json, r#"[["t","k",{"a":1}],["t","k",{"a":1},1],["t","k"]]"#);
    }
}
