//! Sends a new workspace to the primary, so that others see it and choose other names for theirs.

use fastest_schema::tables::projects::Project;
use fastest_schema::tables::workspaces::{ActivityEvent, DriftReport, Workspace};
use fastest_schema::{ProjectId, Row};

use crate::device::notices::notices_of;
use crate::device::open::OpenDevice;
use crate::device::report::CloneReport;
use crate::error::SyncError;
use crate::replica::local::copies::Copies;
use crate::replica::local::outbox::Outbox;

impl OpenDevice {
    /// Sends the workspace in `report` to the primary, unless that would send something else along:
    /// waiting snapshots are sent by a push only. If the primary does not accept it now, the report
    /// gets a warning.
    pub(crate) async fn announce(&mut self, report: &mut CloneReport) -> Result<(), SyncError> {
        let remote = self.remote()?;
        if self.waits_to_be_pushed(&report.project_id)? {
            return Ok(());
        }
        let pushed = self.push_scope(&remote, &report.project_id.scope()).await;
        report.add(remote.meter.traffic());
        match pushed {
            Ok(pushed) => {
                report.announced = true;
                report.warnings.extend(notices_of(&pushed));
            }
            Err(error) => {
                let workspace = &report.workspace;
                report
                    .warnings
                    .push(format!("others do not see workspace {workspace} yet: {error}"));
            }
        }
        Ok(())
    }

    /// Whether a project has queued rows that only a push should send.
    fn waits_to_be_pushed(&self, project_id: &ProjectId) -> Result<bool, SyncError> {
        let harmless = [Workspace::TABLE, ActivityEvent::TABLE, DriftReport::TABLE];
        let entries = Outbox(self.replica.read()).entries(&project_id.scope())?;
        Ok(entries.iter().any(|entry| harmless.iter().all(|table| table.name != entry.table.name)))
    }

    /// Describes a project so that it can be told from others with the same name.
    pub(crate) fn tell_project(&self, id: &ProjectId) -> Result<String, SyncError> {
        let session = self.replica.read();
        let Some(project) = session.row::<Project>(id)? else {
            return Ok(format!("{id} (on the primary)"));
        };
        let copies = Copies(session).of_project(id)?;
        let place = copies.iter().map(|copy| copy.root.display().to_string()).next();
        let place = place.map(|place| format!(", here in {place}")).unwrap_or_default();
        Ok(format!("{id} (made {}{place})", project.created_at))
    }
}
