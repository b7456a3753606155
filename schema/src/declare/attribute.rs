//! The attribute that declares a table; `schema/macros` expands it.

/// Turns a struct into a table.
///
/// The struct becomes the row type and implements [`Row`]; beside it comes a struct for inserts, its
/// name with `New` in front, and a constant with the name of each column.
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
///     /// Where it hangs.
///     #[references(workspaces.id, on_delete = cascade)]
///     pub workspace_id: String,
///     /// What it says.
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
/// - `name`: in SQL; ASCII letters, digits and `_`.
/// - `policy`: `versioned`, `append_only` or `private`, each with the reason in brackets.
/// - `scope`: a column, or `column -> table.column` over that column's foreign key. A private table
///   has none.
/// - `index(…)` and `unique(…)`: any number of each.
/// - `renamed_from = "old_name"`: what the table was called before.
/// - `deprecated = "why, and what instead"`: it is still there, and not to be used.
/// - `external`: someone else makes and changes the table; only the triggers on it are ours. `index` and
///   `unique` then tell what is there, and make nothing.
/// - `unique_sql("term", …, filter = "condition")`, for such a table: a unique index over expressions, or
///   over the rows of which the condition holds. A device refuses a row that would break it.
/// - `replaces`, for such a table: a UNIQUE constraint of it is `ON CONFLICT REPLACE`. A push that would
///   strike another row by it is refused. `fastest schema adopt` writes all of these.
///
/// # On a field
/// - `#[pk]`: the primary key, one for each table, of type `String`.
/// - `#[unique]`: guarded by a unique index of its own.
/// - `#[references(table.column)]`, with `on_delete = cascade`, `set_null` or `restrict` if need be.
/// - `#[default(now)]`, or a literal, or `#[default(sql = "expression")]`, which may look at no
///   column and no table.
/// - `#[check("sql")]`: what must hold for every value. A text that may gain words is better a
///   [`vocabulary!`], for what is refused here is refused from newer builds too.
/// - `#[renamed_from(old_name)]`: what the column was called before.
/// - `#[watched]`: a trigger of the application's own, `UPDATE OF` this column, is on the table. A push
///   sets it only in rows where its value changes. `fastest schema adopt` writes it.
/// - `#[lock_version]`: mirrors the lock version of the row; in versioned tables only.
/// - `#[size("sql")]`: the bytes of the value, where measuring a long text would be dear.
///
/// A field is a `String`, an `i64`, an `f64`, a [`Flag`], a [`Json`], a [`vocabulary!`], or a type of
/// your own that implements [`ColumnType`]; in an `Option` it may be null.
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
/// /// A reminder, in a table that another tool makes.
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
/// A scope or an index on a column that is not there:
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
/// A scope's path over a column that is no foreign key to that table:
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
/// An old name that is in use:
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
/// A default that is neither a literal nor said to be SQL:
/// ```compile_fail
/// # use fastest_schema::table;
/// #[table(name = "notes", policy = private("a test"))]
/// struct Note { #[pk] id: String, #[default(random())] dice: i64 }
/// ```
/// What is right beside these:
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
