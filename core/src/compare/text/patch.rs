//! A change as text that `git apply` takes.
//!
//! The format is git's: extended headers for modes, renames, added and deleted files; names quoted as in C
//! where they need it; `\ No newline at end of file`. There is no `index` line, since it would hold ids of
//! git's, except where it keeps git from applying anything: for binary files, whose change is named and cannot
//! be applied. That one has ids of ours.

use std::io::{self, Write};

use crate::compare::changes::{Change, Version};
use crate::compare::text::{Hunk, Origin, TextDiff};
use crate::object::id::BlobId;

/// The heading of a hunk is cut after this many bytes.
const HEADING_BYTES_MAX: usize = 80;

/// How many digits of an id are written, as in git.
const SHORT_ID: usize = 7;

/// What is known of the content of a change.
#[derive(Debug, Clone)]
pub enum Body {
    /// Both sides have the same.
    Same,
    /// How the lines differ. A side without a file has no lines.
    Text(TextDiff),
    /// The content has no lines.
    Binary,
    /// The content is larger than what is read. It counts as binary.
    TooLarge,
    /// A file became a link, or a link a file. Each side is compared with nothing.
    Retyped {
        /// All lines of the old side, removed.
        old: Box<Body>,
        /// All lines of the new side, added.
        new: Box<Body>,
    },
}

/// Writes the patch of one change.
pub fn write_patch(change: &Change, body: &Body, out: &mut dyn Write) -> io::Result<()> {
    match (change, body) {
        (Change::Retyped { old, new }, Body::Retyped { old: removed, new: added }) => {
            write_patch(&Change::Deleted(old.clone()), removed, out)?;
            write_patch(&Change::Added(new.clone()), added, out)
        }
        _ => {
            write_header(change, out)?;
            write_body(change, body, out)
        }
    }
}

/// Writes the lines that say which file is changed, and how its path and mode are.
pub fn write_header(change: &Change, out: &mut dyn Write) -> io::Result<()> {
    let (old, new) = names(change);
    line(out, &[b"diff --git ", &old, b" ", &new])?;
    match change {
        Change::Added(new) => writeln!(out, "new file mode {}", new.mode())?,
        Change::Deleted(old) => writeln!(out, "deleted file mode {}", old.mode())?,
        Change::Modified { old, new } | Change::Retyped { old, new } => modes(old, new, out)?,
        Change::Renamed { old, new, similarity } => {
            modes(old, new, out)?;
            writeln!(out, "similarity index {similarity}%")?;
            line(out, &[b"rename from ", &quoted(b"", &old.path)])?;
            line(out, &[b"rename to ", &quoted(b"", &new.path)])?;
        }
    }
    Ok(())
}

fn modes(old: &Version, new: &Version, out: &mut dyn Write) -> io::Result<()> {
    if old.mode() != new.mode() {
        writeln!(out, "old mode {}\nnew mode {}", old.mode(), new.mode())?;
    }
    Ok(())
}

/// Writes what a patch has below its header.
fn write_body(change: &Change, body: &Body, out: &mut dyn Write) -> io::Result<()> {
    match body {
        Body::Binary | Body::TooLarge => {
            if let (Some(old), Some(new)) = (change.old_version(), change.new_version()) {
                // Of a modified file, git would pass over the next line in silence, and apply the rest.
                let [old, new] = [old, new].map(|version| BlobId(version.item.id).to_hex());
                writeln!(out, "index {}..{}", &old[..SHORT_ID], &new[..SHORT_ID])?;
            }
            let [old, new] = sides(change);
            line(out, &[b"Binary files ", &old, b" and ", &new, b" differ"])
        }
        Body::Text(text) if !text.hunks().is_empty() => {
            write_names(change, out)?;
            let mut headings = Headings::of(text);
            for hunk in text.hunks() {
                write_hunk(text, hunk, headings.of_hunk(hunk), out)?;
            }
            Ok(())
        }
        Body::Text(_) | Body::Same | Body::Retyped { .. } => Ok(()),
    }
}

/// Writes the two lines with the names of the sides.
pub fn write_names(change: &Change, out: &mut dyn Write) -> io::Result<()> {
    let [old, new] = sides(change);
    // A tab ends a name with spaces.
    let end = |name: &[u8]| if name.contains(&b' ') { &b"\t"[..] } else { b"" };
    line(out, &[b"--- ", &old, end(&old)])?;
    line(out, &[b"+++ ", &new, end(&new)])
}

/// Returns the names of the two sides; `/dev/null` for a side without the file.
pub fn sides(change: &Change) -> [Vec<u8>; 2] {
    let name = |prefix: &[u8], version: Option<&Version>| {
        version.map_or(b"/dev/null".to_vec(), |version| quoted(prefix, &version.path))
    };
    [name(b"a/", change.old_version()), name(b"b/", change.new_version())]
}

/// Returns the names in the first line: both, even if a side does not have the file.
fn names(change: &Change) -> (Vec<u8>, Vec<u8>) {
    let old = change.old_version().map_or(change.path(), |old| &old.path);
    (quoted(b"a/", old), quoted(b"b/", change.path()))
}

/// Writes a hunk. `heading` tells what it is in.
fn write_hunk(text: &TextDiff, hunk: &Hunk, heading: &[u8], out: &mut dyn Write) -> io::Result<()> {
    let space: &[u8] = if heading.is_empty() { b"" } else { b" " };
    line(out, &[hunk_range(hunk).as_bytes(), space, heading])?;
    for part in text.lines(hunk) {
        let sign = match part.origin {
            Origin::Common => b" ",
            Origin::Removed => b"-",
            Origin::Added => b"+",
        };
        out.write_all(sign)?;
        out.write_all(part.bytes)?;
        if !part.bytes.ends_with(b"\n") {
            out.write_all(b"\n\\ No newline at end of file\n")?;
        }
    }
    Ok(())
}

