//! The attribute macro that declares a table. `schema/macros` expands it.

/// Turns a struct into a table.
///
/// The struct becomes the row type and implements [`Row`]. The macro also generates a struct for
/// inserts, whose name has `New` in front, and a constant for the name of each column.
///
/// ```
/// use fastest_schema::{Row, table};
///
/// /// A note on a workspace.
/// #[table(
///     name = "notes",
///     policy = versioned("notes are edited on any device"),
///     scope = workspace_id -> workspaces.project_id,
///     index(workspace_id, created_at),
/// )]
/// pub struct Note {
///     /// ULID.
///     #[pk]
///     pub id: String,
///     /// The workspace that the note is on.
///     #[references(workspaces.id, on_delete = cascade)]
///     pub workspace_id: String,
///     /// The text of the note.
///     pub text: Option<String>,
///     /// ISO 8601, UTC, milliseconds.
///     #[default(now)]
///     pub created_at: String,
/// }
///
/// let new = NewNote {
///     id: "n1".into(),
///     workspace_id: "w1".into(),
///     text: None,
///     created_at: None,
/// };
/// assert_eq!(serde_json::to_string(&new).unwrap(), r#"{"id":"n1","workspace_id":"w1"}"#);
/// assert_eq!(Note::TABLE.pk, Note::ID);
/// ```
///
/// # On the struct
/// - `name`: the name in SQL, of ASCII letters, digits and `_`.
/// - `policy`: `versioned`, `append_only` or `private`, each with the reason in parentheses.
/// - `scope`: a column, or `column -> table.column` through that column's foreign key. A private
///   table has none.
/// - `index(column, …)` and `unique(column, …)`: any number of each.
/// - `renamed_from = "old_name"`: the former name of the table.
/// - `deprecated = "why, and what instead"`: the table still exists, but should not be used.
/// - `external`: another tool creates and changes the table; only the triggers on it are ours.
///   `index` and `unique` then describe the indexes that it has, and create none.
/// - `unique_sql("term", …, filter = "condition")`, for an external table: a unique expression
///   index, or a partial one over the rows for which the condition is true. A device refuses a row
///   that would violate it.
/// - `replaces`, for an external table: one of its UNIQUE constraints is `ON CONFLICT REPLACE`. A
///   push that would replace another row by it is refused.
///
/// `fastest schema adopt` generates the last three.
///
/// # On a field
/// - `#[pk]`: the primary key, exactly one in each table. Its type is stored as text and is not an
///   `Option`, such as `String` or an `id_type!`.
/// - `#[unique]`: the column has a unique index of its own.
/// - `#[references(table.column)]`, optionally with `on_delete = cascade`, `set_null` or
///   `restrict`.
/// - `#[default(now)]`, or a literal, or `#[default(sql = "expression")]`. The expression may not
///   refer to a column or a table.
/// - `#[check("sql")]`: a condition that every value must meet. For a set of words that may grow,
///   use a [`vocabulary!`] instead: a check would also refuse the words of newer builds.
/// - `#[renamed_from(old_name)]`: the former name of the column.
/// - `#[watched]`: an `UPDATE OF` trigger of the application names this column. A push sets the
///   column only in rows where its value changes. `fastest schema adopt` generates this attribute.
/// - `#[lock_version]`: the column mirrors the lock version of the row; in versioned tables only.
/// - `#[size("sql")]`: SQL for the size of the value in bytes, for long texts that are slow to
///   measure.
///
/// A field is a `String`, an `i64`, an `f64`, a [`Flag`], a [`Json`], a [`vocabulary!`], an
/// `id_type!`, or a type of your own that implements [`ColumnType`]; in an `Option` it may be null.
///
/// [`Row`]: crate::Row
/// [`Flag`]: crate::Flag
/// [`Json`]: crate::Json
/// [`ColumnType`]: crate::ColumnType
/// [`vocabulary!`]: crate::vocabulary!
///
/// ```
/// use fastest_schema::{Default, Flag, OnDelete, Row, table};
///
/// /// A reminder, in a table that another tool creates.
/// #[table(
///     name = "noteReminders",
///     policy = private("a test"),
///     renamed_from = "alarms",
///     deprecated = "reminders are sent by mail; see `mails`",
///     external,
/// )]
/// struct Reminder {
///     #[pk]
///     #[default(sql = "lower(hex(randomblob(16)))")]
///     id: String,
///     #[references(notes.id, on_delete = restrict)]
///     #[renamed_from(note)]
///     note_id: String,
///     #[check("minutes > 0")]
///     minutes: i64,
///     #[default(0)]
///     loud: Flag,
/// }
///
/// let table = Reminder::TABLE;
/// assert_eq!((table.renamed_from, table.external), (Some("alarms"), true));
/// assert!(table.deprecated.is_some());
/// let [id, note_id, minutes, loud] = table.columns else { panic!() };
/// assert_eq!(id.default, Some(Default::Sql("lower(hex(randomblob(16)))")));
/// assert_eq!(note_id.renamed_from, Some("note"));
/// assert_eq!(note_id.references.as_ref().unwrap().on_delete, OnDelete::Restrict);
/// assert_eq!(minutes.check, Some("minutes > 0"));
/// assert_eq!(loud.default, Some(Default::Integer(0)));
/// ```
///
/// # What does not compile
/// A scope or an index on a column that does not exist:
/// ```compile_fail
/// # use fastest_schema::table;
/// #[table(name = "notes", policy = append_only("a test"), scope = project)]
/// struct Note { #[pk] id: String, project_id: String }
/// ```
/// ```compile_fail
/// # use fastest_schema::table;
/// #[table(name = "notes", policy = append_only("a test"), scope = id, index(project))]
/// struct Note { #[pk] id: String, project_id: String }
/// ```
/// A scope path over a column that is not a foreign key to that table:
/// ```compile_fail
/// # use fastest_schema::table;
/// #[table(name = "notes", policy = append_only("a test"), scope = w -> workspaces.project_id)]
/// struct Note { #[pk] id: String, #[references(projects.id)] w: String }
/// ```
/// A synced table without a scope, or a private one with a scope:
/// ```compile_fail
/// # use fastest_schema::table;
/// #[table(name = "notes", policy = append_only("a test"))]
/// struct Note { #[pk] id: String }
/// ```
/// ```compile_fail
/// # use fastest_schema::table;
/// #[table(name = "notes", policy = private("a test"), scope = id)]
/// struct Note { #[pk] id: String }
/// ```
/// A table without a key, or with one that is not text:
/// ```compile_fail
/// # use fastest_schema::table;
/// #[table(name = "notes", policy = private("a test"))]
/// struct Note { id: String }
/// ```
/// ```compile_fail
/// # use fastest_schema::table;
/// #[table(name = "notes", policy = private("a test"))]
/// struct Note { #[pk] id: i64 }
/// ```
/// A lock version in a table that is not versioned:
/// ```compile_fail
/// # use fastest_schema::table;
/// #[table(name = "notes", policy = private("a test"))]
/// struct Note { #[pk] id: String, #[lock_version] version: i64 }
/// ```
/// A name with other characters:
/// ```compile_fail
/// # use fastest_schema::table;
/// #[table(name = "no-tes", policy = private("a test"))]
/// struct Note { #[pk] id: String }
/// ```
/// A former name that is still in use:
/// ```compile_fail
/// # use fastest_schema::table;
/// #[table(name = "notes", renamed_from = "notes", policy = private("a test"))]
/// struct Note { #[pk] id: String }
/// ```
/// ```compile_fail
/// # use fastest_schema::table;
/// #[table(name = "notes", policy = private("a test"))]
/// struct Note { #[pk] id: String, body: String, #[renamed_from(body)] text: String }
/// ```
/// A default that is neither a literal nor marked as SQL:
/// ```compile_fail
/// # use fastest_schema::table;
/// #[table(name = "notes", policy = private("a test"))]
/// struct Note { #[pk] id: String, #[default(random())] dice: i64 }
/// ```
/// Similar declarations that do compile:
/// ```
/// # use fastest_schema::table;
/// #[table(name = "notes", policy = versioned("a test"), scope = w -> workspaces.project_id, index(id))]
/// struct Note { #[pk] id: String, #[references(workspaces.id)] w: String, #[lock_version] version: i64 }
/// ```
/// ```
/// # use fastest_schema::table;
/// #[table(name = "notes", renamed_from = "memos", policy = private("a test"))]
/// struct Note {
///     #[pk] id: String,
///     #[renamed_from(body)] text: String,
///     #[default(sql = "random()")] dice: i64,
/// }
/// ```
pub use fastest_schema_macros::table;
