//! `conflicts` and `resolve`: rows that this device and the primary changed, each in its own way.

use crate::device::open::Device;
use crate::device::report::ConflictsReport;
use crate::error::SyncError;
use crate::replica::local::held::Held;
use crate::rows::resolve::{Resolution, ResolveReport, Resolver};

impl Device {
    /// The conflicts of a project, or of all.
    pub fn conflicts(&mut self, project_id: Option<&str>) -> Result<ConflictsReport, SyncError> {
        let session = self.replica.read();
        let (conflicts, held) =
            (Resolver(session).conflicts(project_id)?, Held(session).of(project_id)?);
        Ok(ConflictsReport { conflicts, held, refused: Vec::new() })
    }

    /// Settles a conflict, which is named by its id or the beginning of one.
    pub fn resolve(
        &mut self,
        name: &str,
        resolution: &Resolution,
    ) -> Result<ResolveReport, SyncError> {
        Ok(self.replica.write(|session| Resolver(session).resolve(name, resolution))?)
    }
}
