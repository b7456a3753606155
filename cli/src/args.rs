//! The command line. The doc comments are the help text.

mod diff;
mod drift;
mod merge;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;

use crate::error::verb::Verb;

pub use diff::Diff;
pub use drift::{Drift, FailOn};
pub use merge::Merge;

/// Save, share and compare copies of project folders
#[derive(Debug, Parser)]
#[command(name = "fastest", bin_name = "fastest", version)]
#[command(
    after_help = "Exit status: 0 done or in sync, 1 drift, difference or conflict, 2 error, \
                        3 saved on this device while the primary is out of reach"
)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

/// Which conflicts to list, and what to do with a refused transaction.
#[derive(Debug, Args)]
pub struct Conflicts {
    /// Use an application's database [default: the current project; outside of a project, the whole
    /// device]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub database: Option<PathBuf>,
    /// Retry a refused transaction at the next push
    #[arg(long, value_name = "ID", requires = "database")]
    pub retry: Option<i64>,
    /// Undo what a refused transaction wrote on this device
    #[arg(long, value_name = "ID", requires = "database", conflicts_with = "retry")]
    pub drop: Option<i64>,
}

/// Options of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// Run as if started in DIR
    // Not `dir`: if a command's own argument had the same id, it would get this one's value.
    #[arg(short = 'C', value_name = "DIR", global = true, value_hint = ValueHint::DirPath)]
    pub start_dir: Option<PathBuf>,
    /// Use the store in DIR [env: FASTEST_STORE] [default: fastest, in the platform's data folder]
    #[arg(long, value_name = "DIR", global = true, value_hint = ValueHint::DirPath)]
    pub store: Option<PathBuf>,
    /// Print JSON, also for errors
    #[arg(long, global = true)]
    pub json: bool,
    /// Print only results, warnings and errors
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Show no progress bar
    #[arg(long, global = true)]
    pub no_progress: bool,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a folder a project
    Init {
        /// The folder [default: the current one]
        #[arg(value_hint = ValueHint::DirPath)]
        dir: Option<PathBuf>,
        /// Name of the project [default: the folder's]
        #[arg(long)]
        name: Option<String>,
    },
    /// Save the project's files on this device
    Snapshot {
        #[command(flatten)]
        message: Message,
    },
    /// Show what changed since the last snapshot
    Status,
    /// Save the project's files and send them to the primary
    ///
    /// If the folder is not in a project, it becomes one.
    ///
    /// With --to, the work then lands in another workspace, such as main: its head is merged here first, and
    /// moved to this snapshot. Nobody needs a working copy of it. Two that land at once both get in.
    Push {
        #[command(flatten)]
        message: Message,
        /// Land in this workspace, such as main: its name or id
        #[arg(long, value_name = "WORKSPACE")]
        to: Option<String>,
        /// Land although files are in conflict
        #[arg(long, requires = "to")]
        with_conflicts: bool,
    },
    /// Make a working copy of a project, in a workspace of its own
    Clone {
        /// Name or id of the project
        project: String,
        /// Folder to create; may exist if it is empty
        #[arg(value_hint = ValueHint::DirPath, required_unless_present = "here")]
        dir: Option<PathBuf>,
        /// Join the current folder (or DIR) to the project, and keep the files in it as they are
        ///
        /// Files that differ from the project show as changed. Missing files are written.
        #[arg(long)]
        here: bool,
        /// Name of the new workspace
        #[arg(long, value_name = "NAME")]
        workspace: Option<String>,
    },
    /// Bring a workspace's changes into this working copy
    Pull {
        /// Name or id of the workspace [default: the project's main one]
        workspace: Option<String>,
    },
    /// Merge a workspace into this working copy, after a look at what that would do
    ///
    /// Works as `pull`. With --dry-run, shows which files would change and which would be in conflict, and
    /// exits with 1 if any would.
    Merge(Merge),
    /// Compare this working copy with a workspace
    ///
    /// Exits with 1 if they differ. In the list, `-` marks files that only the other workspace has, `+`
    /// files that only this copy has, and `!` files that differ. Also says what each side changed since the
    /// two parted, which files both changed, and where a merge would leave a conflict.
    Drift(Drift),
    /// Show how two states of the project differ, line by line
    ///
    /// Without A and B: this working copy with its last snapshot, which is what the next snapshot would
    /// save. The output is a patch that `git apply` takes. Exits with 1 if anything differs.
    Diff(Diff),
    /// List the project's snapshots, newest first
    Log {
        /// List at most N snapshots
        #[arg(short = 'n', value_name = "N")]
        limit: Option<usize>,
    },
    /// Take back what a command did here
    ///
    /// Files, the head, conflicts and names become what they were before it, and unsaved changes stay. What
    /// others have already is taken out by a new snapshot, without anybody else's work. `fastest redo` brings
    /// it back.
    Undo {
        /// Number of the operation, as `fastest op log` shows it [default: the newest one that stands]
        #[arg(value_name = "OP")]
        operation: Option<i64>,
    },
    /// Do again what the last undo took back
    Redo,
    /// Show the operations of this workspace on this device
    #[command(subcommand)]
    Op(Op),
    /// Restore files from a snapshot
    ///
    /// The snapshot that this copy is based on stays the same. `fastest undo` brings back what was replaced.
    Restore {
        /// Files and folders, relative to the current folder [default: the whole project]
        #[arg(value_name = "PATH", value_hint = ValueHint::AnyPath)]
        paths: Vec<PathBuf>,
        /// The snapshot: an id or a prefix of one, `@` (the last one of this copy), `@-` (the one before it),
        /// `main` (the main workspace's) or `WORKSPACE@` (that workspace's); by default `@`
        #[arg(long, value_name = "SNAPSHOT")]
        to: Option<String>,
    },
    /// Stop syncing files or folders, and leave them where they are
    ///
    /// Other devices keep their copies too. Adds a rule to the .fastestignore next to each path, so that
    /// it is ignored from then on.
    Untrack {
        /// Files and folders, relative to the current folder
        #[arg(required = true, value_name = "PATH", value_hint = ValueHint::AnyPath)]
        paths: Vec<PathBuf>,
    },
    /// Print a file as it was in a snapshot
    Cat {
        /// The snapshot: an id or a prefix of one, `@`, `@-`, `main` or `WORKSPACE@`
        snapshot: String,
        /// The file, relative to the project's root
        path: PathBuf,
    },
    /// Create, list and rename workspaces, and set the main one
    #[command(subcommand)]
    Workspace(Workspace),
    /// List and rename projects
    #[command(subcommand)]
    Project(Project),
    /// List files and rows that both sides changed differently
    ///
    /// Of a text file, both versions stand in the file, between markers; of any other, theirs stands beside
    /// ours. Of a row, the primary's version is used, and both are kept. `fastest resolve` settles them. Exits
    /// with 1 if there are any.
    ///
    /// Also lists what else needs a decision: rows that cannot be stored on this device, and, in an
    /// application's database, transactions that the primary refused.
    Conflicts(Conflicts),
    /// Settle conflicts of files, or of a row
    ///
    /// A file whose markers were removed counts as settled. With --ours or --theirs, the lines of one side
    /// replace them, and what both changed without a conflict stays; a file without markers gets that side's
    /// version. Otherwise what stands at the path is the result. The result is saved as a snapshot, and so is
    /// what was unsaved before.
    Resolve {
        /// Files or folders, relative to the current folder; or the id of a conflict (of a row, a prefix will do)
        #[arg(required = true, value_name = "PATH|ID", value_hint = ValueHint::AnyPath)]
        what: Vec<PathBuf>,
        #[command(flatten)]
        choice: Choice,
    },
    /// Choose the primary, show it and check it
    #[command(subcommand)]
    Remote(Remote),
    /// Manage the tables of a primary
    #[command(subcommand)]
    Schema(Schema),
    /// Check the whole store for damage
    ///
    /// Exits with 2 if problems remain.
    Doctor {
        /// Repair what can be repaired
        #[arg(long)]
        mend: bool,
        /// Check the packs of the primary and the pack store too; with --mend, replace damaged ones
        /// with intact local copies
        #[arg(long)]
        remote: bool,
    },
    /// Print a completion script
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the main man page, or write all man pages
    Man {
        /// Folder to write them all to
        #[arg(value_hint = ValueHint::DirPath)]
        dir: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
pub enum Op {
    /// List the operations, newest first
    Log {
        /// List at most N operations
        #[arg(short = 'n', value_name = "N")]
        limit: Option<usize>,
    },
}

/// The message of a snapshot.
#[derive(Debug, Args)]
pub struct Message {
    /// Describe the snapshot
    #[arg(short, long = "message", value_name = "MSG")]
    pub message: Option<String>,
}

/// How a conflict is resolved.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub struct Choice {
    /// Use this workspace's side of a file (if it has none, that of the workspace that is named first), or
    /// this device's version of a row
    #[arg(long)]
    pub ours: bool,
    /// Use the other side of a file, or the primary's version of a row
    #[arg(long)]
    pub theirs: bool,
    /// Write these columns of a row, such as '{"name":"app"}'
    #[arg(long, value_name = "JSON")]
    pub value: Option<String>,
}

