//! Addresses of pack stores, as users write them.
//!
//! ```text
//! file:///FOLDER
//! s3://BUCKET[/PREFIX][?endpoint=https://…&region=…]   S3, R2, MinIO
//! ```

use std::path::PathBuf;

use url::Url;

use crate::remote::pack_store::store::PackStoreError;

/// Where packs are stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PackAddress {
    /// A folder.
    Directory(PathBuf),
    /// A bucket on S3 or a compatible service.
    S3(S3Address),
}

/// A place in a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct S3Address {
    /// The bucket.
    pub bucket: String,
    /// The prefix of all keys, without leading or trailing slashes. It may be empty.
    pub prefix: String,
    /// The server, if it is not Amazon's.
    pub endpoint: Option<String>,
    /// The region. R2 has only one, `auto`.
    pub region: Option<String>,
}

impl PackAddress {
    /// Parses an address.
    pub fn parse(text: &str) -> Result<Self, PackStoreError> {
        let bad = |reason: &str| PackStoreError::BadUrl {
            url: crate::remote::address::shown(text),
            reason: reason.to_owned(),
        };
        if let Some(path) = crate::remote::address::file_path(text) {
            let path = path.map_err(bad)?;
            return if path.exists() && !path.is_dir() {
                Err(bad("it names a file; name a folder"))
            } else {
                Ok(Self::Directory(path))
            };
        }
        let url = Url::parse(text)
            .map_err(|_| bad("write file:///folder or s3://BUCKET/PREFIX?endpoint=https://…"))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(bad("keys have their place in the environment, not in an address"));
        }
        match url.scheme() {
            "s3" => s3(&url).map(Self::S3).map_err(bad),
            _ => Err(bad("it begins with neither file:// nor s3://")),
        }
    }
}

fn s3(url: &Url) -> Result<S3Address, &'static str> {
    let bucket = url.host_str().filter(|host| !host.is_empty()).ok_or("it names no bucket")?;
    let prefix = url.path().trim_matches('/');
    let plain = |part: &str| {
        !part.is_empty()
            && part != "."
            && part != ".."
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
    };
    if !plain(bucket) || !(prefix.is_empty() || prefix.split('/').all(plain)) {
        return Err("a bucket and a prefix have letters, digits, `-`, `_` and `.`");
    }
    let mut address = S3Address {
        bucket: bucket.to_owned(),
        prefix: prefix.to_owned(),
        endpoint: None,
        region: None,
    };
    for (key, value) in url.query_pairs() {
        match &*key {
            "endpoint" => {
                let server = Url::parse(&value).ok().filter(|server| {
                    matches!(server.scheme(), "http" | "https")
                        && server.username().is_empty()
                        && server.password().is_none()
                        && server.query().is_none()
                });
                let server = server.ok_or("`endpoint` must be an http:// or https:// address")?;
                address.endpoint = Some(server.as_str().trim_end_matches('/').to_owned());
            }
            "region" if plain(&value) => address.region = Some(value.into_owned()),
            _ => return Err("nothing but `endpoint` and `region` may follow the `?`"),
        }
    }
    Ok(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let s3 = |prefix: &str, endpoint: Option<&str>, region: Option<&str>| {
            PackAddress::S3(S3Address {
                bucket: "packs".into(),
                prefix: prefix.into(),
                endpoint: endpoint.map(Into::into),
                region: region.map(Into::into),
            })
        };
        for (text, expected) in [
            ("file:///srv/packs", PackAddress::Directory("/srv/packs".into())),
            ("file:///srv/a#b?c%20d/", PackAddress::Directory("/srv/a#b?c d/".into())),
            ("s3://packs", s3("", None, None)),
            ("s3://packs/a/b/", s3("a/b", None, None)),
            (
                "s3://packs/team?endpoint=https://x.r2.cloudflarestorage.com&region=auto",
                s3("team", Some("https://x.r2.cloudflarestorage.com"), Some("auto")),
            ),
        ] {
            assert_eq!(PackAddress::parse(text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_refused_and_no_secret_is_repeated() {
        for text in [
            "",
            "packs",
            "ftp://packs",
            "s3://",
            "s3://key:hush@packs",
            "s3://packs/../x y",
            "s3://packs?secret=hush",
            "s3://packs?endpoint=hush",
            "s3://packs?endpoint=https://a:hush@b",
        ] {
            let error = PackAddress::parse(text).unwrap_err().to_string();
            assert!(!error.contains("hush"), "{error}");
        }
    }
}
