//! Addresses of primaries, as users write them.
//!
//! ```text
//! file:///PATH/primary.db
//! d1://ACCOUNT_ID/DATABASE            Cloudflare D1; DATABASE is its id or its name
//! d1://local/ID?api=http://…          the same API elsewhere: `wrangler dev` serves it
//! libsql://HOST[:PORT]                Turso
//! http://HOST:PORT  https://HOST      a self-hosted libSQL server
//! ```
//!
//! After `file://` comes a path, in which `#`, `?` and `%` are ordinary characters, except that `%` and
//! two hexadecimal digits may stand for a byte.
//!
//! An address contains no secret. One that seems to contain one is refused, and the error message does
//! not repeat it.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use url::{Host, Url};

use crate::remote::primary::PrimaryError;

/// The base of Cloudflare's API.
pub const CLOUDFLARE_API: &str = "https://api.cloudflare.com/client/v4";

/// Where a primary is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// A SQLite file.
    File(PathBuf),
    /// A database of Cloudflare D1.
    D1(D1Address),
    /// A libSQL server: the URL to connect to, `http` or `https`.
    Libsql(Url),
}

/// A database of Cloudflare D1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct D1Address {
    /// The account's id.
    pub account: String,
    /// The id of the database, or its name.
    pub database: String,
    /// The base URL of an API other than Cloudflare's. Its paths begin with `/d1/database`.
    pub api: Option<Url>,
}

impl D1Address {
    /// Returns the base URL to which `/d1/database` is appended, without a trailing slash.
    pub fn base(&self) -> String {
        match &self.api {
            Some(api) => api.as_str().trim_end_matches('/').to_owned(),
            None => format!("{CLOUDFLARE_API}/accounts/{}", self.account),
        }
    }

    /// Returns the address as a user writes it.
    pub fn to_text(&self) -> String {
        // Otherwise they would mean something in a query.
        let escaped = |api: &Url| {
            ["%", "&", "+", "#"].iter().fold(api.to_string(), |text, letter| {
                text.replace(letter, &format!("%{:02X}", letter.as_bytes()[0]))
            })
        };
        let api = self.api.as_ref().map(|api| format!("?api={}", escaped(api)));
        let api = api.unwrap_or_default();
        format!("d1://{}/{}{api}", self.account, self.database)
    }
}

impl Address {
    /// Returns the environment variable that holds the primary's token; `None` for a file, which needs none.
    pub fn token_name(&self) -> Option<&'static str> {
        match self {
            Self::File(_) => None,
            Self::D1(_) => Some("CLOUDFLARE_API_TOKEN"),
            Self::Libsql(_) => Some("TURSO_AUTH_TOKEN"),
        }
    }

    /// Whether traffic to this address crosses a network unencrypted.
    pub fn is_unencrypted(&self) -> bool {
        self.server().is_some_and(|url| url.scheme() == "http") && !self.is_local_server()
    }

    fn server(&self) -> Option<&Url> {
        match self {
            Self::File(_) => None,
            Self::D1(d1) => d1.api.as_ref(),
            Self::Libsql(url) => Some(url),
        }
    }

    /// Whether it is a server on this machine.
    pub fn is_local_server(&self) -> bool {
        match self.server().and_then(Url::host) {
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
    }

    /// Parses an address.
    pub fn parse(text: &str) -> Result<Self, PrimaryError> {
        let bad = |reason: &str| PrimaryError::BadUrl { url: shown(text), reason: reason.into() };
        if let Some(path) = file_path(text) {
            return file(path.map_err(bad)?, text).map_err(bad);
        }
        let url = Url::parse(text).map_err(|_| {
            bad("write file:///path/primary.db, d1://ACCOUNT_ID/DATABASE or libsql://HOST")
        })?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(bad("an address holds no name or password: `fastest remote login` does"));
        }
        match url.scheme() {
            "d1" => d1(&url).map(Self::D1).map_err(bad),
            "libsql" | "http" | "https" => libsql(&url).map(Self::Libsql).map_err(bad),
            _ => Err(bad("it begins with none of file://, d1://, libsql://, https:// and http://")),
        }
    }
}

fn file(path: PathBuf, text: &str) -> Result<Address, &'static str> {
    match path.file_name() {
        Some(_) if !path.is_dir() && !text.ends_with('/') => Ok(Address::File(path)),
        _ => Err("it names a folder; name the database file in it"),
    }
}