#[derive(Debug, Subcommand)]
pub enum Workspace {
    /// Create a workspace from this one, with its own working copy
    New {
        /// Name of the workspace
        name: String,
        /// Folder of its working copy [default: one beside this one]
        #[arg(value_hint = ValueHint::DirPath)]
        dir: Option<PathBuf>,
        /// Move this working copy, with its unsaved changes, to the new workspace
        #[arg(long, conflicts_with = "dir")]
        here: bool,
    },
    /// List the project's workspaces
    List,
    /// Rename a workspace
    Rename {
        /// Name or id of the workspace
        workspace: String,
        /// Its new name
        name: String,
    },
    /// Make a workspace the project's main one
    SetMain {
        /// Name or id of the workspace
        name: String,
    },
}

#[derive(Debug, Subcommand)]
pub enum Project {
    /// List the projects that this device or the primary knows
    List,
    /// Rename a project
    Rename {
        /// Name or id of the project
        project: String,
        /// Its new name
        name: String,
    },
}

#[derive(Debug, Subcommand)]
pub enum Remote {
    /// Choose the primary
    Set {
        /// Its address, such as file:///path/primary.db
        #[arg(value_hint = ValueHint::Url, required_unless_present = "default")]
        url: Option<String>,
        /// Go back to the primary inside the store
        #[arg(long, conflicts_with = "url")]
        default: bool,
        /// Where to store large packs: rows (in the primary), file:///folder, or s3://BUCKET/PREFIX
        /// [default: unchanged; initially a folder beside a primary that is a file, else rows]
        #[arg(long, value_name = "PLACE")]
        packs: Option<String>,
        /// Let the members of a Unix group read and write the primary, which must be a file
        #[arg(long, value_name = "GROUP", conflicts_with = "default")]
        shared: Option<String>,
        /// The same as `--packs rows`
        #[arg(long, hide = true, conflicts_with = "packs")]
        inline_packs: bool,
    },
    /// Show the primary
    Show,
    /// Check the connection to the primary and the pack store
    ///
    /// Checks the address, the token and its permissions, the schema, the clock and the pack store, and
    /// says how to fix each problem. Exits with 2 if there is a problem.
    Check,
    /// Store the primary's token in the system's keyring
    ///
    /// Prompts for the token, or reads it from stdin if that is not a terminal.
    Login,
    /// Delete the primary's token from the system's keyring
    Logout,
    /// Bring the primary's schema up to date
    Migrate,
}

