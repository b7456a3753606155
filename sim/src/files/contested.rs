//! A file in which all working copies write to the same places. So they are in conflict again and again, and
//! nobody's line may get lost, whoever settles what.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;
use std::time::SystemTime;

/// The name of the file.
pub const NAME: &str = "contested";

/// Writes the file.
pub fn create(root: &Path, time: SystemTime) -> io::Result<()> {
    write(root, "top\nmiddle\nbottom\n", time)
}

fn write(root: &Path, text: &str, time: SystemTime) -> io::Result<()> {
    let place = root.join(NAME);
    fs::write(&place, text)?;
    fs::File::open(&place)?.set_modified(time)
}

/// Returns the text of the file.
pub fn read(root: &Path) -> String {
    fs::read_to_string(root.join(NAME)).unwrap_or_default()
}

/// Puts a line somewhere, or takes one out. `number` makes it unlike any other, and says where.
pub fn edit(root: &Path, copy: usize, number: u32, time: SystemTime) -> io::Result<()> {
    let text = read(root);
    let mut lines: Vec<&str> = text.lines().collect();
    let at = number as usize % 5 % (lines.len() + 1);
    let new = format!("by {copy}: {number}");
    match lines.get(at) {
        Some(line) if number.is_multiple_of(7) && !is_marker(line) => drop(lines.remove(at)),
        _ => lines.insert(at, &new),
    }
    write(root, &(lines.join("\n") + "\n"), time)
}

/// Takes all markers out, as somebody does who wants both sides.
pub fn take_markers_out(root: &Path, time: SystemTime) -> io::Result<()> {
    let text = read(root);
    let lines = text.split_inclusive('\n').filter(|line| !is_marker(line));
    write(root, &lines.collect::<String>(), time)
}

fn is_marker(line: &str) -> bool {
    ["<<<<<<<", "|||||||", "=======", ">>>>>>>"].iter().any(|mark| line.starts_with(mark))
}

/// Returns the ids of the conflicts whose markers stand in a text.
pub fn marked(text: &str) -> BTreeSet<String> {
    let marks = text.lines().filter(|line| is_marker(line) && line.starts_with(['<', '>']));
    let ids = marks.filter_map(|line| line.split_once("(conflict ")?.1.strip_suffix(')'));
    ids.map(str::to_owned).collect()
}

/// The lines that people wrote.
#[derive(Debug, Default)]
pub struct Lines {
    written: BTreeSet<String>,
    /// Those that somebody took out.
    dropped: BTreeSet<String>,
}

impl Lines {
    /// Notes that somebody changed the text, or chose a side of a conflict. In a conflict, a line may stand
    /// twice, and two people may each take another one of them out.
    pub fn changed(&mut self, before: &str, after: &str) {
        let count = |text: &str, line: &str| text.lines().filter(|other| *other == line).count();
        self.written.extend(plain(after));
        let gone = plain(before).filter(|line| count(before, line) > count(after, line));
        self.dropped.extend(gone.collect::<Vec<_>>());
    }

    /// Returns the lines that a command has lost.
    pub fn lost(&self, before: &str, after: &str) -> Vec<String> {
        let after: BTreeSet<String> = plain(after).collect();
        let lost = plain(before).filter(|line| !after.contains(line));
        lost.filter(|line| !self.dropped.contains(line)).collect()
    }

    /// Returns the lines that are missing in the end.
    pub fn missing(&self, text: &str) -> Vec<String> {
        let there: BTreeSet<String> = plain(text).collect();
        let missing = self.written.iter().filter(|line| !there.contains(*line));
        missing.filter(|line| !self.dropped.contains(*line)).cloned().collect()
    }
}

fn plain(text: &str) -> impl Iterator<Item = String> {
    text.lines().filter(|line| !is_marker(line)).map(str::to_owned)
}
