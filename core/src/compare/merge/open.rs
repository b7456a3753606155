//! The conflicts that the sides of a merge already have, and which of them are open afterwards.
//!
//! A conflict with markers is open as long as the file contains them; removing them settles it.
//! Any other is settled by one side if that side had it and has it no more.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::compare::merge::markers::has_markers_of;
use crate::compare::merge::text::content;
use crate::object::error::StoreError;
use crate::object::id::TreeId;
use crate::object::item::{Item, Kind};
use crate::object::source::ObjectSource;
use crate::object::tree::{Conflict, ConflictId, Form, find, read_conflicts};

/// The conflicts of the three trees of a merge.
pub(super) struct Open {
    base: BTreeMap<(Vec<u8>, ConflictId), Conflict>,
    sides: [BTreeMap<(Vec<u8>, ConflictId), Conflict>; 2],
}

/// Paths that a merge treats differently because of conflicts that the trees have.
#[derive(Debug, Default, PartialEq)]
pub(super) struct SpecialPaths {
    /// Those in whose merged texts markers may stand.
    pub(super) with_markers: HashSet<Vec<u8>>,
    /// What of theirs stands beside a path that ours has in the same conflict: it is here already. By path,
    /// with what stands there if nobody has changed it.
    pub(super) theirs_again: HashMap<Vec<u8>, Item>,
    /// The conflicts in which ours has theirs beside it.
    pub(super) ours_beside: HashSet<(Vec<u8>, ConflictId)>,
    /// Those at which both sides have settled a conflict without markers since. What stood there in the
    /// meantime is no past: a side that still has it has chosen it.
    pub(super) settled_by_both: HashSet<Vec<u8>>,
}

impl Open {
    pub(super) fn of(
        base: Option<&TreeId>,
        sides: [&TreeId; 2],
        source: &dyn ObjectSource,
    ) -> Result<Self, StoreError> {
        let of = |tree: &TreeId| {
            let conflicts = read_conflicts(tree, source)?.into_iter();
            Ok(conflicts
                .map(|conflict| ((conflict.path.clone(), conflict.id()), conflict))
                .collect())
        };
        let base = base.map(of).transpose()?.unwrap_or_default();
        let [ours, theirs] = sides.map(of);
        Ok(Self { base, sides: [ours?, theirs?] })
    }

    /// Returns the paths that the conflicts of the three trees concern.
    pub(super) fn paths(&self) -> HashSet<Vec<u8>> {
        let all = self.sides.iter().chain([&self.base]).flat_map(BTreeMap::values);
        let paths = all.flat_map(|conflict| match &conflict.form {
            Form::Beside { theirs_path } => vec![conflict.path.clone(), theirs_path.clone()],
            Form::Markers | Form::Kept => vec![conflict.path.clone()],
        });
        paths.collect()
    }

    pub(super) fn special_paths(&self) -> SpecialPaths {
        SpecialPaths {
            with_markers: self.paths_with_markers(),
            theirs_again: self.theirs_again(),
            ours_beside: self.ours_beside(),
            settled_by_both: self.settled_by_both(),
        }
    }

    fn settled_by_both(&self) -> HashSet<Vec<u8>> {
        let is_settled = |key| self.sides.iter().all(|side| !side.contains_key(key));
        let settled = self
            .base
            .iter()
            .filter(|(key, conflict)| conflict.form != Form::Markers && is_settled(*key));
        settled.map(|(_, conflict)| conflict.path.clone()).collect()
    }

    fn theirs_again(&self) -> HashMap<Vec<u8>, Item> {
        let [ours, theirs] = &self.sides;
        let again = theirs.iter().filter(|(key, _)| ours.contains_key(*key));
        let beside = again.filter_map(|(key, conflict)| match &conflict.form {
            Form::Beside { theirs_path } if ours[key].form != conflict.form => {
                Some((theirs_path.clone(), conflict.theirs?))
            }
            _ => None,
        });
        beside.collect()
    }

    fn ours_beside(&self) -> HashSet<(Vec<u8>, ConflictId)> {
        let [ours, _] = &self.sides;
        let beside = ours.iter().filter(|(_, it)| matches!(it.form, Form::Beside { .. }));
        beside.map(|(key, _)| key.clone()).collect()
    }

    fn paths_with_markers(&self) -> HashSet<Vec<u8>> {
        let all = self.sides.iter().flat_map(BTreeMap::values);
        all.filter(|it| it.form == Form::Markers).map(|it| it.path.clone()).collect()
    }

    /// Returns the conflicts that are open in the merged tree. `texts` has the merged texts of
    /// [`SpecialPaths::with_markers`], and `found` the conflicts of this merge: theirs may stand beside ours now,
    /// with conflicts in it.
    pub(super) fn still_open(
        self,
        tree: &TreeId,
        texts: &HashMap<Vec<u8>, Vec<u8>>,
        found: &[Conflict],
        source: &dyn ObjectSource,
    ) -> Result<Vec<Conflict>, StoreError> {
        let Self { base, sides: [ours, theirs] } = self;
        let stored = |_: &[u8], item: &Item| content(item, source).map(Some);
        let mut open = Vec::new();
        // Of a conflict that both have, ours is kept: the merge leaves out what theirs has beside it.
        let only_theirs = theirs.iter().filter(|(key, _)| !ours.contains_key(*key));
        for (key, conflict) in ours.iter().chain(only_theirs) {
            let is_on_both = ours.contains_key(key) && theirs.contains_key(key);
            let is_unsettled = is_on_both || !base.contains_key(key);
            let stands = match (&conflict.form, texts.get(&conflict.path)) {
                (Form::Markers, Some(text)) => has_markers_of(text, conflict.id()),
                (Form::Markers, None) => stands(conflict, tree, source, &stored)?,
                _ => is_unsettled && stands(conflict, tree, source, &stored)?,
            };
            if stands {
                open.push(conflict.clone());
                continue;
            }
            let aside = found.iter().filter_map(|found| match &found.form {
                Form::Beside { theirs_path } => conflict.moved(&found.path, theirs_path),
                Form::Markers | Form::Kept => None,
            });
            for moved in aside {
                if is_unsettled && self::stands(&moved, tree, source, &stored)? {
                    open.push(moved);
                }
            }
        }
        Ok(open)
    }
}

/// Returns the content of a file at a path; `None` if it cannot be had.
pub(crate) type TextOf<'a> = dyn Fn(&[u8], &Item) -> Result<Option<Vec<u8>>, StoreError> + 'a;

/// Returns whether a conflict that nobody has settled otherwise stands in a tree.
pub(crate) fn stands(
    conflict: &Conflict,
    tree: &TreeId,
    source: &dyn ObjectSource,
    text_of: &TextOf<'_>,
) -> Result<bool, StoreError> {
    let at =
        |path: &[u8]| find(tree, &path.split(|&byte| byte == b'/').collect::<Vec<_>>(), source);
    Ok(match &conflict.form {
        Form::Markers => match at(&conflict.path)? {
            Some(item) if matches!(item.kind, Kind::File | Kind::Executable) => {
                // What cannot be read is not known to be settled.
                item.bytes > SEARCHED_BYTES_MAX
                    || text_of(&conflict.path, &item)?
                        .is_none_or(|text| has_markers_of(&text, conflict.id()))
            }
            _ => false,
        },
        Form::Beside { theirs_path } => at(theirs_path)?.is_some(),
        Form::Kept => at(&conflict.path)?.is_some(),
    })
}

/// In a file that is larger, nobody looks for markers: they count as standing.
const SEARCHED_BYTES_MAX: u64 = 512 << 20;