#[derive(Debug, Subcommand)]
pub enum Schema {
    /// Bring a primary's tables up to date
    ///
    /// Applies each migration that the primary lacks, atomically.
    Migrate {
        #[command(flatten)]
        target: SchemaTarget,
    },
    /// Compare a primary's tables with its migrations
    ///
    /// Exits with 1 if they differ. Tables of other applications are listed but not compared.
    Check {
        #[command(flatten)]
        target: SchemaTarget,
    },
    /// Print the tables as SQL, or as a diagram
    Print {
        /// Only this table
        #[arg(long)]
        table: Option<String>,
        /// Output format
        #[arg(long, value_enum, default_value = "sql")]
        format: DiagramFormat,
        /// Print the tables that the migrations in DIR create [default: Fastest's own]
        #[arg(long, value_hint = ValueHint::DirPath)]
        dir: Option<PathBuf>,
    },
    /// Sync tables that another tool created
    ///
    /// Reads the tables of a live database. Writes a migration that adds the engine's tables and triggers,
    /// and Rust declarations of the tables. Apply the migration with `fastest schema migrate --dir DIR`.
    /// The database itself is not changed, and the migration does not change the tables' columns.
    Adopt {
        /// A table to adopt (repeatable)
        #[arg(long = "table", value_name = "TABLE", required = true)]
        tables: Vec<String>,
        /// The scope of a table: COLUMN, or COLUMN:TABLE.COLUMN through a foreign key. Give one for each
        /// --table, in the same order
        #[arg(long = "scope", value_name = "SCOPE", required = true)]
        scopes: Vec<String>,
        /// A --table whose rows are never updated or deleted (repeatable)
        #[arg(long, value_name = "TABLE")]
        append_only: Vec<String>,
        /// Address of the database [default: the primary that this device follows]
        #[arg(long, value_name = "URL", value_hint = ValueHint::Url)]
        remote: Option<String>,
        /// The folder to write to
        #[arg(long, default_value = "migrations-sync", value_hint = ValueHint::DirPath)]
        dir: PathBuf,
        /// The owner of the tables: a word that becomes part of the migrations' names
        #[arg(long, default_value = "app")]
        owner: String,
    },
    /// Remove the engine's triggers before another tool rebuilds an adopted table
    ///
    /// Until `fastest schema attach`, pushes are refused, and devices do not see new writes.
    Detach {
        #[command(flatten)]
        adopted: Adopted,
    },
    /// Put the engine's triggers back on adopted tables
    ///
    /// Devices then receive the changes that were made in the meantime.
    Attach {
        #[command(flatten)]
        adopted: Adopted,
    },
    /// Reorder an export of a primary so that it can be imported
    ///
    /// `wrangler d1 export` writes triggers before the views they belong to, so the import fails.
    /// The repaired file has the triggers last. Infinite numbers and NUL bytes are rewritten as
    /// valid SQL.
    MendExport {
        /// The file that was exported
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
        /// File to write [default: NAME.mended.sql, next to the export]
        #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath)]
        output: Option<PathBuf>,
    },
    /// Generate a migration from the tables that this build declares
    ///
    /// For developers of Fastest's own tables. Compares the declarations with the last recorded schema in
    /// the folder. Applications call `fastest_sync::migrations::generate` with their own declarations.
    Generate {
        /// Name of the migration: lower-case letters, digits and `_`
        #[arg(long)]
        name: String,
        /// The folder of migrations
        #[arg(long, default_value = "schema/migrations", value_hint = ValueHint::DirPath)]
        dir: PathBuf,
        /// Run the statements of this file after those that are generated
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        sql: Option<PathBuf>,
        /// Allow steps that lose data, or that may fail because of existing rows
        #[arg(long)]
        allow_destructive: bool,
    },
}

