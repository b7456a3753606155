//! Decides what becomes of each file that a side renamed.

use std::collections::BTreeSet;

use crate::compare::diff::same_item;
use crate::compare::merge::renames::pairs::{Edits, Renamed};
use crate::compare::merge::renames::trees::Trees;
use crate::compare::merge::text::Texts;
use crate::compare::merge::three::Three;
use crate::object::error::StoreError;
use crate::object::item::{Item, Kind};

/// Rearranges the trees so that the versions of a renamed file stand at the same path.
pub(super) fn align(edits: &[Edits; 2], trees: &mut Trees<'_>) -> Result<(), StoreError> {
    let all = edits.iter().flat_map(|edits| edits.renamed.keys());
    // Sorted by path, so that it does not matter whose side is whose.
    for old in all.collect::<BTreeSet<_>>() {
        match [0, 1].map(|side| edits[side].renamed.get(old)) {
            [Some(one), Some(other)] if one.new.path == other.new.path => both_alike(one, trees)?,
            [Some(ours), Some(theirs)] => both_differently([ours, theirs], trees)?,
            [Some(ours), None] => one_side(0, ours, trees)?,
            [None, Some(theirs)] => one_side(1, theirs, trees)?,
            [None, None] => unreachable!("the path is from one of them"),
        }
    }
    Ok(())
}

/// Both sides gave the file the same name. So the base has it there.
fn both_alike(Renamed { old, new }: &Renamed, trees: &mut Trees<'_>) -> Result<(), StoreError> {
    let (from, to) = (&old.path, &new.path);
    if !trees.any_listed(&[from, to]) && trees.base.is_vacant(to, from)? {
        trees.base.rename(from, to, old.item);
    }
    Ok(())
}

/// One side renamed the file. What the other did with it belongs to the new name.
fn one_side(
    side: usize,
    Renamed { old, new }: &Renamed,
    trees: &mut Trees<'_>,
) -> Result<(), StoreError> {
    let (from, to, other) = (&old.path, &new.path, 1 - side);
    if trees.any_listed(&[from, to]) {
        return Ok(());
    }
    let now = trees.sides[other].at(from)?;
    let is_free = trees.base.is_vacant(to, from)? && trees.sides[other].is_vacant(to, from)?;
    match now {
        _ if !is_free || same_item(now.as_ref(), Some(&old.item)) => {}
        Some(now) if is_file(&now) => {
            trees.base.rename(from, to, old.item);
            trees.sides[other].rename(from, to, now);
        }
        // It is a link now.
        Some(now) if !now.is_directory() => {}
        _ => trees.contest(to, old.item, side, new.item),
    }
    Ok(())
}

/// Each side gave the file another name. It gets both, with what both sides made of it.
fn both_differently(renamed: [&Renamed; 2], trees: &mut Trees<'_>) -> Result<(), StoreError> {
    let [ours, theirs] = renamed.map(|it| it.new.path.as_slice());
    let (from, base) = (renamed[0].old.path.as_slice(), renamed[0].old.item);
    let [mine, others] = renamed.map(|it| it.new.item);
    let is_free = trees.base.is_vacant(ours, from)?
        && trees.base.is_vacant(theirs, from)?
        && trees.sides[0].is_vacant(theirs, from)?
        && trees.sides[1].is_vacant(ours, from)?
        && !is_inside(ours, theirs)
        && !is_inside(theirs, ours);
    if !is_free || trees.any_listed(&[from, ours, theirs]) {
        return Ok(());
    }
    let three = Three { base: Some(base), ours: Some(mine), theirs: Some(others) };
    if is_mergeable(&three, trees)? {
        trees.base.rename(from, ours, base);
        trees.base.put(theirs, base);
        trees.sides[0].put(theirs, mine);
        trees.sides[1].put(ours, others);
    }
    trees.contest(ours, base, 0, mine);
    trees.contest(theirs, base, 1, others);
    Ok(())
}

/// Returns whether two changes of a file can stand in one.
fn is_mergeable(three: &Three<Item>, trees: &Trees<'_>) -> Result<bool, StoreError> {
    if three.content_and_mode().is_some() {
        return Ok(true);
    }
    let texts = Texts::read(three, trees.source)?;
    Ok(texts.is_some_and(|texts| {
        texts.have_base() && texts.can_be_marked() && texts.merged().is_some()
    }))
}

fn is_file(item: &Item) -> bool {
    matches!(item.kind, Kind::File | Kind::Executable)
}

fn is_inside(path: &[u8], folder: &[u8]) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.starts_with(b"/"))
}
