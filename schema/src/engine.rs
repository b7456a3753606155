//! The engine's own tables, all prefixed `fastest_`.

use crate::table;

/// The table in which wrangler records applied migrations, as wrangler 4 creates it. The engine
/// records its own there too, on every primary. `name` is the file's, with `.sql`.
pub const D1_MIGRATIONS_DDL: &str = "CREATE TABLE IF NOT EXISTS d1_migrations(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT UNIQUE,
  applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL
)";

/// The current time in SQL: ISO 8601, UTC, milliseconds.
pub(crate) const NOW: &str = "(strftime('%Y-%m-%dT%H:%M:%fZ','now'))";

/// `fastest_changes`: for each synced row its lock version and the sequence number of its last
/// change, counted within its scope. `deleted` is 0 for a row that is there, 1 for one that is gone,
/// and 2 for one that left the scope; `pk` is then the JSON array of the row's key and that scope.
pub(crate) const CHANGES_DDL: [&str; 2] = [
    "CREATE TABLE fastest_changes(
  tbl text NOT NULL,
  pk text NOT NULL,
  scope text NOT NULL,
  version integer NOT NULL,
  seq integer NOT NULL,
  deleted integer NOT NULL DEFAULT 0,
  PRIMARY KEY (tbl, pk)
) WITHOUT ROWID",
    "CREATE UNIQUE INDEX fastest_changes_scope_seq ON fastest_changes(scope, seq)",
];

/// `fastest_meta`, one row, with the epoch: a random id made when the primary is set up, so that a
/// replica notices when another database answers under the same name. `fastest_pushes`: the pushes that were applied, the newest of each device.
pub(crate) fn primary_ddl() -> Vec<String> {
    vec![
        format!(
            "CREATE TABLE fastest_meta(
  id integer PRIMARY KEY CHECK (id = 1),
  epoch text NOT NULL,
  created_at text NOT NULL DEFAULT {NOW}
)"
        ),
        "INSERT INTO fastest_meta(id, epoch) VALUES (1, lower(hex(randomblob(16))))".to_owned(),
        format!(
            "CREATE TABLE fastest_pushes(
  id text PRIMARY KEY NOT NULL,
  device text NOT NULL,
  counter integer NOT NULL,
  at text NOT NULL DEFAULT {NOW}
) WITHOUT ROWID"
        ),
        "CREATE UNIQUE INDEX fastest_pushes_device_counter ON fastest_pushes(device, counter)"
            .to_owned(),
    ]
}

/// `fastest_powers`: every power of two that a real can be, and infinity as 2^1024, so that reals can
/// be taken apart into integers and put together again, without a digit. Doubling and halving are
/// exact; D1 has `pow`, sqld has not.
pub(crate) const POWERS_DDL: [&str; 3] = [
    "CREATE TABLE fastest_powers(
  exponent integer PRIMARY KEY,
  power real NOT NULL
)",
    "INSERT INTO fastest_powers(exponent, power)
  WITH RECURSIVE up(exponent, power) AS (
    SELECT 0, 1.0 UNION ALL SELECT exponent + 1, power * 2.0 FROM up WHERE exponent < 1024
  ), down(exponent, power) AS (
    SELECT -1, 0.5 UNION ALL SELECT exponent - 1, power * 0.5 FROM down WHERE exponent > -1074
  )
  SELECT exponent, power FROM up UNION ALL SELECT exponent, power FROM down",
    "CREATE UNIQUE INDEX fastest_powers_power ON fastest_powers(power)",
];

/// A part of a pack, the unit in which file contents are stored.
#[table(
    name = "fastest_packs",
    policy = append_only("a pack is named by the hash of its bytes"),
    scope = project_id,
    index(project_id, pack_id),
)]
pub struct Pack {
    /// `{project_id}/{pack_id}/{part}`.
    #[pk]
    pub id: String,
    /// The project whose contents it holds.
    #[references(projects.id)]
    pub project_id: String,
    /// The BLAKE3 of the whole pack, hex.
    pub pack_id: String,
    /// Which part this is, from 0.
    #[default(0)]
    pub part: i64,
    /// Into how many parts the pack is split, so that each row stays under 1 MB.
    #[default(1)]
    pub parts: i64,
    /// Bytes of the whole pack, before base64.
    pub bytes: i64,
    /// Objects in the whole pack.
    pub objects: i64,
    /// This part in base64; null when the pack lies in a pack store.
    #[size("iif(data IS NULL, 0, bytes * 4 / 3 / max(parts, 1))")]
    pub data: Option<String>,
    /// ISO 8601, UTC, milliseconds.
    #[default(now)]
    pub created_at: String,
}
