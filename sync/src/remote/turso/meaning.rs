//! Interprets `libsql`'s errors.
//!
//! The types of inner errors are private to the crate, so only their text can be interpreted.
//! Therefore the crate is pinned to one version, and the tests have an example of each text.

use crate::remote::cause::Cause;
use crate::remote::primary::{Denial, Failure, PrimaryError};
use crate::remote::sanitize::{is_web_page, sanitize};
use crate::remote::words;

/// The server that the errors are about.
pub(super) struct Place {
    /// The address.
    pub(super) url: String,
    /// Whether a token is sent.
    pub(super) has_token: bool,
    /// The problem with the source of secrets, if that is why no token is sent.
    pub(super) why_no_token: Option<String>,
}

impl Place {
    pub(super) fn unreachable(&self, failure: Failure, reason: String) -> PrimaryError {
        PrimaryError::Unreachable { url: self.url.clone(), reason, failure }
    }

    pub(super) fn failed(&self, message: &str) -> PrimaryError {
        let (url, message) = (self.url.clone(), sanitize(message));
        PrimaryError::Failed { url, message, cause: Cause::Server }
    }

    fn denied(&self, denial: Denial, message: String) -> PrimaryError {
        PrimaryError::Denied { url: self.url.clone(), denial, message }
    }

    pub(super) fn error(&self, error: &libsql::Error) -> PrimaryError {
        let text = error.to_string();
        let text = text.trim_end_matches('`');
        let libsql::Error::Hrana(_) = error else {
            return match error {
                // The client's own parser failed: nothing was sent.
                libsql::Error::Sqlite3SyntaxError(..)
                | libsql::Error::Sqlite3ParserError(_)
                | libsql::Error::Sqlite3UnsupportedStatement
                | libsql::Error::TransactionalBatchError(_)
                | libsql::Error::Misuse(_) => self.failed(text),
                _ => self.unreachable(Failure::Lost, sanitize(text)),
            };
        };
        let (kind, words) = split(text);
        match kind {
            "http error" => self.http_error(words),
            "api error" => match http_status(words) {
                Some((status, body)) => self.refused(status, body),
                None => self.sql_error(words),
            },
            "stream error" => self.sql_error(words),
            "cursor error" if words.starts_with("error at step") => self.sql_error(words),
            // JSON errors, and unexpected responses.
            _ => {
                let reason = "what answers there is not a libSQL server".to_owned();
                self.unreachable(Failure::Lost, reason)
            }
        }
    }

    fn http_error(&self, words: &str) -> PrimaryError {
        if words.contains("InvalidHeaderValue") {
            let message = "it holds letters that are in no token; was it pasted whole?".to_owned();
            return self.denied(Denial::BadToken, message);
        }
        let failure = if words.starts_with("error trying to connect") {
            Failure::NoConnection
        } else {
            Failure::Lost
        };
        self.unreachable(failure, sanitize(words))
    }

    /// Interprets an HTTP response with an error status.
    fn refused(&self, status: u16, body: &str) -> PrimaryError {
        let url = self.url.clone();
        let message = match sanitize(body) {
            body if body.is_empty() => format!("it answered with HTTP {status}"),
            body => format!("HTTP {status}: {body}"),
        };
        let says = |words: &str| body.contains(words);
        match status {
            403 | 404 if is_web_page(body.as_bytes()) => {
                let reason = format!("what answers there is not a libSQL server (HTTP {status})");
                self.unreachable(Failure::Lost, reason)
            }
            400 if says("Namespace") && says("doesn't exist") => {
                PrimaryError::NoDatabase { url, message }
            }
            400 if says("STREAM_EXPIRED") || says("baton") => {
                self.unreachable(Failure::Transient, message)
            }
            // sqld's answer if a string is not UTF-8. A retry would fail too.
            500 if says("invalid utf-8") => {
                PrimaryError::Failed { url, message, cause: Cause::NotUtf8 }
            }
            401 if !self.has_token => {
                let why = self.why_no_token.clone();
                let why = why.unwrap_or_else(|| "there is no TURSO_AUTH_TOKEN".to_owned());
                self.denied(Denial::NoToken, why)
            }
            401 => self.denied(Denial::BadToken, message),
            403 => self.denied(Denial::Forbidden, message),
            404 => PrimaryError::NoDatabase { url, message },
            429 => self.unreachable(Failure::Busy { retry_after: None }, message),
            408 | 500.. => self.unreachable(Failure::Transient, message),
            400..500 => PrimaryError::Failed { url, message, cause: words::cause_of_request(body) },
            _ => self.unreachable(Failure::Lost, message),
        }
    }

