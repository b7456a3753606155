//! Merges the text of files that both sides changed.

use crate::compare::merge::lines::{Piece, merge_lines};
use crate::compare::merge::three::Three;
use crate::compare::merge::unsettled::is_unsettled;
use crate::object::chunk::{
    Content, ReadContentError, WriteContentError, read_content, write_content,
};
use crate::object::error::StoreError;
use crate::object::id::{BlobId, ObjectId};
use crate::object::item::{Item, Kind};
use crate::object::source::{ObjectSink, ObjectSource};

/// Files that are larger together are not merged line by line: all three are in memory.
const BYTES_MAX: u64 = 512 << 20;

/// Files that are larger together get no markers: people and editors have to read them.
const MARKED_BYTES_MAX: u64 = 64 << 20;

/// The contents of a file on the sides of a merge.
pub(super) struct Texts {
    base: Option<Vec<u8>>,
    ours: Vec<u8>,
    theirs: Vec<u8>,
}

impl Texts {
    /// Reads the contents. `None` if one is not a text file of a moderate size. A base that is unknown, or
    /// that was nothing like these, is left out.
    pub(super) fn read(
        three: &Three<Item>,
        source: &dyn ObjectSource,
    ) -> Result<Option<Self>, StoreError> {
        let is_file = |item: &Item| matches!(item.kind, Kind::File | Kind::Executable);
        let (Some(ours), Some(theirs)) = (three.ours, three.theirs) else { return Ok(None) };
        let base = three.base.filter(|base| is_file(base) && !is_unsettled(base));
        let sizes = [base.unwrap_or(ours), ours, theirs].map(|item| item.bytes);
        let is_known = |item: &Item| is_file(item) && !is_unsettled(item);
        let bytes = sizes.iter().fold(0, |sum: u64, bytes| sum.saturating_add(*bytes));
        if !is_known(&ours) || !is_known(&theirs) || bytes > BYTES_MAX {
            return Ok(None);
        }
        let (Some(ours), Some(theirs)) = (text(&ours, source)?, text(&theirs, source)?) else {
            return Ok(None);
        };
        // The past is needed by the merge alone: both versions are here.
        let base = base.and_then(|base| text(&base, source).ok().flatten());
        Ok(Some(Self { base, ours, theirs }))
    }

    /// Returns the merged text, piece by piece. `None` if it has too many lines.
    pub(super) fn merged(&self) -> Option<Vec<Piece<'_>>> {
        merge_lines(self.base.as_deref(), &self.ours, &self.theirs)
    }

    /// Whether the base is known.
    pub(super) fn have_base(&self) -> bool {
        self.base.is_some()
    }

    /// Whether a conflict in these texts can stand between markers.
    pub(super) fn can_be_marked(&self) -> bool {
        let base = self.base.as_ref().map_or(0, Vec::len);
        (base + self.ours.len() + self.theirs.len()) as u64 <= MARKED_BYTES_MAX
    }
}

/// Reads a content. `None` if it is not text. Stricter than what `diff` shows: a merge makes a content that
/// nobody has looked at.
fn text(item: &Item, source: &dyn ObjectSource) -> Result<Option<Vec<u8>>, StoreError> {
    Ok(Some(content(item, source)?).filter(|text| !text.contains(&0)))
}

/// Reads a content.
pub(super) fn content(item: &Item, source: &dyn ObjectSource) -> Result<Vec<u8>, StoreError> {
    let mut content = Vec::new();
    match read_content(item, source, &mut content) {
        Ok(()) => Ok(content),
        Err(ReadContentError::Store(error)) => Err(error),
        Err(ReadContentError::Write(_)) => unreachable!("memory can be written"),
    }
}

/// Stores a merged text. The executable bit is merged as well.
pub(super) fn write(
    text: &[u8],
    three: &Three<Item>,
    sink: &dyn ObjectSink,
) -> Result<Option<Item>, StoreError> {
    let (Some(ours), Some(theirs)) = (three.ours, three.theirs) else { return Ok(None) };
    let content = written(text, sink)?;
    let kind = match three.base {
        Some(base) if base.kind == ours.kind => theirs.kind,
        Some(_) => ours.kind,
        // The result must not depend on which side is ours.
        None => ours.kind.max(theirs.kind),
    };
    Ok(Some(Item { kind, id: content.id.0, bytes: content.bytes, files: 1, list: content.list }))
}

/// Stores a content that the sink does not have: a virtual merge base is in memory alone.
pub(super) fn store(
    item: &Item,
    source: &dyn ObjectSource,
    sink: &dyn ObjectSink,
) -> Result<(), StoreError> {
    let id = item.list.map_or(BlobId(item.id).into(), ObjectId::from);
    if sink.has(&id)? {
        return Ok(());
    }
    written(&content(item, source)?, sink).map(drop)
}

fn written(text: &[u8], sink: &dyn ObjectSink) -> Result<Content, StoreError> {
    match write_content(&mut &text[..], sink) {
        Ok(content) => Ok(content),
        Err(WriteContentError::Store(error)) => Err(error),
        Err(WriteContentError::Read(_)) => unreachable!("memory can be read"),
    }
}

/// Returns the text of pieces without a conflict.
pub(super) fn clean(pieces: &[Piece<'_>]) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    for piece in pieces {
        let Piece::Merged(lines) = piece else { return None };
        lines.iter().for_each(|line| text.extend_from_slice(line));
    }
    Some(text)
}
