//! Checks which migrations a primary has, and brings it up to date or refuses it.

use fastest_schema::{
    D1_MIGRATIONS_DDL, Migration, Schema, Table, applied_migrations_sql, engine_sql, statements,
};

use crate::base::rules::Rules;
use crate::remote::cause::Cause;
use crate::remote::half_made;
use crate::remote::primary::{Primary, PrimaryError, STRAY_ANSWERS_MAX, ask_list};
use crate::remote::statement::Statement;

/// Brings a primary up to date: applies every migration of the schema that it lacks, in order, each
/// as a whole or not at all. Returns the names of the migrations that it applied. Fails if a newer
/// version has migrated the database, or if it has the engine of another application.
pub async fn migrate(
    primary: &dyn Primary,
    schema: &Schema,
) -> Result<Vec<&'static str>, PrimaryError> {
    let lacked = lacked(primary, schema).await?;
    for migration in &lacked {
        let statements: Vec<&str> = statements(migration.sql).collect();
        primary.migrate(migration.name, &statements).await?;
    }
    Ok(lacked.into_iter().map(|migration| migration.name).collect())
}

/// Sets up a primary that lacks the engine's tables or views, or finishes a set-up that was cut short.
///
/// # Errors
/// [`PrimaryError::Behind`] if an older version has set up the primary and it is in use: its owner
/// decides when to migrate it. [`PrimaryError::Occupied`] if every migration is applied and the
/// engine's views are missing nevertheless, as after `fastest schema detach`, or if the primary is
/// for another schema.
pub(crate) async fn set_up(primary: &dyn Primary, schema: &Schema) -> Result<(), PrimaryError> {
    let lacked = lacked(primary, schema).await?;
    match lacked.last() {
        Some(last) if lacked.len() < schema.migrations.len() => {
            match half_made::finish(primary, &lacked).await {
                Ok(true) => Ok(()),
                // Whoever may not migrate cannot find out whether it is in use.
                Ok(false) | Err(PrimaryError::Denied { .. }) => {
                    Err(PrimaryError::Behind { url: primary.url().to_owned(), needed: last.name })
                }
                Err(error) => Err(error),
            }
        }
        // Another process has set it up meanwhile.
        None if has_views(primary).await? => Ok(()),
        None if !schema.migrations.is_empty() => {
            let what = "its migrations are applied, and the engine's views are not there: if they were \
                        detached, run `fastest schema attach`";
            Err(PrimaryError::Occupied { url: primary.url().to_owned(), what: what.to_owned() })
        }
        _ => migrate(primary, schema).await.map(drop),
    }
}

/// Whether a primary has the view that pushes are inserted into.
async fn has_views(primary: &dyn Primary) -> Result<bool, PrimaryError> {
    let sql = "SELECT ?1, (SELECT json_group_array(name) FROM sqlite_master
               WHERE type = 'view' AND name = 'fastest_push_2')";
    Ok(!ask_list(primary, sql, &primary.world().new_id()).await?.is_empty())
}

/// Returns the migrations that a primary lacks. Fails if the primary is for another schema, or if a
/// newer version has migrated it.
pub(crate) async fn lacked(
    primary: &dyn Primary,
    schema: &Schema,
) -> Result<Vec<Migration>, PrimaryError> {
    let engine = engine(primary).await?;
    let ours =
        ask_list(primary, &applied_migrations_sql(schema), &primary.world().new_id()).await?;
    let applied = engine.applied(schema, &ours);
    check_migration(primary, schema, applied.last().map(|name| name.as_str()))?;
    if let Some(what) = engine.of_another(schema, &applied) {
        let (url, what) = (primary.url().to_owned(), primary.sanitize(&what));
        return Err(PrimaryError::Occupied { url, what });
    }
    let is_lacked = |migration: &&Migration| applied.iter().all(|name| *name != migration.name);
    Ok(schema.migrations.iter().filter(is_lacked).copied().collect())
}

