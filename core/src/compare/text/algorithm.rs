//! Which algorithm compares lines.

use std::hash::Hash;

use gix_imara_diff::{Algorithm, Diff, InternedInput};

/// With more lines on a side, the histogram is not used. It splits the lines at a rare one and recurses, so
/// that texts can be made for which it takes a time that is quadratic in the lines, and a stack that is as deep
/// as there are rare lines: a stack of 2 MiB overflows at some 20,000 lines.
const HISTOGRAM_LINES_MAX: usize = 4096;

/// Compares lines: by the histogram, or if there are many by Myers' algorithm, which gives up on the shortest
/// result before it takes too long.
pub(crate) fn compare_lines<T: Eq + Hash>(input: &InternedInput<T>) -> Diff {
    let lines = input.before.len().max(input.after.len());
    let algorithm = match lines {
        0..=HISTOGRAM_LINES_MAX => Algorithm::Histogram,
        _ => Algorithm::Myers,
    };
    Diff::compute(algorithm, input)
}

#[cfg(test)]
mod tests {
    use gix_imara_diff::sources::byte_lines;

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
            let compared = move || {
                let mut input: InternedInput<&[u8]> = InternedInput::default();
                input.update_before(byte_lines(old.as_bytes()));
                input.update_after(byte_lines(new.as_bytes()));
                compare_lines(&input).count_additions()
            };
            let thread = std::thread::Builder::new().stack_size(2 << 20).spawn(compared);
            assert!(thread.unwrap().join().unwrap() >= blocks as u32);
        }
    }
}
