//! The command line. The doc comments are the help text.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;

use crate::error::verb::Verb;

/// Save, share and compare copies of project folders
#[derive(Debug, Parser)]
#[command(name = "fastest", bin_name = "fastest", version)]
#[command(after_help = "Exit status: 0 done or in sync, 1 drift or conflict, 2 error, \
                        3 saved on this device while the primary is out of reach")]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

/// Whose conflicts, and what to do with a transaction that was refused.
#[derive(Debug, Args)]
pub struct Conflicts {
    /// Look at an application's file of rows [default: those of the project at hand]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub database: Option<PathBuf>,
    /// Let the next push try a refused transaction again
    #[arg(long, value_name = "ID", requires = "database")]
    pub retry: Option<i64>,
    /// Take back what a refused transaction wrote on this device
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
    /// Print JSON, errors too
    #[arg(long, global = true)]
    pub json: bool,
    /// Print only what was asked for, warnings and errors
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
    /// A folder that is in no project becomes one.
    Push {
        #[command(flatten)]
        message: Message,
    },
    /// Make a working copy of a project, in a workspace of its own
    Clone {
        /// Name or id of the project
        project: String,
        /// Folder to write: empty, or not there yet
        #[arg(value_hint = ValueHint::DirPath, required_unless_present = "here")]
        dir: Option<PathBuf>,
        /// Join the current folder (or DIR), and leave the files in it as they are
        ///
        /// What differs from the project shows as changed here; what is missing is written.
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
    /// Compare this working copy with a workspace
    ///
    /// Exits with 1 when they differ. In the list, `-` marks what only the other one has, `+` what
    /// only this one has, and `!` what differs.
    Drift {
        /// Name or id of the workspace [default: the project's main one]
        workspace: Option<String>,
        /// Leave out what is not in a snapshot yet
        #[arg(long)]
        committed: bool,
    },
    /// List the project's snapshots, newest first
    Log {
        /// List at most N
        #[arg(short = 'n', value_name = "N")]
        limit: Option<usize>,
    },
    /// Put files back as they were in a snapshot
    ///
    /// Changes that are in no snapshot yet are saved in one first.
    Restore {
        /// Files and folders, from the current folder [default: the whole project]
        #[arg(value_name = "PATH", value_hint = ValueHint::AnyPath)]
        paths: Vec<PathBuf>,
        /// The snapshot: its id, the beginning of it, `@`, `@-`, `main` or `WORKSPACE@` [default: the last one]
        #[arg(long, value_name = "SNAPSHOT")]
        to: Option<String>,
    },
    /// Stop syncing files or folders, and leave them where they are
    ///
    /// Other devices leave theirs too. A rule in the .fastestignore beside each keeps it out from
    /// then on.
    Untrack {
        /// Files and folders, from the current folder
        #[arg(required = true, value_name = "PATH", value_hint = ValueHint::AnyPath)]
        paths: Vec<PathBuf>,
    },
    /// Print a file as it was in a snapshot
    Cat {
        /// The snapshot: its id, the beginning of it, `@`, `@-`, `main` or `WORKSPACE@`
        snapshot: String,
        /// The file, from the project's root
        path: PathBuf,
    },
    /// Make, list, rename and choose workspaces
    #[command(subcommand)]
    Workspace(Workspace),
    /// List and rename projects
    #[command(subcommand)]
    Project(Project),
    /// List rows that this device and the primary changed, each in its own way
    ///
    /// The primary's row stands, and both versions are kept until `fastest resolve` settles it. Exits
    /// with 1 when there are any.
    ///
    /// And what else waits for a choice: rows that cannot be kept here, and, in the file of an
    /// application, what the primary refused.
    Conflicts(Conflicts),
    /// Settle a conflict of rows
    Resolve {
        /// The conflict: its id, or the beginning of it
        id: String,
        #[command(flatten)]
        choice: Choice,
    },
    /// Choose the primary, show it and check it
    #[command(subcommand)]
    Remote(Remote),
    /// Look after the tables of a primary
    #[command(subcommand)]
    Schema(Schema),
    /// Check the store in full
    ///
    /// Exits with 2 when problems are left.
    Doctor {
        /// Mend what can be mended
        #[arg(long)]
        mend: bool,
        /// Read the packs of the primary and the pack store as well; with --mend, send those again that
        /// are damaged there and sound here
        #[arg(long)]
        remote: bool,
    },
    /// Print a completion script
    Completions {
        /// The shell that it is for
        shell: Shell,
    },
    /// Print the main man page, or write all man pages
    Man {
        /// Folder to write them all to
        #[arg(value_hint = ValueHint::DirPath)]
        dir: Option<PathBuf>,
    },
}

/// The message of a snapshot.
#[derive(Debug, Args)]
pub struct Message {
    /// Describe the snapshot
    #[arg(short, long = "message", value_name = "MSG")]
    pub message: Option<String>,
}

/// What stands after a conflict.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct Choice {
    /// Take what was written on this device
    #[arg(long)]
    pub ours: bool,
    /// Keep what the primary has
    #[arg(long)]
    pub theirs: bool,
    /// Write these columns, such as '{"name":"app"}'
    #[arg(long, value_name = "JSON")]
    pub value: Option<String>,
}

