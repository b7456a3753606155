//! A schema that changes, and a database of each kind that follows it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use fastest_fixtures::keys::Keys;
use fastest_fixtures::servers::{D1Server, SqldServer};
use fastest_schema::migrate::diff::DiffError;
use fastest_schema::record::model::{ColumnRecord, TableRecord};
use fastest_schema::{Kind, Schema, Table, statements};
use fastest_sync::migrations::error::MigrationsError;
use fastest_sync::migrations::{Generated, NewMigration, Source, apply, check, generate};
use fastest_sync::remote::primary::Primary;
use fastest_sync::{Remote, World};
use tempfile::TempDir;

use crate::run;
use fastest_sync::remote::statement::Statement;

const OWNER: &str = "studio";

/// The tables declared at one time.
#[derive(Clone)]
pub struct Tables(pub Vec<TableRecord>);

impl Tables {
    pub fn table(&mut self, name: &str) -> &mut TableRecord {
        self.0.iter_mut().find(|table| table.name == name).unwrap()
    }

    pub fn column(&mut self, table: &str, name: &str) -> &mut ColumnRecord {
        self.table(table).columns.iter_mut().find(|column| column.name == name).unwrap()
    }

    /// Renames a table wherever it is named.
    pub fn rename(&mut self, old: &str, new: &str) {
        let table = self.table(old);
        (table.name, table.renamed_from) = (new.to_owned(), Some(old.to_owned()));
        let columns = self.0.iter_mut().flat_map(|table| &mut table.columns);
        for to in columns.filter_map(|column| column.references.as_mut()) {
            if to.table == old {
                to.table = new.to_owned();
            }
        }
    }

    fn get(&self, name: &str) -> Option<&TableRecord> {
        self.0.iter().find(|table| table.name == name)
    }
}

/// A folder of migrations that grows, and the databases to which they are applied.
pub struct Walk {
    tables: Tables,
    folder: TempDir,
    pub urls: Vec<String>,
    primaries: Vec<Arc<dyn Primary>>,
    _sqld: SqldServer,
}

impl Walk {
    /// Makes three databases with the first schema.
    pub fn new(tables: &[&'static Table]) -> Self {
        let (folder, d1, sqld) =
            (tempfile::tempdir().unwrap(), D1Server::shared(), SqldServer::start());
        let file = url::Url::from_file_path(folder.path().join("primary.db")).unwrap();
        let urls =
            vec![file.into(), format!("d1://local/{}?api={}", d1.fresh(), d1.api()), sqld.url()];
        let open =
            |url: &String| Remote::to(url, &Keys::default(), World::system()).unwrap().primary;
        let primaries = urls.iter().map(open).collect();
        let tables = Tables(tables.iter().copied().map(TableRecord::from).collect());
        let walk = Self { tables, folder, urls, primaries, _sqld: sqld };
        walk.generate("init", false).unwrap();
        walk.apply();
        walk
    }

    /// Runs a statement on each database.
    pub fn run(&self, sql: &str) {
        for primary in &self.primaries {
            run(primary.run(Statement::once(sql), &[])).unwrap();
        }
    }

    /// Makes a migration that loses nothing. Returns its SQL, without triggers and views.
    pub fn step(&mut self, name: &str, change: impl FnOnce(&mut Tables)) -> String {
        let before = self.tables.clone();
        change(&mut self.tables);
        let generated = self.generate(name, false).unwrap();
        self.follow(&before, &generated)
    }

    /// Makes a migration that may lose something, which is refused until it is allowed.
    pub fn destructive(&mut self, name: &str, change: impl FnOnce(&mut Tables)) -> String {
        let before = self.tables.clone();
        change(&mut self.tables);
        let files = self.files();
        let error = self.generate(name, false).unwrap_err();
        assert!(matches!(error, MigrationsError::Destructive(_)), "{error}");
        assert_eq!(self.files(), files, "nothing is written");
        let generated = self.generate(name, true).unwrap();
        self.follow(&before, &generated)
    }

    /// Makes a change that is refused even if destructive steps are allowed. Returns the reason.
    pub fn refused(&mut self, change: impl FnOnce(&mut Tables)) -> String {
        let (before, files) = (self.tables.clone(), self.files());
        change(&mut self.tables);
        for allow in [false, true] {
            let error = self.generate("refused", allow).unwrap_err();
            assert!(matches!(error, MigrationsError::Diff(DiffError::Refused(_))), "{error}");
        }
        assert_eq!(self.files(), files, "nothing is written");
        let error = self.generate("refused", true).unwrap_err().to_string();
        self.tables = before;
        error
    }

    /// Returns the declared schema, with the migrations that lead to it.
    pub fn schema(&self) -> &'static Schema {
        let tables: Vec<_> = self.tables.0.iter().map(TableRecord::leak).collect();
        let migrations = self.source().schema.migrations;
        Box::leak(Box::new(Schema { owner: OWNER, tables: tables.leak(), migrations }))
    }