/// What a primary records about who set it up.
struct Engine {
    /// `fastest_meta` if the engine is set up, and `fastest_packs` if Fastest's own schema is.
    tables: Vec<String>,
    /// The names of the recorded migrations, of any owner.
    recorded: Vec<String>,
}

impl Engine {
    /// Returns the recorded migrations of a schema: those that this build knows and, if the engine
    /// is set up, also those in `ours`, the result of [`applied_migrations_sql`].
    fn applied(&self, schema: &Schema, ours: &[String]) -> Vec<&String> {
        let is_known = |name: &str| schema.migrations.iter().any(|known| known.name == name);
        let is_ours = |name: &String| self.has("fastest_meta") && ours.contains(name);
        self.recorded.iter().filter(|name| is_known(name) || is_ours(name)).collect()
    }

    fn has(&self, name: &str) -> bool {
        self.tables.iter().any(|table| table == name)
    }

    /// Returns why a database is not for this schema, or `None` if it is: either one of the
    /// schema's migrations is recorded but the engine is missing, or the engine is there but
    /// belongs to another schema. Not checked for a schema without migrations.
    fn of_another(&self, schema: &Schema, applied: &[&String]) -> Option<String> {
        let owner = schema.owner;
        // Another application's first migration may have the same name as Fastest's, so a database
        // of Fastest's own schema must have the table `fastest_packs` too.
        let ours = !applied.is_empty()
            && (self.has("fastest_packs") || !Rules::of(schema).has_engine_tables);
        match (self.has("fastest_meta"), applied.first()) {
            _ if schema.migrations.is_empty() => None,
            (false, Some(first)) => Some(format!(
                "{first} is recorded in d1_migrations, and the table fastest_meta is not there: \
                 another application made that migration. Use another database for {owner}, or let \
                 the other application record its migrations in another table"
            )),
            (true, _) if !ours => {
                let by = match &self.recorded[..] {
                    [] => "by hand".to_owned(),
                    names => format!("by {}", names.join(", ")),
                };
                Some(format!(
                    "it holds the sync engine of another application, made {by}. Use another \
                     database for {owner}"
                ))
            }
            _ => None,
        }
    }
}

/// Asks a primary who has set it up. Creates the table in which migrations are recorded.
async fn engine(primary: &dyn Primary) -> Result<Engine, PrimaryError> {
    for _ in 0..STRAY_ANSWERS_MAX {
        // It does nothing if the table exists.
        primary.run(Statement::repeatable(D1_MIGRATIONS_DDL), &[]).await?;
        match ask_list(primary, engine_sql(), &primary.world().new_id()).await {
            // The table is still missing, so the answer to its creation belonged to another
            // request. Retry.
            Err(PrimaryError::NotMigrated { .. }) => {}
            answer => {
                let all = answer?.into_iter();
                let (tables, recorded) = all.partition(|name| name.starts_with("fastest_"));
                return Ok(Engine { tables, recorded });
            }
        }
    }
    Err(PrimaryError::stray_answer(primary))
}

