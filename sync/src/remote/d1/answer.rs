//! Interprets D1's answers.
//!
//! The body counts for more than the status. `wrangler dev` sends SQL errors with status 500 and
//! code 10001, which at Cloudflare is the code of a bad token; Cloudflare sends them with status
//! 400 and code 7500. The messages are those of
//! <https://developers.cloudflare.com/d1/observability/debug-d1/>.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::remote::primary::{Denial, Failure, PrimaryError, Rows};
use crate::remote::sanitize::{is_web_page, sanitize};
use crate::remote::words;

/// The longest `Retry-After` that is obeyed. A longer one is cut to this.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// The server that answers.
pub(super) struct Place {
    /// The address as the user writes it.
    pub(super) url: String,
    /// Whether it is Cloudflare's own API, whose codes are known.
    pub(super) is_cloudflare: bool,
}

/// An answer as it arrived.
#[derive(Debug, Default)]
pub(super) struct Answer {
    /// When it arrived.
    pub(super) at: Timestamp,
    pub(super) status: u16,
    pub(super) retry_after: Option<Duration>,
    /// Cloudflare's id of the request, which its support asks for.
    pub(super) ray: Option<String>,
    pub(super) body: Vec<u8>,
}

#[derive(Deserialize)]
struct Envelope<T> {
    success: bool,
    #[serde(default = "Vec::new")]
    errors: Vec<ApiError>,
    #[serde(default = "Option::default")]
    result: Option<T>,
}

#[derive(Deserialize)]
struct ApiError {
    #[serde(default)]
    code: i64,
    #[serde(default)]
    message: String,
}

#[derive(Deserialize)]
struct StatementResult {
    results: RawRows,
}

#[derive(Deserialize)]
struct RawRows {
    rows: Vec<Vec<Cell>>,
}

impl Place {
    pub(super) fn unreachable(&self, failure: Failure, reason: String) -> PrimaryError {
        PrimaryError::Unreachable { url: self.url.clone(), reason, failure }
    }

    pub(super) fn denied(&self, denial: Denial, message: &str) -> PrimaryError {
        PrimaryError::Denied { url: self.url.clone(), denial, message: message.to_owned() }
    }
}

/// Returns the rows of the last statement of a request to `/raw`.
pub(super) fn rows(place: &Place, answer: &Answer) -> Result<Rows, PrimaryError> {
    let mut results: Vec<StatementResult> = result(place, answer)?;
    let Some(last) = results.pop() else { return Err(garbage(place, answer)) };
    let text = |cell: Cell| match cell {
        Cell::Text(text) => Ok(Some(text)),
        Cell::Null => Ok(None),
        Cell::Other => {
            let what = "a cell that is neither text nor number nor null".to_owned();
            Err(PrimaryError::Inconsistent { url: place.url.clone(), what })
        }
    };
    last.results.rows.into_iter().map(|row| row.into_iter().map(text).collect()).collect()
}

/// Returns the `result` of an answer, or the error that it means.
pub(super) fn result<T: for<'de> Deserialize<'de>>(
    place: &Place,
    answer: &Answer,
) -> Result<T, PrimaryError> {
    // First without the result, which has another form in a failure.
    match serde_json::from_slice::<Envelope<IgnoredAny>>(&answer.body) {
        Ok(envelope) if envelope.success && (200..300).contains(&answer.status) => {
            let parsed = serde_json::from_slice::<Envelope<T>>(&answer.body);
            let result = parsed.ok().and_then(|envelope| envelope.result);
            result.ok_or_else(|| garbage(place, answer))
        }
        Ok(envelope) if !envelope.success && !envelope.errors.is_empty() => {
            Err(api_error(place, answer, &envelope.errors))
        }
        _ => Err(by_status(place, answer, None)),
    }
}

/// Returns the error for an answer that is not D1's. It is not known whether the statement ran.
fn garbage(place: &Place, answer: &Answer) -> PrimaryError {
    let mut reason = format!("what answers there is not D1's API (HTTP {})", answer.status);
    if let Some(ray) = &answer.ray {
        reason = format!("{reason}, cf-ray {}", sanitize(ray));
    }
    place.unreachable(Failure::Lost, reason)
}

fn api_error(place: &Place, answer: &Answer, errors: &[ApiError]) -> PrimaryError {
    let messages: Vec<&str> = errors.iter().map(|error| error.message.as_str()).collect();
    let message = messages.join("; ");
    if let Some(error) = PrimaryError::from_sqlite(&place.url, &message) {
        return error;
    }
    // Checked before the server's own messages, because a trigger may raise a message like theirs.
    if message.contains(": SQLITE_CONSTRAINT") {
        let (url, cause) = (place.url.clone(), words::constraint(&message));
        return PrimaryError::Failed { url, message: sanitize(&message), cause };
    }
    if let Some(failure) = momentary(&message, answer) {
        return place.unreachable(failure, with_ray(answer, sanitize(&message)));
    }
    let said = sanitize(&message);
    let url = place.url.clone();
    // Cloudflare's codes say more than the status.
    let codes = errors.iter().map(|error| error.code).filter(|_| place.is_cloudflare);
    for code in codes {
        match (code, answer.status) {
            (7403, _) | (10000, 403) => return place.denied(Denial::Forbidden, &said),
            (9109, 403) if message.contains("Unauthorized to access") => {
                return place.denied(Denial::Forbidden, &said);
            }
            (1000 | 1001 | 6003 | 6111 | 9109 | 10000 | 10001, _) => {
                return place.denied(Denial::BadToken, &said);
            }
            (7003 | 7404, _) => return PrimaryError::NoDatabase { url, message: said },
            (971, _) => {
                let failure = Failure::Busy { retry_after: answer.retry_after };
                return place.unreachable(failure, said);
            }
            _ => {}
        }
    }
    if message.contains("D1_ERROR") || message.contains("SQLITE_") {
        PrimaryError::Failed { url, cause: words::cause(&message), message: said }
    } else {
        by_status(place, answer, Some(said))
    }
}

