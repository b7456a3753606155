//! How similar two contents are, without comparing their lines.
//!
//! As in git: a content is cut after each line feed and after 64 bytes, and the bytes of the pieces
//! that two contents share, wherever they are, are counted.

use std::hash::Hasher as _;

/// A piece ends after this many bytes, if no line ends before.
const PIECE_BYTES_MAX: usize = 64;

/// The pieces of a content: how many bytes it has of each, sorted by the hashes of the pieces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint {
    pieces: Vec<(u64, u32)>,
    bytes: u64,
}

impl Fingerprint {
    /// Returns the fingerprint of a content. The end of a line is the same with and without a
    /// carriage return, unless the content is binary.
    pub fn of(content: &[u8], is_binary: bool) -> Self {
        let mut pieces: Vec<(u64, u32)> = Vec::with_capacity(content.len() / 24 + 1);
        let mut rest = content;
        while !rest.is_empty() {
            let window = &rest[..rest.len().min(PIECE_BYTES_MAX)];
            let end =
                window.iter().position(|&byte| byte == b'\n').map_or(window.len(), |at| at + 1);
            let (piece, tail) = rest.split_at(end);
            let line = piece.strip_suffix(b"\n").unwrap_or(piece);
            let ending = &piece[line.len()..];
            let is_text_line = !is_binary && !ending.is_empty();
            let line = line.strip_suffix(b"\r").filter(|_| is_text_line).unwrap_or(line);
            let mut hasher = std::hash::DefaultHasher::new();
            hasher.write(line);
            hasher.write(ending);
            pieces.push((hasher.finish(), piece.len() as u32));
            rest = tail;
        }
        pieces.sort_unstable();
        pieces.dedup_by(|next, kept| {
            let is_same = next.0 == kept.0;
            if is_same {
                kept.1 = kept.1.saturating_add(next.1);
            }
            is_same
        });
        pieces.shrink_to_fit();
        Self { pieces, bytes: content.len() as u64 }
    }

    /// Returns how much of the larger content both have, in percent.
    pub fn similarity(&self, other: &Self) -> u8 {
        let larger = self.bytes.max(other.bytes);
        if larger == 0 {
            return 100;
        }
        let percent = u128::from(self.shared(other)) * 100 / u128::from(larger);
        u8::try_from(percent).unwrap_or(100).min(100)
    }

    /// Returns the similarity if it is at least `min`. Contents of very different sizes are not
    /// compared.
    pub fn similarity_from(&self, other: &Self, min: u8) -> Option<u8> {
        let (smaller, larger) = (self.bytes.min(other.bytes), self.bytes.max(other.bytes));
        let can_be = u128::from(smaller) * 100 >= u128::from(larger) * u128::from(min);
        can_be.then(|| self.similarity(other)).filter(|similarity| *similarity >= min)
    }

    /// Returns how many bytes are in pieces that both have.
    fn shared(&self, other: &Self) -> u64 {
        let mut others = other.pieces.iter().peekable();
        let mut shared = 0;
        for &(hash, bytes) in &self.pieces {
            while others.next_if(|(theirs, _)| *theirs < hash).is_some() {}
            if let Some((_, theirs)) = others.next_if(|(theirs, _)| *theirs == hash) {
                shared += u64::from(bytes.min(*theirs));
            }
        }
        shared
    }
}

#[cfg(test)]
mod tests {
    use super::Fingerprint;

    #[test]
    fn what_is_shared_counts_wherever_it_is() {
        let check = |old: &str, new: &str, expect: u8| {
            let [a, b] = [old, new].map(|text| Fingerprint::of(text.as_bytes(), false));
            assert_eq!((a.similarity(&b), b.similarity(&a)), (expect, expect), "{old:?} {new:?}");
        };
        check("", "", 100);
        check("a\n", "", 0);
        check("a\nb\n", "b\na\n", 100);
        check("a\nb\nc\nd\n", "a\nb\n", 50);
        check("a\na\na\na\n", "a\n", 25);
        check("one\r\ntwo\r\n", "one\ntwo\n", 80);
        let long = "x".repeat(1000);
        check(&long, &format!("{long}\n"), 95);
    }

    #[test]
    fn sizes_alone_exclude_most() {
        let [a, b] = ["a\n", "a\na\na\na\n"].map(|text| Fingerprint::of(text.as_bytes(), false));
        assert_eq!(a.similarity_from(&b, 50), None);
        assert_eq!(a.similarity_from(&b, 25), Some(25));
    }
}
