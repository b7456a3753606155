//! Unsigned LEB128 integers, in their shortest form only, so that each value has exactly one
//! encoding.

/// Appends the encoding of `value`.
pub(crate) fn put(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value as u8) | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Removes a value from the front of `input`. Returns `None` if the encoding is truncated,
/// exceeds 64 bits, or is not the shortest one.
#[inline]
pub(crate) fn take(input: &mut &[u8]) -> Option<u64> {
    // Fast path: most values are lengths of names.
    if let [byte @ ..0x80, rest @ ..] = input {
        let value = u64::from(*byte);
        *input = rest;
        return Some(value);
    }
    take_long(input)
}

fn take_long(input: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for (index, &byte) in input.iter().enumerate().take(10) {
        let bits = u64::from(byte & 0x7f);
        if index == 9 && bits > 1 {
            return None;
        }
        value |= bits << (7 * index);
        if byte & 0x80 == 0 {
            if byte == 0 && index > 0 {
                return None;
            }
            *input = &input[index + 1..];
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trips_and_refuses_other_forms() {
        for value in [0, 1, 127, 128, 300, u64::from(u32::MAX), u64::MAX - 1, u64::MAX] {
            let mut out = Vec::new();
            put(&mut out, value);
            let mut rest = &out[..];
            assert_eq!(take(&mut rest), Some(value));
            assert!(rest.is_empty());
            assert_eq!(take(&mut &out[..out.len() - 1]), None, "cut short: {value}");
        }
        assert_eq!(take(&mut &[0x80, 0x00][..]), None, "longer than it needs to be");
        assert_eq!(take(&mut &[0xff; 11][..]), None, "over 64 bits");
    }
}
