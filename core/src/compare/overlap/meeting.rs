//! Where the edits of two sides since the same base meet, by their paths alone.

use std::cmp::Ordering;

use crate::compare::diff::same_item;
use crate::compare::merge::Three;
use crate::compare::overlap::edits::{EditCounts, Edits};
use crate::object::item::Item;

/// A file that both sides changed, differently.
pub(super) struct Contested<'a> {
    pub(super) path: &'a [u8],
    pub(super) three: Three<Item>,
}

/// Where the edits of two sides meet.
#[derive(Default)]
pub(super) struct Meeting<'a> {
    pub(super) ours: EditCounts,
    pub(super) theirs: EditCounts,
    pub(super) files: Vec<Contested<'a>>,
    pub(super) is_same: bool,
    /// Whether a side may have renamed a file that the other changed or deleted.
    pub(super) may_be_renamed: bool,
}

/// Compares the edits of two sides since the same base, without a look at any content.
pub(super) fn meet<'a>(ours: &'a Edits, theirs: &'a Edits) -> Meeting<'a> {
    let mut meeting = Meeting { is_same: ours.folders() == theirs.folders(), ..Meeting::default() };
    let [we_add, they_add] = [ours, theirs].map(Edits::add_files);
    let (mut a, mut b) = (ours.files(), theirs.files());
    loop {
        let order = match (a.first(), b.first()) {
            (None, None) => break,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(a), Some(b)) => a.path.cmp(&b.path),
        };
        let mine = if order.is_le() { a.split_off_first() } else { None };
        let other = if order.is_ge() { b.split_off_first() } else { None };
        if let (Some(mine), Some(other)) = (mine, other) {
            meeting.may_be_renamed |= mine.now.is_none() && we_add;
            meeting.may_be_renamed |= other.now.is_none() && they_add;
            if same_item(mine.now.as_ref(), other.now.as_ref()) {
                continue;
            }
            let three = Three { base: mine.base, ours: mine.now, theirs: other.now };
            meeting.files.push(Contested { path: &mine.path, three });
        }
        meeting.is_same = false;
        mine.into_iter().for_each(|edit| meeting.ours.add(edit));
        other.into_iter().for_each(|edit| meeting.theirs.add(edit));
    }
    meeting
}
