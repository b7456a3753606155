//! `remote check`: checks the connection to the primary, step by step.

use std::time::Duration;

use fastest_core::files::network::shared_by;
use fastest_schema::{FASTEST, PUSH_SQL, Refusal};
use jiff::Timestamp;

use crate::device::open::OpenDevice;
use crate::device::report::{CheckName, RemoteCheck, RemoteReport};
use crate::error::SyncError;
use crate::remote::address::Address;
use crate::remote::level::{check_migration, last_migration};
use crate::remote::pack_store::store::{LargePacks, PackStoreError};
use crate::remote::primary::{Denial, Primary, PrimaryError, ask_time};
use crate::remote::state::{Packs, RemoteState};
use crate::remote::statement::Statement;
use crate::replica::local::remote_row::RemoteRow;

/// The most that clocks may differ by. Ids sort by time, so with more, the snapshots of several
/// devices would be out of order.
const CLOCK_APART_MAX: Duration = Duration::from_secs(60);

impl OpenDevice {
    /// See [`Device::remote_check`](crate::Device::remote_check).
    pub(crate) async fn remote_check(&mut self) -> Result<RemoteReport, SyncError> {
        let report = self.remote_show()?;
        let address = Address::parse(&report.url).ok();
        let is_own = RemoteRow(self.replica.read()).get()?.url.is_none();
        let mut checkup = Checkup { is_own, address, report };
        match self.remote() {
            Ok(remote) => {
                if checkup.primary(&*remote.primary).await {
                    match remote.large {
                        LargePacks::Rows => checkup.ok(CheckName::Packs, "in the primary's rows"),
                        LargePacks::Stored => checkup.packs(remote.packs.check().await),
                    }
                }
            }
            // A missing token or key is detected before anything is sent. Without keys for the pack
            // store, the primary can still be checked.
            Err(SyncError::Primary(error @ PrimaryError::Denied { .. })) => checkup.failed(&error),
            Err(SyncError::PackStore(error)) => {
                let state =
                    RemoteState { packs: Packs::Rows, ..RemoteRow(self.replica.read()).get()? };
                let remote = self.open_remote(&state)?;
                checkup.primary(&*remote.primary).await;
                checkup.packs(Err(error));
            }
            Err(error) => return Err(error),
        }
        let mut report = checkup.report;
        report.problem = report.checks.iter().find(|check| !check.ok).map(|bad| bad.what.clone());
        Ok(report)
    }
}

struct Checkup {
    /// Whether the primary is the one inside the store.
    is_own: bool,
    address: Option<Address>,
    report: RemoteReport,
}

impl Checkup {
    /// Runs the checks of the primary. Returns false if it cannot be reached.
    async fn primary(&mut self, primary: &dyn Primary) -> bool {
        let stopwatch = primary.world().stopwatch();
        let last = match last_migration(primary, &FASTEST).await {
            Ok(last) => last,
            Err(error) => {
                self.failed(&error);
                return false;
            }
        };
        self.report.reachable = Some(true);
        self.report.latency_ms = Some(stopwatch.passed().as_secs_f64() * 1e3);
        self.report.schema_version = last.as_deref().map(|last| primary.sanitize(last));
        self.ok(CheckName::Name, "it answers");
        self.file_system();
        self.ok(CheckName::Token, self.let_in());
        self.permission(primary).await;
        self.schema(primary, last.as_deref());
        self.clock(primary).await;
        true
    }

    /// Warns about a file that other machines may share, because it is safe only if the file system
    /// passes locks on.
    fn file_system(&mut self) {
        let Some(Address::File(path)) = &self.address else { return };
        if self.is_own {
            return;
        }
        if let Ok(Some(kind)) = shared_by(path) {
            let what = format!(
                "the file is on {kind}: devices on several machines are safe from each other only where it \
                 passes locks on; if that is not sure, take a libSQL server"
            );
            self.ok(CheckName::Locks, &what);
        }
    }

