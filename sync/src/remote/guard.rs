//! The layer between the engine and a remote that
//! [`Remote::open`](crate::remote::open::Remote::open) opens.
//!
//! Every request passes here once, outside of its retries. It is logged (what, how long, how it
//! ended), and secrets are removed from its error, because a server may repeat the headers that it
//! was sent. Parameters, headers and answers are never logged.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use futures_util::{StreamExt as _, TryStreamExt as _};
use tracing::{debug, info, trace};

use crate::base::world::{Stopwatch, World};
use crate::remote::pack_store::store::{PackStore, PackStoreError, PackStream};
use crate::remote::primary::{Primary, PrimaryError, Rows};
use crate::remote::sanitize::sanitize;
use crate::remote::secret::{Secret, Secrets};
use crate::remote::statement::Statement;

/// A prefix of a secret of this length counts as a leak. Shorter secrets are ignored, because they may
/// be a part of any text.
const TELLTALE_CHARS: usize = 8;

/// Hands out secrets, and remembers which, so that they can be removed from errors.
#[derive(Debug)]
pub(crate) struct IssuedSecrets<'a> {
    from: &'a dyn Secrets,
    given: Mutex<Vec<Secret>>,
}

/// Ignores a poisoned lock, because the list of secrets is complete even after a panic.
fn lock(secrets: &Mutex<Vec<Secret>>) -> MutexGuard<'_, Vec<Secret>> {
    secrets.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<'a> IssuedSecrets<'a> {
    pub(crate) fn new(from: &'a dyn Secrets) -> Self {
        Self { from, given: Mutex::default() }
    }

    /// Removes the secrets that were handed out from an error.
    pub(crate) fn clean(&self, error: PrimaryError) -> PrimaryError {
        clean_primary(error, &lock(&self.given))
    }

    /// Removes the secrets that were handed out from the error of a pack store.
    pub(crate) fn clean_packs(&self, error: PackStoreError) -> PackStoreError {
        clean_packs(error, &lock(&self.given))
    }

    /// Wraps a primary and a pack store that were opened with these secrets.
    pub(crate) fn guard(
        self,
        primary: Arc<dyn Primary>,
        packs: Arc<dyn PackStore>,
    ) -> (Arc<dyn Primary>, Arc<dyn PackStore>) {
        let secrets = self.given.into_inner().unwrap_or_else(PoisonError::into_inner);
        let world = primary.world().clone();
        let packs = GuardedPacks { inner: packs, world, secrets: secrets.clone() };
        (Arc::new(GuardedPrimary { inner: primary, secrets }), Arc::new(packs))
    }
}

impl Secrets for IssuedSecrets<'_> {
    fn get(&self, name: &str, url: &str) -> Result<Option<Secret>, String> {
        let secret = self.from.get(name, url)?;
        lock(&self.given).extend(secret.clone());
        Ok(secret)
    }
}

struct GuardedPrimary {
    inner: Arc<dyn Primary>,
    secrets: Vec<Secret>,
}

#[async_trait]
impl Primary for GuardedPrimary {
    fn url(&self) -> &str {
        self.inner.url()
    }

    fn world(&self) -> &World {
        self.inner.world()
    }

    async fn run(
        &self,
        statement: Statement<'_>,
        parameters: &[&str],
    ) -> Result<Rows, PrimaryError> {
        let stopwatch = self.world().stopwatch();
        let answer = self.inner.run(statement, parameters).await;
        let answer = answer.map_err(|error| clean_primary(error, &self.secrets));
        let (url, sql, ms) = (self.url(), statement.sql, elapsed_ms(&stopwatch));
        let statement = beginning(sql);
        match &answer {
            Ok(rows) => debug!(%url, statement, ms, rows = rows.len(), "statement run"),
            Err(error) => debug!(%url, statement, ms, %error, "statement failed"),
        }
        trace!(sql, "in full");
        answer
    }

    fn sanitize(&self, text: &str) -> String {
        scrub(sanitize(text), &self.secrets)
    }

    async fn migrate(&self, name: &str, statements: &[&str]) -> Result<(), PrimaryError> {
        let stopwatch = self.world().stopwatch();
        let done = self.inner.migrate(name, statements).await;
        let done = done.map_err(|error| clean_primary(error, &self.secrets));
        let (url, ms) = (self.url(), elapsed_ms(&stopwatch));
        match &done {
            Ok(()) => info!(%url, name, ms, "migration applied"),
            Err(error) => info!(%url, name, ms, %error, "migration failed"),
        }
        done
    }
}

struct GuardedPacks {
    inner: Arc<dyn PackStore>,
    world: World,
    secrets: Vec<Secret>,
}

impl GuardedPacks {
    /// Logs how a request ended, and removes secrets from its error.
    fn ended<T>(
        &self,
        what: &str,
        key: &str,
        stopwatch: &Stopwatch,
        answer: Result<T, PackStoreError>,
    ) -> Result<T, PackStoreError> {
        let answer = answer.map_err(|error| clean_packs(error, &self.secrets));
        let (place, ms) = (self.inner.place(), elapsed_ms(stopwatch));
        // A part of the key comes from the primary.
        let key = self.sanitize(key);
        match &answer {
            Ok(_) => debug!(place, key, ms, "{what}"),
            Err(error) => debug!(place, key, ms, %error, "{what}: failed"),
        }
        answer
    }
}

#[async_trait]
impl PackStore for GuardedPacks {
    fn place(&self) -> &str {
        self.inner.place()
    }

