//! Decides which names of a directory are content.

use std::os::fd::BorrowedFd;

use rustix::fs::FileType;
use rustix::io::Errno;

use crate::files::beneath::look_at;
use crate::files::foreign::is_repository_of_others;
use crate::files::stat::{Node, special_name};
use crate::object::error::StoreError;
use crate::object::item::Item;
use crate::object::name::NAME_BYTES_MAX;
use crate::object::state_name::{is_name_of_others, is_state_name};
use crate::object::tree::DEPTH_MAX;
use crate::worktree::ignore_rules::IgnoredBy;
use crate::worktree::left::is_left;
use crate::worktree::scan::context::Context;
use crate::worktree::scan::head::HeadEntries;
use crate::worktree::scan::report::SkippedWhy;
use crate::worktree::scan::rules::{Ignored, Rules};
use crate::worktree::scan::task::Task;

/// A name of a directory, before it is looked at.
#[derive(Debug, Clone, Copy)]
pub(super) enum Name {
    /// The directory lists it, with this type.
    Listed(FileType),
    /// The head has it, but the directory does not.
    Absent,
}

/// The decision about a name.
#[derive(Debug)]
pub(super) enum Choice {
    /// It is not content.
    Out,
    /// It is content, or has some.
    Node(Node, Option<Ignored>),
    /// It keeps the head's version.
    Kept(Item),
    /// It cannot be looked at, and keeps the head's version.
    Skipped(SkippedWhy, Option<Item>),
}

/// Decides about the names of one directory.
pub(super) struct Chooser<'c, 't, 'a> {
    pub(super) task: &'t Task<'a>,
    /// `None` for a directory that does not exist.
    pub(super) directory: Option<BorrowedFd<'c>>,
    pub(super) rules: &'c Rules,
    pub(super) head: &'c HeadEntries<'t, 'a>,
    pub(super) context: &'c Context<'c>,
}