/// Which primary, and which migrations.
#[derive(Debug, Args)]
pub struct SchemaTarget {
    /// Address of the primary [default: the one that this device follows]
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url)]
    pub remote: Option<String>,
    /// The folder of migrations [default: Fastest's own]
    #[arg(long, value_hint = ValueHint::DirPath)]
    pub dir: Option<PathBuf>,
}

/// Which database, and which adopted tables.
#[derive(Debug, Args)]
pub struct Adopted {
    /// Address of the database [default: the primary that this device follows]
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url)]
    pub remote: Option<String>,
    /// The folder that `adopt` wrote to
    #[arg(long, default_value = "migrations-sync", value_hint = ValueHint::DirPath)]
    pub dir: PathBuf,
}

/// An output format for schemas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DiagramFormat {
    /// CREATE statements
    Sql,
    /// An `erDiagram` of Mermaid
    Mermaid,
}

impl Command {
    /// Returns which command this is. Hints depend on it.
    pub fn verb(&self) -> Verb {
        match self {
            Self::Init { .. } => Verb::Init,
            Self::Snapshot { .. } => Verb::Snapshot,
            Self::Status => Verb::Status,
            Self::Push { .. } => Verb::Push,
            Self::Clone { .. } => Verb::Clone,
            Self::Pull { .. } => Verb::Pull,
            Self::Merge(_) => Verb::Merge,
            Self::Drift(_) => Verb::Drift,
            Self::Diff(_) => Verb::Diff,
            Self::Log { .. } => Verb::Log,
            Self::Undo { .. } => Verb::Undo,
            Self::Redo => Verb::Redo,
            Self::Op(_) => Verb::Op,
            Self::Restore { .. } => Verb::Restore,
            Self::Untrack { .. } => Verb::Untrack,
            Self::Cat { .. } => Verb::Cat,
            Self::Workspace(_) => Verb::Workspace,
            Self::Project(_) => Verb::Project,
            Self::Conflicts(_) => Verb::Conflicts,
            Self::Resolve { .. } => Verb::Resolve,
            Self::Remote(_) => Verb::Remote,
            Self::Schema(_) => Verb::Schema,
            Self::Doctor { .. } => Verb::Doctor,
            Self::Completions { .. } => Verb::Completions,
            Self::Man { .. } => Verb::Man,
        }
    }
}

/// Whether the arguments ask for JSON, even if they are otherwise invalid.
pub fn wants_json(args: &[OsString]) -> bool {
    args.iter().take_while(|arg| *arg != "--").any(|arg| arg == "--json")
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_arguments_are_consistent() {
        super::Cli::command().debug_assert();
    }

    #[test]
    fn no_command_shares_an_id_with_a_global_option() {
        fn check(command: &clap::Command, global: &[&str]) {
            for inner in command.get_subcommands() {
                for argument in inner.get_arguments() {
                    let id = argument.get_id().as_str();
                    assert!(!global.contains(&id), "{} of {}", id, inner.get_name());
                }
                check(inner, global);
            }
        }
        let command = super::Cli::command();
        let global = command.get_arguments().filter(|argument| argument.is_global_set());
        check(&command, &global.map(|argument| argument.get_id().as_str()).collect::<Vec<_>>());
    }
}
