//! Push: what waits goes to the primary, statement after statement.
//!
//! Where the primary refuses a statement, that is mended and planned again: others were first, or the
//! primary was set up anew, or this device is a copy of another. Where it refuses what a transaction
//! would write, that one is found (`blame`), set aside (`refused`), and all the others go on.

use std::collections::BTreeSet;
use std::path::Path;

use fastest_core::store::Store;
use fastest_schema::auth::User;
use fastest_schema::projects::Project;
use fastest_schema::{Refusal, Row};
use tracing::debug;

use crate::blame::{blame, has_lost, is_of_rows, lacks_rows, middle, suspected};
use crate::children::yield_to_unseen;
use crate::clock;
use crate::dag::Parents;
use crate::error::SyncError;
use crate::outbox::Entry;
use crate::own::Own;
use crate::packs::{owner, upload};
use crate::primary::PrimaryError;
use crate::pull::{Pulled, explained, forget, pull_scope};
use crate::push_plan::{PlannedRow, next_statement, plan};
use crate::remote::{Remote, check_not_newer, lacked, migrate, set_up};
use crate::replica::{Replica, ReplicaError, Session};
use crate::report::RefusedTransaction;
use crate::sent::{more_parts, resend, send, write_down};
use crate::transactions::select;
use crate::waiting;

/// Lost races after which a push gives up; each is lost to a push that got through.
const ATTEMPTS_MAX: u32 = 50;

/// Conflicts in a row for which a pull finds no cause, after which the primary is read anew.
const UNEXPLAINED_MAX: u32 = 2;

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
        sent_scopes: scopes.clone(),
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
    /// The scopes of the statement that was sent last.
    sent_scopes: Vec<String>,
    /// Scopes in which rows came to versions that only a pull explains.
    learned: BTreeSet<String>,
}

/// How a push goes on after a statement was refused.
#[derive(Default)]
struct Tried {
    attempts: u32,
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
        match self.is_asked {
            true => Ok(()),
            false => Ok(check_not_newer(&*self.remote.primary, self.replica.schema()).await?),
        }
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
        let sent_scopes = self.sent_scopes.clone();
        let mut is_explained = false;
        for scope in &sent_scopes {
            let pulled = self.pull(scope).await?;
            is_explained |= pulled.changes > 0 || pulled.primary_went_back;
            if !self.replica.schema().is_fastest() {
                for left in self.replica.read().scopes_left(scope)? {
                    is_explained |= self.pull(&left).await?.changes > 0;
                }
            }
        }
        for scope in &sent_scopes {
            if is_explained {
                break;
            }
            is_explained = yield_to_unseen(self.replica, &*self.remote.primary, scope).await?;
        }
        // A lost race brings what won it. Where nothing comes, time and again, something is amiss
        // that only a full look can find.
        tried.unexplained = if is_explained { 0 } else { tried.unexplained + 1 };
        let lacks_rows = lacks_rows(&error);
        let mut is_lost = tried.unexplained == UNEXPLAINED_MAX;
        if lacks_rows && !is_explained {
            // Nothing that Fastest's own rows refer to is ever deleted: it is the primary that has to
            // be looked at anew, once. Of an application's, the one at fault is found first.
            match self.replica.schema().is_fastest() {
                true if tried.forgotten => return Err(error.into()),
                true => is_lost = true,
                false => self.is_complete = true,
            }
        }
        if is_lost && !tried.forgotten {
            self.read_anew(tried).await?;
            self.met.primary_went_back |= lacks_rows;
        }
        for scope in &sent_scopes {
            for user in users_waiting(self.replica, scope)? {
                self.pull(&user).await?;
            }
        }
        Ok(())
    }

    async fn read_anew(&mut self, tried: &mut Tried) -> Result<(), SyncError> {
        forget(self.replica, self.remote)?;
        tried.forgotten = true;
        for scope in self.sent_scopes.clone() {
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
        self.tidy()?;
        let entries = self.entries()?;
        let (replica, schema) = (&*self.replica, self.replica.schema());
        let (held_rows, refused) = (replica.read().held(None)?, replica.read().refused_ids()?);
        let is_held = |entry: &Entry| {
            held_rows.iter().any(|row| row.table == entry.table.name && row.key == entry.key)
        };
        let here: BTreeSet<i64> = entries
            .iter()
            .filter(|entry| self.scope.is_none_or(|scope| entry.scope == scope))
            .map(Entry::transaction)
            .collect();
        let selected = select(schema, &entries, &|entry| {
            let transaction = entry.transaction();
            !here.contains(&transaction) || refused.contains(&transaction) || is_held(entry)
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
                Ok(sent) => {
                    has_sent |= sent;
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

    /// Sends units as one statement. Gives whether there was anything to send.
    async fn send(&mut self, units: &[Vec<PlannedRow>]) -> Result<bool, SyncError> {
        let rows = unsent(self.replica, units)?;
        if rows.is_empty() {
            return Ok(false);
        }
        let scopes: BTreeSet<&String> = rows.iter().map(|row| &row.scope).collect();
        self.sent_scopes = scopes.into_iter().cloned().collect();
        let sent = write_down(self.replica, self.store, self.remote, &rows)?;
        let (push_id, bytes) = (&sent.push_id, sent.payload.len());
        debug!(scope = self.scope, push_id, rows = rows.len(), bytes, "push");
        self.learned.extend(send(self.replica, self.remote, &sent).await?);
        self.is_asked = true;
        Ok(true)
    }

    /// Whether a refusal is that of a transaction, which is set aside. Rows that lack others may be
    /// mended by a pull, at first.
    fn can_set_aside(&self, error: &PrimaryError) -> bool {
        !self.replica.schema().is_fastest()
            && is_of_rows(error)
            && (self.is_complete || !lacks_rows(error))
    }

    /// Finds the first of these units that is at fault, each half being sent whose other half is
    /// known to be wrong, and sets it aside.
    async fn find_and_set_aside(
        &mut self,
        units: &[Vec<PlannedRow>],
        error: PrimaryError,
        tried: &mut Tried,
    ) -> Result<(), SyncError> {
        let (mut suspects, mut error) = (units, error);
        let suspected = suspected(&*self.remote.primary, units, &error).await?;
        while suspects.len() > 1 {
            self.replica.write(|session| session.void_sent())?;
            let (first, rest) = suspects.split_at(middle(suspects, &suspected));
            match self.send(first).await {
                Ok(_) => suspects = rest,
                Err(SyncError::Primary(found)) if self.can_set_aside(&found) => {
                    (suspects, error) = (first, found);
                }
                Err(error) => return Err(error),
            }
        }
        self.replica.write(|session| session.void_sent())?;
        let Some(unit) = suspects.first() else { return Ok(()) };
        let primary = &*self.remote.primary;
        if lacks_rows(&error) && !tried.forgotten && has_lost(self.replica, primary, unit).await? {
            self.met.primary_went_back = true;
            return self.read_anew(tried).await;
        }
        let blame = blame(self.replica, primary, unit, &error).await?;
        debug!(?blame, "a transaction was refused");
        let refused = self.replica.write(|session| session.set_aside(unit, &blame))?;
        self.met.refused.extend(refused);
        self.is_asked = true;
        Ok(())
    }
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
        if !more_parts(&row.columns) || replica.read().known_version(row.table, key)? == 0 {
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
