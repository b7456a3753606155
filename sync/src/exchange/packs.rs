//! Moves packs between the object store, the primary's rows and the pack store.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fastest_core::object::error::StoreError;
use fastest_core::object::id::PackId;
use fastest_core::object::source::ObjectSource;
use fastest_core::store::incoming::{IncomingPack, ReceivedPack};
use fastest_core::store::open::Store;
use fastest_core::store::pack::PackInfo;
use fastest_core::store::verified::VerifiedPack;
use fastest_schema::Pack;
use futures_util::{FutureExt as _, StreamExt as _, TryStreamExt as _, stream};

use crate::base::world::Stopwatch;
use crate::error::SyncError;
use crate::exchange::claims::inconsistent;
use crate::exchange::pack_key::{owner_of, pack_key};
use crate::exchange::resend_packs::ask_for;
use crate::remote::open::Remote;
use crate::remote::pack_store::store::{PackStore, PackStoreError};
use crate::remote::primary::{Primary, PrimaryError};
use crate::replica::local::cursors::Cursors;
use crate::replica::local::parts::Parts;
use crate::replica::open::Replica;

/// Packs that are transferred concurrently. More would not use the connection better, and each
/// takes memory.
const AT_ONCE: usize = 4;
/// Received packs are added to the store in groups, so that one fsync serves many packs. A group is
/// complete at this many packs, at [`TAKEN_BYTES_MAX`] bytes, or after [`TAKEN_WITHIN`]. A killed
/// process loses at most one group.
const TAKEN_AT_ONCE: usize = 64;
const TAKEN_WITHIN: Duration = Duration::from_secs(10);
const TAKEN_BYTES_MAX: u64 = 512 << 20;
/// The most interruptions of a download in a row. An error after new bytes starts the count again;
/// an early end without an error does not.
const BREAKS_MAX: u32 = 4;
/// The most parts of one pack. Even at 100 kB a part, a pack of the target size (48 MiB) has only
/// about 500.
const PARTS_MAX: i64 = 1024;
/// The most bytes of base64 in one part: D1 allows rows of 2 MB.
const PART_LETTERS_MAX: usize = 2_000_000;

/// Uploads packs to the pack store, except for those that it has already.
pub(crate) async fn upload(
    store: &Store,
    remote: &Remote,
    owner: &str,
    ids: &[String],
) -> Result<(), SyncError> {
    let mut packs = Vec::with_capacity(ids.len());
    for id in ids {
        let id: PackId = id.parse().expect("the outbox holds pack ids made here");
        // The primary inside the store keeps a link to this very file, so only other remotes need
        // the check.
        if remote.chosen.is_some() && !store.has_its_bytes(&id)? {
            let what =
                "its bytes are not those that its id stands for; run `fastest doctor --mend`";
            return Err(StoreError::DamagedPack { path: store.pack_path(&id), what }.into());
        }
        remote.meter.expect(store.pack_info(&id)?.bytes);
        packs.push((pack_key(owner, &id.to_hex()), store.pack_path(&id)));
    }
    let mut uploads = Vec::with_capacity(packs.len());
    for (key, path) in &packs {
        uploads.push(remote.packs.put(key, path));
    }
    let mut uploads = stream::iter(uploads).buffer_unordered(AT_ONCE);
    while let Some(done) = uploads.next().await {
        done?;
    }
    Ok(())
}

/// Packs that were received and are not in the object store yet.
struct Arrivals<'s> {
    store: &'s Store,
    packs: Vec<VerifiedPack>,
    bytes: u64,
    /// Since packs were last added to the store.
    since: Stopwatch,
    /// Ids of the packs that were received in full or were in the store before.
    whole: Vec<String>,
}

impl Arrivals<'_> {
    fn add(&mut self, row: &Pack, pack: VerifiedPack) -> Result<(), SyncError> {
        self.whole.push(row.pack_id.clone());
        self.bytes += pack.info().bytes;
        self.packs.push(pack);
        let is_due = self.since.passed() >= TAKEN_WITHIN;
        if is_due || self.packs.len() >= TAKEN_AT_ONCE || self.bytes >= TAKEN_BYTES_MAX {
            self.take_in()
        } else {
            Ok(())
        }
    }

    fn take_in(&mut self) -> Result<(), SyncError> {
        self.bytes = 0;
        self.since.restart();
        Ok(self.store.take_in(std::mem::take(&mut self.packs))?)
    }
}

