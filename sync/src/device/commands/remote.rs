//! `remote set`, `remote show` and `remote migrate`.

use std::path::Path;

use fastest_schema::FASTEST;

use crate::device::commands::status::primary_url;
use crate::device::open::OpenDevice;
use crate::device::report::{MigrateReport, RemoteReport};
use crate::error::SyncError;
use crate::remote::address::{Address, file_url};
use crate::remote::guard::IssuedSecrets;
use crate::remote::level::{last_migration, migrate};
use crate::remote::open::name_to_id;
use crate::remote::pack_store::address::PackAddress;
use crate::remote::pack_store::directory::{Directory, packs_dir};
use crate::remote::pack_store::store::PackStoreError;
use crate::remote::primary::PrimaryError;
use crate::remote::sharing::{ShareError, share};
use crate::remote::state::{Packs, RemoteState};
use crate::replica::local::remote_row::RemoteRow;
use crate::rows::requeue::Requeue;

impl OpenDevice {
    /// See [`Device::remote_set`](crate::Device::remote_set).
    pub(crate) async fn remote_set(
        &mut self,
        url: Option<&str>,
        packs: impl Into<Option<Packs>>,
    ) -> Result<RemoteReport, SyncError> {
        self.follow_remote(url, packs.into(), None).await
    }

    /// See [`Device::remote_set_shared`](crate::Device::remote_set_shared).
    pub(crate) async fn remote_set_shared(
        &mut self,
        url: &str,
        packs: Option<Packs>,
        group: &str,
    ) -> Result<RemoteReport, SyncError> {
        self.follow_remote(Some(url), packs, Some(group)).await
    }

    async fn follow_remote(
        &mut self,
        url: Option<&str>,
        packs: Option<Packs>,
        group: Option<&str>,
    ) -> Result<RemoteReport, SyncError> {
        let url = match url {
            Some(url) => Some(self.settle_address(url).await?),
            None => None,
        };
        let old = RemoteRow(self.replica.read()).get()?;
        let kept = if old.url == url { old.packs } else { Packs::Default };
        let packs = packs.unwrap_or(kept);
        let gone = match url.as_deref().map(Address::parse).transpose()? {
            Some(Address::File(path)) => !path.exists(),
            _ => false,
        };
        if let (Some(url), Some(group)) = (&url, group) {
            share_primary(url, &packs, group, &self.dir)?;
        }
        if let Packs::At(place) = &packs
            && let PackAddress::Directory(dir) = PackAddress::parse(place)?
        {
            Directory::chosen(&dir).prepare()?;
        }
        let state = RemoteState { url, packs, ..RemoteState::default() };
        match self.open_remote(&state) {
            // A missing token or key can be supplied later.
            Ok(_)
            | Err(
                SyncError::Primary(PrimaryError::Denied { .. })
                | SyncError::PackStore(PackStoreError::Denied { .. }),
            ) => {}
            Err(error) => return Err(error),
        }
        self.replica.write(|session| {
            let old = RemoteRow(session).get()?;
            if old.url == state.url && !gone {
                if old.packs != state.packs {
                    Requeue(session).packs()?;
                }
                RemoteRow(session).put(&RemoteState { packs: state.packs, ..old })
            } else {
                RemoteRow(session).put(&state)?;
                Requeue(session).forget_primary()?;
                Requeue(session).everything()
            }
        })?;
        self.remote_check().await
    }

    /// See [`Device::remote_show`](crate::Device::remote_show).
    pub(crate) fn remote_show(&mut self) -> Result<RemoteReport, SyncError> {
        let state = RemoteRow(self.replica.read()).get()?;
        let url = primary_url(&state, self)?;
        let inline_packs = state.packs == Packs::Rows;
        Ok(RemoteReport { url, inline_packs, packs: state.packs, ..RemoteReport::default() })
    }

    /// See [`Device::remote_migrate`](crate::Device::remote_migrate).
    pub(crate) async fn remote_migrate(&mut self) -> Result<MigrateReport, SyncError> {
        let remote = self.remote()?;
        let primary = &*remote.primary;
        let from = last_migration(primary, &FASTEST).await?;
        let applied: Vec<String> =
            migrate(primary, &FASTEST).await?.into_iter().map(Into::into).collect();
        let to = last_migration(primary, &FASTEST).await?;
        let to = to.expect("a primary that was migrated has a migration");
        Ok(MigrateReport { url: self.remote_show()?.url, from, to, applied })
    }
}

impl OpenDevice {
    /// Returns the address in the form in which it is stored. A database is named by its id,
    /// because another database can take over a name. A file is named by its real path, so that the
    /// address does not depend on the current folder.
    async fn settle_address(&mut self, url: &str) -> Result<String, SyncError> {
        match Address::parse(url)? {
            Address::File(path) => Ok(settle_path(&path)?),
            Address::Libsql(_) | Address::D1(_) => {
                let secrets = IssuedSecrets::new(&*self.secrets);
                let found = name_to_id(url.to_owned(), &secrets, self.world().clone()).await;
                Ok(found.map_err(|error| secrets.clean(error))?)
            }
        }
    }
}

/// Shares a primary that is a file, and the folder of its packs, with a Unix group.
fn share_primary(url: &str, packs: &Packs, group: &str, store: &Path) -> Result<(), SyncError> {
    let Address::File(path) = Address::parse(url)? else {
        return Err(ShareError::NotAFile { url: url.to_owned() }.into());
    };
    if path.starts_with(store) {
        return Err(ShareError::InStore { path }.into());
    }
    let dir = match packs {
        Packs::Default => Some(packs_dir(&path)),
        Packs::Rows => None,
        Packs::At(place) => match PackAddress::parse(place)? {
            PackAddress::Directory(dir) => Some(dir),
            PackAddress::S3(_) => None,
        },
    };
    Ok(share(&path, dir.as_deref(), group)?)
}

fn settle_path(path: &Path) -> Result<String, PrimaryError> {
    let parent = path.parent().unwrap_or(path).to_owned();
    let parent = parent.canonicalize().map_err(|_| PrimaryError::NoFolder { path: parent })?;
    let path = parent.join(path.file_name().unwrap_or_default());
    Ok(file_url(&path))
}