/// Fails if a newer version of an application has migrated the primary, because a name may mean
/// something else there by now. A push calls it before it writes anything. If migrations only add,
/// nothing is checked.
pub(crate) async fn check_not_newer(
    primary: &dyn Primary,
    schema: &Schema,
) -> Result<(), PrimaryError> {
    if Rules::of(schema).migrations_only_add || schema.migrations.is_empty() {
        return Ok(());
    }
    match ask_list(primary, &applied_migrations_sql(schema), &primary.world().new_id()).await {
        Ok(applied) => check_migration(primary, schema, applied.last().map(String::as_str)),
        // The push meets the same error, and sets the primary up.
        Err(PrimaryError::NotMigrated { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Fails if this build does not know `last`, the primary's last migration of the schema.
pub fn check_migration(
    primary: &dyn Primary,
    schema: &Schema,
    last: Option<&str>,
) -> Result<(), PrimaryError> {
    match last {
        Some(last) if schema.migrations.iter().all(|migration| migration.name != last) => {
            let (url, found) = (primary.url().to_owned(), primary.sanitize(last));
            Err(PrimaryError::Newer { url, found })
        }
        _ => Ok(()),
    }
}

/// Why a statement failed.
pub(crate) enum Explained {
    /// For this reason.
    Is(PrimaryError),
    /// Something was missing that is there now: another process has migrated the primary meanwhile.
    Mended(PrimaryError),
}

impl Explained {
    pub(crate) fn error(self) -> PrimaryError {
        match self {
            Self::Is(error) | Self::Mended(error) => error,
        }
    }
}

/// Returns a better error for a statement that failed because a table or column is missing. Other
/// errors are returned as they are.
pub(crate) async fn explained(
    primary: &dyn Primary,
    schema: &Schema,
    error: PrimaryError,
) -> Explained {
    let Some(cause @ (Cause::NoTable | Cause::NoColumn)) = error.cause().cloned() else {
        return Explained::Is(error);
    };
    let lacked = match lacked(primary, schema).await {
        Err(why) => return Explained::Is(why),
        Ok(lacked) => lacked,
    };
    let url = primary.url().to_owned();
    if let Some(Migration { name, .. }) = lacked.last() {
        return Explained::Is(PrimaryError::Behind { url, needed: name });
    }
    match gone(primary, schema).await {
        Err(why) => Explained::Is(why),
        Ok(Some(message)) => Explained::Is(PrimaryError::Failed { url, message, cause }),
        Ok(None) => Explained::Mended(error),
    }
}

/// Returns a message about the first synced table that is missing or lacks columns on a primary
/// that has all migrations. Another tool must have renamed or dropped them.
async fn gone(primary: &dyn Primary, schema: &Schema) -> Result<Option<String>, PrimaryError> {
    let names: Vec<&str> = schema.synced().map(|table| table.name).collect();
    let names = serde_json::to_string(&names).expect("names serialise");
    // SQLite's names ignore case.
    let columns = "SELECT ?1, (SELECT json_group_array(lower(t.value || '.' || c.name))
                   FROM json_each(?1) AS t, pragma_table_info(t.value) AS c)";
    let there = ask_list(primary, columns, &names).await?;
    let is_there = |table: &str, column: &str| {
        there.contains(&format!("{table}.{column}").to_ascii_lowercase())
    };
    let lacks =
        |table: &&Table| table.columns.iter().any(|column| !is_there(table.name, column.name));
    let Some(table) = schema.synced().find(lacks) else { return Ok(None) };
    let name = table.name;
    let columns = table.columns.iter().filter(|column| !is_there(name, column.name));
    let columns: Vec<String> = columns.map(|column| format!("`{}`", column.name)).collect();
    Ok(Some(if columns.len() == table.columns.len() {
        format!(
            "it has no table `{name}`: another tool renamed or dropped it; declare it as it is there, \
             generate a migration, and apply it"
        )
    } else {
        format!(
            "its table `{name}` has no {}: another tool renamed or dropped it; declare the column as it \
             is there, with `#[renamed_from]` if it has another name, generate a migration, and apply it",
            columns.join(", ")
        )
    }))
}

/// Returns the last migration of a primary, known to this build or not; `None` if it has none yet.
pub(crate) async fn last_migration(
    primary: &dyn Primary,
    schema: &Schema,
) -> Result<Option<String>, PrimaryError> {
    let tables = "SELECT name FROM sqlite_master WHERE name = 'd1_migrations'";
    if primary.run(Statement::reads(tables), &[]).await?.is_empty() {
        return Ok(None);
    }
    let applied =
        ask_list(primary, &applied_migrations_sql(schema), &primary.world().new_id()).await?;
    Ok(applied.into_iter().next_back())
}
