//! A folder of migrations on disk.
//!
//! A migration adds three files: its own, the journal and the recorded schema. They are written to
//! a temporary folder and synced, the folder is renamed to `meta/.next`, and the files are then
//! moved to their places. If a crash comes after the rename, the next caller finishes the move;
//! before it, nothing was added.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::Path;

use fastest_schema::migrate::folder::{Addition, Folder, JOURNAL, SCHEMA};

use crate::migrations::error::MigrationsError;

/// The folder in which a migration waits to be moved to its place.
const NEXT: &str = "meta/.next";

/// The prefix of that folder's name before the rename.
const STAGED: &str = ".tmp-";

/// Reads and checks a folder. A missing folder is empty.
pub fn read(dir: &Path) -> Result<Folder, MigrationsError> {
    let meta = dir.join("meta");
    let Ok(lock) = File::open(&meta) else { return read_files(dir) };
    // Adding a migration moves several files, so readers take the lock as well.
    lock.lock_shared().map_err(MigrationsError::io("lock", &meta))?;
    if !dir.join(NEXT).exists() {
        return read_files(dir);
    }
    // An addition was interrupted: it is finished under the exclusive lock.
    lock.unlock().and_then(|()| lock.lock()).map_err(MigrationsError::io("lock", &meta))?;
    read_locked(dir)
}

/// Works as [`read`], for a caller that holds the [`lock`].
pub fn read_locked(dir: &Path) -> Result<Folder, MigrationsError> {
    finish(dir)?;
    read_files(dir)
}

fn read_files(dir: &Path) -> Result<Folder, MigrationsError> {
    let mut files = BTreeMap::new();
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Folder::default()),
        entries => entries.map_err(MigrationsError::io("read", dir))?,
    };
    for entry in entries {
        let path = entry.map_err(MigrationsError::io("read", dir))?.path();
        if path.extension().is_some_and(|extension| extension == "sql")
            && let Some(name) = path.file_name()
            && let Some(text) = read_text(&path)?
        {
            files.insert(name.to_string_lossy().into_owned(), text);
        }
    }
    let (journal, schema) = (read_text(&dir.join(JOURNAL))?, read_text(&dir.join(SCHEMA))?);
    let folder = Folder::check(files, journal.as_deref(), schema.as_deref());
    folder.map_err(|source| MigrationsError::Folder { dir: dir.to_owned(), source })
}

fn read_text(path: &Path) -> Result<Option<String>, MigrationsError> {
    let bytes = match fs::read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        bytes => bytes.map_err(MigrationsError::io("read", path))?,
    };
    String::from_utf8(bytes).map(Some).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = 1 + valid.iter().filter(|byte| **byte == b'\n').count();
        MigrationsError::NotText { path: path.to_owned(), line }
    })
}

/// Locks the folder while a migration is generated: two at once would take the same number.
pub fn lock(dir: &Path) -> Result<File, MigrationsError> {
    let meta = dir.join("meta");
    fs::create_dir_all(&meta).map_err(MigrationsError::io("create", &meta))?;
    let lock = File::open(&meta).map_err(MigrationsError::io("open", &meta))?;
    lock.lock().map_err(MigrationsError::io("lock", &meta))?;
    Ok(lock)
}

/// Adds a migration, all of it or nothing. The caller holds the [`lock`].
pub fn add(dir: &Path, addition: &Addition) -> Result<(), MigrationsError> {
    let meta = dir.join("meta");
    sweep(&meta)?;
    let staged = tempfile::Builder::new().prefix(STAGED).tempdir_in(&meta);
    let staged = staged.map_err(MigrationsError::io("create a folder in", &meta))?;
    write(&staged.path().join(&addition.name), &addition.sql)?;
    for (place, text) in [(SCHEMA, &addition.schema), (JOURNAL, &addition.journal)] {
        let name = Path::new(place).file_name().expect("these are files");
        write(&staged.path().join(name), text)?;
    }
    sync(staged.path())?;
    let next = dir.join(NEXT);
    fs::rename(staged.path(), &next).map_err(MigrationsError::io("make", &next))?;
    // The folder was renamed, so there is no temporary one to remove.
    let _ = staged.keep();
    sync(&meta)?;
    finish(dir)
}

/// Removes the temporary folders of interrupted additions. Under the lock, they belong to nobody.
fn sweep(meta: &Path) -> Result<(), MigrationsError> {
    for entry in fs::read_dir(meta).map_err(MigrationsError::io("read", meta))? {
        let path = entry.map_err(MigrationsError::io("read", meta))?.path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(STAGED)) {
            fs::remove_dir_all(&path).map_err(MigrationsError::io("remove", &path))?;
        }
    }
    Ok(())
}

/// Moves the files of an addition from `meta/.next` to their places. The journal comes last,
/// because it makes the migration count.
fn finish(dir: &Path) -> Result<(), MigrationsError> {
    let next = dir.join(NEXT);
    let mut names: Vec<_> = match fs::read_dir(&next) {
        Err(_) => return Ok(()),
        Ok(entries) => entries.filter_map(|entry| Some(entry.ok()?.file_name())).collect(),
    };
    let meta = [SCHEMA, JOURNAL].map(|place| dir.join(place));
    names.sort_by_key(|name| meta.iter().position(|place| place.file_name() == Some(name)));
    for name in names {
        let in_meta = meta.iter().find(|place| place.file_name() == Some(&name));
        let place = in_meta.cloned().unwrap_or_else(|| dir.join(&name));
        let moved = fs::rename(next.join(&name), &place);
        moved.map_err(MigrationsError::io("write", &place))?;
        sync(place.parent().unwrap_or(dir))?;
    }
    fs::remove_dir(&next).map_err(MigrationsError::io("remove", &next))?;
    sync(&dir.join("meta"))
}

fn write(path: &Path, text: &str) -> Result<(), MigrationsError> {
    let failed = |source| MigrationsError::io("write", path)(source);
    let mut file = File::create(path).map_err(failed)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)
}

pub fn sync(dir: &Path) -> Result<(), MigrationsError> {
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(MigrationsError::io("fsync", dir))
}
