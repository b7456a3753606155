//! What a run hands over: tables on stdout, JSON and a plot in files.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::error::{Error, Result};
use crate::results::Results;
use crate::{plot, table};

/// Where to put what is handed over beside the tables.
#[derive(Debug, clap::Args)]
pub struct Files {
    /// Write every value, versions and the machine to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write a plot to this file
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
}

impl Files {
    /// Prints the tables, with notes below, and writes the files. `about` is what was measured, and on
    /// what; its `rows` become the results.
    ///
    /// # Errors
    ///
    /// Where a file cannot be written.
    pub fn hand_over(&self, results: &Results, title: &str, mut about: Value) -> Result<()> {
        println!("{title}\n\n{}", table::tables(results));
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
