//! Formats that end with the BLAKE3 of everything before it. No mutation would get past the
//! checksum, so the targets of these formats compute it. Their inputs lack it.

/// Returns the input with its checksum.
pub fn seal(body: &[u8]) -> Vec<u8> {
    [body, blake3::hash(body).as_bytes()].concat()
}

/// Returns a file without its checksum.
pub fn unseal(file: &[u8]) -> Vec<u8> {
    file[..file.len() - 32].to_vec()
}

/// Checks that a format of which each content has one encoding refuses the file with any bit of its
/// checksum changed, and whatever else a checksum must detect.
pub fn check(body: &[u8], reencoded: impl Fn(&[u8]) -> Option<Vec<u8>>) {
    let file = seal(body);
    if let Some(again) = reencoded(&file) {
        assert_eq!(again, file, "a content has one encoding");
        for at in [0, file.len() / 2, file.len() - 1] {
            let mut other = file.clone();
            other[at] ^= 1;
            assert_eq!(reencoded(&other), None, "byte {at} was changed");
        }
        assert_eq!(reencoded(&file[..file.len() - 1]), None, "it was cut short");
    }
    // As it is, almost always without a valid checksum.
    if let Some(again) = reencoded(body) {
        assert_eq!(again, body);
    }
}
