//! What both commands take and hand over: where they work, tables on stdout, JSON and a plot in files.

use std::path::{Path, PathBuf};
use std::{env, fs};

use serde_json::Value;
use tempfile::TempDir;

use crate::error::{Error, Result};
use crate::results::Results;
use crate::{fastest, folder, plot, table};

/// Options of both commands.
#[derive(Debug, clap::Args)]
pub struct Common {
    /// Work in a new folder in this one, which is removed; by default where temporary files go
    #[arg(long, value_name = "FOLDER")]
    work: Option<PathBuf>,
    /// The binary of Fastest; by default the one beside this one
    #[arg(long, value_name = "FILE")]
    fastest: Option<PathBuf>,
    /// Write every value, versions and the machine to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write a plot to this file
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
}

/// A folder that goes when it is dropped, with read-only folders in it.
#[derive(Debug)]
pub struct Work(TempDir);

impl Work {
    /// Its path.
    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        // What cannot be removed stays: there is nobody left to tell.
        let _ = folder::clear(self.path());
    }
}

impl Common {
    /// Makes the folder to work in.
    ///
    /// # Errors
    ///
    /// Where it cannot be made.
    pub fn work(&self) -> Result<Work> {
        let parent = self.work.clone().unwrap_or_else(env::temp_dir);
        let parent = parent.canonicalize().map_err(Error::at(&parent))?;
        let made = tempfile::Builder::new().prefix("fastest-bench.").tempdir_in(&parent);
        made.map(Work).map_err(Error::at(&parent))
    }

    /// The binary of Fastest.
    ///
    /// # Errors
    ///
    /// [`Error::NoFastest`] where it is not there.
    pub fn fastest(&self) -> Result<PathBuf> {
        fastest::find(self.fastest.as_deref())
    }

    /// Prints the tables, with the machine above and notes below, and writes the files. `about` is what
    /// was measured, and on what; its `rows` become the results. `title` is that of the plot.
    ///
    /// # Errors
    ///
    /// Where a file cannot be written.
    pub fn hand_over(&self, results: &Results, title: &str, mut about: Value) -> Result<()> {
        println!("{title}\n{}\n", crate::machine::line(&about["machine"]));
        print!("{}", table::tables(results));
        for note in about["notes"].as_array().into_iter().flatten() {
            println!("- {}", note.as_str().unwrap_or_default());
        }
        about["rows"] = results.json();
        if let Some(path) = &self.json {
            fs::write(path, format!("{about:#}\n")).map_err(Error::at(path))?;
        }
        if let Some(path) = &self.svg {
            fs::write(path, plot::svg(results, title)).map_err(Error::at(path))?;
        }
        Ok(())
    }
}
