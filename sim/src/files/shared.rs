//! A file in which each working copy has a place of its own, between lines that nobody changes. So its text is
//! merged line by line, and never in conflict.

use std::fs;
use std::io;
use std::path::Path;
use std::time::SystemTime;

use crate::files::tree::{Item, Tree};

/// The name of the file.
pub const NAME: &str = "shared";

/// Writes the file, with an empty place for each of so many working copies.
pub fn create(root: &Path, copies: usize, time: SystemTime) -> io::Result<()> {
    let places: String = (0..copies).map(|copy| begin(copy) + &end(copy)).collect();
    write(root, &places, time)
}

fn write(root: &Path, text: &str, time: SystemTime) -> io::Result<()> {
    let place = root.join(NAME);
    fs::write(&place, text)?;
    fs::File::open(&place)?.set_modified(time)
}

/// The lines around a place keep two places apart: changes that touch are a conflict.
fn begin(copy: usize) -> String {
    format!("begin {copy}\n")
}

fn end(copy: usize) -> String {
    format!("end {copy}\n")
}

/// Replaces the lines of a working copy. `number` makes them unlike any others, and says how many there are.
pub fn edit(root: &Path, copy: usize, number: u32, time: SystemTime) -> io::Result<()> {
    let Ok(text) = fs::read_to_string(root.join(NAME)) else { return Ok(()) };
    let Some((before, _, after)) = split(&text, copy) else { return Ok(()) };
    let lines: String = (0..number % 4).map(|line| format!("line {number}.{line}\n")).collect();
    write(root, &format!("{before}{lines}{after}"), time)
}

/// Splits the text at the place of a working copy.
fn split(text: &str, copy: usize) -> Option<(&str, &str, &str)> {
    let start = text.find(&begin(copy))? + begin(copy).len();
    let length = text[start..].find(&end(copy))?;
    Some((&text[..start], &text[start..start + length], &text[start + length..]))
}

/// Adds what the file has to a tree: the lines of each working copy, and the rest.
pub fn read(text: &str, tree: &mut Tree) {
    let mut rest = text.to_owned();
    for copy in 0.. {
        let Some((before, lines, after)) = split(&rest, copy) else { break };
        if !lines.is_empty() {
            tree.insert(format!("{NAME} lines.{copy}"), Item::Lines(lines.to_owned()));
        }
        rest = format!("{before}{after}");
    }
    tree.insert(NAME.to_owned(), Item::Lines(rest));
}
