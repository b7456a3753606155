//! A comparison that is being shown.

use fastest_sync::Device;
use fastest_sync::device::diff::{Body, Change, Comparison, Limits};
use fastest_sync::device::path::show;

use crate::args::Diff;
use crate::error::CliError;

/// A comparison, and how it was asked for.
pub struct Shown<'a> {
    pub device: &'a mut Device,
    pub comparison: &'a Comparison,
    pub asked: &'a Diff,
    /// Files that were not read, because they are too large.
    pub large: Vec<String>,
}

impl Shown<'_> {
    /// Compares the contents, and passes each file on.
    pub fn each(
        &mut self,
        deliver: &mut dyn FnMut(&Change, &Body) -> Result<(), CliError>,
    ) -> Result<(), CliError> {
        let limits = Limits { context: self.asked.context, ..Limits::default() };
        let large = &mut self.large;
        self.device.diff_contents(self.comparison, limits, |change, body| {
            if matches!(body, Body::TooLarge) {
                large.push(show(change.path()));
            }
            deliver(change, body)
        })
    }
}

/// Returns the path of a change; of a renamed file, both.
pub fn path_of(change: &Change) -> String {
    match change {
        Change::Renamed { old, new, .. } => {
            format!("{} => {}", show(&old.path), show(&new.path))
        }
        _ => show(change.path()),
    }
}
