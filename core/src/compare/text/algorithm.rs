//! How lines are compared: by which algorithm, and up to how many.

use gix_imara_diff::sources::byte_lines;
use gix_imara_diff::{Algorithm, Diff, InternedInput, Interner};

/// Texts with more lines are not compared line by line. It bounds the memory, which is some 45 bytes for
/// each line.
pub(crate) const LINES_MAX: usize = 1 << 24;

/// With more lines on a side, the histogram is not used. It splits the lines at a rare one and recurses, so
/// that texts can be made for which it takes a time that is quadratic in the lines, and a stack that is as deep
/// as there are rare lines: a stack of 2 MiB overflows at some 20,000 lines.
const HISTOGRAM_LINES_MAX: usize = 4096;

/// Returns how many lines a content has. The last one need not end.
pub(crate) fn count_lines(content: &[u8]) -> usize {
    let ends = content.iter().filter(|byte| **byte == b'\n').count();
    ends + usize::from(content.last().is_some_and(|last| *last != b'\n'))
}

/// Returns the lines of two contents. Sized by what is there: the library's own estimate can be off by any
/// factor.
pub(crate) fn lines_of<'a>(before: &'a [u8], after: &'a [u8]) -> InternedInput<&'a [u8]> {
    let counts = [before, after].map(count_lines);
    let mut input = InternedInput {
        before: Vec::with_capacity(counts[0]),
        after: Vec::with_capacity(counts[1]),
        interner: Interner::new(counts[0].max(counts[1])),
    };
    input.update_before(byte_lines(before));
    input.update_after(byte_lines(after));
    input
}

/// Compares lines: by the histogram, or if there are many by Myers' algorithm, which gives up on the shortest
/// result before it takes too long.
pub(crate) fn compare_lines(input: &InternedInput<&[u8]>) -> Diff {
    let lines = input.before.len().max(input.after.len());
    let algorithm = match lines {
        0..=HISTOGRAM_LINES_MAX => Algorithm::Histogram,
        _ => Algorithm::Myers,
    };
    Diff::compute(algorithm, input)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// For these the histogram recurses once for each block of three lines, and overflows the stack.
    #[test]
    fn texts_that_are_made_to_recurse_are_compared_on_a_small_stack() {
        let text = |side: &str, blocks: usize| {
            let block = |at: usize| format!("{side}{at}\nz{at}\nz{}\n", at + 1);
            let blocks: String = (0..blocks).map(block).collect();
            format!("h{side}\nz0\nh2{side}\nz0\n{blocks}end{side}\n")
        };
        for blocks in [1_300, 30_000] {
            let [old, new] = ["a", "b"].map(|side| text(side, blocks));
            let compared =
                move || compare_lines(&lines_of(old.as_bytes(), new.as_bytes())).count_additions();
            let thread = std::thread::Builder::new().stack_size(2 << 20).spawn(compared);
            assert!(thread.unwrap().join().unwrap() >= blocks as u32);
        }
    }
}
