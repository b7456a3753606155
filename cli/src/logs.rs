//! Logs on stderr, if `FASTEST_LOG` asks for them.
//!
//! Only our own events are shown, whatever the filter says: libraries log headers and messages, and
//! with them tokens.

use std::{env, io};

use tracing_subscriber::filter::{EnvFilter, filter_fn};
use tracing_subscriber::fmt;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::error::CliError;

const VARIABLE: &str = "FASTEST_LOG";

/// The filter, if one is set.
fn filter() -> Option<String> {
    let text = env::var_os(VARIABLE)?.to_string_lossy().into_owned();
    Some(text).filter(|text| !text.trim().is_empty())
}

/// Whether logs are on. No progress bar is shown then.
pub fn are_on() -> bool {
    filter().is_some()
}

/// Turns on logs if they are asked for.
pub fn init(color: bool) -> Result<(), CliError> {
    let Some(text) = filter() else { return Ok(()) };
    let filter = EnvFilter::builder().parse(&text).map_err(|error| CliError::BadVariable {
        name: VARIABLE,
        why: format!("{text:?} is no filter of logs: {error}"),
    })?;
    let ours = filter_fn(|event| {
        let root = event.target().split("::").next();
        matches!(root, Some("fastest" | "fastest_sync" | "fastest_core" | "fastest_schema"))
    });
    let lines = fmt::layer()
        .with_writer(io::stderr)
        .with_ansi(color)
        // It would report a failure of stderr on stderr, and panic.
        .log_internal_errors(false);
    tracing_subscriber::registry().with(lines.with_filter(ours)).with(filter).init();
    Ok(())
}
