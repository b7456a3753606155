//! Four small applications with tables of their own, each on a primary that is a file.
//!
//! - [`compass`]: plans and invoices, with text dates, JSON and vocabularies
//! - [`corates`]: organizations whose members have roles, and seed rows that are checked before
//!   they are written
//! - [`basicos`]: every row belongs to a tenant, and a device holds one tenant's rows
//! - [`chronos`]: two owners in one database, and a schema that grows
//!
//! Each runs in a temporary folder and prints what it does:
//! `cargo run -p fastest-examples --bin compass`.

pub mod basicos;
pub mod chronos;
pub mod compass;
pub mod corates;

use std::error::Error;
use std::path::{Path, PathBuf};

use fastest_schema::Schema;
use fastest_sync::remote::embedded::Embedded;
use fastest_sync::{Database, Remote, World, migrate};

/// The result of an example.
pub type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Returns a new id, which sorts by time.
pub fn new_id() -> String {
    ulid::Ulid::generate().to_string()
}

/// Runs a future to its end on this thread.
fn run<T>(work: impl Future<Output = T>) -> Result<T> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work))
}

/// A temporary folder with a primary in it, and room for devices.
struct Scene {
    folder: tempfile::TempDir,
    remote: Remote,
}

impl Scene {
    fn new() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let remote =
            Remote::of(Box::new(Embedded::new(&folder.path().join("primary.db"), World::system())));
        Ok(Self { folder, remote })
    }

    /// Like [`Self::new`], and migrates the primary to a schema.
    fn with(schema: &Schema) -> Result<Self> {
        let scene = Self::new()?;
        run(migrate(&*scene.remote.primary, schema))??;
        Ok(scene)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Pushes waiting rows, and pulls.
    fn sync(&self, db: &mut Database) -> Result<()> {
        run(async {
            db.push_all(&self.remote).await?;
            db.pull_all(&self.remote).await
        })??;
        Ok(())
    }
}

/// Counts how often a text occurs in a SQLite file and its write-ahead log.
fn occurrences(file: &Path, text: &str) -> Result<usize> {
    let mut count = 0;
    for end in ["", "-wal"] {
        let mut path = file.to_owned().into_os_string();
        path.push(end);
        let bytes = std::fs::read(path)?;
        count += bytes.windows(text.len()).filter(|window| *window == text.as_bytes()).count();
    }
    Ok(count)
}
