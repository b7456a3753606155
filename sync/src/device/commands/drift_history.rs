//! `drift --history`: lists the reports that were recorded.

use crate::device::open::OpenDevice;
use crate::device::report::{DriftHistory, DriftRecord};
use crate::device::working_copy::WorkingCopy;
use crate::error::SyncError;
use crate::rows::drift_reports::{DriftReports, Recorded};

impl OpenDevice {
    /// See [`Device::drift_history`](crate::Device::drift_history).
    pub(crate) fn drift_history(
        &mut self,
        copy: &WorkingCopy,
        workspace: Option<&str>,
    ) -> Result<DriftHistory, SyncError> {
        let warnings = self.take_notices();
        let (project, own) = (self.project_of(copy)?, self.workspace_of(copy)?);
        let from = self.named_workspace(&project, workspace)?;
        let reports = DriftReports(self.replica.read()).between(&own.id, &from.id)?;
        let reports = reports.into_iter().map(record).collect();
        Ok(DriftHistory { source: from.name, workspace: own.name, reports, warnings })
    }
}

fn record(row: Recorded) -> DriftRecord {
    let [files_added, files_modified, files_deleted, bytes_changed] =
        row.counts.map(|number| u64::try_from(number).unwrap_or(0));
    DriftRecord {
        id: row.id,
        reported_at: row.reported_at,
        workspace_snapshot_id: row.workspace_snapshot_id,
        source_snapshot_id: row.source_snapshot_id,
        files_added,
        files_modified,
        files_deleted,
        bytes_changed,
        summary: row.summary,
    }
}
