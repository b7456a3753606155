//! The options and the output of both commands: the work folder, tables on stdout, and files with
//! JSON and a plot.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::error::{Error, Result};
use crate::results::Results;
use crate::{fastest, folder, plot, table};

/// Options of both commands.
#[derive(Debug, clap::Args)]
pub struct Common {
    /// Create the work folder in this folder, and remove it at the end [default: where temporary
    /// files go]
    #[arg(long, value_name = "FOLDER")]
    work: Option<PathBuf>,
    /// The `fastest` binary [default: the one beside this program]
    #[arg(long, value_name = "FILE")]
    fastest: Option<PathBuf>,
    /// Write every value, versions and the machine to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write a plot to this file
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
}

/// A folder that is removed when it is dropped, including read-only folders in it.
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
        // A failure is ignored, because there is nobody to report it to.
        let _ = folder::clear(self.path());
    }
}

impl Common {
    /// Makes the work folder, and prints its path: after a signal, the user has to remove it.
    ///
    /// # Errors
    ///
    /// If it cannot be made, or would be inside `tree`, which is to be copied into it.
    pub fn work(&self, tree: Option<&Path>) -> Result<Work> {
        let parent = self.work.clone().unwrap_or_else(env::temp_dir);
        let parent = parent.canonicalize().map_err(Error::at(&parent))?;
        if let Some(tree) = tree {
            let tree = tree.canonicalize().map_err(Error::at(tree))?;
            if !tree.is_dir() {
                return Err(Error::Unusable(format!("{} is no folder", tree.display())));
            }
            if parent.starts_with(&tree) {
                let (tree, parent) = (tree.display(), parent.display());
                let text = format!("{parent} is in {tree}: name a folder elsewhere with --work");
                return Err(Error::Unusable(text));
            }
        }
        let made = tempfile::Builder::new().prefix("fastest-bench.").tempdir_in(&parent);
        let work = made.map(Work).map_err(Error::at(&parent))?;
        eprintln!("working in {}", work.path().display());
        Ok(work)
    }

    /// Fails unless the files can be written, which is better now than after hours. Missing files
    /// are created, and existing ones are left as they are.
    ///
    /// # Errors
    ///
    /// If one of them cannot be opened for writing.
    pub fn check_files(&self) -> Result<()> {
        for path in [&self.json, &self.svg].into_iter().flatten() {
            let opened = File::options().create(true).append(true).open(path);
            opened.map_err(Error::at(path))?;
        }
        Ok(())
    }

    /// Returns the path of the `fastest` binary.
    ///
    /// # Errors
    ///
    /// [`Error::NoFastest`] if it does not exist.
    pub fn fastest(&self) -> Result<PathBuf> {
        fastest::find(self.fastest.as_deref())
    }

    /// Writes the JSON: `about`, which describes what was measured and on which machine, with the
    /// results added as `rows`.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn keep(&self, results: &Results, about: &Value) -> Result<()> {
        let Some(path) = &self.json else { return Ok(()) };
        let mut all = about.clone();
        all["rows"] = results.json();
        fs::write(path, format!("{all:#}\n")).map_err(Error::at(path))
    }

    /// Writes the files, and then prints the tables, with the machine above them and notes below.
    /// `about` is the same as for [`Self::keep`]. The plot has the same `title`.
    ///
    /// # Errors
    ///
    /// If a file cannot be written.
    pub fn hand_over(&self, results: &Results, title: &str, about: &Value) -> Result<()> {
        self.keep(results, about)?;
        if let Some(path) = &self.svg {
            fs::write(path, plot::svg(results, title)).map_err(Error::at(path))?;
        }
        println!("{title}\n{}\n", crate::machine::line(&about["machine"]));
        print!("{}", table::tables(results));
        for note in about["notes"].as_array().into_iter().flatten() {
            println!("- {}", note.as_str().unwrap_or_default());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::Unit;
    use serde_json::json;

    #[test]
    fn the_work_is_not_in_the_tree() {
        let folder = tempfile::tempdir().unwrap();
        let (tree, inner) = (folder.path().join("tree"), folder.path().join("tree/inner"));
        fs::create_dir_all(&inner).unwrap();
        let work = |place: &Path, tree: &Path| {
            let common =
                Common { work: Some(place.to_owned()), fastest: None, json: None, svg: None };
            common.work(Some(tree)).map(|work| work.path().to_owned())
        };
        assert!(work(&inner, &tree).is_err() && work(&tree, &tree).is_err());
        assert!(folder::list(&inner).unwrap().is_empty());
        let made = work(folder.path(), &tree).unwrap();
        assert!(made.starts_with(folder.path().canonicalize().unwrap()) && !made.exists());
        fs::write(tree.join("file"), "").unwrap();
        assert!(work(folder.path(), &tree.join("file")).is_err());
    }

    #[test]
    fn files_are_tried_before_they_are_needed() {
        let folder = tempfile::tempdir().unwrap();
        let with = |json: &str| Common {
            work: None,
            fastest: None,
            json: Some(folder.path().join(json)),
            svg: None,
        };
        assert!(with("nowhere/a.json").check_files().is_err());
        let path = folder.path().join("a.json");
        fs::write(&path, "older").unwrap();
        with("a.json").check_files().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "older");
        let mut results = Results::new(&["fastest"]);
        results.add(("status", Unit::Seconds), "fastest", 0, 1.0);
        with("a.json").keep(&results, &json!({ "runs": 1 })).unwrap();
        let kept: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        assert_eq!((&kept["runs"], &kept["rows"]), (&json!(1), &results.json()));
    }
}
