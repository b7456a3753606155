//! `conflicts` and `resolve`: rows that this device and the primary changed differently.

use crate::device::open::OpenDevice;
use crate::device::report::ConflictsReport;
use crate::error::SyncError;
use crate::replica::local::held::Held;
use crate::rows::resolve::{Resolution, ResolveReport, Resolver};
use fastest_schema::ProjectId;

impl OpenDevice {
    /// See [`Device::conflicts`](crate::Device::conflicts).
    pub(crate) fn conflicts(
        &mut self,
        project_id: Option<&ProjectId>,
    ) -> Result<ConflictsReport, SyncError> {
        let (session, scope) = (self.replica.read(), project_id.map(ProjectId::scope));
        let conflicts = Resolver(session).conflicts(scope.as_ref())?;
        let held = Held(session).of(scope.as_ref())?;
        Ok(ConflictsReport::of_device(conflicts, held))
    }

    /// See [`Device::resolve`](crate::Device::resolve).
    pub(crate) fn resolve(
        &mut self,
        name: &str,
        resolution: &Resolution,
    ) -> Result<ResolveReport, SyncError> {
        Ok(self.replica.write(|session| Resolver(session).resolve(name, resolution))?)
    }
}
