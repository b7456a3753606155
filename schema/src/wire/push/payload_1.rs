//! Converts payload 1, of earlier builds, to payload 2.

use serde_json::Value as Json;

use crate::declare::table::{Policy, Table};
use crate::sql::quote::literal;
use crate::wire::payload::PAYLOAD_VERSION;
use crate::wire::refusal::Refusal;

/// Returns the trigger of the view `fastest_push`. Payload 1 does not order its operations: rows
/// and patches are applied first, parents before children, and then deletes, children before
/// parents.
pub fn payload_1_trigger(synced: &[&Table]) -> String {
    let list: Vec<Json> = synced
        .iter()
        .map(|table| serde_json::json!([table.name, table.pk, table.policy == Policy::Versioned]))
        .collect();
    let list = literal(&Json::Array(list).to_string());
    let part = |part: &str| {
        format!(
            "json_each({list}) AS t\n      JOIN json_each(NEW.payload->'{part}'->(t.value->>0)) AS r"
        )
    };
    let known = format!("SELECT value->>0 FROM json_each({list})");
    let versioned = format!("{known} WHERE value->>2");
    let unknown = |part: &str, known: &str| {
        format!(
            "{} FROM json_each(NEW.payload->'{part}') WHERE key NOT IN ({known})",
            Refusal::UnknownTable.raise_sql()
        )
    };
    let body = [
        format!("{} WHERE NEW.payload->>'v' IS NOT 1", Refusal::PayloadVersion.raise_sql()),
        "SELECT RAISE(IGNORE) FROM fastest_pushes WHERE id = NEW.id".to_owned(),
        unknown("rows", &known),
        unknown("patch", &versioned),
        unknown("delete", &known),
        format!(
            "INSERT INTO fastest_push_2(id, device, payload)
    SELECT NEW.id, NEW.device, json_set(json_remove(NEW.payload, '$.rows', '$.patch', '$.delete'),
      '$.v', {PAYLOAD_VERSION}, '$.ops', json((SELECT json_group_array(json(op)) FROM (
      SELECT json_array(t.value->>0, iif(t.value->>2, coalesce(r.value->>(t.value->>1), ''),
        r.value->>(t.value->>1)), json(r.value)) AS op, 0 AS part, t.key AS place, r.key AS at
      FROM {}
      UNION ALL
      SELECT json_array(t.value->>0, r.value->>(t.value->>1), json(r.value), 1), 0, t.key, r.key
      FROM {}
      UNION ALL
      SELECT json_array(t.value->>0, r.value), 1, -t.key, r.key
      FROM {}
      ORDER BY part, place, at))))",
            part("rows"),
            part("patch"),
            part("delete")
        ),
    ];
    format!(
        "CREATE TRIGGER fastest_push_apply INSTEAD OF INSERT ON fastest_push BEGIN\n  {};\nEND",
        body.join(";\n  ")
    )
}
