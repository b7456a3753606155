//! Push: what waits goes to the primary, statement after statement.
//!
//! Where the primary refuses a statement, that is mended and planned again: others were first, or the
//! primary was set up anew, or this device is a copy of another. Where it refuses what a transaction
//! would write, that one is found (`blame`), set aside (`refused`), and all the others go on.

use std::collections::{BTreeSet, HashSet};
use std::path::Path;

use fastest_core::store::Store;
use fastest_schema::auth::User;
use fastest_schema::projects::Project;
use fastest_schema::{Refusal, Row, unseen_sql};
use tracing::debug;

use crate::blame::{blame, is_known, is_of_rows, lacks_rows, middle, missing, stale, suspected};
use crate::children::yield_to_unseen;
use crate::clock;
use crate::dag::Parents;
use crate::error::SyncError;
use crate::outbox::Entry;
use crate::own::Own;
use crate::packs::{owner, upload};
use crate::primary::{PrimaryError, ask_cell_by};
use crate::pull::{Pulled, explained, forget, pull_scope};
use crate::push_plan::{PlannedRow, next_statement, plan};
use crate::remote::{Remote, check_not_newer, lacked, migrate, set_up};
use crate::replica::{Replica, ReplicaError, Session};
use crate::report::RefusedTransaction;
use crate::sent::{Sent, resend, send, write_down};
use crate::transactions::{Place, select};
use crate::waiting;

/// Lost races after which a push gives up; each is lost to a push that got through.
const ATTEMPTS_MAX: u32 = 50;

/// Conflicts in a row for which a pull finds no cause, after which the primary is read anew.
const UNEXPLAINED_MAX: u32 = 2;

/// Refusals for rows that lack others, after which these are at fault, whatever a pull brings: in a busy
/// scope it always brings something.
const LACKING_MAX: u32 = 3;

/// Scopes that one question is about, at most.
const SCOPES_ASKED_MAX: usize = 1_000;

/// Transactions that are set aside before the primary takes any, after which it is the primary that is
/// at fault.
const REFUSED_IN_A_ROW_MAX: u32 = 50;

/// What a push did.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Pushed {
    /// Workspaces whose head on the primary is not behind ours: they wait for a merge.
    pub diverged: Vec<String>,
    /// Transactions that the primary refused. They wait, with what needs them; all others went.
    pub refused: Vec<RefusedTransaction>,
    /// Whether the primary was found to be another one, or an older state of itself.
    pub primary_went_back: bool,
    /// Whether this device was found to be a copy of another, and is one of its own from here on.
    pub new_device: bool,
    /// The last migration of the primary, as far as it was asked, where this build has newer ones.
    pub behind: Option<String>,
}

/// Sends everything of `scope` that waits, but for heads that need a merge first.
pub async fn push_scope(
    replica: &mut Replica,
    store: &Store,
    remote: &Remote,
    scope: &str,
    locks_dir: &Path,
) -> Result<Pushed, SyncError> {
    let path = locks_dir.join("push");
    let _lock = waiting::lock(&path, "the store's turn to push")?;
    push_alone(replica, Some(store), remote, Some(scope)).await
}

/// The same for a replica with or without packs, where the caller sees to it that no other push
/// from it is on its way; with no scope, for everything that waits.
pub(crate) async fn push_alone(
    replica: &mut Replica,
    store: Option<&Store>,
    remote: &Remote,
    scope: Option<&str>,
) -> Result<Pushed, SyncError> {
    let scopes = match scope {
        Some(scope) => vec![scope.to_owned()],
        None => replica.read().waiting_scopes()?,
    };
    if scopes.is_empty() {
        return Ok(Pushed::default());
    }
    let mut push = Push {
        replica,
        store,
        remote,
        scope,
        met: Pushed::default(),
        is_asked: false,
        most: usize::MAX,
        is_complete: false,
        are_foreign: false,
        in_a_row: 0,
        scopes: scopes.clone(),
        last: None,
        learned: BTreeSet::new(),
    };
    push.greet(&scopes).await?;
    push.run(&scopes).await
}