    /// Interprets the server's message about a statement that failed.
    fn sql_error(&self, words: &str) -> PrimaryError {
        if let Some(error) = PrimaryError::from_sqlite(&self.url, words) {
            return error;
        }
        let passing = [
            "SQLITE_BUSY",
            "SQLITE_LOCKED",
            "database is locked",
            "database table is locked",
            "TRANSACTION_BUSY",
            "annot handle additional transactions",
            "TRANSACTION_TIMEOUT",
            "Transaction timed out",
            "PROXY_ERROR",
            "error executing a request on the primary",
            "STREAM_EXPIRED",
        ];
        if passing.iter().any(|passing| words.contains(passing)) {
            self.unreachable(Failure::Transient, sanitize(words))
        } else {
            let (url, message) = (self.url.clone(), sanitize(words));
            PrimaryError::Failed { url, message, cause: words::cause(words) }
        }
    }
}

/// Splits ``Hrana: `KIND: `WORDS`` into its kind and its words.
fn split(text: &str) -> (&str, &str) {
    let text = text.strip_prefix("Hrana: `").unwrap_or(text);
    text.split_once(": `").unwrap_or((text, ""))
}

/// Splits `status=NNN REASON, body=BODY` into the status and the body.
fn http_status(words: &str) -> Option<(u16, &str)> {
    let (status, body) = words.strip_prefix("status=")?.split_once(", body=")?;
    Some((status.get(..3)?.parse().ok()?, body))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meaning(words: &str) -> String {
        let place = Place { url: "u".into(), has_token: true, why_no_token: None };
        let text = format!("{words}`");
        match place.error(&libsql::Error::Hrana(text.into())) {
            PrimaryError::Unreachable { failure, .. } => format!("{failure:?}"),
            PrimaryError::Denied { denial, .. } => format!("{denial:?}"),
            PrimaryError::Refused { refusal, .. } => refusal.name().to_owned(),
            PrimaryError::NoDatabase { .. } => "NoDatabase".into(),
            PrimaryError::NotMigrated { .. } => "NotMigrated".into(),
            PrimaryError::Failed { message, .. } => format!("Failed: {message}"),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn meanings() {
        let stream = |message: &str, code: &str| {
            format!("stream error: `Error {{ message: {message:?}, code: {code:?} }}")
        };
        for (words, expected) in [
            (
                "http error: `error trying to connect: tcp connect error: Connection refused",
                "NoConnection",
            ),
            ("http error: `error trying to connect: dns error: no such host", "NoConnection"),
            ("http error: `connection closed before message completed", "Lost"),
            ("http error: `http::Error(InvalidHeaderValue)", "BadToken"),
            ("json error: `expected value at line 1 column 1", "Lost"),
            ("unexpected response: `Unexpected empty response from server: []", "Lost"),
            ("cursor error: `no result has been returned", "Lost"),
            ("cursor error: `error at step 0: (error code: X) `SQLite error: y", {
                "Failed: error at step 0: (error code: X) `SQLite error: y"
            }),
            ("api error: `SQLite error: fastest:lock_missing", "fastest:lock_missing"),
            ("api error: `SQLite error: no such table: fastest_push", "NotMigrated"),
            (
                "api error: `SQLite error: no such table: x",
                "Failed: SQLite error: no such table: x",
            ),
            ("api error: `Operation was blocked: PLAN", "Failed: Operation was blocked: PLAN"),
            ("api error: `SQLite error: database is locked", "Transient"),
            (&stream("SQLite error: fastest:version_conflict", "SQLITE_CONSTRAINT"), {
                "fastest:version_conflict"
            }),
            (&stream("Transaction timed out", "TRANSACTION_TIMEOUT"), "Transient"),
            (&stream("busy", "SQLITE_BUSY"), "Transient"),
            ("api error: `status=400 Bad Request, body={\"code\":\"STREAM_EXPIRED\"}", "Transient"),
            ("api error: `status=400 Bad Request, body=Received an invalid baton", "Transient"),
            ("api error: `status=400 Bad Request, body=x", "Failed: HTTP 400: x"),
            (
                "api error: `status=400 Bad Request, body={\"error\":\"Namespace `x` doesn't exist\"}",
                { "NoDatabase" },
            ),
            ("api error: `status=401 Unauthorized, body={}", "BadToken"),
            ("api error: `status=403 Forbidden, body={}", "Forbidden"),
            ("api error: `status=404 Not Found, body=", "NoDatabase"),
            ("api error: `status=403 Forbidden, body= <!DOCTYPE html>", "Lost"),
            ("api error: `status=429 Too Many Requests, body=", "Busy { retry_after: None }"),
            (
                "api error: `status=500 Internal Server Error, body=invalid utf-8 sequence",
                "Failed: HTTP 500: invalid utf-8 sequence",
            ),
            ("api error: `status=503 Service Unavailable, body=<html>", "Transient"),
            ("api error: `status=302 Found, body=", "Lost"),
            ("api error: `status=204 No Content, body=", "Lost"),
            ("", "Lost"),
        ] {
            assert_eq!(meaning(words), expected, "{words}");
        }
    }
}
