//! The engine's own tables. Their names begin with `fastest_`.

use crate::declare::ddl::NOW;

/// The table in which wrangler records applied migrations, in the form that wrangler 4 creates. The
/// engine records its migrations there too, on every primary. `name` is the name of the file, with
/// `.sql`.
pub const D1_MIGRATIONS_DDL: &str = "CREATE TABLE IF NOT EXISTS d1_migrations(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT UNIQUE,
  applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL
)";

/// `fastest_changes`: for each synced row, its lock version and the sequence number of its last
/// change, counted within its scope. `deleted` is 0 for a row that exists, 1 for a deleted row, and
/// 2 for a tombstone of a row that left the scope, whose `pk` is the JSON array of the row's key
/// and that scope.
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

/// `fastest_meta`: one row with the epoch, a random id that is generated when the primary is set
/// up. A changed epoch tells a replica that another database answers under the same name. `last_push`
/// is the id of the last push that was applied ([`crate::Mark`]).
/// `fastest_pushes`: the newest pushes of each device that were applied.
pub(crate) fn primary_ddl() -> Vec<String> {
    vec![
        format!(
            "CREATE TABLE fastest_meta(
  id integer PRIMARY KEY CHECK (id = 1),
  epoch text NOT NULL,
  created_at text NOT NULL DEFAULT {NOW},
  last_push text
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

/// Adds `last_push` to an engine of version 1 or 2.
pub(crate) const LAST_PUSH_DDL: &str = "ALTER TABLE fastest_meta ADD COLUMN last_push text";

/// `fastest_powers`: every power of two that a real can hold, and infinity as 2^1024. Reals are
/// sent as a mantissa and one of these exponents. The view computes each power exactly from small
/// powers that SQL can write, and `fastest_exponents` holds only integers. So the powers survive a
/// dump that rounds reals, and an import that misreads them, as on D1.
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
        // Two factors, each with half of the exponent: 2^1074, for the smallest subnormal, would
        // overflow.
        format!(
            "CREATE VIEW fastest_powers AS
  SELECT exponent, iif(exponent < 0, 1.0/p/q, p*q) AS power FROM (
    SELECT exponent, {p} AS p, {q} AS q FROM (
      SELECT exponent, abs(exponent)/2 AS a, abs(exponent) - abs(exponent)/2 AS b
      FROM fastest_exponents))"
        ),
    ]
}

/// Returns SQL for two to the power of the integer `exponent`, from 0 to 1023: one factor for each
/// of its bits.
fn power_sql(exponent: &str) -> String {
    let factor = |bit: u32| {
        let power = match bit {
            0..=5 => format!("{:.1}", 2f64.powi(1 << bit)),
            // Not every server reads a longer decimal exactly.
            _ => vec!["4294967296.0"; 1 << (bit - 5)].join("*"),
        };
        format!("iif({exponent}&{},{power},1.0)", 1 << bit)
    };
    (0..10).map(factor).collect::<Vec<_>>().join("*")
}