/// A push, from its first statement to its last.
struct Push<'a> {
    replica: &'a mut Replica,
    store: Option<&'a Store>,
    remote: &'a Remote,
    /// The one scope to push, where not all are.
    scope: Option<&'a str>,
    met: Pushed,
    /// Whether the primary has answered, so that there is no need to ask what it has.
    is_asked: bool,
    /// How many transactions the next statement may have.
    most: usize,
    /// Whether a pull found no cause why rows lack those that they refer to: they are at fault.
    is_complete: bool,
    /// Whether rows stand against others of scopes that are not held, which no pull brings.
    are_foreign: bool,
    /// Transactions that were set aside since the primary took anything.
    in_a_row: u32,
    /// The scopes of what waited at first.
    scopes: Vec<String>,
    /// The statement that was sent last.
    last: Option<Sent>,
    /// Scopes in which rows came to versions that only a pull explains.
    learned: BTreeSet<String>,
}

/// How a push goes on after a statement was refused.
#[derive(Default)]
struct Tried {
    attempts: u32,
    /// Refusals for rows that lack others.
    lacking: u32,
    /// Refusals in a row for which no cause was found.
    unexplained: u32,
    /// Whether the primary was read anew.
    forgotten: bool,
}

impl Push<'_> {
    /// Learns what the primary has at first contact, or where a look was not finished.
    async fn greet(&mut self, scopes: &[String]) -> Result<(), SyncError> {
        for scope in scopes {
            let session = self.replica.read();
            if session.remote()?.epoch.is_none() || session.is_reading(scope)? {
                self.pull(scope).await?;
            }
        }
        if self.is_asked {
            return Ok(());
        }
        check_not_newer(&*self.remote.primary, self.replica.schema()).await?;
        if scopes.len() > 1 {
            for scopes in scopes.chunks(SCOPES_ASKED_MAX) {
                self.look_whether_it_went_back(scopes).await?;
            }
        }
        Ok(())
    }

    /// Pulls those of these scopes of which the primary lacks what was seen there: a statement has a
    /// proof of one scope alone.
    async fn look_whether_it_went_back(&mut self, scopes: &[String]) -> Result<(), SyncError> {
        let seen = self.replica.read().seen_list(scopes)?;
        let (primary, request) = (&*self.remote.primary, clock::new_id());
        let unseen = match ask_cell_by(primary, &unseen_sql(), &[&request, &seen]).await {
            // The push finds the same, and knows what to do about it.
            Err(PrimaryError::NotMigrated { .. }) => return Ok(()),
            unseen => unseen?,
        };
        self.is_asked = true;
        let unseen: HashSet<String> =
            unseen.and_then(|list| serde_json::from_str(&list).ok()).unwrap_or_default();
        for scope in scopes.iter().filter(|scope| unseen.contains(*scope)) {
            self.pull(scope).await?;
        }
        Ok(())
    }

    async fn pull(&mut self, scope: &str) -> Result<Pulled, SyncError> {
        let pulled = pull_scope(self.replica, self.store, self.remote, scope).await?;
        self.is_asked = true;
        self.met.primary_went_back |= pulled.primary_went_back;
        self.met.behind = pulled.behind.clone().or(self.met.behind.take());
        Ok(pulled)
    }

    async fn run(mut self, scopes: &[String]) -> Result<Pushed, SyncError> {
        let mut tried = Tried::default();
        loop {
            let error = match self.once(&mut tried).await {
                Ok(Sending { again: true, .. }) => continue,
                Ok(Sending { diverged, .. }) => {
                    let learned = std::mem::take(&mut self.learned);
                    for scope in &learned {
                        self.pull(scope).await?;
                    }
                    if self.is_asked {
                        return Ok(Pushed { diverged, ..self.met });
                    }
                    // Nothing to say: whether the primary still has it all is worth a question.
                    for scope in scopes {
                        self.pull(scope).await?;
                    }
                    continue;
                }
                Err(SyncError::Primary(error)) => error,
                Err(error) => return Err(error),
            };
            debug!(scope = self.scope, %error, attempts = tried.attempts, "a push was not accepted");
            let error = self.prepare(&mut tried, error).await?;
            // The primary has said that it applied nothing.
            self.replica.write(|session| session.void_sent())?;
            tried.attempts += 1;
            self.look(&mut tried, error).await?;
        }
    }

    /// Does what a refusal asks for before the primary is looked at, or ends the push.
    async fn prepare(
        &mut self,
        tried: &mut Tried,
        error: PrimaryError,
    ) -> Result<PrimaryError, SyncError> {
        let (primary, schema) = (&*self.remote.primary, self.replica.schema());
        match recovery(&error) {
            // It is the primary that is at fault.
            Some(_) if self.in_a_row > REFUSED_IN_A_ROW_MAX => {
                self.replica.write(|session| session.void_sent())?;
                return Err(error.into());
            }
            Some(_) if tried.attempts == ATTEMPTS_MAX => {
                return Err(SyncError::Contended { attempts: tried.attempts });
            }
            Some(Recovery::Migrate) => match set_up(primary, schema).await {
                // The one inside the store has no other devices, which an upgrade would shut out.
                Err(PrimaryError::Behind { .. })
                    if self.remote.chosen.is_none() && schema.is_fastest() =>
                {
                    migrate(primary, schema).await?;
                }
                is_set_up => is_set_up?,
            },
            Some(Recovery::NewDevice) => {
                self.met.new_device = true;
                self.replica.write(|session| session.become_new_device())?;
            }
            Some(Recovery::Forget) if !tried.forgotten => {
                // Of another version, it knows what was seen by another name.
                check_level(self.replica, self.remote).await?;
                (tried.forgotten, self.met.primary_went_back) = (true, true);
                forget(self.replica, self.remote)?;
            }
            Some(Recovery::Pull | Recovery::Complete) => {}
            Some(Recovery::Forget) | None => {
                // What will never be taken must not stand before all that comes after.
                if matches!(error, PrimaryError::Failed { .. } | PrimaryError::Refused { .. }) {
                    self.replica.write(|session| session.void_sent())?;
                }
                return Err(explained(primary, schema, error).await.into());
            }
        }
        Ok(error)
    }

    /// Pulls the scopes of a statement that was refused, and looks whether that explains it.
    async fn look(&mut self, tried: &mut Tried, error: PrimaryError) -> Result<(), SyncError> {
        let (scopes, is_foreign) = self.concerned(&error).await?;
        let mut is_explained = false;
        for scope in &scopes {
            let pulled = self.pull(scope).await?;
            is_explained |= pulled.changes > 0 || pulled.primary_went_back;
            if !self.replica.schema().is_fastest() {
                for left in self.replica.read().scopes_left(scope)? {
                    is_explained |= self.pull(&left).await?.changes > 0;
                }
            }
        }
        for scope in &scopes {
            if is_explained {
                break;
            }
            is_explained = yield_to_unseen(self.replica, &*self.remote.primary, scope).await?;
        }
        // In a busy scope, a pull always brings something.
        if is_foreign && (!is_explained || tried.attempts >= LACKING_MAX) {
            // The transaction of such a row is found, and set aside.
            self.are_foreign = true;
            return Ok(());
        }
        // A lost race brings what won it. Where nothing comes, time and again, something is amiss
        // that only a full look can find.
        tried.unexplained = if is_explained { 0 } else { tried.unexplained + 1 };
        let lacks_rows = lacks_rows(&error);
        tried.lacking += u32::from(lacks_rows);
        let mut is_lost = tried.unexplained == UNEXPLAINED_MAX;
        if lacks_rows && (!is_explained || tried.lacking == LACKING_MAX) {
            // Nothing that Fastest's own rows refer to is ever deleted: it is the primary that has to
            // be looked at anew, once. Of an application's, the one at fault is found first.
            match self.replica.schema().is_fastest() {
                true if is_explained => {}
                true if tried.forgotten => return Err(error.into()),
                true => is_lost = true,
                false => self.is_complete = true,
            }
        }
        if is_lost && !tried.forgotten {
            self.read_anew(tried).await?;
            self.met.primary_went_back |= lacks_rows;
        }
        for scope in &scopes {
            for user in users_waiting(self.replica, scope)? {
                self.pull(&user).await?;
            }
        }
        Ok(())
    }

    /// The scopes of the statement that was sent last.
    fn last_scopes(&self) -> Vec<String> {
        match &self.last {
            Some(sent) => sent.scopes().into_iter().collect(),
            None => self.scopes.clone(),
        }
    }

    /// The scopes in which to look for what refused a statement, and whether the primary has some of
    /// its rows in scopes that are not held.
    async fn concerned(&self, error: &PrimaryError) -> Result<(Vec<String>, bool), SyncError> {
        let all = self.last_scopes();
        let is_conflict = error.refusal() == Some(Refusal::VersionConflict);
        let sent =
            self.last.as_ref().filter(|_| is_conflict && !self.replica.schema().is_fastest());
        let Some(sent) = sent else { return Ok((all, false)) };
        let found = stale(&*self.remote.primary, &sent.locks()).await?;
        let held = match self.replica.read().file_scope()? {
            Some(scope) => vec![scope],
            None => self.replica.read().scopes()?,
        };
        let (mut scopes, mut is_foreign) = (BTreeSet::new(), false);
        for (table, key, scope) in found {
            scopes.extend(sent.scope_of(&table, &key).cloned());
            match held.contains(&scope) {
                true => drop(scopes.insert(scope)),
                false => is_foreign = true,
            }
        }
        // None is stale where others wrote to rows that hang on these.
        let scopes = if scopes.is_empty() { all } else { scopes.into_iter().collect() };
        Ok((scopes, is_foreign))
    }

    async fn read_anew(&mut self, tried: &mut Tried) -> Result<(), SyncError> {
        forget(self.replica, self.remote)?;
        tried.forgotten = true;
        for scope in self.last_scopes() {
            self.pull(&scope).await?;
        }
        Ok(())
    }
}

