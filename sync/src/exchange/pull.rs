//! Pull: fetches the changes that the replica lacks from the primary, page by page.
//!
//! The packs of a page are in the object store, durable and verified, before its rows are in the
//! replica, and the rows and the cursor move in one transaction. So a pull may stop anywhere, and
//! every snapshot that the replica knows has all its content here, as long as the primary keeps to
//! the protocol.

mod decide;

use fastest_core::object::source::ObjectSource;
use fastest_core::store::open::Store;
use fastest_schema::{
    Change, Outcome, Pack, Page, PageError, PushId, Schema, ScopeId, Seen, decode_hex_page,
    decode_page, is_lossy, pull_hex_sql, pull_sql,
};
use tracing::debug;

use crate::error::SyncError;
use crate::exchange::claims::{check_content, check_row, check_scope, inconsistent};
use crate::exchange::packs::{PackReader, take_packs};
use crate::exchange::pull::decide::{Asker, Onward, PullState, Verdict};
use crate::exchange::resend_packs::{answer, asked_for};
use crate::exchange::sent::recall;
use crate::remote::cause::Cause;
use crate::remote::level::{Explained, check_migration, explained, lacked, migrate, set_up};
use crate::remote::open::Remote;
use crate::remote::primary::{Primary, PrimaryError, STRAY_ANSWERS_MAX};
use crate::remote::state::RemoteState;
use crate::remote::statement::Statement;
use crate::replica::local::cursors::Cursors;
use crate::replica::local::known::Known;
use crate::replica::local::parts::Parts;
use crate::replica::local::remote_row::RemoteRow;
use crate::replica::open::Replica;
use crate::rows::apply::Incoming;
use crate::rows::requeue::Requeue;

/// The most changes in one page.
const PAGE_ROWS: &str = "1000";
/// The approximate bytes of one page: answers of D1 are best kept under 1 MB.
const PAGE_BYTES: &str = "900000";

/// As [`PAGE_BYTES`], for a page in hex, which takes two digits for a byte.
const PAGE_BYTES_HEX: &str = "450000";

/// Rows of about this size or more are at first not requested in hex: hex doubles them, and D1
/// allows 2 MB for a text.
const WHOLE_FROM_BYTES: u32 = 900_000;

/// The form in which a page is requested.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    AsTexts,
    /// In hex, except for large rows: a text may be invalid UTF-8.
    InHex,
    /// Everything in hex. A server that fails at invalid UTF-8 (sqld) does so in a large row as
    /// well, but has no limit of 2 MB.
    AllInHex,
}

/// The outcome of a pull.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pulled {
    /// How many changes came.
    pub changes: u64,
    /// Whether the primary was found to be another one, or an older state of itself.
    pub primary_went_back: bool,
    /// Packs that were damaged at the remote, and that this device sent again because others asked.
    pub packs_resent: u64,
    /// The last migration of the primary, if this build has newer ones.
    pub behind: Option<String>,
}

/// Brings the rows of `scope` up to date with the primary, and fetches their packs into `store`.
/// Fastest's own rows need a store. An application's rows have no packs, and need none.
pub async fn pull_scope(
    replica: &mut Replica,
    store: Option<&Store>,
    remote: &Remote,
    scope: &ScopeId,
) -> Result<Pulled, SyncError> {
    pull_and_read(replica, store, remote, scope, None).await
}

/// Reads the last page of a pull when its packs are readable, before they are added to the store.
pub(crate) type Reader<'r> = dyn FnMut(&Replica, &dyn ObjectSource, &Page) + Send + 'r;

