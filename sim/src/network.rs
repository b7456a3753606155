//! The way from a device to a primary, and what happens on it.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use fastest_sync::remote::pack_store::store::{PackStore, PackStoreError, PackStream};
use fastest_sync::remote::primary::{Failure, Primary, PrimaryError, Rows};
use fastest_sync::remote::retry::{RetryPolicy, Retrying};
use fastest_sync::remote::statement::{Effect, Statement};
use fastest_sync::{Remote, World};

use crate::baton::Runner;
use crate::events::{Events, digest};

/// What happens to one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// There is no connection.
    NoConnection,
    /// The request is lost on its way, and the device cannot tell.
    LostBefore,
    /// The answer is lost: the statement was run.
    LostAfter,
    /// The primary asks for less load, and does nothing.
    Busy,
    /// The primary ran the statement, and says that it failed for the moment.
    Transient,
    /// The request arrives twice.
    Twice,
    /// The request arrives when nobody waits for it any more: see [`Line::deliver`].
    Late,
    /// The device gets the answer to its previous request.
    Stray,
    /// The answer is damaged on its way.
    Garbled,
    /// The device dies after the primary ran the statement: it gets no answer, and reaches nobody from
    /// then on.
    Death,
}

/// All faults, for a random choice.
pub const FAULTS: [Fault; 10] = [
    Fault::NoConnection,
    Fault::LostBefore,
    Fault::LostAfter,
    Fault::Busy,
    Fault::Transient,
    Fault::Twice,
    Fault::Late,
    Fault::Stray,
    Fault::Garbled,
    Fault::Death,
];

/// How a command ended, as far as its requests are concerned.
#[derive(Debug, Clone, Default)]
pub struct Ended {
    /// How many requests it made.
    pub requests: u32,
    /// The faults that its requests met. Not all that were planned, if it made fewer requests.
    pub met: Vec<Fault>,
}

impl Ended {
    /// Whether the device died.
    pub fn died(&self) -> bool {
        self.met.contains(&Fault::Death)
    }

    /// Whether the command may have failed. `is_unreachable` says whether it failed for lack of a
    /// connection; it may not have noticed anything else, unless an answer was damaged.
    pub fn excuses(&self, is_unreachable: bool) -> bool {
        self.met.contains(&Fault::Garbled) || is_unreachable && !self.met.is_empty()
    }
}

/// Whether a fault changes what happens to a pack. A pack is sent again as it is, and one that is damaged
/// or another one is refused by its hash, which tests of the pack stores are about.
fn is_of_packs(fault: Fault) -> bool {
    !matches!(fault, Fault::Twice | Fault::Stray | Fault::Garbled)
}

/// A fault for the request with this number in a command, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Planned {
    /// The request.
    pub request: u8,
    /// What happens to it.
    pub fault: Fault,
}

/// A request that is still on its way.
struct Letter {
    sql: String,
    effect: Effect,
    parameters: Vec<String>,
}

#[derive(Default)]
struct State {
    plan: Vec<Planned>,
    /// Requests of the running command, and the faults that they met.
    ended: Ended,
    is_dead: bool,
    last_answer: Option<Rows>,
    /// Set while another command runs at the same time.
    runner: Option<Runner>,
    late: VecDeque<Letter>,
}

/// The way of one device to a primary and its packs. Clones are the same way.
#[derive(Clone)]
pub struct Line {
    name: Arc<str>,
    primary: Arc<dyn Primary>,
    /// Whether a command has opened this primary, so that the next one finds it open.
    is_open: bool,
    state: Arc<Mutex<State>>,
    events: Events,
}

impl Line {
    /// Makes the way of the device `name` to a primary.
    pub fn new(name: &str, primary: Arc<dyn Primary>, events: Events) -> Self {
        Self { name: name.into(), primary, is_open: false, state: Arc::default(), events }
    }

    /// Sets the primary that it leads to.
    pub fn set_primary(&mut self, primary: Arc<dyn Primary>) {
        self.primary = primary;
    }

    /// Returns the same way to a remote that was opened anew. Its primary stays open, since to open one
    /// takes longer than most commands do.
    pub fn over(&mut self, remote: Remote) -> Remote {
        if !std::mem::replace(&mut self.is_open, true) {
            self.primary = Arc::clone(&remote.primary);
        }
        let primary = Arc::new(Retrying::new(self.clone(), RetryPolicy::default()));
        let packs = Arc::new(Parcels { packs: Arc::clone(&remote.packs), line: self.clone() });
        Remote { primary, packs, ..remote }
    }

