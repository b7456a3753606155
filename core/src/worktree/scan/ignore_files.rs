//! Reads the ignore files of a directory, and the head's versions of them.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::BorrowedFd;

use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;

use crate::object::chunk::{ReadContentError, read_content};
use crate::object::error::StoreError;
use crate::object::id::BlobId;
use crate::object::item::{Item, Kind};
use crate::object::name::IGNORE_FILES;
use crate::worktree::git::{UnknownRules, UnknownRulesWhy};
use crate::worktree::ignore_rules::{IGNORE_FILE_BYTES_MAX, IgnoredBy};
use crate::worktree::left::is_left;
use crate::worktree::scan::choose::Chooser;
use crate::worktree::scan::context::{Context, Selection};
use crate::worktree::scan::error::ScanError;
use crate::worktree::scan::head::HeadEntries;
use crate::worktree::scan::rules::Rules;
use crate::worktree::scan::task::Task;

/// Returns the rules for the entries of a directory. `present` says which of [`IGNORE_FILES`] the
/// directory has. Files that cannot be used are added to `unknown`.
pub(super) fn rules_of(
    task: &Task<'_>,
    directory: Option<BorrowedFd<'_>>,
    present: [bool; IGNORE_FILES.len()],
    head: &HeadEntries<'_, '_>,
    context: &Context<'_>,
    unknown: &mut Vec<UnknownRules>,
) -> Result<Rules, ScanError> {
    let texts: Vec<io::Result<Option<Vec<u8>>>> = IGNORE_FILES
        .into_iter()
        .zip(present)
        .map(|(name, present)| match directory.filter(|_| present) {
            Some(directory) => read_ignore_file(directory, name),
            None => Ok(None),
        })
        .collect();
    let mut by = [IgnoredBy::WorkingCopy; IGNORE_FILES.len()];
    let (rules, unusable) = with_files(task, &texts, by, head, context)?;
    unknown.extend(unusable);
    // A file that is ignored itself, by a line `*` of its own for instance, applies here and
    // nowhere else.
    for ((name, text), by) in IGNORE_FILES.into_iter().zip(&texts).zip(&mut by) {
        let is_content = || is_content(name, &rules, task, directory, head, context);
        if matches!(text, Ok(Some(_))) && !is_content()? {
            *by = IgnoredBy::Elsewhere;
        }
    }
    if by == [IgnoredBy::WorkingCopy; IGNORE_FILES.len()] {
        Ok(rules)
    } else {
        Ok(with_files(task, &texts, by, head, context)?.0)
    }
}

/// Returns the rules with these files added, and the files that cannot be used.
fn with_files(
    task: &Task<'_>,
    texts: &[io::Result<Option<Vec<u8>>>],
    by: [IgnoredBy; IGNORE_FILES.len()],
    head: &HeadEntries<'_, '_>,
    context: &Context<'_>,
) -> Result<(Rules, Vec<UnknownRules>), ScanError> {
    let mut rules = task.rules.clone();
    let mut unusable = Vec::new();
    let prefix_bytes = task.prefix.len();
    for ((name, text), by) in IGNORE_FILES.into_iter().zip(texts).zip(by) {
        let item = head.find(name.as_bytes(), context)?.filter(is_file);
        add_head(&mut rules, text, item.as_ref(), prefix_bytes, context)?;
        if let Some(text) = text_instead(name, text, item.as_ref(), task, context)? {
            rules.today = rules.today.with_file(prefix_bytes, &text).unwrap_or(rules.today);
        }
        let with = match text {
            Ok(None) => continue,
            Ok(Some(text)) => rules.today.with_file_by(prefix_bytes, text, by).map_err(Into::into),
            Err(error) => Err(io::Error::new(error.kind(), error.to_string()).into()),
        };
        rules.today = with.unwrap_or_else(|why: UnknownRulesWhy| {
            unusable.push(UnknownRules { path: task.path.join(name), why });
            rules.today.unknown(prefix_bytes)
        });
    }
    Ok((rules, unusable))
}

/// Adds the head's version of an ignore file, if it differs from today's.
fn add_head(
    rules: &mut Rules,
    today: &io::Result<Option<Vec<u8>>>,
    item: Option<&Item>,
    prefix_bytes: usize,
    context: &Context<'_>,
) -> Result<(), ScanError> {
    let same = match (today, item) {
        (Ok(Some(text)), Some(item)) => BlobId::of(text).0 == item.id,
        (Ok(None), None) => true,
        _ => false,
    };
    if same && rules.head.is_none() {
        return Ok(());
    }
    let before = rules.head.take().unwrap_or_else(|| rules.today.clone());
    rules.head = Some(match head_text(item, context)? {
        Some(text) => before.with_file(prefix_bytes, &text).unwrap_or(before),
        None => before,
    });
    Ok(())
}

/// Returns the head's version of an ignore file that the project has and the folder has not: a
/// checkout left something else in its place, or it is absent on purpose. Its rules still apply.
fn text_instead(
    name: &str,
    today: &io::Result<Option<Vec<u8>>>,
    item: Option<&Item>,
    task: &Task<'_>,
    context: &Context<'_>,
) -> Result<Option<Vec<u8>>, StoreError> {
    let path = [&task.prefix, name.as_bytes()].concat();
    let Selection { left, git, .. } = context.selection;
    let is_absent = matches!(today, Ok(None)) && git.leaves_out(&path);
    if is_left(left, &path) || is_absent { head_text(item, context) } else { Ok(None) }
}

/// Returns the head's version of an ignore file; `None` if there is none, or it is too large.
fn head_text(item: Option<&Item>, context: &Context<'_>) -> Result<Option<Vec<u8>>, StoreError> {
    let Some(item) = item.filter(|item| item.bytes <= IGNORE_FILE_BYTES_MAX as u64) else {
        return Ok(None);
    };
    let mut text = Vec::new();
    read_content(item, context.selection.source, &mut text).map_err(|error| match error {
        ReadContentError::Store(error) => error,
        ReadContentError::Write(_) => unreachable!("memory takes what is written"),
    })?;
    Ok(Some(text))
}

fn is_file(item: &Item) -> bool {
    matches!(item.kind, Kind::File | Kind::Executable)
}

/// Reads an ignore file; `None` if there is none. As in git, a link in its place is not
/// followed.
fn read_ignore_file(directory: BorrowedFd<'_>, name: &str) -> io::Result<Option<Vec<u8>>> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let special = || io::Error::other("it is a FIFO, socket or device");
    let file = match rustix::fs::openat(directory, name, flags, Mode::empty()) {
        Err(Errno::LOOP | Errno::NOENT) => return Ok(None),
        Err(Errno::NXIO) => return Err(special()),
        file => File::from(file?),
    };
    match FileType::from_raw_mode(rustix::fs::fstat(&file)?.st_mode) {
        FileType::RegularFile => {}
        FileType::Directory => return Ok(None),
        _ => return Err(special()),
    }
    let mut text = Vec::new();
    file.take(IGNORE_FILE_BYTES_MAX as u64 + 1).read_to_end(&mut text)?;
    Ok(Some(text))
}

/// Returns whether an ignore file of a directory is content itself, by the rules that apply there.
fn is_content(
    name: &str,
    rules: &Rules,
    task: &Task<'_>,
    directory: Option<BorrowedFd<'_>>,
    head: &HeadEntries<'_, '_>,
    context: &Context<'_>,
) -> Result<bool, ScanError> {
    let chooser = Chooser { task, directory, rules, head, context };
    let path = [&task.prefix, name.as_bytes()].concat();
    Ok(chooser.is_content(&path, head.find(name.as_bytes(), context)?))
}