impl Chooser<'_, '_, '_> {
    /// Decides by the name and the rules alone; `None` if the head must be asked. So most names are
    /// decided on all threads, and only the rest on one.
    pub(super) fn quickly(&self, path: &[u8], name: &[u8], listed: Name) -> Option<Choice> {
        let Name::Listed(file_type) = listed else { return None };
        if is_state_name(name) {
            return Some(Choice::Skipped(SkippedWhy::StateName, None));
        }
        if self.is_untracked(path) {
            return Some(Choice::Out);
        }
        if self.is_left(path) {
            return None;
        }
        let is_directory = match file_type {
            FileType::Unknown => self.node(name, file_type).ok()?? == Node::Directory,
            file_type => file_type == FileType::Directory,
        };
        if name.len() > NAME_BYTES_MAX || is_directory && self.task.depth == DEPTH_MAX {
            return None;
        }
        if is_name_of_others(name) || self.ignored_by(path, is_directory).is_some() {
            return None;
        }
        match self.node(name, file_type) {
            Ok(Some(node)) => Some(Choice::Node(node, None)),
            Ok(None) => Some(Choice::Out),
            Err(_) => None,
        }
    }

    /// Like [`Chooser::quickly`], for the names that it did not decide.
    pub(super) fn slowly(
        &self,
        path: &[u8],
        name: &[u8],
        listed: Name,
    ) -> Result<Choice, StoreError> {
        let held = self.head.find(name, self.context)?;
        let Name::Listed(file_type) = listed else { return Ok(self.absent(path, held)) };
        if self.is_left(path) {
            return Ok(held.map_or(Choice::Out, Choice::Kept));
        }
        if name.len() > NAME_BYTES_MAX {
            return Ok(Choice::Skipped(SkippedWhy::LongName, held));
        }
        let unreadable =
            |error: Errno| Ok(Choice::Skipped(SkippedWhy::Unreadable(error.into()), held));
        let is_directory = match file_type {
            FileType::Unknown => match self.node(name, file_type) {
                Ok(node) => node == Some(Node::Directory),
                Err(error) => return unreadable(error),
            },
            file_type => file_type == FileType::Directory,
        };
        if is_directory
            && self.directory.is_some_and(|directory| is_repository_of_others(directory, name))
        {
            return Ok(held.map_or(Choice::Out, Choice::Kept));
        }
        let ignored = match self.ignored_by(path, is_directory) {
            Some(by) => match self.stays_though_ignored(path, is_directory, by, held) {
                Some(ignored) => Some(ignored),
                None => return Ok(Choice::Out),
            },
            None => None,
        };
        if is_directory && self.task.depth == DEPTH_MAX {
            return Ok(Choice::Skipped(SkippedWhy::TooDeep, held));
        }
        match self.node(name, file_type) {
            Ok(Some(node)) => Ok(Choice::Node(node, ignored)),
            Ok(None) => Ok(Choice::Out),
            Err(error) => unreadable(error),
        }
    }

    /// Returns whether a file, of which the head has `held`, is content according to the rules.
    pub(super) fn is_content(&self, path: &[u8], held: Option<Item>) -> bool {
        if self.is_untracked(path) || self.is_left(path) {
            return false;
        }
        match self.ignored_by(path, false) {
            Some(by) => self.stays_though_ignored(path, false, by, held).is_some(),
            None => true,
        }
    }

    /// Returns how an ignored name is content anyway, or may have content; `None` if it is not.
    fn stays_though_ignored(
        &self,
        path: &[u8],
        is_directory: bool,
        by: IgnoredBy,
        held: Option<Item>,
    ) -> Option<Ignored> {
        let git = self.context.selection.git;
        let ignored = self.ignored(path, is_directory, by, held);
        let is_content = if is_directory {
            held.is_some_and(|item| item.is_directory()) || git.tracks_below(path)
        } else {
            ignored.stays || git.tracks(path)
        };
        is_content.then_some(ignored)
    }

    /// Describes a name that a rule at `by` ignores, and of which the head has `held`.
    pub(super) fn ignored(
        &self,
        path: &[u8],
        is_directory: bool,
        by: IgnoredBy,
        held: Option<Item>,
    ) -> Ignored {
        let stays = held.is_some()
            && (by == IgnoredBy::Elsewhere || self.head_ignores(path, is_directory, Some(by)));
        Ignored { by, stays }
    }

    /// Decides about a name that the head has and the directory does not, where some are absent on
    /// purpose.
    fn absent(&self, path: &[u8], held: Option<Item>) -> Choice {
        match held {
            Some(item) if self.is_left(path) => Choice::Kept(item),
            Some(item) if item.is_directory() && !self.is_untracked(path) => {
                Choice::Node(Node::Directory, None)
            }
            Some(item) if self.context.selection.git.leaves_out(path) => Choice::Kept(item),
            _ => Choice::Out,
        }
    }

    pub(super) fn is_left(&self, path: &[u8]) -> bool {
        is_left(self.context.selection.left, path)
    }

    fn is_untracked(&self, path: &[u8]) -> bool {
        self.context.selection.untrack.iter().any(|untracked| untracked == path)
    }

    pub(super) fn ignored_by(&self, path: &[u8], is_directory: bool) -> Option<IgnoredBy> {
        let name = path.rsplit(|&byte| byte == b'/').next().unwrap_or(path);
        let above = self.task.ignored.map(|ignored| ignored.by);
        let above = above.or(is_name_of_others(name).then_some(IgnoredBy::Elsewhere));
        match above {
            Some(IgnoredBy::WorkingCopy) => above,
            above => match self.rules.today.ignored_by(path, is_directory) {
                Some(IgnoredBy::WorkingCopy) => Some(IgnoredBy::WorkingCopy),
                by => above.or(by),
            },
        }
    }

    /// Returns whether the head's own ignore files ignore a path, or a directory above it. `by` is
    /// the place of today's rule that ignores it, if there is one.
    pub(super) fn head_ignores(
        &self,
        path: &[u8],
        is_directory: bool,
        by: Option<IgnoredBy>,
    ) -> bool {
        self.task.head_ignored
            || match self.rules.head_if_other() {
                Some(rules) => rules.ignored_by(path, is_directory) == Some(IgnoredBy::WorkingCopy),
                None => by == Some(IgnoredBy::WorkingCopy),
            }
    }

    /// Returns what a name refers to. Files and links are looked at, other types are known from the
    /// list.
    fn node(&self, name: &[u8], file_type: FileType) -> Result<Option<Node>, Errno> {
        match file_type {
            FileType::Directory => Ok(Some(Node::Directory)),
            FileType::RegularFile | FileType::Symlink | FileType::Unknown => {
                match self.directory.map(|directory| look_at(directory, name)) {
                    Some(Ok(node)) => Ok(node),
                    Some(Err(error)) => Err(Errno::from_io_error(&error).unwrap_or(Errno::IO)),
                    None => Ok(None),
                }
            }
            other => Ok(Some(Node::Special(special_name(other)))),
        }
    }
}