    /// Lets the next command open its primary. Until then, late requests go to `primary`.
    pub fn hang_up(&mut self, primary: Arc<dyn Primary>) {
        (self.primary, self.is_open) = (primary, false);
    }

    /// Begins a command, with the faults that its requests meet.
    pub fn begin(&self, plan: &[Planned]) {
        let mut state = self.state();
        (state.plan, state.ended, state.is_dead) = (plan.to_vec(), Ended::default(), false);
    }

    /// Sets, or with `None` forgets, as which of two commands the next one runs.
    pub fn set_runner(&self, runner: Option<Runner>) {
        self.state().runner = runner;
    }

    /// Ends a command.
    pub fn end(&self) -> Ended {
        let mut state = self.state();
        state.plan.clear();
        state.is_dead = false;
        std::mem::take(&mut state.ended)
    }

    /// Lets all late requests arrive.
    pub async fn deliver(&self) {
        loop {
            let letter = self.state().late.pop_front();
            let Some(Letter { sql, effect, parameters }) = letter else { return };
            let parameters: Vec<&str> = parameters.iter().map(String::as_str).collect();
            let answer = self.primary.run(Statement { sql: &sql, effect }, &parameters).await;
            self.note("late", &sql, &parameters, &answer);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns what happens to the next request, if `can_happen` to it.
    fn next_fault(&self, can_happen: fn(Fault) -> bool) -> Option<Fault> {
        let runner = self.state().runner.clone();
        if let Some(runner) = runner {
            runner.pass();
        }
        let mut state = self.state();
        if state.is_dead {
            return Some(Fault::NoConnection);
        }
        let number = state.ended.requests;
        state.ended.requests += 1;
        let planned = state.plan.iter().find(|planned| u32::from(planned.request) == number);
        let fault = planned.map(|planned| planned.fault).filter(|fault| can_happen(*fault));
        state.is_dead = fault == Some(Fault::Death);
        state.ended.met.extend(fault);
        fault
    }

    fn note(&self, how: &str, sql: &str, parameters: &[&str], answer: &Result<Rows, PrimaryError>) {
        let beginning: String = sql.trim_start().chars().take(24).collect();
        let beginning = beginning.replace('\n', " ");
        let parameters: Vec<String> = parameters.iter().map(|it| self.events.plain(it)).collect();
        let sent = digest(&(sql, parameters));
        let answer = match answer {
            Ok(rows) => {
                let text = self.events.plain(&format!("{rows:?}"));
                format!("{} rows {}", rows.len(), digest(&text))
            }
            Err(error) => self.events.plain(&error.to_string()),
        };
        self.events.add(format!("{} {how} {beginning} {sent} -> {answer}", self.name));
    }

    fn unreachable(&self, failure: Failure) -> PrimaryError {
        let reason = "as planned".to_owned();
        PrimaryError::Unreachable { url: self.primary.url().to_owned(), reason, failure }
    }
}

#[async_trait]
impl Primary for Line {
    fn url(&self) -> &str {
        self.primary.url()
    }

    fn world(&self) -> &World {
        self.primary.world()
    }

    async fn run(
        &self,
        statement: Statement<'_>,
        parameters: &[&str],
    ) -> Result<Rows, PrimaryError> {
        let fault = self.next_fault(|_| true);
        let parameters = &*with_small_pages(statement, parameters);
        let ask = || self.primary.run(statement, parameters);
        let answer = match fault {
            None => ask().await,
            Some(Fault::NoConnection) => Err(self.unreachable(Failure::NoConnection)),
            Some(Fault::LostBefore) => Err(self.unreachable(Failure::Lost)),
            Some(Fault::Busy) => Err(self.unreachable(Failure::Busy { retry_after: None })),
            Some(Fault::LostAfter | Fault::Death) => {
                let answer = ask().await;
                self.note("unheard", statement.sql, parameters, &answer);
                Err(self.unreachable(Failure::Lost))
            }
            Some(Fault::Transient) => {
                let answer = ask().await;
                self.note("unheard", statement.sql, parameters, &answer);
                Err(self.unreachable(Failure::Transient))
            }
            Some(Fault::Twice) => {
                let first = ask().await;
                let again = statement.effect.is_repeatable();
                if again { ask().await } else { first }
            }
            Some(Fault::Late) => {
                if statement.effect != Effect::Reads {
                    let parameters = parameters.iter().map(|&text| text.to_owned()).collect();
                    let (sql, effect) = (statement.sql.to_owned(), statement.effect);
                    self.state().late.push_back(Letter { sql, effect, parameters });
                }
                Err(self.unreachable(Failure::Lost))
            }
            Some(Fault::Garbled) => ask().await.map(garbled),
            Some(Fault::Stray) => {
                let last = self.state().last_answer.take();
                match (last, ask().await) {
                    (Some(stray), Ok(_)) => Ok(stray),
                    (_, answer) => answer,
                }
            }
        };
        let how = fault.map_or_else(|| "asks".to_owned(), |fault| format!("asks ({fault:?})"));
        self.note(&how, statement.sql, parameters, &answer);
        if let Ok(rows) = &answer {
            self.state().last_answer = Some(rows.clone());
        }
        answer
    }

    async fn migrate(&self, name: &str, statements: &[&str]) -> Result<(), PrimaryError> {
        self.primary.migrate(name, statements).await
    }
}

/// The most changes in a page of an application's rows, and of a project's. The runs have few rows, and
/// more than one page is to be pulled, but not more than a device believes.
const PAGE_ROWS: [&str; 2] = ["6", "40"];

/// Returns the parameters of a statement, with smaller pages if it is a pull.
fn with_small_pages<'a>(statement: Statement<'_>, parameters: &[&'a str]) -> Vec<&'a str> {
    let mut parameters = parameters.to_vec();
    // The third one is the most rows (`fastest_schema::pull_sql`).
    if let (true, [_, _, rows, ..]) = (statement.sql.contains("fastest_page"), &mut *parameters) {
        *rows = PAGE_ROWS[usize::from(statement.sql.contains("fastest_packs"))];
    }
    parameters
}

/// Damages an answer: its last text is cut off. If that is short, the last cell is missing.
fn garbled(mut answer: Rows) -> Rows {
    if let Some(row) = answer.last_mut() {
        match row.last_mut() {
            Some(Some(text)) if text.len() > 2 => {
                let half = text.chars().count() / 2;
                *text = text.chars().take(half).collect();
            }
            _ => drop(row.pop()),
        }
    }
    answer
}

/// The way of packs.
struct Parcels {
    packs: Arc<dyn PackStore>,
    line: Line,
}

impl Parcels {
    fn unreachable(&self) -> PackStoreError {
        let (place, reason) = (self.packs.place().to_owned(), "as planned".to_owned());
        PackStoreError::Unreachable { place, reason }
    }

    fn note(&self, how: &str, key: &str, fault: Option<Fault>, done: bool) {
        let fault = fault.map_or_else(String::new, |fault| format!(" ({fault:?})"));
        self.line.events.add(format!("{} {how}{fault} {key} -> {done}", self.line.name));
    }

    /// Stores a pack as `store` does, unless the next fault prevents that.
    async fn send<T>(
        &self,
        how: &str,
        key: &str,
        store: impl Future<Output = Result<T, PackStoreError>>,
    ) -> Result<T, PackStoreError> {
        let fault = self.line.next_fault(is_of_packs);
        let stored = match fault {
            None => store.await,
            Some(Fault::LostAfter | Fault::Death | Fault::Transient) => {
                store.await.and_then(|_| Err(self.unreachable()))
            }
            Some(_) => Err(self.unreachable()),
        };
        self.note(how, key, fault, stored.is_ok());
        stored
    }
}

#[async_trait]
impl PackStore for Parcels {
    fn place(&self) -> &str {
        self.packs.place()
    }

    async fn put(&self, key: &str, from: &Path) -> Result<bool, PackStoreError> {
        self.send("puts", key, self.packs.put(key, from)).await
    }

    async fn replace(&self, key: &str, from: &Path) -> Result<(), PackStoreError> {
        self.send("replaces", key, self.packs.replace(key, from)).await
    }

    async fn get(&self, key: &str, from: u64) -> Result<PackStream, PackStoreError> {
        let fault = self.line.next_fault(is_of_packs);
        let got = match fault {
            None => self.packs.get(key, from).await,
            // The connection breaks before the first bytes.
            Some(Fault::LostAfter | Fault::Transient) => {
                let broken = Err(self.unreachable());
                Ok(Box::pin(futures_util::stream::iter([broken])) as PackStream)
            }
            Some(_) => Err(self.unreachable()),
        };
        self.note("gets", key, fault, got.is_ok());
        got
    }

    async fn check(&self) -> Result<(), PackStoreError> {
        self.packs.check().await
    }
}