/// Returns which lines a hunk has, such as `@@ -1,4 +1,5 @@`.
pub fn hunk_range(hunk: &Hunk) -> String {
    let range = |before: usize, count: usize| match count {
        // Where nothing is, the line before it is named.
        0 => format!("{before},0"),
        1 => format!("{}", before + 1),
        _ => format!("{},{count}", before + 1),
    };
    let (old, new) = (&hunk.old, &hunk.new);
    format!("@@ -{} +{} @@", range(old.before, old.count), range(new.before, new.count))
}

/// The headings of hunks, by git's default rule: the last line above that begins with a letter, `_` or
/// `$`.
#[derive(Debug)]
pub struct Headings<'a> {
    old: &'a [u8],
    /// Everything before was searched for the hunk before.
    searched: usize,
    last: &'a [u8],
}

impl<'a> Headings<'a> {
    /// Returns the headings of a text's hunks.
    pub fn of(text: &'a TextDiff) -> Self {
        Self { old: text.old_content(), searched: 0, last: b"" }
    }

    /// Returns the heading of the next hunk.
    pub fn of_hunk(&mut self, hunk: &Hunk) -> &'a [u8] {
        let above = &self.old[self.searched..hunk.old.start()];
        self.searched = hunk.old.start();
        let lines = above.split_inclusive(|byte| *byte == b'\n').rev();
        let is_heading = |line: &&[u8]| {
            line.first().is_some_and(|b| b.is_ascii_alphabetic() || matches!(b, b'_' | b'$'))
        };
        if let Some(line) = lines.into_iter().find(is_heading) {
            self.last = line[..line.len().min(HEADING_BYTES_MAX)].trim_ascii_end();
        }
        self.last
    }
}

fn line(out: &mut dyn Write, parts: &[&[u8]]) -> io::Result<()> {
    parts.iter().try_for_each(|part| out.write_all(part))?;
    out.write_all(b"\n")
}

/// Returns a name, in quotes if git would not read it otherwise: with a control character, a quote, a
/// backslash, or bytes that are not UTF-8.
fn quoted(prefix: &[u8], path: &[u8]) -> Vec<u8> {
    let is_plain = |byte: &u8| !byte.is_ascii_control() && !matches!(byte, b'"' | b'\\');
    if path.iter().all(is_plain) && std::str::from_utf8(path).is_ok() {
        return [prefix, path].concat();
    }
    let mut out = [b"\"", prefix].concat();
    for byte in path {
        match byte {
            b'"' | b'\\' => out.extend([b'\\', *byte]),
            0x07 => out.extend(b"\\a"),
            0x08 => out.extend(b"\\b"),
            b'\t' => out.extend(b"\\t"),
            b'\n' => out.extend(b"\\n"),
            0x0b => out.extend(b"\\v"),
            0x0c => out.extend(b"\\f"),
            b'\r' => out.extend(b"\\r"),
            0x20..=0x7e => out.push(*byte),
            _ => out.extend(format!("\\{byte:03o}").as_bytes()),
        }
    }
    out.push(b'"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::changes::tests::version;
    use crate::object::item::Kind;
    use crate::object::source::Object;

    fn patch(change: &Change, [old, new]: [&str; 2]) -> String {
        let [old, new] = [old, new].map(|text| Object::from(text.as_bytes().to_vec()));
        let mut out = Vec::new();
        write_patch(change, &Body::Text(TextDiff::of(old, new, 3)), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_renamed_file_with_a_change() {
        let texts = ["fn main() {\n1\n2\n3\n4\n}\n", "fn main() {\n1\n2\n3\n4\n5\n}"];
        let old = version("a b", Kind::File, texts[0]);
        let new = version("a\tb", Kind::Executable, texts[1]);
        let expect = "diff --git a/a b \"b/a\\tb\"\nold mode 100644\nnew mode 100755\n\
                      similarity index 83%\nrename from a b\nrename to \"a\\tb\"\n\
                      --- a/a b\t\n+++ \"b/a\\tb\"\n@@ -3,4 +3,5 @@ fn main() {\n 2\n 3\n 4\n\
                      -}\n+5\n+}\n\\ No newline at end of file\n";
        assert_eq!(patch(&Change::Renamed { old, new, similarity: 83 }, texts), expect);
    }

    #[test]
    fn added_and_deleted_files() {
        let file = || version("x", Kind::File, "one\n");
        let added = "diff --git a/x b/x\nnew file mode 100644\n--- /dev/null\n+++ b/x\n\
                     @@ -0,0 +1 @@\n+one\n";
        assert_eq!(patch(&Change::Added(file()), ["", "one\n"]), added);
        let deleted = "diff --git a/x b/x\ndeleted file mode 100644\n--- a/x\n+++ /dev/null\n\
                       @@ -1 +0,0 @@\n-one\n";
        assert_eq!(patch(&Change::Deleted(file()), ["one\n", ""]), deleted);
    }

    #[test]
    fn names_are_quoted_as_in_c() {
        for (name, expect) in [
            (&b"caf\xc3\xa9"[..], &b"a/caf\xc3\xa9"[..]),
            (b"caf\xe9", b"\"a/caf\\351\""),
            (b"q\"b\\", b"\"a/q\\\"b\\\\\""),
            (b"\x01\x7f\n", b"\"a/\\001\\177\\n\""),
        ] {
            assert_eq!(quoted(b"a/", name), expect);
        }
    }
}
