//! Merges ignore files that both sides changed, line by line. They never conflict: if one side's
//! version won, what the other side began to ignore would be published, or deleted elsewhere.

use std::collections::HashMap;

use crate::compare::merge::three::Three;
use crate::compare::merge::unsettled::is_unsettled;
use crate::object::error::StoreError;
use crate::object::id::BlobId;
use crate::object::item::{Item, Kind};
use crate::object::kind::ObjectKind;
use crate::object::name::IGNORE_FILES;
use crate::object::source::{ObjectSink, ObjectSource};

/// Returns the merged ignore file: our lines without those that their side removed, then the lines
/// that their side added. `None` if this is not an ignore file, or if a side is not a file or is
/// too large.
pub(super) fn both(
    name: &[u8],
    three: &Three<Item>,
    source: &dyn ObjectSource,
    sink: &dyn ObjectSink,
) -> Result<Option<Item>, StoreError> {
    let is_file = |item: &Item| matches!(item.kind, Kind::File | Kind::Executable);
    let (Some(ours), Some(theirs)) = (three.ours, three.theirs) else { return Ok(None) };
    let is_ignore_file = IGNORE_FILES.iter().any(|file| file.as_bytes() == name);
    let are_small = is_file(&ours) && is_file(&theirs) && (ours.list, theirs.list) == (None, None);
    if !is_ignore_file || !are_small {
        return Ok(None);
    }
    let text = |item: &Item| source.object(&BlobId(item.id).into()).map(|object| object.to_vec());
    let is_known = |base: &Item| is_file(base) && base.list.is_none() && !is_unsettled(base);
    let base = three.base.filter(is_known);
    let base = base.as_ref().map(text).transpose()?.unwrap_or_default();
    let merged = merge_lines(&base, &text(&ours)?, &text(&theirs)?);
    let id = BlobId::of(&merged);
    if !sink.has(&id.into())? {
        sink.put(ObjectKind::Blob, id.into(), &merged)?;
    }
    Ok(Some(Item { id: id.0, bytes: merged.len() as u64, ..ours }))
}

/// Merges lines; each counts as often as it occurs. So a rule that a side repeats after its
/// reversal counts as added there. A BOM is not part of the first line.
fn merge_lines(base: &[u8], ours: &[u8], theirs: &[u8]) -> Vec<u8> {
    fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        text.split_inclusive(|&byte| byte == b'\n')
            .map(|line| line.strip_suffix(b"\n").unwrap_or(line))
            .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
    }
    let count = |text| {
        let mut count = HashMap::<&[u8], usize>::new();
        lines(text).for_each(|line| *count.entry(line).or_default() += 1);
        count
    };
    let (in_base, in_ours, in_theirs) = (count(base), count(ours), count(theirs));
    let of = |count: &HashMap<&[u8], usize>, line| count.get(line).copied().unwrap_or(0);
    // Of repeated lines that they removed, the first ones go: the last one decides.
    let mut to_drop: HashMap<&[u8], usize> = in_base
        .iter()
        .map(|(line, times)| (*line, times.saturating_sub(of(&in_theirs, line))))
        .collect();
    let kept = lines(ours).filter(|line| match to_drop.get_mut(line) {
        Some(left @ 1..) => {
            *left -= 1;
            false
        }
        _ => true,
    });
    let mut merged: Vec<&[u8]> = kept.collect();
    // Of repeated lines that they added, the last ones are taken, unless we added them as well.
    let mut to_add: HashMap<&[u8], usize> = in_theirs
        .iter()
        .map(|(line, times)| {
            let added = times.saturating_sub(of(&in_base, line));
            (*line, added.saturating_sub(of(&in_ours, line).saturating_sub(of(&in_base, line))))
        })
        .collect();
    let all: Vec<&[u8]> = lines(theirs).collect();
    let mut added: Vec<&[u8]> = Vec::new();
    for line in all.into_iter().rev() {
        if let Some(left @ 1..) = to_add.get_mut(line) {
            *left -= 1;
            added.push(line);
        }
    }
    merged.extend(added.into_iter().rev());
    merged.into_iter().flat_map(|line| [line, b"\n"].concat()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_rule_of_either_side_is_lost() {
        let check = |base: &str, ours: &str, theirs: &str, expect: &str| {
            let merged = merge_lines(base.as_bytes(), ours.as_bytes(), theirs.as_bytes());
            assert_eq!(String::from_utf8(merged).unwrap(), expect);
        };
        check("", "/a.key\n", "/b.key\n", "/a.key\n/b.key\n");
        check("x\n", "x\na\n", "x\nb", "x\na\nb\n");
        check("x\ny\n", "x\ny\na\n", "y\nb\n", "y\na\nb\n");
        check("x\ny\n", "y\na\n", "x\ny\nb\n", "y\na\nb\n");
        check("", "a\n", "a\n", "a\n");
        check("/s\n!/s\n", "/s\n!/s\n/b\n", "/s\n!/s\n/s\n", "/s\n!/s\n/b\n/s\n");
        check("/s\n!/s\n/s\n", "/s\n!/s\n/s\n/b\n", "/s\n!/s\n", "!/s\n/s\n/b\n");
        check("a\n", "\u{feff}*.o\r\na\r\n", "a\nb\n", "*.o\na\nb\n");
        check("a\n", "a\nb\n", "\u{feff}*.o\na\n", "a\nb\n*.o\n");
    }
}