    fn source(&self) -> Source {
        Source::folder(&self.migrations()).unwrap()
    }

    /// Returns the folder of its migrations.
    pub fn migrations(&self) -> std::path::PathBuf {
        self.folder.path().join("migrations")
    }

    fn generate(&self, name: &str, allow: bool) -> Result<Generated, MigrationsError> {
        let tables: Vec<_> = self.tables.0.iter().map(TableRecord::leak).collect();
        let schema = Schema { owner: OWNER, tables: tables.leak(), migrations: &[] };
        let new = NewMigration { name: name.to_owned(), sql: None, allow_destructive: allow };
        generate(&self.migrations(), &schema, &new, &World::system())
    }

    /// Returns the folder's files, by their paths.
    fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let mut files = BTreeMap::new();
        for folder in [self.migrations(), self.migrations().join("meta")] {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_file() {
                    files.insert(path.display().to_string(), std::fs::read(&path).unwrap());
                }
            }
        }
        files
    }

    /// Applies the new migration to the databases, and checks that they have lost nothing.
    fn follow(&self, before: &Tables, generated: &Generated) -> String {
        let again = self.generate("again", true).unwrap();
        assert_eq!(again.name, None, "nothing is declared anew");
        let kept: Vec<_> = self.primaries.iter().map(|to| self.kept(&**to, before)).collect();
        self.apply();
        for (primary, kept) in self.primaries.iter().zip(kept) {
            for Kept { table, columns, rows } in kept {
                assert!(!rows.is_empty(), "{table} has rows");
                assert_eq!(rows_of(&**primary, &table, &columns), rows, "{table}");
            }
        }
        let name = generated.name.as_ref().unwrap();
        tables_sql(&self.migrations().join(name))
    }

    fn apply(&self) {
        let source = self.source();
        for primary in &self.primaries {
            let url = primary.url();
            let applied = run(apply(&**primary, &source)).unwrap();
            assert_eq!(applied.len(), 1, "{url}");
            assert_eq!(run(check(&**primary, &source)).unwrap().differences, [], "{url}");
            for table in &self.tables.0 {
                check_values(&**primary, table);
                check_entries(&**primary, table);
            }
        }
    }

    /// Returns the rows of each table that stays, in the columns that stay, as they must be
    /// afterwards.
    fn kept(&self, primary: &dyn Primary, before: &Tables) -> Vec<Kept> {
        let mut kept = Vec::new();
        for table in &self.tables.0 {
            let renamed = table.renamed_from.as_ref();
            let was = before.get(&table.name).or_else(|| before.get(renamed?));
            let Some(was) = was else { continue };
            let (mut old, mut new) = (Vec::new(), Vec::new());
            for column in table.columns.iter().filter(|column| !column.lock_version) {
                let renamed = column.renamed_from.as_ref();
                let was = was.column(&column.name).or_else(|| was.column(renamed?));
                let Some(was) = was else { continue };
                old.push(match &column.default {
                    Some(default) if !column.null => format!("coalesce({}, {default})", was.name),
                    _ => was.name.clone(),
                });
                new.push(column.name.clone());
            }
            let rows = rows_of(primary, &was.name, &old);
            kept.push(Kept { table: table.name.clone(), columns: new, rows });
        }
        kept
    }
}