/// Works as [`pull_scope`]. Objects that `reader` has read are already verified and are skipped
/// afterwards. They may be lost if the pull fails.
pub(crate) async fn pull_and_read(
    replica: &mut Replica,
    store: Option<&Store>,
    remote: &Remote,
    scope: &ScopeId,
    mut reader: Option<&mut Reader<'_>>,
) -> Result<Pulled, SyncError> {
    let (primary, schema) = (&*remote.primary, replica.schema());
    let (mut pulled, mut pull) = (Pulled::default(), PullState::default());
    let mut is_looked_at = false;
    loop {
        let state = RemoteRow(replica.read()).get()?;
        let cursor = Cursors(replica.read()).of(scope)?;
        if cursor == 0 {
            replica.write(|session| Cursors(session).begin_reading(scope))?;
        }
        let seen = Known(replica.read()).seen(scope, cursor)?;
        // The primary inside the store has no other devices that an upgrade could lock out.
        let is_own = remote.chosen.is_none() && replica.rules().upgrades_own_primary;
        let page = match ask(primary, schema, scope, cursor, &state, seen.as_ref()).await {
            Err(PrimaryError::Behind { .. }) if is_own => {
                migrate(primary, schema).await?;
                continue;
            }
            page => page?,
        };
        let is_new = state.epoch.is_none() && !std::mem::replace(&mut is_looked_at, true);
        let owner = match (is_own, is_new) {
            (true, _) => Owner::Us,
            (_, true) => Owner::Unknown,
            _ => Owner::Others,
        };
        let last = page.header.migration.as_deref();
        if complete(primary, schema, last, owner).await? {
            continue;
        }
        pulled.behind = behind(schema, last);
        let (epoch, has_pushed) = (state.epoch.as_deref(), state.last_push_id.is_some());
        let verdict = pull.after_answer(&Asker { epoch, cursor, has_pushed }, &page.header);
        pulled.primary_went_back = pull.went_back;
        match verdict {
            Verdict::Distrust(what) => return Err(inconsistent(primary, what.to_owned())),
            Verdict::Forget => {
                debug!(scope = scope.as_str(), cursor, "the primary went back");
                forget(replica, remote)?;
                continue;
            }
            Verdict::Take => {}
        }
        if epoch.is_none() {
            replica.write(|session| {
                remote.check_chosen(&RemoteRow(session).get()?)?;
                let epoch = Some(page.header.epoch.clone());
                let state = RemoteRow(session).get()?;
                Ok::<_, SyncError>(RemoteRow(session).put(&RemoteState { epoch, ..state })?)
            })?;
        }
        if !page.changes.is_empty() {
            recall(replica, remote).await?;
        }
        let read = reader.as_deref_mut().filter(|_| !page.more());
        // Packs that this page brings are verified on arrival, so only packs that are already here
        // are listed.
        let asked = store.map(|store| asked_for(store, &page.changes)).unwrap_or_default();
        let taken = take_page(replica, store, remote, scope, cursor, &page, read).await;
        // Done even if the page failed: a device that lacks one pack may have another one that
        // others ask for.
        if let Some(store) = store {
            pulled.packs_resent += answer(replica, store, remote, &asked).await;
        }
        taken?;
        pulled.changes += page.changes.len() as u64;
        let (changes, last) = (page.changes.len(), page.header.seq);
        debug!(scope = scope.as_str(), cursor, changes, last, "page pulled");
        match pull.after_page(page.more(), is_short(&page)) {
            Onward::Ask => {}
            Onward::Finish => break,
            Onward::Distrust(what) => return Err(inconsistent(primary, what.to_owned())),
        }
    }
    // A scope that was read from the beginning shows which rows the primary lacks.
    if Cursors(replica.read()).is_reading(scope)? {
        replica.write(|session| Requeue(session).end_reading(scope))?;
    }
    Ok(pulled)
}