    async fn put(&self, key: &str, from: &Path) -> Result<bool, PackStoreError> {
        let stopwatch = self.world.stopwatch();
        let answer = self.inner.put(key, from).await;
        self.ended("pack stored", key, &stopwatch, answer)
    }

    async fn replace(&self, key: &str, from: &Path) -> Result<(), PackStoreError> {
        let stopwatch = self.world.stopwatch();
        let answer = self.inner.replace(key, from).await;
        self.ended("pack replaced", key, &stopwatch, answer)
    }

    async fn get(&self, key: &str, from: u64) -> Result<PackStream, PackStoreError> {
        let stopwatch = self.world.stopwatch();
        let answer = self.inner.get(key, from).await;
        let stream = self.ended("pack begun to be fetched", key, &stopwatch, answer)?;
        let secrets = self.secrets.clone();
        Ok(stream.map_err(move |error| clean_packs(error, &secrets)).boxed())
    }

    fn sanitize(&self, text: &str) -> String {
        scrub(sanitize(text), &self.secrets)
    }

    async fn check(&self) -> Result<(), PackStoreError> {
        let stopwatch = self.world.stopwatch();
        let answer = self.inner.check().await;
        self.ended("pack store checked", "", &stopwatch, answer)
    }
}

/// Returns the first line of a statement, up to 48 characters, which is enough to recognise it.
/// Values are not in it, because they are parameters.
fn beginning(sql: &str) -> &str {
    let sql = sql.trim_start();
    let end = sql.char_indices().nth(48).map_or(sql.len(), |(at, _)| at);
    sql[..end].lines().next().unwrap_or_default()
}

fn elapsed_ms(stopwatch: &Stopwatch) -> f64 {
    (stopwatch.passed().as_secs_f64() * 1e4).round() / 10.0
}

/// Removes secrets from the texts of an error. Each new variant must be added here.
fn clean_primary(error: PrimaryError, secrets: &[Secret]) -> PrimaryError {
    use PrimaryError::*;
    let clean = |text: String| scrub(text, secrets);
    match error {
        Unreachable { url, reason, failure } => Unreachable { url, reason: clean(reason), failure },
        Denied { url, denial, message } => Denied { url, denial, message: clean(message) },
        NoDatabase { url, message } => NoDatabase { url, message: clean(message) },
        Failed { url, message, cause } => {
            Failed { url, message: clean(message), cause: cause.cleaned(clean) }
        }
        Inconsistent { url, what } => Inconsistent { url, what: clean(what) },
        Occupied { url, what } => Occupied { url, what: clean(what) },
        Newer { url, found } => Newer { url, found: clean(found) },
        BadUrl { url, reason } => BadUrl { url, reason: clean(reason) },
        error @ (Refused { .. } | NotMigrated { .. } | Behind { .. } | NoFolder { .. }) => error,
    }
}

fn clean_packs(error: PackStoreError, secrets: &[Secret]) -> PackStoreError {
    use PackStoreError::*;
    let clean = |text: String| scrub(text, secrets);
    match error {
        Unreachable { place, reason } => Unreachable { place, reason: clean(reason) },
        Denied { place, reason } => Denied { place, reason: clean(reason) },
        Failed { place, reason } => Failed { place, reason: clean(reason) },
        BadUrl { url, reason } => BadUrl { url, reason: clean(reason) },
        // A key contains the owner of a project, whose id the primary sends.
        Missing { key, place } => Missing { key: clean(sanitize(&key)), place },
        BadKey { key } => BadKey { key: clean(sanitize(&key)) },
        NoStore { key } => NoStore { key: clean(sanitize(&key)) },
        error @ Io { .. } => error,
    }
}

/// Replaces secrets in a text by `…`, and prefixes of them too, because a message may have been cut
/// short.
fn scrub(text: String, secrets: &[Secret]) -> String {
    secrets.iter().fold(text, |text, secret| without(text, secret.expose()))
}

fn without(text: String, secret: &str) -> String {
    let Some((end, _)) = secret.char_indices().nth(TELLTALE_CHARS - 1) else { return text };
    let end = end + secret[end..].chars().next().map_or(0, char::len_utf8);
    let (mut clean, mut rest) = (String::new(), text.as_str());
    while let Some(at) = rest.find(&secret[..end]) {
        clean.push_str(&rest[..at]);
        clean.push('…');
        let same = rest[at..].chars().zip(secret.chars()).take_while(|(a, b)| a == b);
        rest = &rest[at + same.map(|(letter, _)| letter.len_utf8()).sum::<usize>()..];
    }
    if clean.is_empty() { text } else { clean + rest }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_taken_out() {
        let secrets = [Secret::new("0123456789abcdef"), Secret::new("hush")];
        let clean = |text: &str| scrub(text.to_owned(), &secrets);
        assert_eq!(clean("Bearer 0123456789abcdef, of hush"), "Bearer …, of hush");
        assert_eq!(clean("0123456789abcdef0123456789abcdef"), "……");
        // Cut short, or followed by more.
        assert_eq!(clean("Bearer 0123456789ab"), "Bearer …");
        assert_eq!(clean("01234567"), "…");
        assert_eq!(clean("é 0123456789é"), "é …é");
        assert_eq!(clean("0123456"), "0123456");
    }

    #[test]
    fn statements_are_told_apart() {
        assert_eq!(beginning("\n SELECT 1\nFROM x"), "SELECT 1");
        assert_eq!(beginning(&"é".repeat(99)), "é".repeat(48));
    }
}
