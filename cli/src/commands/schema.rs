//! `schema …`: tables of primaries, and folders of migrations.

use std::fs::File;
use std::io::{BufReader, BufWriter, ErrorKind};
use std::path::Path;

use fastest_sync::migrations::{
    self, Chosen, Comparison, ExportError, Generated, NewMigration, Policy, RepairedExport, Source,
    mermaid,
};
use fastest_sync::remote::address::Address;
use fastest_sync::remote::open::Remote;
use fastest_sync::{SyncError, World};
use serde::Serialize;

use crate::args::{Adopted, DiagramFormat, Schema};
use crate::error::{CliError, Exit};
use crate::output::Output;
use crate::session::{Session, runtime};
use crate::words::plain;

pub fn run(session: &mut Session<'_>, command: Schema) -> Result<Exit, CliError> {
    match command {
        Schema::Generate { name, dir, sql, allow_destructive } => {
            let sql = sql.map(|path| read(&session.path(&path))).transpose()?;
            let new = NewMigration { name, sql, allow_destructive };
            generate(session, &session.path(&dir), &new)
        }
        Schema::Adopt { tables, scopes, append_only, remote, dir, owner } => {
            let chosen = chosen(tables, scopes, &append_only)?;
            adopt(session, remote.as_deref(), &dir, &owner, &chosen)
        }
        Schema::Detach { adopted } => attach(session, &adopted, false),
        Schema::Attach { adopted } => attach(session, &adopted, true),
        Schema::MendExport { file, output } => {
            let file = session.path(&file);
            let output = match output {
                Some(output) => session.path(&output),
                None => file.with_extension("mended.sql"),
            };
            repair_export(session, &file, &output)
        }
        Schema::Migrate { target } => {
            let source = source(session, target.dir.as_deref())?;
            migrate(session, target.remote.as_deref(), &source)
        }
        Schema::Check { target } => {
            let source = source(session, target.dir.as_deref())?;
            check(session, target.remote.as_deref(), &source)
        }
        Schema::Print { dir, table, format } => {
            let source = source(session, dir.as_deref())?;
            print(session, &source, table.as_deref(), format)
        }
    }
}

fn read(path: &Path) -> Result<String, CliError> {
    std::fs::read_to_string(path).map_err(|source| CliError::Io {
        action: "read",
        path: path.to_owned(),
        source,
    })
}

/// Opens the migrations that a command works with.
fn source(session: &Session<'_>, dir: Option<&Path>) -> Result<Source, CliError> {
    match dir {
        None => Ok(Source::own()),
        Some(dir) => Ok(Source::folder(&session.path(dir)).map_err(SyncError::from)?),
    }
}

fn generate(session: &mut Session<'_>, dir: &Path, new: &NewMigration) -> Result<Exit, CliError> {
    let generated = migrations::generate(dir, Source::own().schema, new, &World::system());
    let generated = generated.map_err(SyncError::from)?;
    session.out.report(&generated, |out| generated_lines(out, &generated, dir))?;
    Ok(Exit::Done)
}

/// The report on a mended export.
#[derive(Serialize)]
struct Mended<'p> {
    path: &'p Path,
    statements: u64,
    triggers: u64,
}

/// Writes the mended export as a whole or not at all, because a partial one could be imported
/// without an error.
fn repair_export(session: &mut Session<'_>, file: &Path, path: &Path) -> Result<Exit, CliError> {
    let io = |action, path: &Path| {
        let path = path.to_owned();
        move |source| CliError::Io { action, path, source }
    };
    let input = BufReader::new(File::open(file).map_err(io("read", file))?);
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let mut output = tempfile::NamedTempFile::new_in(folder).map_err(io("write", path))?;
    let mended = migrations::repair_export(input, BufWriter::new(&mut output));
    let RepairedExport { statements, triggers } = mended.map_err(|error| match error {
        ExportError::Io(source) => io("mend", file)(source),
        error => io("mend", file)(std::io::Error::other(error)),
    })?;
    output.as_file().sync_all().map_err(io("write", path))?;
    output.persist_noclobber(path).map_err(|error| match error.error.kind() {
        ErrorKind::AlreadyExists => {
            let why = "it is there already; name another file with `--output`";
            io("write", path)(std::io::Error::other(why))
        }
        _ => io("write", path)(error.error),
    })?;
    session.out.report(&Mended { path, statements, triggers }, |out| {
        let (path, what) = (path.display(), if triggers == 1 { "trigger" } else { "triggers" });
        out.done(format_args!("wrote {path}: {statements} statements, {triggers} {what} last"))
    })?;
    Ok(Exit::Done)
}

fn generated_lines(out: &mut Output, generated: &Generated, dir: &Path) -> std::io::Result<()> {
    let Some(name) = &generated.name else {
        return out.done("nothing is declared anew");
    };
    for step in &generated.destructive {
        out.warning(plain(step));
    }
    let count = generated.statements;
    let what = if count == 1 { "statement" } else { "statements" };
    out.done(format_args!("wrote {}: {count} {what}", dir.join(name).display()))
}

/// Pairs each `--table` with its `--scope`, and checks that `--append-only` names chosen tables.
fn chosen(
    tables: Vec<String>,
    scopes: Vec<String>,
    append_only: &[String],
) -> Result<Vec<Chosen>, CliError> {
    if tables.len() != scopes.len() {
        let (tables, scopes) = (tables.len(), scopes.len());
        return Err(CliError::Pairs { tables, scopes });
    }
    if let Some(table) = append_only.iter().find(|table| !tables.contains(table)) {
        return Err(CliError::NotChosen { table: table.clone() });
    }
    let chosen = tables.into_iter().zip(scopes).map(|(table, scope)| {
        let is_append_only = append_only.contains(&table);
        let policy = if is_append_only { Policy::AppendOnly } else { Policy::Versioned };
        Chosen { table, scope, policy }
    });
    Ok(chosen.collect())
}

