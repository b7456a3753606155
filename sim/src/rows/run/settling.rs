//! The end of a run: all devices agree.

use crate::events::digest;
use crate::finding::Kind;
use crate::rows::model::{Row, Rows};
use crate::rows::run::Run;
use crate::rows::run::writing::differences;

/// How often all devices push and pull until they agree.
const ROUNDS_MAX: u32 = 12;

impl Run<'_> {
    /// With everything upgraded and no more faults, lets all devices agree, and compares them.
    pub(super) fn settle(&mut self) {
        self.migrate();
        for device in 0..self.devices.len() as u8 {
            self.fill(device, false);
            self.deliver(device);
            self.upgrade(device);
            self.at(device).party.set_skew(0);
        }
        for round in 0.. {
            let before = digest(&self.primary_rows());
            for device in 0..self.devices.len() as u8 {
                self.refused(device, true);
                self.push(device, &[]);
                self.refused(device, true);
                self.push(device, &[]);
                self.pull(device, &[]);
                if !self.findings.is_empty() {
                    return;
                }
            }
            if round > 0 && before == digest(&self.primary_rows()) {
                break;
            }
            if round == ROUNDS_MAX {
                return self.found(Kind::Unsettled, "the devices do not settle".to_owned());
            }
        }
        self.compare();
    }

    pub(super) fn compare(&mut self) {
        let primary = self.primary_rows();
        for wrong in self.model.judge(&primary) {
            self.found(wrong.kind, wrong.text);
        }
        for device in 0..self.devices.len() as u8 {
            let team = self.at(device).team;
            let Ok(rows) = self.at(device).rows() else { continue };
            let is_held = |row: &Row| team.is_none_or(|team| row["team"].as_deref() == Some(team));
            let expected: Rows = primary
                .iter()
                .filter(|(_, row)| is_held(row))
                .map(|(k, r)| (k.clone(), r.clone()))
                .collect();
            if rows != expected {
                let differ = differences(&expected, &rows);
                self.found(
                    Kind::Differs,
                    format!("d{device} differs from the primary: {differ:?}"),
                );
            }
            let held = self.at(device).open().and_then(|db| db.held());
            if !matches!(&held, Ok(held) if held.is_empty()) {
                self.found(Kind::Differs, format!("d{device} holds back {held:?}"));
            }
        }
    }
}
