//! The remote of a device: its primary, and where large packs are stored.

use std::path::Path;
use std::sync::Arc;

use crate::base::world::World;
use crate::remote::address::Address;
use crate::remote::d1::{self, D1};
use crate::remote::embedded::Embedded;
use crate::remote::guard::IssuedSecrets;
use crate::remote::meter::Meter;
use crate::remote::pack_store::address::PackAddress;
use crate::remote::pack_store::directory::Directory;
use crate::remote::pack_store::s3::S3;
use crate::remote::pack_store::store::{LargePacks, NoPackStore, PackStore, PackStoreError};
use crate::remote::primary::{Denial, Primary, PrimaryError};
use crate::remote::retry::{RetryPolicy, Retrying};
use crate::remote::secret::{Secret, Secrets};
use crate::remote::state::{Packs, RemoteState};
use crate::remote::turso::LibsqlPrimary;

/// Why a remote could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RemoteError {
    /// Its primary cannot be used.
    #[error(transparent)]
    Primary(#[from] PrimaryError),
    /// Its pack store cannot be used.
    #[error(transparent)]
    Packs(#[from] PackStoreError),
    /// Another command chose another remote while this one ran.
    #[error("the primary was changed by another command in the meantime")]
    Changed,
}

/// An open remote. Clones share connections and counts.
#[derive(Clone)]
pub struct Remote {
    /// The database that orders writes.
    pub primary: Arc<dyn Primary>,
    /// The store of packs that are not in the primary's rows.
    pub packs: Arc<dyn PackStore>,
    /// Where large packs are put.
    pub large: LargePacks,
    /// Counts the requests and bytes of both.
    pub meter: Meter,
    /// The address of the primary as the device remembers it; `None` if the primary is inside the
    /// store, and for an application.
    pub chosen: Option<String>,
}

impl Remote {
    /// Opens the remote that `state` describes, for the device whose store is in `store_dir`. No error
    /// of the remote contains a secret that `secrets` gave out for it.
    pub fn open(
        state: &RemoteState,
        store_dir: &Path,
        secrets: &dyn Secrets,
        world: World,
    ) -> Result<Self, RemoteError> {
        Self::open_with_retries(state, store_dir, secrets, world, RetryPolicy::default())
    }

    /// Like [`Remote::open`], with the caller's own retry policy.
    pub fn open_with_retries(
        state: &RemoteState,
        store_dir: &Path,
        secrets: &dyn Secrets,
        world: World,
        policy: RetryPolicy,
    ) -> Result<Self, RemoteError> {
        let given = IssuedSecrets::new(secrets);
        match Self::open_unguarded(state, store_dir, &given, world, policy) {
            Ok(remote) => {
                let (primary, packs) = given.guard(remote.primary, remote.packs);
                Ok(Self { primary, packs, ..remote })
            }
            Err(RemoteError::Primary(error)) => Err(given.clean(error).into()),
            Err(RemoteError::Packs(error)) => Err(given.clean_packs(error).into()),
            Err(RemoteError::Changed) => Err(RemoteError::Changed),
        }
    }

    fn open_unguarded(
        state: &RemoteState,
        store_dir: &Path,
        secrets: &dyn Secrets,
        world: World,
        policy: RetryPolicy,
    ) -> Result<Self, RemoteError> {
        let meter = Meter::default();
        let (path, own) = match &state.url {
            Some(url) => match Address::parse(url)? {
                Address::File(path) => (path, false),
                server => {
                    let primary = open_server(server, url, secrets, &world, policy, meter.clone())?;
                    let (packs, large) = pack_store(state, None, secrets, &world, &meter)?;
                    return Ok(Self { primary, packs, large, meter, chosen: Some(url.clone()) });
                }
            },
            None => (store_dir.join("primary").join("primary.db"), true),
        };
        let beside = Directory::beside(&path, own);
        let (packs, large) = pack_store(state, Some(beside), secrets, &world, &meter)?;
        // The primary inside the store comes and goes with the store. Any other one with an epoch
        // has answered before, so its file must exist.
        let primary = if own {
            Embedded::inside_store(&path, world)
        } else if state.epoch.is_some() {
            Embedded::existing(&path, world)
        } else {
            Embedded::new(&path, world)
        };
        let primary = Arc::new(primary.metered(meter.clone()));
        let chosen = state.url.clone();
        Ok(Self { primary, packs, large, meter, chosen })
    }
}

impl Remote {
    /// Returns the world in which its primary was opened.
    pub(crate) fn world(&self) -> &World {
        self.primary.world()
    }

    /// Fails if the user has chosen another primary in the meantime, because the answers of one
    /// primary do not apply to another. `state` is what the device remembers now.
    pub(crate) fn check_chosen(&self, state: &RemoteState) -> Result<(), RemoteError> {
        if state.url == self.chosen { Ok(()) } else { Err(RemoteError::Changed) }
    }
}

/// For an application, whose rows have no packs.
impl Remote {
    /// Opens the primary at an [address](crate::remote::address), such as a `file:`, `d1:` or
    /// `libsql:` URL. No error of the remote contains a secret that `secrets` gave out for it.
    pub fn to(url: &str, secrets: &dyn Secrets, world: World) -> Result<Self, RemoteError> {
        let (url, packs) = (Some(url.to_owned()), Packs::Rows);
        let state = RemoteState { url, packs, ..RemoteState::default() };
        // Only a primary without an address needs the store's folder.
        let remote = Self::open(&state, Path::new(""), secrets, world)?;
        Ok(Self { chosen: None, ..remote })
    }

    /// Wraps a primary that is already open, for example one of the application's own. Its requests
    /// are not logged or counted, and its errors are passed on as they are.
    pub fn of(primary: Box<dyn Primary>) -> Self {
        let (packs, large) = (Arc::new(NoPackStore), LargePacks::Rows);
        Self { primary: primary.into(), packs, large, meter: Meter::default(), chosen: None }
    }
}

const D1_TOKEN: &str = "CLOUDFLARE_API_TOKEN";
const LIBSQL_TOKEN: &str = "TURSO_AUTH_TOKEN";

/// Opens the primary at `address`, which is `url` parsed.
fn open_server(
    address: Address,
    url: &str,
    secrets: &dyn Secrets,
    world: &World,
    policy: RetryPolicy,
    meter: Meter,
) -> Result<Arc<dyn Primary>, PrimaryError> {
    Ok(match address {
        Address::File(path) => Arc::new(Embedded::new(&path, world.clone()).metered(meter)),
        Address::D1(address) => {
            let (token, problem) = token(secrets, D1_TOKEN, url);
            let primary = D1::new(address, token, world.clone(), meter);
            let primary = primary.map_err(|error| wants_token(error, problem))?;
            Arc::new(Retrying::new(primary, policy))
        }
        Address::Libsql(address) => {
            let (token, problem) = token(secrets, LIBSQL_TOKEN, url);
            let primary = LibsqlPrimary::new(address, token, world.clone(), meter)?;
            Arc::new(Retrying::new(primary.with_token_error(problem), policy))
        }
    })
}

/// Returns a token, or why there is none. A keyring that cannot be read counts as empty.
fn token(secrets: &dyn Secrets, name: &str, url: &str) -> (Option<Secret>, Option<String>) {
    match secrets.get(name, url) {
        Ok(token) => (token, None),
        Err(problem) => (None, Some(format!("there is no {name}: {problem}"))),
    }
}

/// Replaces the message of the error for a missing token by the problem with the keyring, if there
/// was one.
fn wants_token(error: PrimaryError, problem: Option<String>) -> PrimaryError {
    match (error, problem) {
        (PrimaryError::Denied { url, denial: Denial::NoToken, .. }, Some(message)) => {
            PrimaryError::Denied { url, denial: Denial::NoToken, message }
        }
        (error, _) => error,
    }
}

/// Replaces the name of a database in a D1 address by its id, if the id can be looked up now. D1's
/// API takes ids, and each look-up costs a request. Other addresses are returned as they are.
pub(crate) async fn name_to_id(
    url: String,
    secrets: &dyn Secrets,
    world: World,
) -> Result<String, PrimaryError> {
    let Address::D1(address) = Address::parse(&url)? else { return Ok(url) };
    let (token, _) = token(secrets, D1_TOKEN, &url);
    match d1::resolve(address, token, world).await {
        Ok(found) => Ok(found.to_text()),
        Err(PrimaryError::Denied { .. } | PrimaryError::Unreachable { .. }) => Ok(url),
        Err(error) => Err(error),
    }
}

/// Returns the store that packs are read from, and where large ones are written. By default, that
/// is the folder `beside` a primary that is a file, and rows of any other primary. Small packs are
/// always sent inline. If large packs go to rows, packs in `beside` can still be read.
fn pack_store(
    state: &RemoteState,
    beside: Option<Directory>,
    secrets: &dyn Secrets,
    world: &World,
    meter: &Meter,
) -> Result<(Arc<dyn PackStore>, LargePacks), PackStoreError> {
    let url = match (&state.packs, beside) {
        (Packs::At(url), _) => url,
        (_, None) => return Ok((Arc::new(NoPackStore), LargePacks::Rows)),
        (Packs::Default, Some(dir)) => return Ok((Arc::new(dir), LargePacks::Stored)),
        (Packs::Rows, Some(dir)) => return Ok((Arc::new(dir), LargePacks::Rows)),
    };
    let packs: Arc<dyn PackStore> = match PackAddress::parse(url)? {
        PackAddress::Directory(dir) => Arc::new(Directory::chosen(&dir)),
        PackAddress::S3(address) => {
            Arc::new(S3::new(&address, url, secrets, world.clone(), meter.clone())?)
        }
    };
    Ok((packs, LargePacks::Stored))
}