/// Reads objects of the store, and of packs that were received but not added to it yet.
pub(crate) type PackReader<'r> = dyn FnMut(&Replica, &dyn ObjectSource) + Send + 'r;

/// Fetches the packs that `rows` name into the object store, and returns the ids of those that are
/// complete there now.
///
/// `reader`, if there is one, runs when all packs have been received, and before the packs that are
/// lent to it are verified. Objects that `reader` has read are already verified and are skipped
/// then.
pub(crate) async fn take_packs(
    replica: &mut Replica,
    store: &Store,
    remote: &Remote,
    rows: &[Pack],
    reader: Option<&mut PackReader<'_>>,
) -> Result<Vec<String>, SyncError> {
    let (packs, since, whole) = (Vec::new(), remote.world().stopwatch(), Vec::new());
    let mut arrivals = Arrivals { store, packs, bytes: 0, since, whole };
    let came = receive_all(replica, remote, rows, &mut arrivals, reader).await;
    // Packs that were received before an error need not be fetched again.
    let taken = arrivals.take_in();
    match came.and(taken) {
        Ok(()) => Ok(arrivals.whole),
        Err(SyncError::DamagedAtRemote { project_id, pack_id, error, .. }) => {
            let is_asked_for = ask_for(&*remote.primary, &project_id, &pack_id).await;
            Err(SyncError::DamagedAtRemote { project_id, pack_id, is_asked_for, error })
        }
        Err(error) => Err(error),
    }
}

/// Turns an error into [`SyncError::DamagedAtRemote`] if the pack itself is the cause.
fn at_fault(row: &Pack, error: SyncError) -> SyncError {
    match error {
        SyncError::Primary(PrimaryError::Inconsistent { .. })
        | SyncError::PackStore(PackStoreError::Failed { .. } | PackStoreError::Missing { .. }) => {
            let (project_id, pack_id) = (row.project_id.clone(), row.pack_id.clone());
            let error = Box::new(error);
            SyncError::DamagedAtRemote { project_id, pack_id, is_asked_for: false, error }
        }
        error => error,
    }
}

async fn receive_all(
    replica: &mut Replica,
    remote: &Remote,
    rows: &[Pack],
    arrivals: &mut Arrivals<'_>,
    reader: Option<&mut PackReader<'_>>,
) -> Result<(), SyncError> {
    let stored = take_rows(replica, remote, rows, arrivals).await?;
    let store = arrivals.store;
    // A killed process loses the packs that are lent, so their number, bytes and time are bounded.
    let mut room = if reader.is_some() { TAKEN_BYTES_MAX } else { 0 };
    let since = &remote.world().stopwatch();
    // Boxed, and collected first: with closures in the stream, the future of this function would
    // not be `Send`.
    let mut downloads = Vec::with_capacity(stored.len());
    for (at, download) in stored.iter().enumerate() {
        room = room.saturating_sub(download.bytes());
        let lend = at < TAKEN_AT_ONCE && room > 0;
        let came = async move {
            let whole = download.receive(store, remote).await?;
            Ok::<_, SyncError>(if lend && since.passed() < TAKEN_WITHIN {
                Came::Whole(whole)
            } else {
                // Verified on another thread, while the next packs arrive.
                Came::Checked(download.check(remote, whole).await?)
            })
        };
        let came = came.map(move |came: Result<Came, SyncError>| {
            let came = came.map_err(|error| at_fault(download.row, error))?;
            Ok::<_, SyncError>((download, came))
        });
        downloads.push(came.boxed());
    }
    let mut downloads = stream::iter(downloads).buffer_unordered(AT_ONCE);
    let (mut lent, mut packs) = (Vec::new(), Vec::new());
    while let Some((download, came)) = downloads.try_next().await? {
        match came {
            Came::Checked(pack) => arrivals.add(download.row, pack)?,
            Came::Whole(pack) => {
                lent.push(download);
                packs.push(pack);
            }
        }
    }
    drop(downloads);
    let Some(read) = reader else { return Ok(()) };
    arrivals.take_in()?;
    let lent_packs = store.lend(packs)?;
    read(replica, &lent_packs);
    let mut all = Ok(());
    for (download, pack) in lent.into_iter().zip(lent_packs.take_back()) {
        // A refused pack does not prevent the ones after it from being added.
        let added = download.checked(remote, pack).map_err(|error| at_fault(download.row, error));
        all = all.and(added.and_then(|pack| arrivals.add(download.row, pack)));
    }
    all
}

