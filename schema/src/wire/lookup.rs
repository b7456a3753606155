//! What else a primary is asked: its projects, and what is set up on it.

use crate::declare::schema::Schema;

/// Finds projects by id or name. One parameter; one row: the parameter again, so that no other
/// answer can pass for this one, and the ids as a JSON array.
pub fn find_projects_sql() -> &'static str {
    "SELECT ?1, (SELECT json_group_array(id) FROM
  (SELECT id FROM projects WHERE id = ?1 OR name = ?1 ORDER BY id))"
}

/// Which projects there are, the newest 5,000 of them. One parameter, any text; one row: that text
/// again, and a JSON array of texts of three lines: id, time of creation, name.
pub fn list_projects_sql() -> &'static str {
    "SELECT ?1, (SELECT json_group_array(id || char(10) || created_at || char(10) || name) FROM
  (SELECT id, created_at, name FROM projects ORDER BY created_at DESC, id DESC LIMIT 5000))"
}

/// Which migrations of a schema are applied. One parameter, any text; one row: that text again, and the
/// names as a JSON array.
pub fn applied_migrations_sql(schema: &Schema) -> String {
    let ours = schema.owns_sql();
    format!(
        "SELECT ?1, (SELECT json_group_array(name) FROM
  (SELECT name FROM d1_migrations WHERE {ours} ORDER BY name))"
    )
}

/// Whether a primary has the engine's tables, and which migrations of anyone's are recorded there.
/// One parameter, any text; one row: that text again, and a JSON array: first `fastest_meta` and
/// `fastest_packs`, of which every engine has the one and Fastest's own the other, as far as they are
/// there; then the names, in order.
pub fn engine_sql() -> &'static str {
    "SELECT ?1, (SELECT json_group_array(name) FROM (
  SELECT 0 AS place, name FROM sqlite_master
  WHERE type = 'table' AND name IN ('fastest_meta', 'fastest_packs') UNION ALL
  SELECT 1, name FROM d1_migrations WHERE name GLOB '[0-9][0-9][0-9][0-9]_*'
  ORDER BY place, name))"
}
