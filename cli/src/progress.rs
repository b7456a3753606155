//! A progress bar for long work.
//!
//! A second thread polls what the command is doing. The bar is removed before [`watch`] returns, so
//! that nothing is ever printed into it.

use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use fastest_sync::device::activity::Activity;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::words::size;

/// Work that ends sooner shows no bar.
const DELAY: Duration = Duration::from_millis(700);
const PERIOD: Duration = Duration::from_millis(100);

/// Does the work, with a progress bar on stderr if `show` is set.
pub fn watch<T>(show: bool, work: impl FnOnce(&Activity) -> T) -> T {
    let activity = Activity::default();
    if !show {
        return work(&activity);
    }
    let (working, ended) = channel::<()>();
    thread::scope(|scope| {
        // Dropped when the work is done or panics: that ends the thread.
        let _working = working;
        // If no thread can be started, the work is done without a bar.
        let _ = thread::Builder::new().spawn_scoped(scope, || draw(&activity, ended));
        work(&activity)
    })
}

fn draw(activity: &Activity, ended: Receiver<()>) {
    if has_ended(&ended, DELAY) {
        return;
    }
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    let known = style("{spinner} {msg} [{bar:24}] {percent}%");
    let unknown = style("{spinner} {msg}");
    loop {
        let (phase, now) = activity.now();
        let phase = if phase.is_empty() { "Working" } else { phase };
        let files = part(now.files, now.files_total, |files| files.to_string());
        let bytes = part(now.bytes, now.bytes_total, size);
        let message = match (now.files, now.bytes) {
            (0, 0) => phase.to_owned(),
            (_, 0) => format!("{phase}: {files} files"),
            (0, _) => format!("{phase}: {bytes}"),
            (_, _) => format!("{phase}: {files} files, {bytes}"),
        };
        let (done, total) = match now.bytes_total {
            0 => (now.files, now.files_total),
            total => (now.bytes, total),
        };
        // The message comes first, because each setter after it may draw.
        bar.set_message(message);
        if total == 0 {
            bar.set_style(unknown.clone());
        } else {
            bar.set_style(known.clone());
            bar.set_length(total);
            bar.set_position(done.min(total));
        }
        bar.tick();
        if has_ended(&ended, PERIOD) {
            break;
        }
    }
    bar.finish_and_clear();
}

fn part(done: u64, total: u64, text: impl Fn(u64) -> String) -> String {
    if total == 0 { text(done) } else { format!("{} of {}", text(done), text(total)) }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the template is well formed")
}

fn has_ended(ended: &Receiver<()>, within: Duration) -> bool {
    ended.recv_timeout(within) != Err(RecvTimeoutError::Timeout)
}