    fn token_name(&self) -> Option<&'static str> {
        self.address.as_ref()?.token_name()
    }

    fn let_in(&self) -> &'static str {
        match &self.address {
            Some(address) if address.is_unencrypted() => {
                "it lets us in, over http://: a token, and all else, can be read on the way"
            }
            Some(address) if address.token_name().is_some() => "it lets us in",
            _ => "none is needed",
        }
    }

    fn packs(&mut self, checked: Result<(), PackStoreError>) {
        match checked {
            Ok(()) => self.ok(CheckName::Packs, "stored, read and compared"),
            Err(error) => {
                let mend = match error {
                    PackStoreError::Denied { .. } => {
                        "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to keys that may write there"
                    }
                    _ => "mend it, or put packs elsewhere: `fastest remote set URL --packs PLACE`",
                };
                self.problem(CheckName::Packs, error.to_string(), mend.into());
            }
        }
    }

    /// Reports the check that failed, judged by the error of the first request.
    fn failed(&mut self, error: &PrimaryError) {
        let what = error.to_string();
        self.report.reachable = Some(!error.is_unreachable());
        let denial = match error {
            PrimaryError::Denied { denial, .. } => denial,
            PrimaryError::NoDatabase { .. } => {
                let mend = "make the database, or mend the address with `fastest remote set URL`";
                return self.problem(CheckName::Name, what, mend.into());
            }
            error if error.is_unreachable() => {
                let mend = "make sure that the folder or the host is there; pushes wait until then";
                return self.problem(CheckName::Name, what, mend.into());
            }
            _ => {
                let mend =
                    "mend what its message says, or choose another: `fastest remote set URL`";
                return self.problem(CheckName::Name, what, mend.into());
            }
        };
        self.ok(CheckName::Name, "it answers");
        let variable = self.token_name().unwrap_or("its variable");
        match denial {
            Denial::NoToken | Denial::BadToken => {
                let mend = format!("run `fastest remote login`, or set {variable}");
                self.problem(CheckName::Token, what, mend);
            }
            Denial::Forbidden => {
                self.ok(CheckName::Token, "it is known");
                self.problem(CheckName::Permission, what, permission_mend());
            }
        }
    }

    /// Checks for write access with a push whose payload version does not exist. If the primary's
    /// own rule refuses it, this device has write access, and nothing was written.
    async fn permission(&mut self, primary: &dyn Primary) {
        let id = format!("check-{}", primary.world().new_id());
        match primary.run(Statement::push(PUSH_SQL), &[&id, &id, r#"{"v":0}"#]).await {
            Err(PrimaryError::Refused { refusal: Refusal::PayloadVersion, .. }) => {
                self.ok(CheckName::Permission, "it may be written to");
            }
            Err(PrimaryError::NotMigrated { .. }) => {
                self.ok(CheckName::Permission, "not set up yet: the first push does it");
            }
            Err(error) => self.problem(CheckName::Permission, error.to_string(), permission_mend()),
            Ok(_) => {
                let what = "it takes a push that it should refuse: its triggers are not ours";
                let mend = "set the primary up anew from `schema/migrations`";
                self.problem(CheckName::Permission, what.into(), mend.into());
            }
        }
    }

    fn schema(&mut self, primary: &dyn Primary, last: Option<&str>) {
        let newest = FASTEST.migrations.last().expect("there is a migration").name;
        match (last, check_migration(primary, &FASTEST, last)) {
            (_, Err(error)) => {
                let mend = "upgrade fastest on this device".into();
                self.problem(CheckName::Schema, error.to_string(), mend);
            }
            (None, _) => self.ok(CheckName::Schema, "none yet: the first push makes it"),
            (Some(last), _) if last == newest => self.ok(CheckName::Schema, last),
            (Some(last), _) => {
                let mend = "run `fastest remote migrate`".into();
                self.problem(CheckName::Schema, format!("it is at {last}, behind {newest}"), mend);
            }
        }
    }

    async fn clock(&mut self, primary: &dyn Primary) {
        let text = match ask_time(primary).await {
            Ok(text) => text,
            Err(error) => {
                let mend = "try again".into();
                return self.problem(CheckName::Clock, error.to_string(), mend);
            }
        };
        let mend = || "set this device's clock: snapshots sort by their time".into();
        match text.parse::<Timestamp>() {
            Ok(theirs) => match apart(theirs, primary.world().timestamp()) {
                None => self.ok(CheckName::Clock, "as the primary's"),
                Some(what) => self.problem(CheckName::Clock, what, mend()),
            },
            Err(_) => {
                let what = primary.sanitize(&format!("it says that it is {text:?}"));
                self.problem(CheckName::Clock, what, mend());
            }
        }
    }

    fn ok(&mut self, name: CheckName, what: &str) {
        self.report.checks.push(RemoteCheck { name, ok: true, what: what.into(), mend: None });
    }

    fn problem(&mut self, name: CheckName, what: String, mend: String) {
        self.report.checks.push(RemoteCheck { name, ok: false, what, mend: Some(mend) });
    }
}

fn permission_mend() -> String {
    "let the token, or this user, write to the database".to_owned()
}

/// Describes how far this device's clock is off, if that matters.
fn apart(theirs: Timestamp, ours: Timestamp) -> Option<String> {
    let off = ours.duration_since(theirs);
    let side = if off.is_negative() { "behind" } else { "ahead of" };
    let off = off.unsigned_abs();
    (off > CLOCK_APART_MAX)
        .then(|| format!("this device's clock is {} s {side} the primary's", off.as_secs()))
}

#[cfg(test)]
mod tests {
    use super::apart;

    #[test]
    fn clocks_may_differ_a_little() {
        let at = |text: &str| format!("2026-11-21T{text}Z").parse().unwrap();
        let noon = at("12:00:00.000");
        assert_eq!(apart(noon, at("12:01:00")), None);
        assert_eq!(apart(noon, at("11:59:00")), None);
        let ahead = apart(noon, at("12:01:30")).unwrap();
        assert_eq!(ahead, "this device's clock is 90 s ahead of the primary's");
        let behind = apart(noon, at("10:00:00")).unwrap();
        assert_eq!(behind, "this device's clock is 7200 s behind the primary's");
    }
}
