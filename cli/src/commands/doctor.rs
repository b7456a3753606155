//! `doctor`.

use crate::error::{CliError, Exit};
use crate::session::{Session, runtime};
use crate::words::{count, plain};

pub fn doctor(session: &mut Session<'_>, mend: bool, remote: bool) -> Result<Exit, CliError> {
    let mut device = session.device()?;
    let runtime = runtime()?;
    let report = session
        .work(|activity| runtime.block_on(device.doctor_with_remote(mend, remote, activity)))?;
    session.out.report(&report, |out| {
        for mended in &report.mended {
            out.line(format_args!("mended: {}", plain(mended)))?;
        }
        for problem in &report.problems {
            out.line(format_args!("{}: {}", plain(&problem.place), plain(&problem.what)))?;
            out.line(format_args!("    {}", plain(&problem.mend)))?;
        }
        let packs = count(report.packs, "pack");
        let objects = count(report.objects, "object");
        let snapshots = count(report.snapshots, "snapshot");
        let problems = match report.problems.len() as u64 {
            0 => "no problems".into(),
            number => count(number, "problem"),
        };
        out.line(format_args!("Checked {packs}, {objects}, {snapshots}: {problems}"))?;
        if !mend && !report.problems.is_empty() {
            out.hint("`fastest doctor --mend` mends what can be mended");
        }
        Ok(())
    })?;
    Ok(if report.problems.is_empty() { Exit::Done } else { Exit::Failed })
}