/// Completes the migrations of a primary that has answered, where this device decides that: if it has none
/// of them, or if it is new to this device and its first set-up was cut short. Returns whether to ask again.
/// `last` is its last migration. Fails if it belongs to another schema or a newer version.
async fn complete(
    primary: &dyn Primary,
    schema: &Schema,
    last: Option<&str>,
    owner: Owner,
) -> Result<bool, PrimaryError> {
    check_migration(primary, schema, last)?;
    if last.is_none() && !schema.migrations.is_empty() {
        migrate(primary, schema).await?;
        return Ok(false);
    }
    match owner {
        _ if behind(schema, last).is_none() => Ok(false),
        Owner::Us => migrate(primary, schema).await.map(|_| true),
        Owner::Unknown => match set_up(primary, schema).await {
            Ok(()) => Ok(true),
            Err(error @ PrimaryError::Unreachable { .. }) => Err(error),
            // It is in use, or a token may only read, for example. The page that was read is good
            // nevertheless.
            Err(_) => Ok(false),
        },
        Owner::Others => Ok(false),
    }
}

/// Who decides about the migrations of a primary.
#[derive(Debug, Clone, Copy)]
enum Owner {
    /// This device, which alone uses it.
    Us,
    /// It is new to this device. If nobody uses it yet, this device decides.
    Unknown,
    /// Whoever set it up.
    Others,
}

/// Forgets what the primary was known to hold, and queues those rows again.
pub(crate) fn forget(replica: &mut Replica, remote: &Remote) -> Result<(), SyncError> {
    replica.write(|session| {
        remote.check_chosen(&RemoteRow(session).get()?)?;
        Ok::<_, SyncError>(Requeue(session).forget_and_queue()?)
    })
}

/// Asks for one page after `cursor`.
async fn ask(
    primary: &dyn Primary,
    schema: &Schema,
    scope: &ScopeId,
    cursor: i64,
    state: &RemoteState,
    seen: Option<&Seen>,
) -> Result<Page, PrimaryError> {
    let at = cursor.to_string();
    let seen = seen.map(|seen| serde_json::to_string(seen).expect("a change serialises"));
    let mark = state.mark.as_ref();
    let mark = mark.map(|mark| serde_json::to_string(mark).expect("a push serialises"));
    let mark = mark.unwrap_or_default();
    let (push_id, seen) =
        (state.last_push_id.as_ref().map_or("", PushId::as_str), seen.unwrap_or_default());
    let (mut is_set_up, mut asked, mut broken) = (false, Asked::AsTexts, None);
    let mut tries = 0;
    while tries < STRAY_ANSWERS_MAX {
        let request = primary.world().new_id();
        let (sql, bytes) = match asked {
            Asked::AsTexts => (pull_sql(schema), PAGE_BYTES),
            Asked::InHex => (pull_hex_sql(schema, Some(WHOLE_FROM_BYTES)), PAGE_BYTES_HEX),
            Asked::AllInHex => (pull_hex_sql(schema, None), PAGE_BYTES_HEX),
        };
        let parameters = [scope.as_str(), &at, PAGE_ROWS, bytes, push_id, &seen, &mark, &request];
        let answer = match primary.run(Statement::reads(&sql), &parameters).await {
            Err(PrimaryError::NotMigrated { .. }) if !is_set_up => {
                set_up(primary, schema).await?;
                is_set_up = true;
                tries += 1;
                continue;
            }
            // sqld fails in this way.
            Err(PrimaryError::Failed { cause: Cause::NotUtf8, .. }) if asked != Asked::AllInHex => {
                asked = if asked == Asked::AsTexts { Asked::InHex } else { Asked::AllInHex };
                continue;
            }
            Err(error @ PrimaryError::Failed { .. }) => {
                match explained(primary, schema, error).await {
                    // An earlier set-up may have been cut short.
                    Explained::Is(PrimaryError::Behind { .. }) if !is_set_up => {
                        set_up(primary, schema).await?;
                    }
                    Explained::Mended(_) if !is_set_up => {}
                    explained => return Err(explained.error()),
                }
                is_set_up = true;
                tries += 1;
                continue;
            }
            answer => answer?,
        };
        if asked == Asked::AsTexts && is_lossy(&answer) {
            asked = Asked::InHex;
            continue;
        }
        tries += 1;
        let page = match asked {
            Asked::AsTexts => decode_page(schema.tables, cursor, answer),
            _ => decode_hex_page(schema.tables, cursor, answer),
        };
        match page {
            Ok(page) if page.header.request == request => return Ok(page),
            Ok(_) => broken = None,
            // This may be the answer to another request, too.
            Err(error) => broken = Some(error),
        }
    }
    Err(match broken {
        // The primary may have a newer schema: then `lacked` fails, and its error says so.
        Some(error @ PageError::UnknownTable(_)) => match lacked(primary, schema).await {
            Err(why) => why,
            Ok(_) => PrimaryError::inconsistent(primary, &error.to_string()),
        },
        Some(error) => PrimaryError::inconsistent(primary, &error.to_string()),
        None => PrimaryError::stray_answer(primary),
    })
}

