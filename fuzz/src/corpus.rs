//! The inputs from which mutations start.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::target::Target;

/// Returns the folder of a target's corpus.
pub fn folder(target: &Target) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target.name)
}

/// Returns the inputs of a target's folder, in the order of their names, then its seeds.
///
/// # Errors
/// If the folder or a file in it cannot be read. A missing folder is empty.
pub fn read(target: &Target) -> io::Result<Vec<Vec<u8>>> {
    let mut paths = match fs::read_dir(folder(target)) {
        Ok(entries) => {
            entries.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>()?
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error),
    };
    paths.sort();
    let mut inputs = paths.iter().map(fs::read).collect::<io::Result<Vec<_>>>()?;
    inputs.extend((target.seeds)());
    Ok(inputs)
}

/// Writes a target's seeds to its folder, each named by its hash, for libFuzzer.
///
/// # Errors
/// If a file cannot be written.
pub fn write_seeds(target: &Target) -> io::Result<usize> {
    let folder = folder(target);
    fs::create_dir_all(&folder)?;
    let seeds = (target.seeds)();
    for seed in &seeds {
        let name = &blake3::hash(seed).to_hex()[..16];
        fs::write(folder.join(format!("seed-{name}")), seed)?;
    }
    Ok(seeds.len())
}

/// Returns a target's tokens as a dictionary of libFuzzer.
pub fn dictionary(target: &Target) -> String {
    let line = |token: &&[u8]| {
        let hex: String = token.iter().map(|byte| format!("\\x{byte:02x}")).collect();
        format!("\"{hex}\"\n")
    };
    target.tokens.iter().map(line).collect()
}
