//! Merges the text of files that both sides changed.

use crate::compare::merge::lines::merge_lines;
use crate::compare::merge::three::Three;
use crate::compare::merge::unsettled::is_unsettled;
use crate::object::chunk::{ReadContentError, WriteContentError, read_content, write_content};
use crate::object::error::StoreError;
use crate::object::item::{Item, Kind};
use crate::object::source::{ObjectSink, ObjectSource};

/// Files that are larger together are not merged line by line: all three are in memory.
const BYTES_MAX: u64 = 512 << 20;

/// Returns the merged file. `None` if a side is not a text file of a moderate size, if its past is not
/// known, or if the changes conflict.
pub(super) fn both(
    three: &Three<Item>,
    source: &dyn ObjectSource,
    sink: &dyn ObjectSink,
) -> Result<Option<Item>, StoreError> {
    let is_file = |item: &Item| matches!(item.kind, Kind::File | Kind::Executable);
    let (Some(base), Some(ours), Some(theirs)) = (three.base, three.ours, three.theirs) else {
        return Ok(None);
    };
    let sides = [base, ours, theirs];
    let bytes = sides.iter().fold(0u64, |sum, item| sum.saturating_add(item.bytes));
    let is_known = |item: &Item| is_file(item) && !is_unsettled(item);
    if !sides.iter().all(is_known) || bytes > BYTES_MAX {
        return Ok(None);
    }
    let mut texts: [Vec<u8>; 3] = Default::default();
    for (at, (item, text)) in sides.iter().zip(&mut texts).enumerate() {
        match read_content(item, source, text) {
            Ok(()) => {}
            // The past is needed by the merge alone: both versions are here.
            Err(ReadContentError::Store(_)) if at == 0 => return Ok(None),
            Err(ReadContentError::Store(error)) => return Err(error),
            Err(ReadContentError::Write(_)) => unreachable!("memory can be written"),
        }
        // Stricter than what `diff` shows: a merge makes a content that nobody has looked at.
        if text.contains(&0) {
            return Ok(None);
        }
    }
    let [base_text, our_text, their_text] = &texts;
    let Some(merged) = merge_lines(base_text, our_text, their_text) else { return Ok(None) };
    let content = match write_content(&mut &merged[..], sink) {
        Ok(content) => content,
        Err(WriteContentError::Store(error)) => return Err(error),
        Err(WriteContentError::Read(_)) => unreachable!("memory can be read"),
    };
    let kind = if base.kind == ours.kind { theirs.kind } else { ours.kind };
    Ok(Some(Item { kind, id: content.id.0, bytes: content.bytes, files: 1, list: content.list }))
}