/// Returns the path in a `file:` address; `None` if the text is not such an address.
///
/// Percent escapes are decoded, unless only the undecoded path is in a folder that exists.
pub(crate) fn file_path(text: &str) -> Option<Result<PathBuf, &'static str>> {
    const SCHEME: &str = "file:";
    let text = text.trim_matches(|letter: char| letter.is_whitespace() || letter.is_control());
    let rest = match text.get(..SCHEME.len()) {
        Some(scheme) if scheme.eq_ignore_ascii_case(SCHEME) => &text[SCHEME.len()..],
        _ => return None,
    };
    let path = match rest.strip_prefix("//") {
        Some(rest) => rest.strip_prefix("localhost").filter(|r| r.starts_with('/')).unwrap_or(rest),
        None => rest,
    };
    if !path.starts_with('/') {
        return Some(Err("the path must be absolute: write file:///path"));
    }
    if path.contains('\0') {
        return Some(Err("no path contains a zero byte"));
    }
    let (literal, decoded) = (PathBuf::from(path), decoded(path));
    let is_there = |path: &Path| path.parent().is_none_or(Path::is_dir);
    Some(Ok(if !is_there(&decoded) && is_there(&literal) { literal } else { decoded }))
}

fn decoded(path: &str) -> PathBuf {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let [first, tail @ ..] = rest {
        let digit = |at: usize| tail.get(at).and_then(|byte| char::from(*byte).to_digit(16));
        match (first, digit(0), digit(1)) {
            // No path contains a zero byte.
            (b'%', Some(high), Some(low)) if high + low > 0 => {
                bytes.push((high * 16 + low) as u8);
                rest = &tail[2..];
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    OsString::from_vec(bytes).into()
}

/// Returns the `file:` address of a path. [`Address::parse`] is its inverse.
pub fn file_url(path: &Path) -> String {
    match Url::from_file_path(path) {
        Ok(url) => url.into(),
        Err(()) => format!("file://{}", path.display()),
    }
}

fn d1(url: &Url) -> Result<D1Address, &'static str> {
    const FORM: &str = "write d1://ACCOUNT_ID/DATABASE, the database by its id or its name";
    let account = url.host_str().unwrap_or_default();
    let database = url.path().trim_start_matches('/');
    let plain = |name: &str| {
        !name.is_empty()
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
    };
    if !plain(account) || !plain(database) || url.port().is_some() || url.fragment().is_some() {
        return Err(FORM);
    }
    let mut api = None;
    for (key, value) in url.query_pairs() {
        let base = Url::parse(&value).ok().filter(|base| {
            matches!(base.scheme(), "http" | "https")
                && base.username().is_empty()
                && base.password().is_none()
                && base.query().is_none()
        });
        match (&*key, base) {
            ("api", Some(base)) => api = Some(base),
            ("api", None) => return Err("`api` must be an http:// or https:// address"),
            _ => return Err("nothing but `api` may follow the `?`; the token has its own place"),
        }
    }
    Ok(D1Address { account: account.to_owned(), database: database.to_owned(), api })
}

fn libsql(url: &Url) -> Result<Url, &'static str> {
    let mut scheme = if url.scheme() == "http" { "http" } else { "https" };
    for (key, value) in url.query_pairs() {
        match (&*key, &*value) {
            ("tls", "0") => scheme = "http",
            ("tls", "1") => {}
            _ => return Err("a token does not belong in it: `fastest remote login` keeps it"),
        }
    }
    let host = url.host_str().filter(|host| !host.is_empty()).ok_or("it names no host")?;
    if !matches!(url.path(), "" | "/") || url.fragment().is_some() {
        return Err("write libsql://HOST, without a path");
    }
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    Url::parse(&format!("{scheme}://{host}{port}")).map_err(|_| "it names no host")
}

/// Redacts an invalid address for an error message: a part that could be a secret becomes `…`.
pub(crate) fn shown(text: &str) -> String {
    let end = text.find(['?', '#']).map_or(text.len(), |at| at + 1);
    let (text, cut) = (&text[..end], if end < text.len() { "…" } else { "" });
    match (text.find("://"), text.rfind('@')) {
        (Some(from), Some(at)) if from + 3 <= at => {
            format!("{}…{}{cut}", &text[..from + 3], &text[at..])
        }
        _ => format!("{text}{cut}"),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStrExt;

    use super::*;

    #[test]
    fn addresses() {
        let d1 = |account: &str, database: &str, api: Option<&str>| {
            let (account, database) = (account.to_owned(), database.to_owned());
            Address::D1(D1Address { account, database, api: api.map(|a| Url::parse(a).unwrap()) })
        };
        let libsql = |url: &str| Address::Libsql(Url::parse(url).unwrap());
        for (text, expected) in [
            ("file:///srv/p.db", Address::File("/srv/p.db".into())),
            ("FILE:/srv/p.db", Address::File("/srv/p.db".into())),
            (" file://localhost/srv/p.db\n", Address::File("/srv/p.db".into())),
            ("file:///srv/a b/p.db", Address::File("/srv/a b/p.db".into())),
            ("file:///srv/a%20b/p.db", Address::File("/srv/a b/p.db".into())),
            ("file:///srv/a#b?c/p.db", Address::File("/srv/a#b?c/p.db".into())),
            ("file:///srv/a%23b%3fc/p.db", Address::File("/srv/a#b?c/p.db".into())),
            ("file:///srv/100%/50%z%0/p%", Address::File("/srv/100%/50%z%0/p%".into())),
            (
                "file:///srv/\u{434}\u{43e}\u{43c}",
                Address::File("/srv/\u{434}\u{43e}\u{43c}".into()),
            ),
            ("d1://0123abc/notes", d1("0123abc", "notes", None)),
            (
                "d1://local/a-b?api=http://127.0.0.1:8787/cdn-cgi/explorer/api",
                d1("local", "a-b", Some("http://127.0.0.1:8787/cdn-cgi/explorer/api")),
            ),
            ("libsql://app-ada.turso.io", libsql("https://app-ada.turso.io")),
            ("libsql://127.0.0.1:8080?tls=0", libsql("http://127.0.0.1:8080")),
            ("http://127.0.0.1:8080", libsql("http://127.0.0.1:8080")),
            ("https://db.example/", libsql("https://db.example")),
        ] {
            assert_eq!(Address::parse(text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn a_file_has_an_address_that_leads_to_it() {
        let folder = tempfile::tempdir().unwrap();
        let names =
            ["a b", "100%", "a#b", "a?b", "a%20b", "a%2520b", "it's", "a+b", "a\\b", "\u{434}"];
        for name in names {
            let path = folder.path().join(name).join("p.db");
            assert_eq!(Address::parse(&file_url(&path)).unwrap(), Address::File(path.clone()));
            // The path as it is written works too, if its folder exists.
            std::fs::create_dir(path.parent().unwrap()).unwrap();
            let text = format!("file://{}", path.display());
            assert_eq!(Address::parse(&text).unwrap(), Address::File(path), "{text}");
            std::fs::remove_dir(folder.path().join(name)).unwrap();
        }
        let bytes = Path::new(std::ffi::OsStr::from_bytes(b"/srv/\xff%/p.db"));
        assert_eq!(Address::parse(&file_url(bytes)).unwrap(), Address::File(bytes.into()));
    }

    #[test]
    fn an_address_of_an_api_is_written_as_it_is_read() {
        let api = "http://127.0.0.1:8787/%cd/a+b&c#d";
        let text = "d1://local/a-b?api=http://127.0.0.1:8787/%25cd/a%2Bb%26c%23d";
        let Address::D1(address) = Address::parse(text).unwrap() else { panic!("{text}") };
        assert_eq!(address.api.as_ref().map(Url::as_str), Some(api));
        assert_eq!(address.to_text(), text);
    }

    #[test]
    fn servers_on_this_machine_are_known() {
        for (text, local) in [
            ("file:///srv/p.db", false),
            ("d1://0123abc/notes", false),
            ("d1://local/a-b?api=http://127.0.0.1:8787/api", true),
            ("libsql://app-ada.turso.io", false),
            ("http://LOCALHOST:8080", true),
            ("http://[::1]:8080", true),
            ("http://10.0.0.1", false),
        ] {
            let address = Address::parse(text).unwrap();
            assert_eq!(address.is_local_server(), local, "{text}");
            assert_eq!(address.is_unencrypted(), text == "http://10.0.0.1", "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_refused_and_no_secret_is_repeated() {
        for text in [
            "",
            "primary.db",
            "ftp://host/x",
            "d1://account",
            "d1://account/a/b",
            "d1://account/a?token=hush",
            "d1://account/a?api=hush",
            "d1://account/a?api=https://ada:hush@host/",
            "d1://hush@account/a",
            "libsql://host/path",
            "libsql://host?authToken=hush",
            "libsql://host#authToken=hush",
            "https://ada:hush@host",
            "file:///",
            "file://srv/p.db",
            "file:p.db",
            "file://ada:hush@host/p.db",
            "file:///srv/a\0b/p.db",
        ] {
            let error = Address::parse(text).unwrap_err().to_string();
            assert!(!error.contains("hush"), "{error}");
        }
    }
}
