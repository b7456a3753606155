//! Compares the contents of changed files: many at once, delivered in order.
//!
//! Memory is bounded: a group of files is read and compared by all threads, delivered, and dropped. A file
//! that is larger than a group is compared alone, and one over [`Limits::bytes_max`] is not read.

use rayon::prelude::*;

use crate::compare::changes::{Change, Changes, Version};
use crate::compare::renames::fingerprint::Fingerprint;
use crate::compare::renames::{Rules, Skipped, find_renames};
use crate::compare::text::patch::Body;
use crate::compare::text::{TextDiff, is_binary};
use crate::object::source::Object;

/// The sizes of a group of files, both sides together.
const GROUP_BYTES_MAX: u64 = 32 << 20;
/// The most files of a group.
const GROUP_FILES_MAX: usize = 512;

/// Where the contents of files come from. May be called from many threads.
pub trait Contents: Sync {
    /// Why a content cannot be read.
    type Error: Send;

    /// Returns the bytes of a file, or the target of a link; `None` if its bytes cannot be had, so that it
    /// counts as binary: of a database that is in use, or where several merge bases disagree.
    ///
    /// # Errors
    /// If the content cannot be read, or is not the one that the version names.
    fn content(&self, version: &Version) -> Result<Option<Object>, Self::Error>;
}

/// How contents are compared.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How many lines around a change belong to it.
    pub context: usize,
    /// Larger files count as binary. git's `core.bigFileThreshold` is the same by default.
    pub bytes_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { context: 3, bytes_max: 512 << 20 }
    }
}

/// Compares the contents of `changes` and delivers each, in order.
///
/// # Errors
/// Those of `contents` and `deliver`. What was compared before an error is delivered first.
pub fn compare_contents<C: Contents, E: From<C::Error>>(
    changes: &[Change],
    contents: &C,
    limits: Limits,
    mut deliver: impl FnMut(&Change, &Body) -> Result<(), E>,
) -> Result<(), E> {
    let mut rest = changes;
    while !rest.is_empty() {
        let (group, after) = rest.split_at(group_len(rest, limits));
        rest = after;
        let bodies = group.par_iter().map(|change| body(change, contents, limits));
        for (change, body) in group.iter().zip(bodies.collect::<Vec<_>>()) {
            deliver(change, &body?)?;
        }
    }
    Ok(())
}

/// Returns how many changes are compared together: at least one.
fn group_len(changes: &[Change], limits: Limits) -> usize {
    let mut bytes = 0u64;
    let fits = |change: &&Change| {
        let sides = [change.old_version(), change.new_version()].into_iter().flatten();
        let sizes =
            sides.map(|version| version.item.bytes).filter(|size| *size <= limits.bytes_max);
        bytes = bytes.saturating_add(sizes.sum::<u64>());
        bytes <= GROUP_BYTES_MAX
    };
    changes.iter().take(GROUP_FILES_MAX).take_while(fits).count().max(1)
}

/// Compares the two sides of a change.
fn body<C: Contents>(change: &Change, contents: &C, limits: Limits) -> Result<Body, C::Error> {
    if change.keeps_content() {
        return Ok(Body::Same);
    }
    if let Change::Retyped { old, new } = change {
        let old = sides(Some(old), None, contents, limits)?;
        let new = sides(None, Some(new), contents, limits)?;
        return Ok(Body::Retyped { old: Box::new(old), new: Box::new(new) });
    }
    sides(change.old_version(), change.new_version(), contents, limits)
}

fn sides<C: Contents>(
    old: Option<&Version>,
    new: Option<&Version>,
    contents: &C,
    limits: Limits,
) -> Result<Body, C::Error> {
    let is_large = |version: &&Version| version.item.bytes > limits.bytes_max;
    if old.iter().chain(&new).any(is_large) {
        return Ok(Body::TooLarge);
    }
    let read = |version: Option<&Version>| match version {
        Some(version) => contents.content(version),
        None => Ok(Some(Object::from(Vec::new()))),
    };
    let (Some(old), Some(new)) = (read(old)?, read(new)?) else { return Ok(Body::Binary) };
    if is_binary(&old) || is_binary(&new) {
        return Ok(Body::Binary);
    }
    Ok(Body::Text(TextDiff::of(old, new, limits.context)))
}

/// Finds renames by comparing contents. See [`find_renames`].
///
/// # Errors
/// Those of `contents`.
pub fn rename<C: Contents>(
    changes: &mut Changes,
    rules: Rules,
    contents: &C,
) -> Result<Option<Skipped>, C::Error> {
    find_renames(changes, rules, |version| {
        let content = contents.content(version)?;
        Ok(content.map(|content| Fingerprint::of(&content, is_binary(&content))))
    })
}