/// The content of a table that must survive, under the names that it has afterwards.
struct Kept {
    table: String,
    columns: Vec<String>,
    rows: Vec<String>,
}

/// Returns the rows of a table by key, each as a list of texts.
pub fn rows_of(primary: &dyn Primary, table: &str, columns: &[impl AsRef<str>]) -> Vec<String> {
    let texts: Vec<String> =
        columns.iter().map(|column| format!("CAST({} AS TEXT)", column.as_ref())).collect();
    let sql = format!("SELECT json_array({}) FROM {table} ORDER BY id", texts.join(", "));
    list(primary, &sql)
}

/// Returns the first column of an answer.
pub fn list(primary: &dyn Primary, sql: &str) -> Vec<String> {
    let rows = run(primary.run(Statement::reads(sql), &[]))
        .unwrap_or_else(|error| panic!("{error}: {sql}"));
    rows.into_iter().map(|row| row.into_iter().next().flatten().unwrap()).collect()
}

/// Returns a migration without the engine's triggers and views, and without the mark at its end.
fn tables_sql(file: &Path) -> String {
    let text = std::fs::read_to_string(file).unwrap();
    let name = file.file_name().unwrap().to_string_lossy();
    let mark = format!("INSERT OR IGNORE INTO d1_migrations(name) VALUES ('fastest:{name}');");
    assert_eq!(statements(&text).last(), Some(&*mark));
    let ours = |statement: &&str| {
        // The guard for tables of others is the same in each migration.
        if statement.contains("pragma_foreign_key_list") || *statement == mark {
            return false;
        }
        let mut words = statement.split_whitespace().filter(|word| !word.starts_with("--"));
        !matches!((words.next(), words.next()), (Some("CREATE" | "DROP"), Some("TRIGGER" | "VIEW")))
    };
    statements(&text).filter(ours).collect::<Vec<_>>().join("\n")
}

/// Checks that each value has its column's type, and each foreign key refers to a row.
fn check_values(primary: &dyn Primary, table: &TableRecord) {
    let name = &table.name;
    let mut wrong = Vec::new();
    for column in &table.columns {
        let (at, kind) = (&column.name, kind(column.kind));
        let null = if column.null { "'null', " } else { "" };
        wrong.push(format!("typeof(c.{at}) NOT IN ({null}'{kind}')"));
        if let Some(to) = &column.references {
            wrong.push(format!(
                "c.{at} IS NOT NULL AND NOT EXISTS (SELECT 1 FROM {} AS p WHERE p.{} = c.{at})",
                to.table, to.column
            ));
        }
    }
    let sql = format!("SELECT id FROM {name} AS c WHERE {}", wrong.join(" OR "));
    assert_eq!(list(primary, &sql), [""; 0], "{name} at {}", primary.url());
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "text",
        Kind::Integer => "integer",
        Kind::Real => "real",
    }
}

/// Checks that each row of a synced table has its entry, and each entry its row. Private tables
/// have no entries.
fn check_entries(primary: &dyn Primary, table: &TableRecord) {
    let name = &table.name;
    let live = list(
        primary,
        &format!(
            "SELECT pk || ' ' || scope || ' ' || version FROM fastest_changes
             WHERE tbl = '{name}' AND deleted = 0 ORDER BY pk"
        ),
    );
    let Some(scope) = &table.scope else {
        assert_eq!(live, [""; 0], "{name} at {}", primary.url());
        return;
    };
    let scope = match &scope.by {
        None => format!("t.{}", scope.column),
        Some(by) => format!(
            "(SELECT p.{} FROM {} AS p WHERE p.{} = t.{})",
            by.target, by.table, by.key, scope.column
        ),
    };
    let mirror = table.columns.iter().find(|column| column.lock_version);
    let version = match mirror {
        Some(column) => format!("t.{}", column.name),
        None => {
            "(SELECT c.version FROM fastest_changes AS c WHERE c.tbl = '{name}' AND c.pk = t.id)"
                .replace("{name}", name)
        }
    };
    let sql =
        format!("SELECT t.id || ' ' || {scope} || ' ' || {version} FROM {name} AS t ORDER BY t.id");
    assert_eq!(live, list(primary, &sql), "{name} at {}", primary.url());
}
