//! One ignore file, interpreted as git does.
//!
//! Most lines of most files are plain names and extensions. These are looked up, so that a file of
//! thousands of lines costs no more than one of ten. Only lines with other wildcards are tried one
//! by one.

use std::collections::HashMap;

use gix_glob::wildmatch;

/// A larger ignore file is not used.
pub const IGNORE_FILE_BYTES_MAX: usize = 4 << 20;
/// A file with more lines that must be tried one by one is not used.
pub const WILDCARD_LINES_MAX: usize = 10_000;
/// A file with a line that has more stars is not used: matching gives up beyond this number.
pub const STARS_MAX: usize = 60;
/// A file with a line that has more `**` is not used: each one multiplies the ways to match a path
/// by the path's depth.
pub const DOUBLE_STARS_MAX: usize = 5;

/// Why an ignore file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IgnoreFileError {
    /// It is too large.
    #[error("it is larger than {IGNORE_FILE_BYTES_MAX} bytes")]
    TooLarge,
    /// Too many lines have wildcards.
    #[error("it has more than {WILDCARD_LINES_MAX} lines with wildcards")]
    TooManyWildcardLines,
    /// A line has too many stars.
    #[error("line {line} has more than {STARS_MAX} stars, or {DOUBLE_STARS_MAX} double ones")]
    TooManyStars {
        /// Its number, from 1.
        line: usize,
    },
}

/// The rules of one ignore file. The last matching line decides.
#[derive(Debug, Default)]
pub(super) struct IgnoreFile {
    lines: Vec<Line>,
    /// Lines without wildcards that match a file's name, by that name.
    names: HashMap<Vec<u8>, Vec<u32>>,
    /// Lines without wildcards that match a path, by that path.
    paths: HashMap<Vec<u8>, Vec<u32>>,
    /// Lines such as `*.tar.gz`, by what follows the last dot.
    endings: HashMap<Vec<u8>, Vec<u32>>,
    /// All other lines, in order.
    wildcards: Vec<u32>,
}

/// A line that is a rule.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// The line without `!`, without a leading slash and without a trailing one.
    pattern: Vec<u8>,
    /// The length of the pattern's beginning without wildcards, in bytes.
    literal: usize,
    /// It begins with `!`: it includes what an earlier line ignores.
    pub(super) takes_in: bool,
    directories_only: bool,
    /// The pattern is matched against the path relative to the file's directory, rather than the name.
    is_path: bool,
}

