//! The engine's own tables, all prefixed `fastest_`.

use crate::declare::ddl::NOW;

/// The table in which wrangler records applied migrations, as wrangler 4 creates it. The engine
/// records its own there too, on every primary. `name` is the file's, with `.sql`.
pub const D1_MIGRATIONS_DDL: &str = "CREATE TABLE IF NOT EXISTS d1_migrations(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT UNIQUE,
  applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL
)";

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

/// `fastest_powers`: every power of two that a real can be, and infinity as 2^1024, by which reals
/// travel. It is computed, exactly, from the small powers that SQL can write, and `fastest_exponents`
/// holds integers alone: a dump that rounds reals, or an import that misreads them, as on D1, cannot
/// change it.
pub(crate) fn powers_ddl() -> [String; 3] {
    let (p, q) = (power_sql("a"), power_sql("b"));
    [
        "CREATE TABLE fastest_exponents(exponent integer PRIMARY KEY)".to_owned(),
        "INSERT INTO fastest_exponents(exponent)
  WITH RECURSIVE every(exponent) AS (
    SELECT -1074 UNION ALL SELECT exponent + 1 FROM every WHERE exponent < 1024
  )
  SELECT exponent FROM every"
            .to_owned(),
        // In two steps: half of the exponent each, since the power of a subnormal's is past the reals.
        format!(
            "CREATE VIEW fastest_powers AS
  SELECT exponent, iif(exponent < 0, 1.0/p/q, p*q) AS power FROM (
    SELECT exponent, {p} AS p, {q} AS q FROM (
      SELECT exponent, abs(exponent)/2 AS a, abs(exponent) - abs(exponent)/2 AS b
      FROM fastest_exponents))"
        ),
    ]
}

/// Two to the power of the integer `exponent`, from 0 to 1023: a factor for each of its bits.
fn power_sql(exponent: &str) -> String {
    let factor = |bit: u32| {
        let power = match bit {
            0..=5 => format!("{:.1}", 2f64.powi(1 << bit)),
            // A longer decimal is not read exactly everywhere.
            _ => vec!["4294967296.0"; 1 << (bit - 5)].join("*"),
        };
        format!("iif({exponent}&{},{power},1.0)", 1 << bit)
    };
    (0..10).map(factor).collect::<Vec<_>>().join("*")
}
