//! Changes inputs at random: bits, lengths, numbers at limits, parts of other inputs, and tokens of
//! the format.

use fastest_fixtures::random::Random;

/// No input grows beyond this, in bytes.
const LENGTH_MAX: usize = 64 << 10;

/// How many changes one input gets at most.
const CHANGES_MAX: usize = 8;

/// Numbers at which decoders change their behaviour.
const LIMITS: [u64; 16] = [
    0,
    1,
    0x7f,
    0x80,
    0xff,
    0x100,
    0x7fff,
    0xffff,
    0x10000,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    1 << 53,
    i64::MAX as u64,
    1 << 63,
    u64::MAX,
];

/// Draws new inputs from those of a corpus.
#[derive(Debug)]
pub struct Mutator<'a> {
    random: Random,
    corpus: &'a [Vec<u8>],
    tokens: &'a [&'a [u8]],
}

impl<'a> Mutator<'a> {
    /// The seed determines all inputs.
    pub fn new(seed: u64, corpus: &'a [Vec<u8>], tokens: &'a [&'a [u8]]) -> Self {
        Self { random: Random::new(seed), corpus, tokens }
    }

    /// Returns the next input.
    pub fn draw(&mut self) -> Vec<u8> {
        let mut input = self.other().to_vec();
        // Half of the inputs get one change.
        let mut changes = 1;
        while changes < CHANGES_MAX && self.random.below(2) == 0 {
            changes += 1;
        }
        for _ in 0..changes {
            self.change(&mut input);
        }
        input.truncate(LENGTH_MAX);
        input
    }

    fn other(&mut self) -> &'a [u8] {
        let corpus = self.corpus;
        if corpus.is_empty() { &[] } else { &corpus[self.random.below(corpus.len())] }
    }

    fn change(&mut self, input: &mut Vec<u8>) {
        match self.random.below(14) {
            0 | 1 => self.flip(input),
            2 => self.set(input),
            3 | 4 => self.binary_number(input),
            5 | 6 => self.written_number(input),
            7 => self.delete(input),
            8 => self.repeat(input),
            9 => self.splice(input),
            10 => {
                let end = self.random.below(input.len() + 1);
                input.truncate(end);
            }
            11 => self.noise(input),
            _ => self.token(input),
        }
    }

    fn flip(&mut self, input: &mut [u8]) {
        if !input.is_empty() {
            let at = self.random.below(input.len());
            input[at] ^= 1 << self.random.below(8);
        }
    }

    fn set(&mut self, input: &mut [u8]) {
        if !input.is_empty() {
            let at = self.random.below(input.len());
            input[at] = self.random.number() as u8;
        }
    }

    /// Writes a number over 1, 2, 4 or 8 bytes, in either order of bytes, or adds a little to what
    /// is there.
    fn binary_number(&mut self, input: &mut [u8]) {
        let width = 1 << self.random.below(4);
        let Some(room) = (input.len() + 1).checked_sub(width).filter(|room| *room > 0) else {
            return;
        };
        let at = self.random.below(room);
        let place = &mut input[at..at + width];
        let mut bytes = [0; 8];
        bytes[..width].copy_from_slice(place);
        let little = self.random.below(4) > 0;
        let number = match self.random.below(3) {
            0 => u64::from_le_bytes(bytes).wrapping_add(self.random.number() % 5).wrapping_sub(2),
            _ => LIMITS[self.random.below(LIMITS.len())].wrapping_sub(self.random.number() % 2),
        };
        place.copy_from_slice(&number.to_le_bytes()[..width]);
        if !little {
            place.reverse();
        }
    }

    /// Replaces decimal digits by another number.
    fn written_number(&mut self, input: &mut Vec<u8>) {
        let starts: Vec<usize> = (0..input.len())
            .filter(|at| input[*at].is_ascii_digit())
            .filter(|at| *at == 0 || !input[at - 1].is_ascii_digit())
            .collect();
        let Some(last) = starts.len().checked_sub(1) else { return };
        let from = starts[self.random.below(last + 1)];
        let length = input[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let limit = LIMITS[self.random.below(LIMITS.len())];
        let text = match self.random.below(5) {
            0 => limit.wrapping_neg().cast_signed().to_string(),
            1 => format!("{limit}.5"),
            2 => format!("{}e{}", limit % 100, limit % 400),
            _ => limit.to_string(),
        };
        input.splice(from..from + length, text.into_bytes());
    }

    fn delete(&mut self, input: &mut Vec<u8>) {
        let range = self.range(input);
        input.drain(range);
    }

    fn repeat(&mut self, input: &mut Vec<u8>) {
        let range = self.range(input);
        let (part, at) = (input[range.clone()].to_vec(), range.end);
        let times = 1 + self.random.below(4);
        for _ in 0..times {
            if input.len() + part.len() <= LENGTH_MAX {
                input.splice(at..at, part.iter().copied());
            }
        }
    }

    fn splice(&mut self, input: &mut Vec<u8>) {
        let other = self.other();
        let (from, to) = (self.range(input), self.range(other));
        input.splice(from, other[to].iter().copied());
    }

    fn noise(&mut self, input: &mut Vec<u8>) {
        let at = self.random.below(input.len() + 1);
        let count = 1 + self.random.below(8);
        let noise: Vec<u8> = (0..count).map(|_| self.random.number() as u8).collect();
        input.splice(at..at, noise);
    }

    fn token(&mut self, input: &mut Vec<u8>) {
        if self.tokens.is_empty() {
            return self.set(input);
        }
        let token = self.tokens[self.random.below(self.tokens.len())];
        let at = self.random.below(input.len() + 1);
        let replaced = if self.random.below(2) == 0 { 0 } else { token.len() };
        let end = (at + replaced).min(input.len());
        input.splice(at..end, token.iter().copied());
    }

    /// Returns a range of an input, mostly a short one.
    fn range(&mut self, input: &[u8]) -> std::ops::Range<usize> {
        let from = self.random.below(input.len() + 1);
        let most = if self.random.below(3) == 0 { input.len() } else { 16 };
        let length = self.random.below((input.len() - from).min(most) + 1);
        from..from + length
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_determines_all_inputs() {
        let corpus = [b"one 12".to_vec(), b"two".to_vec()];
        let draw = |seed| -> Vec<Vec<u8>> {
            let mut mutator = Mutator::new(seed, &corpus, &[b"{}"]);
            (0..500).map(|_| mutator.draw()).collect()
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
        assert!(draw(7).iter().filter(|input| corpus.contains(input)).count() < 100);
    }

    #[test]
    fn an_empty_corpus_and_long_inputs_are_no_trouble() {
        let mut from_nothing = Mutator::new(1, &[], &[]);
        let mut most = 0;
        for _ in 0..2_000 {
            most = most.max(from_nothing.draw().len());
        }
        assert!(most > 0);
        let long = [vec![b'1'; LENGTH_MAX]];
        let mut mutator = Mutator::new(1, &long, &[b"token"]);
        (0..200).for_each(|_| assert!(mutator.draw().len() <= LENGTH_MAX));
    }
}
