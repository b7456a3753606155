//! A device with the rows of an application.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fastest_sync::database::error::DatabaseError;
use fastest_sync::remote::embedded::Embedded;
use fastest_sync::remote::retry::{RetryPolicy, Retrying};
use fastest_sync::{Database, Remote};
use rusqlite::Connection;

use crate::events::Events;
use crate::folders::copy_folder;
use crate::network::Line;
use crate::rows::application::{APPLICATION, Version};
use crate::rows::model::{Key, REPEATED, Rows};
use crate::rows::sql;
use crate::world::Party;

/// A device.
pub struct Device {
    /// Its number.
    pub number: u8,
    /// Its world.
    pub party: Arc<Party>,
    /// Its way to the primary.
    pub line: Line,
    /// The primary, as it sees it.
    pub remote: Remote,
    /// Its file, while a process has it open.
    pub database: Option<Database>,
    /// What reads the rows of that file.
    reading: Option<Connection>,
    /// The version of the application that it has.
    pub version: usize,
    /// The scope that its file is for; `None` for any.
    pub team: Option<&'static str>,
    /// The last backup of its file.
    pub backup: Option<Backup>,
    /// What it has seen so far.
    pub sight: Sight,
    folder: PathBuf,
}

/// A backup of a device.
#[derive(Debug, Clone)]
pub struct Backup {
    folder: PathBuf,
    /// The version of the application that it was made with.
    pub version: usize,
    /// The scope of the file.
    pub team: Option<&'static str>,
    /// How many transactions had been written in the whole run.
    pub written: usize,
}

/// The values that a device has seen, in columns whose values are written once.
#[derive(Debug, Clone, Default)]
pub struct Sight {
    last: BTreeMap<(Key, String), String>,
    gone: BTreeSet<(Key, String, String)>,
}

impl Sight {
    /// Compares what a device has with what it had. Returns the values that are back. A value that
    /// never came to the primary (`was_sent`) may come back: from a copy of the device, for example.
    pub fn look(
        &mut self,
        rows: &Rows,
        was_sent: impl Fn(&Key, &str, &str) -> bool,
    ) -> Vec<(Key, String, String)> {
        let mut back = Vec::new();
        for (key, row) in rows {
            for (column, value) in row {
                let Some(value) = value else { continue };
                if REPEATED.contains(&column.as_str()) {
                    continue;
                }
                let cell = (key.clone(), column.clone());
                let here = (key.clone(), column.clone(), value.clone());
                if self.gone.contains(&here) {
                    back.push(here);
                }
                let was = self.last.insert(cell, value.clone());
                let was = was.filter(|was| was != value && was_sent(key, column, was));
                if let Some(was) = was {
                    self.gone.insert((key.clone(), column.clone(), was));
                }
            }
        }
        back
    }
}

/// Returns the scope that the file of a device is for in the beginning; `None` for any.
pub fn team_of(device: u8) -> Option<&'static str> {
    [None, Some("red"), Some("blue")][usize::from(device) % 3]
}

impl Device {
    /// Makes a device with an empty file.
    pub fn new(number: u8, seed: u64, root: &Path, events: &Events) -> Self {
        let folder = root.join(format!("d{number}"));
        fs::create_dir(&folder).expect("the folder of the run is new");
        let party = Party::new(seed ^ u64::from(number + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let team = team_of(number);
        let (line, remote) = connect(number, &party, root, events);
        let (sight, version) = (Sight::default(), 0);
        Self {
            number,
            party,
            line,
            remote,
            database: None,
            reading: None,
            version,
            team,
            backup: None,
            sight,
            folder,
        }
    }

    /// Connects to the primary anew, because its file was replaced, or the process was. Late requests are
    /// still on their way.
    pub fn connect(&mut self, root: &Path) {
        self.line.set_primary(open_primary(&self.party, root));
        self.remote = remote(&self.line);
    }

    /// Returns the version of the application that it has.
    pub fn version(&self) -> &'static Version {
        &APPLICATION[self.version]
    }

    /// Returns its open file, and opens it if no process has it open.
    pub fn open(&mut self) -> Result<&mut Database, DatabaseError> {
        if self.database.is_none() {
            self.database = Some(self.open_as(&self.party)?);
        }
        Ok(self.database.as_mut().expect("it was opened above"))
    }

    /// Opens its file in another process, with a world of its own.
    pub fn open_as(&self, party: &Arc<Party>) -> Result<Database, DatabaseError> {
        let (path, world, schema) = (self.path(), party.world(), self.version().schema);
        match self.team {
            Some(team) => Database::open_for(&path, schema, team, world),
            None => Database::open(&path, schema, world),
        }
    }

    /// Connects another process to the primary.
    pub fn connect_as(&self, party: &Arc<Party>, root: &Path, events: &Events) -> (Line, Remote) {
        connect(self.number, party, root, events)
    }

    /// Ends its process.
    pub fn close(&mut self) {
        (self.reading, self.database) = (None, None);
    }

    /// Returns its rows.
    pub fn rows(&mut self) -> Result<Rows, DatabaseError> {
        let version = self.version();
        let reading = match self.reading.take() {
            Some(reading) => reading,
            None => self.open()?.connection()?,
        };
        let rows = sql::read(&reading, version).expect("the tables are there");
        self.reading = Some(reading);
        Ok(rows)
    }

    /// Backs up its file.
    pub fn back_up(&mut self, written: usize) -> io::Result<()> {
        let folder = self.folder.with_extension("backup");
        copy_folder(&self.folder, &folder)?;
        self.backup = Some(Backup { folder, version: self.version, team: self.team, written });
        Ok(())
    }

    /// Puts its file back from a backup.
    pub fn put_back(&mut self, backup: &Backup) -> io::Result<()> {
        self.close();
        (self.version, self.team) = (backup.version, backup.team);
        self.sight = Sight::default();
        copy_folder(&backup.folder, &self.folder)
    }

    /// Replaces its file by that of another device.
    pub fn become_copy_of(&mut self, other: &Self) -> io::Result<()> {
        self.close();
        (self.version, self.team, self.sight) = (other.version, other.team, Sight::default());
        copy_folder(&other.folder, &self.folder)
    }

    fn path(&self) -> PathBuf {
        self.folder.join("rows.db")
    }
}

fn connect(number: u8, party: &Arc<Party>, root: &Path, events: &Events) -> (Line, Remote) {
    let line = Line::new(&format!("d{number}"), open_primary(party, root), events.clone());
    let remote = remote(&line);
    (line, remote)
}

fn open_primary(party: &Arc<Party>, root: &Path) -> Arc<Embedded> {
    Arc::new(Embedded::new(&root.join("primary").join("primary.db"), party.world()))
}

fn remote(line: &Line) -> Remote {
    Remote::of(Box::new(Retrying::new(line.clone(), RetryPolicy::default())))
}