/// A downloaded pack, before or after its verification.
enum Came {
    Whole(ReceivedPack),
    Checked(VerifiedPack),
}

/// Receives the packs that are in the rows themselves. Returns those that have to be fetched from
/// the pack store.
async fn take_rows<'r>(
    replica: &mut Replica,
    remote: &Remote,
    rows: &'r [Pack],
    arrivals: &mut Arrivals<'_>,
) -> Result<Vec<Download<'r>>, SyncError> {
    let (store, primary) = (arrivals.store, &*remote.primary);
    let mut stored = Vec::new();
    for row in rows {
        let id = check_row(primary, row)?;
        match &row.data {
            _ if store.has_pack(&id) => {
                check_claim(primary, row, &store.pack_info(&id)?)?;
                arrivals.whole.push(row.pack_id.clone());
            }
            None => {
                // The project's row may not be here yet: it changes with every push, and so comes
                // last.
                let owner = owner_of(replica, primary, &row.project_id).await?;
                stored.push(Download { id, key: pack_key(&owner, &row.pack_id), row });
            }
            Some(data) if row.parts == 1 => {
                let pack = from_text(store, &id, [data.as_str()], primary);
                let pack =
                    pack.and_then(|pack| check_claim(primary, row, &pack.info()).map(|()| pack));
                arrivals.add(row, pack.map_err(|error| at_fault(row, error))?)?;
            }
            Some(data) => {
                let pack = take_part(replica, store, &id, row, data, primary);
                if let Some(pack) = pack.map_err(|error| at_fault(row, error))? {
                    arrivals.add(row, pack)?;
                }
            }
        }
    }
    Ok(stored)
}

/// Returns the id of the pack that a row names, if the row is well-formed.
fn check_row(primary: &dyn Primary, row: &Pack) -> Result<PackId, SyncError> {
    let id: PackId = row
        .pack_id
        .parse()
        .map_err(|_| inconsistent(primary, format!("{:?} is no id of a pack", row.pack_id)))?;
    if !(1..=PARTS_MAX).contains(&row.parts)
        || !(0..row.parts).contains(&row.part)
        || row.id != format!("{}/{}/{}", row.project_id, row.pack_id, row.part)
    {
        return Err(inconsistent(primary, format!("row {} is no pack, nor part of one", row.id)));
    }
    Ok(id)
}

/// A pack to be fetched from the pack store.
struct Download<'r> {
    id: PackId,
    key: String,
    row: &'r Pack,
}

impl Download<'_> {
    /// The size that the row claims, in bytes.
    fn bytes(&self) -> u64 {
        u64::try_from(self.row.bytes).unwrap_or(0)
    }

    /// Downloads the pack. After an interruption it resumes where it stopped.
    async fn receive(&self, store: &Store, remote: &Remote) -> Result<ReceivedPack, SyncError> {
        let (key, bytes_max) = (&self.key, self.bytes());
        remote.meter.expect(bytes_max);
        let mut incoming = store.incoming(&self.id)?;
        let mut breaks = 0;
        loop {
            let before = incoming.bytes();
            match receive(&mut incoming, &*remote.packs, key, bytes_max).await {
                Ok(()) if incoming.bytes() == bytes_max => break,
                // The stream ended early without an error.
                Ok(()) if breaks == BREAKS_MAX => {
                    let bytes = incoming.bytes();
                    let reason = format!("pack {key} ended after {bytes} of {bytes_max} bytes");
                    return Err(failed(remote, &reason));
                }
                Ok(()) => breaks += 1,
                Err(SyncError::PackStore(error))
                    if error.is_unreachable() && breaks < BREAKS_MAX =>
                {
                    breaks = if incoming.bytes() > before { 0 } else { breaks + 1 };
                }
                Err(error) => return Err(error),
            }
        }
        incoming.finish().map_err(|error| self.refused(remote, error))
    }

    /// Verifies each object of the pack, on a thread of its own.
    async fn check(&self, remote: &Remote, whole: ReceivedPack) -> Result<VerifiedPack, SyncError> {
        let checked = tokio::task::spawn_blocking(|| whole.verify()).await;
        self.checked(remote, checked.expect("checking a pack does not panic"))
    }

    /// Compares a verified pack with what its row claims.
    fn checked(
        &self,
        remote: &Remote,
        pack: Result<VerifiedPack, StoreError>,
    ) -> Result<VerifiedPack, SyncError> {
        let pack = pack.map_err(|error| self.refused(remote, error))?;
        check_claim(&*remote.primary, self.row, &pack.info())?;
        Ok(pack)
    }

    /// Explains why a pack from the pack store was refused.
    fn refused(&self, remote: &Remote, error: StoreError) -> SyncError {
        let key = &self.key;
        match error {
            StoreError::WrongPack { .. } => {
                let reason =
                    format!("the bytes of pack {key} are not those that its id stands for");
                failed(remote, &reason)
            }
            StoreError::DamagedPack { what, .. } => {
                failed(remote, &format!("pack {key} is damaged: {what}"))
            }
            error => error.into(),
        }
    }
}

