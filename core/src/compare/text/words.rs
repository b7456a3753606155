//! Which words of a change differ, so that they can be emphasised.
//!
//! The removed lines of a change are compared with the added ones, word by word. Where little is left
//! of a line, nothing is emphasised: the whole line is new.

use std::ops::Range;

use gix_imara_diff::{Algorithm, Diff, InternedInput, Interner};

/// Larger changes are not refined. A reader would not look at their words either.
const BYTES_MAX: usize = 32 << 10;
/// If more than this of a line's words is changed, in percent, none of them is emphasised.
const CHANGED_PERCENT_MAX: usize = 70;

/// The byte ranges to emphasise, for each line.
pub type Emphasis = Vec<Vec<Range<usize>>>;

/// Returns what to emphasise in the removed and in the added lines of one change.
pub fn refine(removed: &[&[u8]], added: &[&[u8]]) -> (Emphasis, Emphasis) {
    let bytes = |lines: &[&[u8]]| lines.iter().map(|line| line.len()).sum::<usize>();
    let nothing = |lines: &[&[u8]]| vec![Vec::new(); lines.len()];
    if removed.is_empty() || added.is_empty() || bytes(removed) + bytes(added) > BYTES_MAX {
        return (nothing(removed), nothing(added));
    }
    let [old, new] =
        [removed, added].map(|lines| lines.iter().flat_map(|line| Words(line)).collect::<Vec<_>>());
    let mut input = InternedInput {
        before: Vec::with_capacity(old.len()),
        after: Vec::with_capacity(new.len()),
        interner: Interner::new(old.len().max(new.len())),
    };
    input.update_before(old.into_iter());
    input.update_after(new.into_iter());
    // Words repeat often, which the histogram is not made for.
    let mut diff = Diff::compute(Algorithm::Myers, &input);
    diff.postprocess_no_heuristic(&input);
    let old = emphasis(removed, |word| diff.is_removed(word));
    let new = emphasis(added, |word| diff.is_added(word));
    (old, new)
}

/// Collects the changed words of each line. Words are counted from the first line on.
fn emphasis(lines: &[&[u8]], is_changed: impl Fn(u32) -> bool) -> Emphasis {
    let mut word = 0;
    let of_line = |line: &&[u8]| {
        let (mut ranges, mut at, mut changed, mut all) = (Vec::<Range<usize>>::new(), 0, 0, 0);
        for text in Words(line) {
            let range = at..at + text.len();
            at = range.end;
            let is_blank = text.iter().all(u8::is_ascii_whitespace);
            all += if is_blank { 0 } else { text.len() };
            if is_changed(word) {
                changed += if is_blank { 0 } else { text.len() };
                match ranges.last_mut() {
                    Some(last) if last.end == range.start => last.end = range.end,
                    _ => ranges.push(range),
                }
            }
            word += 1;
        }
        if changed * 100 > all * CHANGED_PERCENT_MAX { Vec::new() } else { ranges }
    };
    lines.iter().map(of_line).collect()
}

/// The words of a line: letters and digits, blanks, or one other character.
struct Words<'a>(&'a [u8]);

impl<'a> Iterator for Words<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let first = *self.0.first()?;
        let end = if is_of_word(first) {
            self.0.iter().position(|byte| !is_of_word(*byte))
        } else if is_blank(first) {
            self.0.iter().position(|byte| !is_blank(*byte))
        } else {
            Some(1)
        };
        let (word, rest) = self.0.split_at(end.unwrap_or(self.0.len()));
        self.0 = rest;
        Some(word)
    }
}

/// Bytes of characters outside of ASCII belong to words, so that no character is cut.
fn is_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Puts brackets around what is emphasised.
    fn marked(lines: &[&str], emphasis: &Emphasis) -> String {
        let mut out = String::new();
        for (line, ranges) in lines.iter().zip(emphasis) {
            let mut at = 0;
            for range in ranges {
                out += &format!("{}[{}]", &line[at..range.start], &line[range.clone()]);
                at = range.end;
            }
            out += &line[at..];
        }
        out
    }

    #[test]
    fn changed_words_are_emphasised() {
        fn check(old: &[&str], new: &[&str], expect: [&str; 2]) {
            let [a, b] = [old, new].map(|lines| lines.iter().map(|line| line.as_bytes()));
            let (a, b) = refine(&a.collect::<Vec<_>>(), &b.collect::<Vec<_>>());
            assert_eq!([marked(old, &a), marked(new, &b)], expect);
        }
        check(
            &["let a = one(b);\n"],
            &["let a = two(b);\n"],
            ["let a = [one](b);\n", "let a = [two](b);\n"],
        );
        check(&["all new\n"], &["nothing kept here\n"], ["all new\n", "nothing kept here\n"]);
        check(&["a b\n"], &[], ["a b\n", ""]);
        check(
            &["na\u{ef}ve words stay\n"],
            &["naive words stay\n"],
            ["[na\u{ef}ve] words stay\n", "[naive] words stay\n"],
        );
        check(
            &["f(a, b, c)\n"],
            &["f(a,\n", "  b, c)\n"],
            ["f(a,[ ]b, c)\n", "f(a,[\n][  ]b, c)\n"],
        );
    }
}
