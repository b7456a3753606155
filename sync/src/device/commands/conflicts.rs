//! `conflicts` and `resolve`: rows that this device and the primary changed differently.

use crate::device::open::Device;
use crate::device::report::ConflictsReport;
use crate::error::SyncError;
use crate::replica::local::held::Held;
use crate::rows::resolve::{Resolution, ResolveReport, Resolver};

impl Device {
    /// Returns the conflicts of a project, or of all projects.
    pub fn conflicts(&mut self, project_id: Option<&str>) -> Result<ConflictsReport, SyncError> {
        let session = self.replica.read();
        let (conflicts, held) =
            (Resolver(session).conflicts(project_id)?, Held(session).of(project_id)?);
        Ok(ConflictsReport { conflicts, held, refused: Vec::new() })
    }

    /// Resolves a conflict, named by its id or a prefix of one.
    pub fn resolve(
        &mut self,
        name: &str,
        resolution: &Resolution,
    ) -> Result<ResolveReport, SyncError> {
        Ok(self.replica.write(|session| Resolver(session).resolve(name, resolution))?)
    }
}
