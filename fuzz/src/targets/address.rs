//! Addresses of primaries and of pack stores.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use fastest_sync::remote::address::{Address, file_url};
use fastest_sync::remote::pack_store::address::PackAddress;

/// Parts of the format.
pub const TOKENS: &[&[u8]] = &[
    b"file:",
    b"file://",
    b"file:///",
    b"d1://",
    b"libsql://",
    b"http://",
    b"https://",
    b"s3://",
    b"localhost",
    b"127.0.0.1",
    b"[::1]",
    b":8080",
    b"?api=",
    b"?tls=0",
    b"?endpoint=",
    b"&region=",
    b"@",
    b"#",
    b"?",
    b"%2f",
    b"%00",
    b"%25",
    b"..",
    b"/",
    b"\\",
    b" ",
    b"\n",
    b"\t",
    b"\0",
    "\u{e9}".as_bytes(),
    b"xn--",
];

/// Returns an address of each form.
pub fn seeds() -> Vec<Vec<u8>> {
    [
        "file:///srv/p.db",
        "FILE://localhost/srv/a%20b#c?d/p.db",
        "d1://0123abc/notes",
        "d1://local/a-b?api=http://127.0.0.1:8787/cdn-cgi/explorer/api",
        "libsql://app-ada.turso.io",
        "libsql://127.0.0.1:8080?tls=0",
        "https://[::1]:8080/",
        "s3://packs/team/a?endpoint=https://x.r2.cloudflarestorage.com&region=auto",
        "https://ada:hush@host",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}

/// Parses both kinds of addresses. What is parsed has an address of its own that means the same, and
/// no error repeats a password.
pub fn run(input: &[u8]) {
    path(input);
    let Ok(text) = std::str::from_utf8(input) else { return };
    if let Ok(address) = Address::parse(text) {
        address.token_name();
        address.is_unencrypted();
        let (Address::D1(_) | Address::Libsql(_) | Address::File(_)) = &address;
        let again = match &address {
            Address::File(path) => file_url(path),
            Address::D1(d1) => d1.to_text(),
            Address::Libsql(url) => url.to_string(),
        };
        assert_eq!(Address::parse(&again).ok(), Some(address), "{again}");
    }
    let _ = PackAddress::parse(text);
    let hidden = format!("{text}://ada:hush@host/x?token=hush#hush");
    for text in [&hidden, &format!("https://ada:hush@host/{text}"), &format!("s3://a?x=hush{text}")]
    {
        for error in [
            Address::parse(text).err().map(|error| error.to_string()),
            PackAddress::parse(text).err().map(|error| error.to_string()),
        ] {
            assert!(!error.is_some_and(
                |error| error.contains("hush") && !input.windows(4).any(|part| part == b"hush")
            ));
        }
    }
}

/// A path has an address that leads to it.
fn path(input: &[u8]) {
    let bytes: Vec<u8> = input.iter().copied().filter(|byte| *byte != 0).collect();
    let path = Path::new("/no such folder").join(OsStr::from_bytes(&bytes));
    let is_plain = !bytes.is_empty()
        && !bytes.ends_with(b"/")
        && path.components().eq(Path::new("/").components().chain(path.components().skip(1)))
        && path.file_name().is_some();
    if is_plain && path.starts_with("/no such folder") {
        assert_eq!(Address::parse(&file_url(&path)).ok(), Some(Address::File(path)));
    }
}
