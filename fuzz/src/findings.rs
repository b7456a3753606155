//! Where inputs that fail are saved.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A folder to which files can be written.
pub struct Findings(PathBuf);

impl Findings {
    /// Creates the folder if it is missing.
    ///
    /// # Errors
    /// If it cannot be created, or no file in it.
    pub fn new(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        // Not only the name of the folder: a finding must not be lost for want of rights.
        tempfile::tempfile_in(folder)?;
        Ok(Self(folder.to_owned()))
    }

    /// Saves an input. Returns its path or, if it can be saved nowhere, what it is.
    pub fn save(&self, target: &str, input: &[u8]) -> Result<PathBuf, String> {
        let name = format!("{target}-{}", &blake3::hash(input).to_hex()[..16]);
        let save = |folder: &Path| {
            fs::create_dir_all(folder)?;
            let path = folder.join(&name);
            fs::write(&path, input).map(|()| path)
        };
        save(&self.0).or_else(|_| save(&std::env::temp_dir())).map_err(|_: io::Error| hex(input))
    }
}

fn hex(input: &[u8]) -> String {
    input.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a text takes everything");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_folder_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(Findings::new(&file).is_err());
        let findings = Findings::new(&folder.path().join("a/b")).unwrap();
        assert_eq!(fs::read(findings.save("pack", b"abc").unwrap()).unwrap(), b"abc");
    }

    #[test]
    fn a_finding_is_saved_elsewhere_if_its_folder_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("a");
        let findings = Findings::new(&place).unwrap();
        fs::remove_dir(&place).unwrap();
        fs::write(&place, "").unwrap();
        let path = findings.save("pack", b"elsewhere").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"elsewhere");
        fs::remove_file(path).unwrap();
    }
}
