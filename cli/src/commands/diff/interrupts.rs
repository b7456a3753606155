//! Ctrl-C while a pager or a tool has the terminal.

use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};

/// Leaves interrupts to the program that the user looks at: this process must not end before it. As tokio
/// documents, the system's default does not come back, even when all this is dropped. If it fails, an interrupt
/// ends the process.
pub fn leave_interrupts() {
    if let Ok(runtime) = Builder::new_current_thread().enable_io().build() {
        let _inside = runtime.enter();
        let _ = signal(SignalKind::interrupt());
    }
}