/// Writes what the pack store sends, until it ends or exceeds the size that it may have.
async fn receive(
    incoming: &mut IncomingPack,
    packs: &dyn PackStore,
    key: &str,
    bytes_max: u64,
) -> Result<(), SyncError> {
    let mut stream = packs.get(key, incoming.bytes()).await?;
    while let Some(bytes) = stream.next().await {
        let bytes = bytes?;
        if incoming.bytes() + bytes.len() as u64 > bytes_max {
            let reason = packs.sanitize(&format!("pack {key} is larger than its row says"));
            let place = packs.place().to_owned();
            return Err(PackStoreError::Failed { place, reason }.into());
        }
        incoming.write(&bytes)?;
    }
    Ok(())
}

/// Returns the error for a pack store that returned other bytes than were stored there. `reason`
/// may quote the primary.
fn failed(remote: &Remote, reason: &str) -> SyncError {
    let (place, reason) = (remote.packs.place().to_owned(), remote.packs.sanitize(reason));
    PackStoreError::Failed { place, reason }.into()
}

/// Saves one part of a pack. Returns the pack once all parts have arrived.
fn take_part(
    replica: &mut Replica,
    store: &Store,
    id: &PackId,
    row: &Pack,
    data: &str,
    primary: &dyn Primary,
) -> Result<Option<VerifiedPack>, SyncError> {
    if data.len() > PART_LETTERS_MAX {
        return Err(inconsistent(primary, format!("row {} is no part of a pack", row.id)));
    }
    let kept = replica.write(|session| {
        Parts(session).put(&row.pack_id, row.part, data)?;
        Parts(session).count(&row.pack_id, row.parts)
    })?;
    if kept != row.parts {
        return Ok(None);
    }
    let parts = Parts(replica.read()).of(&row.pack_id, row.parts)?;
    let taken = from_text(store, id, parts.iter().map(String::as_str), primary)
        .and_then(|pack| check_claim(primary, row, &pack.info()).map(|()| pack));
    if taken.is_err() {
        // Any of the parts may be the damaged one, and the cursor is past them. So all parts are
        // pulled again.
        replica.write(|session| {
            Parts(session).remove(&row.pack_id)?;
            Cursors(session).rewind(&row.project_id.scope())
        })?;
    }
    taken.map(Some)
}

/// Refuses a row whose sizes differ from its pack's. If this device later sends the row to another
/// primary, the push relies on these sizes.
fn check_claim(primary: &dyn Primary, row: &Pack, info: &PackInfo) -> Result<(), SyncError> {
    let claimed = (u64::try_from(row.bytes), u64::try_from(row.objects));
    if claimed == (Ok(info.bytes), Ok(info.objects)) {
        Ok(())
    } else {
        let what = format!("row {} says another size of its pack than it has", row.id);
        Err(inconsistent(primary, what))
    }
}

fn from_text<'a>(
    store: &Store,
    id: &PackId,
    parts: impl IntoIterator<Item = &'a str>,
    primary: &dyn Primary,
) -> Result<VerifiedPack, SyncError> {
    let mut incoming = store.incoming(id)?;
    let mut bytes = Vec::new();
    for part in parts {
        bytes.clear();
        STANDARD
            .decode_vec(part, &mut bytes)
            .map_err(|_| inconsistent(primary, format!("pack {id} is not in base64")))?;
        incoming.write(&bytes)?;
    }
    incoming.verify().map_err(|error| match error {
        StoreError::WrongPack { .. } => {
            inconsistent(primary, format!("the bytes of pack {id} are not those of its id"))
        }
        // The damaged file was received and is not in the store, so the error names the primary.
        StoreError::DamagedPack { what, .. } => {
            inconsistent(primary, format!("pack {id} is damaged: {what}"))
        }
        error => error.into(),
    })
}