/// Refuses a primary of a newer version of the schema, or of an older one: nothing follows from what
/// such a one lacks.
async fn check_level(replica: &Replica, remote: &Remote) -> Result<(), PrimaryError> {
    let primary = &*remote.primary;
    match lacked(primary, replica.schema()).await?.last() {
        None => Ok(()),
        Some(migration) => {
            let (url, needed) = (primary.url().to_owned(), migration.name);
            Err(PrimaryError::Behind { url, needed })
        }
    }
}

/// What to do about a push that was not accepted, before it is planned again.
enum Recovery {
    /// Set the primary up.
    Migrate,
    /// This device is a copy of another one, or was restored from a backup: from here on it is a
    /// device of its own.
    NewDevice,
    /// The primary lacks what it had: nothing can be built on what is known of it.
    Forget,
    /// Others were first.
    Pull,
    /// Rows refer to others that the primary lacks, or keep one from being deleted: others were
    /// first, or it lost what it had.
    Complete,
}

fn recovery(error: &PrimaryError) -> Option<Recovery> {
    match error {
        PrimaryError::NotMigrated { .. } => Some(Recovery::Migrate),
        PrimaryError::Refused { refusal: Refusal::DeviceCounter, .. } => Some(Recovery::NewDevice),
        PrimaryError::Refused { refusal: Refusal::Restored, .. } => Some(Recovery::Forget),
        PrimaryError::Refused { refusal: Refusal::VersionConflict, .. } => Some(Recovery::Pull),
        error if lacks_rows(error) => Some(Recovery::Complete),
        _ => None,
    }
}