/// Whether a page ended long before its limits.
fn is_short(page: &Page) -> bool {
    let texts = page.changes.iter().flat_map(|change| match &change.outcome {
        Outcome::Row(values) => &values[..],
        _ => &[],
    });
    let letters: usize = texts.filter_map(|value| value.as_str()).map(str::len).sum();
    page.rows < 100 && letters < 50_000
}

/// Returns the last migration of a primary, if it lacks some of this build's.
fn behind(schema: &Schema, last: Option<&str>) -> Option<String> {
    let newest = schema.migrations.last().map(|migration| migration.name);
    last.filter(|last| Some(*last) != newest).map(str::to_owned)
}

async fn take_page(
    replica: &mut Replica,
    store: Option<&Store>,
    remote: &Remote,
    scope: &ScopeId,
    cursor: i64,
    page: &Page,
    reader: Option<&mut Reader<'_>>,
) -> Result<(), SyncError> {
    let primary = &*remote.primary;
    for change in &page.changes {
        check_scope(replica, primary, scope, page, change).await?;
    }
    let finished = match store {
        Some(store) => take_content(replica, store, remote, page, reader).await?,
        None => Vec::new(),
    };
    let seq = page.reaches;
    if page.changes.is_empty() && seq == cursor {
        return Ok(());
    }
    replica.write(|session| {
        remote.check_chosen(&RemoteRow(session).get()?)?;
        for pack_id in &finished {
            Parts(session).remove(pack_id)?;
        }
        if page.header.mark.is_some() {
            let mark = page.header.mark.clone();
            RemoteRow(session).put(&RemoteState { mark, ..RemoteRow(session).get()? })?;
        }
        Ok::<_, SyncError>(Incoming(session).apply_page(scope, &page.changes, seq, &finished)?)
    })
}

/// Fetches the packs that a page of Fastest's own rows names into the store. Returns the ids of
/// those that are complete there now.
async fn take_content(
    replica: &mut Replica,
    store: &Store,
    remote: &Remote,
    page: &Page,
    reader: Option<&mut Reader<'_>>,
) -> Result<Vec<String>, SyncError> {
    let primary = &*remote.primary;
    page.changes.iter().try_for_each(|change| check_row(primary, change))?;
    let mut rows = Vec::new();
    for pack in page.changes.iter().filter_map(Change::row::<Pack>) {
        rows.push(pack.map_err(|error| inconsistent(primary, error.to_string()))?);
    }
    let mut read = reader
        .map(|reader| |replica: &Replica, source: &dyn ObjectSource| reader(replica, source, page));
    let read = read.as_mut().map(|read| read as &mut PackReader<'_>);
    let finished = take_packs(replica, store, remote, &rows, read).await?;
    if !page.more() {
        // Checked on the last page only, because a pack whose row was written again may come after
        // its snapshot.
        page.changes.iter().try_for_each(|change| check_content(store, primary, change))?;
    }
    Ok(finished)
}
