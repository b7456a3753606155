//! `remote set`, `remote show` and `remote check`.

use std::time::Instant;

use crate::address::Address;
use crate::device::Device;
use crate::error::SyncError;
use crate::primary::{Primary, PrimaryError};
use crate::remote::{Packs, Remote, RemoteState, check_migration, name_to_id};
use crate::report::RemoteReport;

use super::status::primary_url;

impl Device {
    /// Follows the primary at `url`, or with `None` the one inside the store. What the old one
    /// has, the new one is given with the next push.
    pub async fn remote_set(
        &mut self,
        url: Option<&str>,
        packs: Packs,
    ) -> Result<RemoteReport, SyncError> {
        let url = match url.map(settle_address).transpose()? {
            Some(url) => Some(name_to_id(url, &*self.secrets).await?),
            None => None,
        };
        let state = RemoteState { url, packs, ..RemoteState::default() };
        Remote::open(&state, &self.dir, &*self.secrets)?;
        let gone = match state.url.as_deref().map(Address::parse).transpose()? {
            Some(Address::File(path)) => !path.exists(),
            _ => false,
        };
        self.replica.write(|session| {
            let old = session.remote()?;
            match old.url == state.url && !gone {
                true => session.put_remote(&RemoteState { packs: state.packs, ..old }),
                false => {
                    session.put_remote(&state)?;
                    session.forget_primary()?;
                    session.queue_everything()
                }
            }
        })?;
        self.remote_check().await
    }

    /// Which primary the device follows, without asking it.
    pub fn remote_show(&mut self) -> Result<RemoteReport, SyncError> {
        let state = self.replica.read().remote()?;
        let url = primary_url(&state, self)?;
        let inline_packs = state.packs == Packs::Rows;
        Ok(RemoteReport { url, inline_packs, ..RemoteReport::default() })
    }

    /// Asks the primary how it is.
    pub async fn remote_check(&mut self) -> Result<RemoteReport, SyncError> {
        let report = self.remote_show()?;
        let remote = self.remote()?;
        let begun = Instant::now();
        let asked = schema_version(&*remote.primary).await;
        let latency_ms = Some(begun.elapsed().as_secs_f64() * 1e3);
        Ok(match asked {
            Ok(schema_version) => {
                RemoteReport { reachable: Some(true), latency_ms, schema_version, ..report }
            }
            Err(error) => {
                let reachable = Some(!error.is_unreachable());
                RemoteReport { reachable, problem: Some(error.to_string()), ..report }
            }
        })
    }
}

/// The address as it is kept: a file's by its real path, so that the working folder has no say.
fn settle_address(url: &str) -> Result<String, PrimaryError> {
    let Address::File(path) = Address::parse(url)? else { return Ok(url.to_owned()) };
    let parent = path.parent().unwrap_or(&path).to_owned();
    let parent = parent.canonicalize().map_err(|_| PrimaryError::NoFolder { path: parent })?;
    let path = parent.join(path.file_name().unwrap_or_default());
    let url = url::Url::from_file_path(&path).map_err(|()| PrimaryError::BadUrl {
        url: url.to_owned(),
        reason: "the path must be absolute".into(),
    })?;
    Ok(String::from(url))
}

/// The last migration of a primary; `None` where it has none yet.
async fn schema_version(primary: &dyn Primary) -> Result<Option<String>, PrimaryError> {
    let tables = "SELECT name FROM sqlite_master WHERE name = 'd1_migrations'";
    if primary.run(tables, &[]).await?.is_empty() {
        return Ok(None);
    }
    let rows = primary.run("SELECT max(name) FROM d1_migrations", &[]).await?;
    let last = rows.into_iter().flatten().flatten().next();
    check_migration(primary, last.as_deref())?;
    Ok(last)
}