#[derive(Debug, Subcommand)]
pub enum Workspace {
    /// Make a workspace, with a working copy of its own, from this one
    New {
        /// Name of the workspace
        name: String,
        /// Folder of its working copy [default: one beside this one]
        #[arg(value_hint = ValueHint::DirPath)]
        dir: Option<PathBuf>,
        /// Make this working copy, with what is unsaved in it, that of the new workspace
        #[arg(long, conflicts_with = "dir")]
        here: bool,
    },
    /// List the project's workspaces
    List,
    /// Give a workspace another name
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
    /// Give a project another name
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
        /// Where large packs go: rows (of the primary), file:///folder, or s3://BUCKET/PREFIX
        /// [default: where they lie so far; at first a folder beside the primary's file, or rows of
        /// any other primary]
        #[arg(long, value_name = "PLACE")]
        packs: Option<String>,
        /// Let the members of a Unix group read and write it, for a primary that is a file
        #[arg(long, value_name = "GROUP", conflicts_with = "default")]
        shared: Option<String>,
        /// The same as `--packs rows`
        #[arg(long, hide = true, conflicts_with = "packs")]
        inline_packs: bool,
    },
    /// Show the primary
    Show,
    /// Ask the primary and the pack store whether all is well
    ///
    /// Looks at the address, the token, what it permits, the schema, the clock and the pack store, and
    /// tells how to mend what is wrong. Exits with 2 when there is a problem.
    Check,
    /// Keep the primary's token in the system's keyring
    ///
    /// Asks for the token, or reads it from stdin where that is no terminal.
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
    /// Each migration that the primary lacks is applied once, whole or not at all.
    Migrate {
        #[command(flatten)]
        target: SchemaTarget,
    },
    /// Compare a primary's tables with what their migrations say
    ///
    /// Exits with 1 when they differ. Tables of other applications are listed, and left alone.
    Check {
        #[command(flatten)]
        target: SchemaTarget,
    },
    /// Print the tables as SQL, or as a diagram
    Print {
        /// Only this table
        #[arg(long)]
        table: Option<String>,
        /// In which language
        #[arg(long, value_enum, default_value = "sql")]
        format: DiagramFormat,
        /// The folder of migrations whose tables are meant [default: Fastest's own]
        #[arg(long, value_hint = ValueHint::DirPath)]
        dir: Option<PathBuf>,
    },
    /// Make tables sync that another tool has made
    ///
    /// Reads the tables of a live database, and writes a migration that adds the engine's tables and
    /// triggers, for `fastest schema migrate --dir DIR`, and Rust declarations of the tables. The
    /// database is left as it is, and so are the tables' own columns.
    Adopt {
        /// A table; once for each
        #[arg(long = "table", value_name = "TABLE", required = true)]
        tables: Vec<String>,
        /// By what its rows are shared: COLUMN, or COLUMN:TABLE.COLUMN over a foreign key; once for
        /// each table, in their order
        #[arg(long = "scope", value_name = "SCOPE", required = true)]
        scopes: Vec<String>,
        /// A table among them whose rows are written once, and never change or go
        #[arg(long, value_name = "TABLE")]
        append_only: Vec<String>,
        /// Address of the database [default: the primary that this device follows]
        #[arg(long, value_name = "URL", value_hint = ValueHint::Url)]
        remote: Option<String>,
        /// The folder to write to
        #[arg(long, default_value = "migrations-sync", value_hint = ValueHint::DirPath)]
        dir: PathBuf,
        /// Whose tables they are: a word that becomes part of the names of migrations
        #[arg(long, default_value = "app")]
        owner: String,
    },
    /// Take the engine's triggers away before another tool rebuilds an adopted table
    ///
    /// Until `fastest schema attach`, pushes are refused, and devices do not hear of what is written.
    Detach {
        #[command(flatten)]
        adopted: Adopted,
    },
    /// Put the engine's triggers on adopted tables again
    ///
    /// Devices hear of what became of the rows in the meantime.
    Attach {
        #[command(flatten)]
        adopted: Adopted,
    },
    /// Put an export of a primary into an order in which it can be imported
    ///
    /// `wrangler d1 export` writes triggers before the views that some are on, and the import fails. The
    /// mended file has the triggers last. Infinite reals and NUL are written as SQL has them.
    MendExport {
        /// The file that was exported
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
        /// Where the mended one goes [default: beside it, as NAME.mended.sql]
        #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath)]
        output: Option<PathBuf>,
    },
    /// Write the migration to what this build declares
    ///
    /// For those who change Fastest's own tables: compares the declarations with the folder's last
    /// recorded schema. Applications call `fastest_sync::migrations::generate` with their own.
    Generate {
        /// What it is about, in lower-case letters, digits and `_`
        #[arg(long)]
        name: String,
        /// The folder of migrations
        #[arg(long, default_value = "schema/migrations", value_hint = ValueHint::DirPath)]
        dir: PathBuf,
        /// Run the statements of this file after those that are generated
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        sql: Option<PathBuf>,
        /// Agree to steps that lose something, or may fail for the rows that are there
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

/// A language for schemas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DiagramFormat {
    /// Statements that make them
    Sql,
    /// An `erDiagram` of Mermaid
    Mermaid,
}

impl Command {
    /// Which command it is: hints differ by it.
    pub fn verb(&self) -> Verb {
        match self {
            Self::Init { .. } => Verb::Init,
            Self::Snapshot { .. } => Verb::Snapshot,
            Self::Status => Verb::Status,
            Self::Push { .. } => Verb::Push,
            Self::Clone { .. } => Verb::Clone,
            Self::Pull { .. } => Verb::Pull,
            Self::Drift { .. } => Verb::Drift,
            Self::Log { .. } => Verb::Log,
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

/// Whether JSON was asked for, in arguments that may be wrong otherwise.
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