/// Returns in what way an error is temporary; `None` if its message does not say that it is.
fn momentary(message: &str, answer: &Answer) -> Option<Failure> {
    let says = |words: &[&str]| words.iter().any(|words| message.contains(words));
    // The statement never ran.
    if says(&["overloaded"]) {
        return Some(Failure::Busy { retry_after: answer.retry_after });
    }
    if says(&["free tier daily"]) {
        return Some(Failure::Busy { retry_after: Some(until_midnight(answer.at)) });
    }
    // The statement may have run.
    let passing = [
        "Network connection lost",
        "reset because its code was updated",
        "storage caused object to be reset",
        "Cannot resolve D1 DB",
        "client disconnected",
        "exceeded timeout which caused object to be reset",
        "exceeded its memory limit",
        "exceeded its CPU time limit",
        "internal error; reference",
    ];
    says(&passing).then_some(Failure::Transient)
}

/// Returns the time until midnight UTC, when the limits of free plans are reset.
fn until_midnight(now: Timestamp) -> Duration {
    const DAY_S: i64 = 24 * 60 * 60;
    Duration::from_secs((DAY_S - now.as_second().rem_euclid(DAY_S)).unsigned_abs())
}

/// Interprets the status of an answer whose body says nothing more.
fn by_status(place: &Place, answer: &Answer, message: Option<String>) -> PrimaryError {
    let status = answer.status;
    let url = place.url.clone();
    let message = message.unwrap_or_else(|| format!("it answered with HTTP {status}"));
    match status {
        200..300 => garbage(place, answer),
        403 | 404 if is_web_page(&answer.body) => garbage(place, answer),
        300..400 => {
            let reason = format!("it sends us elsewhere (HTTP {status}): is a login page between?");
            place.unreachable(Failure::Lost, reason)
        }
        401 => place.denied(Denial::BadToken, &message),
        403 => place.denied(Denial::Forbidden, &message),
        404 => PrimaryError::NoDatabase { url, message },
        408 => place.unreachable(Failure::Transient, with_ray(answer, message)),
        429 => {
            let failure = Failure::Busy { retry_after: answer.retry_after };
            place.unreachable(failure, with_ray(answer, message))
        }
        400..500 => {
            let cause = words::cause_of_request(&message);
            PrimaryError::Failed { url, message, cause }
        }
        _ => place.unreachable(Failure::Transient, with_ray(answer, message)),
    }
}

fn with_ray(answer: &Answer, message: String) -> String {
    match &answer.ray {
        Some(ray) => format!("{message} (cf-ray {})", sanitize(ray)),
        None => message,
    }
}

/// Parses `Retry-After`: seconds, or a date (RFC 9110, 10.2.3).
pub(super) fn retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    let seconds = match text.trim().parse::<u64>() {
        Ok(seconds) => seconds,
        Err(_) => {
            let parser = jiff::fmt::rfc2822::DateTimeParser::new();
            let at = parser.parse_timestamp(text.trim()).ok()?;
            u64::try_from(at.as_second().saturating_sub(now.as_second())).unwrap_or(0)
        }
    };
    Some(Duration::from_secs(seconds).min(RETRY_AFTER_MAX))
}

/// A cell of a row. A number is converted to text.
enum Cell {
    Text(String),
    Null,
    /// A blob, which arrives as a list of numbers, or a kind of JSON that no SQLite value becomes.
    Other,
}

impl<'de> Deserialize<'de> for Cell {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(CellVisitor)
    }
}

struct CellVisitor;

impl<'de> Visitor<'de> for CellVisitor {
    type Value = Cell;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a cell")
    }

    fn visit_str<E>(self, text: &str) -> Result<Cell, E> {
        Ok(Cell::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Cell, E> {
        Ok(Cell::Text(text))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Cell, E> {
        Ok(Cell::Text(number.to_string()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Cell, E> {
        Ok(Cell::Text(number.to_string()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Cell, E> {
        Ok(Cell::Text(number.to_string()))
    }

    fn visit_unit<E>(self) -> Result<Cell, E> {
        Ok(Cell::Null)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Cell, E> {
        Ok(Cell::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Cell, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Cell::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Cell, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Cell::Other)
    }
}

#[cfg(test)]
mod tests;
