//! Look-ups on a primary: its projects, its migrations, and whether it is set up.
//!
//! Each statement has one parameter and returns one row of two texts: the parameter again, so that
//! the answer to another request is noticed, and a JSON array.

use crate::declare::schema::Schema;

/// Finds projects whose id or name is the parameter. The array holds their ids.
pub fn find_projects_sql() -> &'static str {
    "SELECT ?1, (SELECT json_group_array(id) FROM
  (SELECT id FROM projects WHERE id = ?1 OR name = ?1 ORDER BY id))"
}

/// Lists the newest 5,000 projects, newest first. The array holds texts of three lines: id, time of
/// creation, name.
pub fn list_projects_sql() -> &'static str {
    "SELECT ?1, (SELECT json_group_array(id || char(10) || created_at || char(10) || name) FROM
  (SELECT id, created_at, name FROM projects ORDER BY created_at DESC, id DESC LIMIT 5000))"
}

/// Lists the applied migrations of a schema. The array holds their names.
pub fn applied_migrations_sql(schema: &Schema) -> String {
    let ours = schema.owns_sql();
    format!(
        "SELECT ?1, (SELECT json_group_array(name) FROM
  (SELECT name FROM d1_migrations WHERE {ours} ORDER BY name))"
    )
}

/// Asks whether a primary has the engine's tables, and which numbered migrations of any owner are
/// recorded there. The array begins with `fastest_meta`, if the engine is set up, and
/// `fastest_packs`, if Fastest's own schema is; then come the names of the migrations, in order.
pub fn engine_sql() -> &'static str {
    "SELECT ?1, (SELECT json_group_array(name) FROM (
  SELECT 0 AS place, name FROM sqlite_master
  WHERE type = 'table' AND name IN ('fastest_meta', 'fastest_packs') UNION ALL
  SELECT 1, name FROM d1_migrations WHERE name GLOB '[0-9][0-9][0-9][0-9]_*'
  ORDER BY place, name))"
}