impl IgnoreFile {
    pub(super) fn parse(text: &[u8]) -> Result<Self, IgnoreFileError> {
        if text.len() > IGNORE_FILE_BYTES_MAX {
            return Err(IgnoreFileError::TooLarge);
        }
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        let mut file = Self::default();
        for (index, line) in text.split(|&byte| byte == b'\n').enumerate() {
            let Some(line) = Line::parse(line) else { continue };
            if line.has_too_many_stars() {
                return Err(IgnoreFileError::TooManyStars { line: index + 1 });
            }
            file.add(line);
        }
        match file.wildcards.len() {
            0..=WILDCARD_LINES_MAX => Ok(file),
            _ => Err(IgnoreFileError::TooManyWildcardLines),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    fn add(&mut self, line: Line) {
        let number = u32::try_from(self.lines.len()).expect("a file of 4 MiB has fewer lines");
        let group = if line.literal == line.pattern.len() {
            let group = if line.is_path { &mut self.paths } else { &mut self.names };
            Some(group.entry(line.pattern.clone()))
        } else {
            line.ending().map(|ending| self.endings.entry(ending.to_vec()))
        };
        match group {
            Some(group) => group.or_default().push(number),
            None => self.wildcards.push(number),
        }
        self.lines.push(line);
    }

    /// Returns the line that decides about `path`, relative to the file's directory: the last one
    /// that matches.
    pub(super) fn matched(&self, path: &[u8], is_directory: bool) -> Option<&Line> {
        let name = path.rsplit(|&byte| byte == b'/').next().unwrap_or(path);
        let is_match = |number: &u32| {
            let line = &self.lines[*number as usize];
            (is_directory || !line.directories_only) && line.matches(path, name)
        };
        let last = |group: Option<&Vec<u32>>| group?.iter().rev().copied().find(is_match);
        let ending = name.iter().rposition(|&byte| byte == b'.').map(|dot| &name[dot + 1..]);
        let looked_up = [
            last(self.names.get(name)),
            last(self.paths.get(path)),
            ending.and_then(|ending| last(self.endings.get(ending))),
        ];
        let looked_up = looked_up.into_iter().flatten().max();
        let later = |number: &&u32| looked_up.is_none_or(|found| **number > found);
        let tried = self.wildcards.iter().rev().take_while(later).copied().find(is_match);
        tried.or(looked_up).map(|number| &self.lines[number as usize])
    }

    pub(super) fn has(&self, line: &Line) -> bool {
        self.lines.contains(line)
    }
}

impl Line {
    /// Follows git's `parse_path_pattern`. `None` for comments and empty lines.
    fn parse(line: &[u8]) -> Option<Self> {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.first().is_none_or(|&byte| byte == b'#') {
            return None;
        }
        // git treats a line as a C string.
        let line = line.split(|&byte| byte == 0).next().unwrap_or_default();
        let line = without_trailing_spaces(line);
        let (takes_in, line) = match line.strip_prefix(b"!") {
            Some(line) => (true, line),
            None => (false, line),
        };
        let (directories_only, line) = match line.strip_suffix(b"/") {
            Some(line) => (true, line),
            None => (false, line),
        };
        let is_path = line.contains(&b'/');
        let pattern = line.strip_prefix(b"/").unwrap_or(line);
        if pattern.is_empty() {
            return None;
        }
        let literal = pattern.iter().position(|byte| br"*?[\".contains(byte));
        let literal = literal.unwrap_or(pattern.len());
        let pattern = pattern.to_vec();
        Some(Self { pattern, literal, takes_in, directories_only, is_path })
    }

    fn has_too_many_stars(&self) -> bool {
        let (mut stars, mut double) = (0, 0);
        let mut bytes = self.pattern.iter().peekable();
        while let Some(byte) = bytes.next() {
            match byte {
                b'\\' => drop(bytes.next()),
                b'*' => {
                    stars += 1;
                    double += usize::from(bytes.next_if(|next| **next == b'*').is_some());
                }
                _ => {}
            }
        }
        stars > STARS_MAX || double > DOUBLE_STARS_MAX
    }

    /// Returns what follows the last dot, for lines such as `*.tar.gz`.
    fn ending(&self) -> Option<&[u8]> {
        let rest = self.pattern.strip_prefix(b"*")?;
        let is_plain = !self.is_path && !rest.iter().any(|byte| br"*?[\".contains(byte));
        let dot = rest.iter().rposition(|&byte| byte == b'.').filter(|_| is_plain)?;
        Some(&rest[dot + 1..])
    }

    /// Follows git's `match_basename` and `match_pathname`. The literal beginning of a path's
    /// pattern is removed before the rest is matched, so that in `a**/b` the stars are at the
    /// beginning.
    fn matches(&self, path: &[u8], name: &[u8]) -> bool {
        let value = if self.is_path { path } else { name };
        let (literal, rest) = self.pattern.split_at(self.literal);
        let Some(value) = value.strip_prefix(literal) else { return false };
        if rest.is_empty() || value.is_empty() && rest == b"*" {
            return value.is_empty();
        }
        // Fast path: what cannot match usually differs in its last byte. `**/` may match nothing at
        // all.
        let end = rest.last().filter(|end| !br"*?]\/".contains(end));
        if end.is_some_and(|end| value.last() != Some(end)) {
            return false;
        }
        if self.is_path {
            gix_glob::wildmatch(rest.into(), value.into(), wildmatch::Mode::NO_MATCH_SLASH_LITERAL)
        } else {
            gix_glob::wildmatch(rest.into(), value.into(), wildmatch::Mode::empty())
        }
    }
}

/// Follows git's `trim_trailing_spaces`: a backslash protects the space after it.
fn without_trailing_spaces(line: &[u8]) -> &[u8] {
    let mut end = 0;
    let mut at = 0;
    while at < line.len() {
        match line[at] {
            b' ' => at += 1,
            b'\\' if at + 1 == line.len() => return line,
            b'\\' => {
                at += 2;
                end = at;
            }
            _ => {
                at += 1;
                end = at;
            }
        }
    }
    &line[..end]
}
