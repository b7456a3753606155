//! Reads an input as a list of small decisions, for targets that build something from it.

/// The rest of an input. Reading past its end yields zeros, so that every input means something.
#[derive(Debug, Clone)]
pub struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Begins to read an input.
    pub fn new(input: &'a [u8]) -> Self {
        Self(input)
    }

    /// Whether everything was read.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the next byte.
    pub fn byte(&mut self) -> u8 {
        let [first, rest @ ..] = self.0 else { return 0 };
        self.0 = rest;
        *first
    }

    /// Returns the next byte as a number below `end`, which must not be zero.
    pub fn below(&mut self, end: usize) -> usize {
        usize::from(self.byte()) % end
    }

    /// Returns the next two bytes as a number, little-endian.
    pub fn two(&mut self) -> u16 {
        u16::from_le_bytes([self.byte(), self.byte()])
    }

    /// Returns the next bytes: as many as the byte before them says, or fewer at the end.
    pub fn some(&mut self) -> &'a [u8] {
        let length = usize::from(self.byte());
        self.take(length)
    }

    /// Returns the next bytes: as many as the two bytes before them say, or fewer at the end.
    pub fn many(&mut self) -> &'a [u8] {
        let length = usize::from(self.two());
        self.take(length)
    }

    /// Returns everything that is left.
    pub fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.0)
    }

    fn take(&mut self, length: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(length.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// Returns a number that is often at a limit.
    pub fn number(&mut self) -> u64 {
        match self.byte() {
            byte @ 0..=127 => byte.into(),
            128..=191 => self.two().into(),
            byte @ 192..=223 => 1 << (byte % 64),
            byte @ 224..=247 => (1u64 << (2 * (byte % 32))).wrapping_sub(1),
            _ => u64::MAX - u64::from(self.byte()),
        }
    }
}
