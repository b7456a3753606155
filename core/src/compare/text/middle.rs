//! The part of two contents between what they have in common at their ends.

use std::ops::Range;

/// Where two contents differ, with some lines around.
pub(super) struct Middle {
    pub(super) old: Range<usize>,
    pub(super) new: Range<usize>,
    /// How many lines were cut off before it.
    pub(super) lines_before: usize,
}

impl Middle {
    /// Cuts off what two contents have in common at their ends, except for `margin` lines.
    pub(super) fn of(old: &[u8], new: &[u8], margin: usize) -> Self {
        let prefix = common_prefix(old, new);
        let start = line_start(&old[..prefix], margin);
        let suffix = common_suffix(&old[prefix..], &new[prefix..]);
        let kept = lines_end(&old[old.len() - suffix..], margin);
        let (old_end, new_end) = (old.len() - suffix + kept, new.len() - suffix + kept);
        let lines_before = old[..start].iter().filter(|byte| **byte == b'\n').count();
        Self { old: start..old_end, new: start..new_end, lines_before }
    }
}

/// Bytes that are compared at once.
const BLOCK_BYTES: usize = 4096;

fn common_prefix(a: &[u8], b: &[u8]) -> usize {
    let blocks = a.chunks_exact(BLOCK_BYTES).zip(b.chunks_exact(BLOCK_BYTES));
    let at = blocks.take_while(|(a, b)| a == b).count() * BLOCK_BYTES;
    at + a[at..].iter().zip(&b[at..]).take_while(|(a, b)| a == b).count()
}

fn common_suffix(a: &[u8], b: &[u8]) -> usize {
    let blocks = a.rchunks_exact(BLOCK_BYTES).zip(b.rchunks_exact(BLOCK_BYTES));
    let at = blocks.take_while(|(a, b)| a == b).count() * BLOCK_BYTES;
    let rest = a[..a.len() - at].iter().rev().zip(b[..b.len() - at].iter().rev());
    at + rest.take_while(|(a, b)| a == b).count()
}

/// Returns the start of the line that is `lines` lines before the one that `content` ends in.
fn line_start(content: &[u8], lines: usize) -> usize {
    let mut ends = content.iter().enumerate().rev().filter(|(_, byte)| **byte == b'\n');
    ends.nth(lines).map_or(0, |(at, _)| at + 1)
}

/// Returns the end of the line that is `lines` lines after the one that `content` begins in.
fn lines_end(content: &[u8], lines: usize) -> usize {
    let mut ends = content.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    ends.nth(lines).map_or(content.len(), |(at, _)| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::text::algorithm::count_lines;

    #[test]
    fn some_lines_are_left_at_the_ends() {
        let text = "line\n".repeat(9_000);
        let longer = format!("{text}x");
        for (old, new, margin, expect) in [
            (&text, &longer, 5, [5, 6]),
            (&text, &longer, usize::MAX, [9_000, 9_001]),
            (&text, &text, 5, [5, 5]),
            (&String::new(), &text, 5, [0, 9_000]),
        ] {
            let middle = Middle::of(old.as_bytes(), new.as_bytes(), margin);
            let found = [&old.as_bytes()[middle.old], &new.as_bytes()[middle.new]].map(count_lines);
            assert_eq!(found, expect);
        }
    }
}