fn adopt(
    session: &mut Session<'_>,
    url: Option<&str>,
    dir: &Path,
    owner: &str,
    chosen: &[Chosen],
) -> Result<Exit, CliError> {
    let remote = existing(session, url)?;
    let path = session.path(dir);
    let adopted = runtime()?.block_on(migrations::adopt(&*remote.primary, &path, owner, chosen));
    let adopted = adopted.map_err(SyncError::from)?;
    session.out.report(&adopted, |out| {
        generated_lines(out, &adopted.generated, &path)?;
        out.done(format_args!("wrote {}", adopted.declarations.display()))?;
        for note in &adopted.notes {
            out.note(plain(note));
        }
        let remote = url.map(|url| format!(" --remote {url}")).unwrap_or_default();
        let dir = dir.display();
        out.hint(format_args!(
            "look at both, then run `fastest schema migrate --dir {dir}{remote}`"
        ));
        Ok(())
    })?;
    Ok(Exit::Done)
}

/// The report of `attach` and `detach`: whether the engine's triggers exist now.
#[derive(Serialize)]
struct Attached {
    url: String,
    attached: bool,
}

fn attach(session: &mut Session<'_>, adopted: &Adopted, attached: bool) -> Result<Exit, CliError> {
    let source = source(session, Some(&adopted.dir))?;
    let remote = existing(session, adopted.remote.as_deref())?;
    let primary = &*remote.primary;
    let runtime = runtime()?;
    let done = if attached {
        runtime.block_on(migrations::attach(primary, &source))
    } else {
        runtime.block_on(migrations::detach(primary, &source))
    };
    done.map_err(SyncError::from)?;
    let report = Attached { url: primary.url().to_owned(), attached };
    session.out.report(&report, |out| {
        if attached {
            out.done(format_args!("{} syncs again", plain(&report.url)))
        } else {
            out.done(format_args!("{} does not sync", plain(&report.url)))?;
            out.hint(
                "`fastest schema attach` puts the triggers back, after the other tool is done",
            );
            Ok(())
        }
    })?;
    Ok(Exit::Done)
}

/// The applied migrations.
#[derive(Serialize)]
struct Migrated {
    url: String,
    applied: Vec<&'static str>,
}

fn migrate(
    session: &mut Session<'_>,
    url: Option<&str>,
    source: &Source,
) -> Result<Exit, CliError> {
    let remote = session.remote(url)?;
    let applied = runtime()?.block_on(migrations::apply(&*remote.primary, source));
    let applied = applied.map_err(SyncError::from)?;
    let report = Migrated { url: remote.primary.url().to_owned(), applied };
    session.out.report(&report, |out| {
        for name in &report.applied {
            out.done(format_args!("applied {}", plain(name)))?;
        }
        if report.applied.is_empty() {
            out.done(format_args!("{} is up to date", plain(&report.url)))
        } else {
            Ok(())
        }
    })?;
    Ok(Exit::Done)
}

/// A comparison, and the primary that was compared.
#[derive(Serialize)]
struct Checked {
    url: String,
    #[serde(flatten)]
    comparison: Comparison,
}

fn check(session: &mut Session<'_>, url: Option<&str>, source: &Source) -> Result<Exit, CliError> {
    let remote = existing(session, url)?;
    let comparison = runtime()?.block_on(migrations::check(&*remote.primary, source));
    let comparison = comparison.map_err(SyncError::from)?;
    let checked = Checked { url: remote.primary.url().to_owned(), comparison };
    session.out.report(&checked, |out| checked_lines(out, &checked))?;
    let differs = !checked.comparison.differences.is_empty();
    Ok(if differs { Exit::Differs } else { Exit::Done })
}

fn checked_lines(out: &mut Output, checked: &Checked) -> std::io::Result<()> {
    let Checked { url, comparison: Comparison { differences, theirs } } = checked;
    for difference in differences {
        let text = difference.to_string();
        out.line(format_args!("{} [{}]", plain(&text), plain(&difference.owner)))?;
    }
    for table in theirs {
        out.done(format_args!("left alone: {} ({})", plain(&table.table), table.owner))?;
    }
    match differences.len() {
        0 => out.done(format_args!("{} is as its migrations say", plain(url))),
        1 => out.done(format_args!("{}: 1 difference", plain(url))),
        many => out.done(format_args!("{}: {many} differences", plain(url))),
    }
}

fn print(
    session: &mut Session<'_>,
    source: &Source,
    table: Option<&str>,
    format: DiagramFormat,
) -> Result<Exit, CliError> {
    let ddl = source.ddl(table).map_err(SyncError::from)?;
    let mut record = source.record.clone();
    record.tables.retain(|known| table.is_none_or(|name| known.name == name));
    let text = match format {
        DiagramFormat::Mermaid => mermaid(&record),
        DiagramFormat::Sql => ddl.join(";\n\n") + ";\n",
    };
    session.out.report(&record, |out| out.line(text.trim_end()))?;
    Ok(Exit::Done)
}

/// Opens a remote, but not a file that does not exist: reading would create it.
fn existing(session: &Session<'_>, url: Option<&str>) -> Result<Remote, CliError> {
    let remote = session.remote(url)?;
    match Address::parse(remote.primary.url()) {
        Ok(Address::File(path)) if !path.exists() => Err(CliError::NoFile { path }),
        _ => Ok(remote),
    }
}