/// Ids of the users whose rows wait in `scope`.
fn users_waiting(replica: &Replica, scope: &str) -> Result<Vec<String>, SyncError> {
    let session = replica.read();
    let entries = session.entries(scope)?.into_iter();
    let users = entries.filter(|entry| session.own(entry.table) == Some(Own::User));
    Ok(users.map(|entry| entry.key).collect())
}

/// What one go at a push came to.
#[derive(Default)]
struct Sending {
    /// Workspaces that wait for a merge.
    diverged: Vec<String>,
    /// Whether there is more to send, which has to be planned first.
    again: bool,
}

impl Push<'_> {
    /// Sends what waits, until the primary refuses something.
    async fn once(&mut self, tried: &mut Tried) -> Result<Sending, SyncError> {
        let mut has_sent = self.resend().await?;
        self.read_unread().await?;
        self.tidy()?;
        let entries = self.entries()?;
        let (replica, schema) = (&*self.replica, self.replica.schema());
        let (held_rows, refused) = (replica.read().held(None)?, replica.read().refused_ids()?);
        let held_rows: HashSet<(&str, &str)> =
            held_rows.iter().map(|row| (row.table.as_str(), row.key.as_str())).collect();
        let here: BTreeSet<i64> = entries
            .iter()
            .filter(|entry| self.scope.is_none_or(|scope| entry.scope == scope))
            .map(Entry::transaction)
            .collect();
        let selected = select(schema, &entries, &|entry| match entry.transaction() {
            id if refused.contains(&id) => Place::Aside,
            _ if held_rows.contains(&(entry.table.name, &entry.key)) => Place::Aside,
            id if !here.contains(&id) => Place::Elsewhere,
            _ => Place::Here,
        });
        let parents = match (self.scope, schema.is_fastest()) {
            (Some(scope), true) => replica.read().parents(scope)?,
            _ => Parents::new(),
        };
        let plan = plan(schema, &selected.transactions, &parents, self.remote.large);
        if let (Some(store), Some(scope)) = (self.store, self.scope) {
            let owner = owner(replica, scope)?.unwrap_or_else(|| scope.to_owned());
            upload(store, self.remote, &owner, &plan.uploads).await?;
        }
        let mut units = &plan.units[..];
        while !units.is_empty() {
            let count = next_statement(units, self.most);
            let (next, rest) = units.split_at(count);
            match self.send(next).await {
                Ok(Outcome::Stale) => return Ok(Sending { again: true, ..Sending::default() }),
                Ok(sent) => {
                    has_sent |= sent == Outcome::Taken;
                    self.most = self.most.saturating_mul(2);
                    units = rest;
                }
                Err(SyncError::Primary(error)) if self.can_set_aside(&error) => {
                    self.most = (count / 2).max(1);
                    self.find_and_set_aside(next, error, tried).await?;
                    return Ok(Sending { again: true, ..Sending::default() });
                }
                Err(error) => return Err(error),
            }
        }
        // The deletes that rows waited for may have been accepted.
        let again = selected.held && has_sent;
        Ok(Sending { diverged: plan.diverged, again })
    }

    /// Reads the scopes of what waits of which it is not known what the primary has.
    async fn read_unread(&mut self) -> Result<(), SyncError> {
        let scopes = match self.scope {
            Some(scope) => vec![scope.to_owned()],
            None => self.replica.read().waiting_scopes()?,
        };
        for scope in scopes {
            if self.replica.read().is_reading(&scope)? {
                self.pull(&scope).await?;
            }
        }
        Ok(())
    }

    /// Resends a statement whose answer was lost. Where it is refused for what it would write, it is
    /// planned again with all else.
    async fn resend(&mut self) -> Result<bool, SyncError> {
        match resend(self.replica, self.remote).await {
            Ok((count, learned)) => {
                self.learned.extend(learned);
                self.is_asked |= count > 0;
                Ok(count > 0)
            }
            Err(SyncError::Primary(error))
                if is_of_rows(&error) && !self.replica.schema().is_fastest() =>
            {
                self.replica.write(|session| session.void_sent())?;
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// Drops what need not be sent, and gives way where others were first.
    fn tidy(&mut self) -> Result<(), SyncError> {
        let scope = self.scope.map(str::to_owned);
        Ok(self.replica.write(|session| {
            let scopes = match scope {
                Some(scope) => vec![scope],
                None => session.waiting_scopes()?,
            };
            for scope in &scopes {
                session.drop_unchanged(scope)?;
                session.drop_needless_deletes(scope)?;
                session.yield_to_children(scope)?;
                if session.schema.is_fastest() {
                    session.queue_owner(scope)?;
                }
            }
            Ok::<_, ReplicaError>(())
        })?)
    }

    /// Everything that waits; of Fastest's own rows, those of the scope, where nothing is to go.
    fn entries(&self) -> Result<Vec<Entry>, ReplicaError> {
        let session = self.replica.read();
        match self.scope {
            Some(scope) if session.schema.is_fastest() && session.waiting_deletes()? == 0 => {
                session.entries(scope)
            }
            _ => session.all_entries(),
        }
    }

    /// Sends units as one statement.
    async fn send(&mut self, units: &[Vec<PlannedRow>]) -> Result<Outcome, SyncError> {
        let rows = unsent(self.replica, units)?;
        if rows.is_empty() {
            return Ok(Outcome::Nothing);
        }
        let Some(sent) = write_down(self.replica, self.store, self.remote, &rows)? else {
            return Ok(Outcome::Stale);
        };
        let (push_id, bytes) = (&sent.push_id, sent.payload.len());
        debug!(scope = self.scope, push_id, rows = rows.len(), bytes, "push");
        let learned = send(self.replica, self.remote, self.last.insert(sent)).await?;
        self.learned.extend(learned);
        (self.is_asked, self.in_a_row) = (true, 0);
        Ok(Outcome::Taken)
    }

    /// Whether a refusal is that of a transaction, which is set aside. Rows that lack others may be
    /// mended by a pull, at first, and so may those that others wrote to.
    fn can_set_aside(&self, error: &PrimaryError) -> bool {
        let is_conflict = error.refusal() == Some(Refusal::VersionConflict);
        !self.replica.schema().is_fastest()
            && (is_of_rows(error) && (self.is_complete || !lacks_rows(error))
                || is_conflict && self.are_foreign)
    }

    /// Finds the first of these units that is at fault, and sets it aside. Of two halves, the first is
    /// sent; if it is taken, the fault is in the second, which is parted without being sent.
    async fn find_and_set_aside(
        &mut self,
        units: &[Vec<PlannedRow>],
        error: PrimaryError,
        tried: &mut Tried,
    ) -> Result<(), SyncError> {
        let (mut suspects, mut error) = (units, error);
        let suspected = suspected(&*self.remote.primary, units, &error).await;
        let mut was_sent = true;
        while suspects.len() > 1 || !was_sent && !suspects.iter().any(|unit| suspected.any_of(unit))
        {
            self.replica.write(|session| session.void_sent())?;
            let (first, rest) = match suspects.len() {
                // What was refused with others may be taken alone.
                1 => (suspects, &suspects[1..]),
                _ => suspects.split_at(middle(suspects, &suspected)),
            };
            match self.send(first).await {
                Ok(Outcome::Stale) => return Ok(()),
                Ok(_) => (suspects, was_sent) = (rest, false),
                Err(SyncError::Primary(found)) if self.can_set_aside(&found) => {
                    (suspects, error, was_sent) = (first, found, true);
                }
                Err(error) => return Err(error),
            }
            if suspects.is_empty() {
                return Ok(());
            }
        }
        if self.are_foreign && error.refusal() == Some(Refusal::VersionConflict) {
            // What was sent last is the one at fault: it may have lost a race as any other.
            self.are_foreign = self.concerned(&error).await?.1;
            if !self.are_foreign {
                return Err(error.into());
            }
        }
        self.replica.write(|session| session.void_sent())?;
        match suspects.first() {
            Some(unit) if lacks_rows(&error) && !tried.forgotten && self.is_lost(unit).await? => {
                self.met.primary_went_back = true;
                self.read_anew(tried).await
            }
            Some(unit) => self.set_aside(unit, error).await,
            None => Ok(()),
        }
    }

    /// Whether the primary has lost rows that these refer to: it lacks one, and no pull says that
    /// others deleted it.
    async fn is_lost(&mut self, unit: &[PlannedRow]) -> Result<bool, SyncError> {
        let found = missing(self.replica, &*self.remote.primary, unit).await;
        let Ok(Some((table, key, scope))) = found else { return Ok(false) };
        self.pull(&scope).await?;
        Ok(is_known(self.replica, table, &key)?.is_some())
    }

    async fn set_aside(
        &mut self,
        unit: &[PlannedRow],
        error: PrimaryError,
    ) -> Result<(), SyncError> {
        self.in_a_row += 1;
        if self.in_a_row > REFUSED_IN_A_ROW_MAX {
            return Err(error.into());
        }
        let Some(blame) = blame(self.replica, &*self.remote.primary, unit, &error).await else {
            return Err(error.into());
        };
        debug!(?blame, "a transaction was refused");
        let refused = self.replica.write(|session| session.set_aside(unit, &blame))?;
        self.met.refused.extend(refused);
        self.is_asked = true;
        Ok(())
    }
}

/// What became of a statement that was not refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// The primary has applied it.
    Taken,
    /// There was nothing in it to send.
    Nothing,
    /// Another process has written to its rows since: it has to be planned anew.
    Stale,
}

/// Rows without the parts of packs that the primary has from an earlier try, so that a pack of
/// many parts gets through a bad line. The last part always goes: it settles the entry.
fn unsent<'r>(
    replica: &Replica,
    units: &'r [Vec<PlannedRow>],
) -> Result<Vec<&'r PlannedRow>, SyncError> {
    let mut unsent = Vec::new();
    for row in units.iter().flatten() {
        let key = row.columns[row.table.pk].as_str().unwrap_or_default();
        if !row.more || replica.read().known_version(row.table, key)? == 0 {
            unsent.push(row);
        }
    }
    Ok(unsent)
}

impl Session<'_> {
    /// From here on, pushes are those of another device.
    fn become_new_device(&self) -> Result<(), ReplicaError> {
        let sql = "UPDATE fastest_local_device SET device_id = ?1, counter = 0";
        self.run(sql, [clock::new_id()])?;
        Ok(())
    }

    /// Queues the row of the project's owner where the primary lacks it: the project needs it.
    fn queue_owner(&self, scope: &str) -> Result<(), ReplicaError> {
        let Some(project) = self.row::<Project>(scope)? else { return Ok(()) };
        let owner = &project.owner_user_id;
        if let Some(entry) = self.entry(User::TABLE, owner)? {
            // It may wait in the user's own scope: it goes with the project that needs it.
            self.put_entry(&Entry { scope: scope.to_owned(), ..entry })?;
        } else if self.known_version(User::TABLE, owner)? == 0
            && let Some(user) = self.row::<User>(owner)?
        {
            self.save(scope, &user)?;
        }
        Ok(())
    }
}
