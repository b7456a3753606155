//! Panics of what is simulated: each is something that was found.

use std::any::Any;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, Once, PoisonError};

/// The message of the last panic, with its place. It may have been on a thread of its own.
static LAST: Mutex<Option<String>> = Mutex::new(None);

/// Whether panics print nothing.
static IS_QUIET: AtomicBool = AtomicBool::new(false);

/// Lets panics print nothing: each is told as a finding.
pub fn be_quiet() {
    IS_QUIET.store(true, Ordering::Relaxed);
}

/// Does `work`.
///
/// # Errors
/// The message of the panic that ended it.
pub fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    listen();
    take_last();
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| {
        let last = take_last();
        last.unwrap_or_else(|| text_of(&*panic))
    })
}

/// Notes each panic from here on.
fn listen() {
    static LISTENS: Once = Once::new();
    LISTENS.call_once(|| {
        let print = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            let place = panic.location().map(|at| format!(" at {}:{}", at.file(), at.line()));
            let text = format!("panic{}: {}", place.unwrap_or_default(), text_of(panic.payload()));
            *LAST.lock().unwrap_or_else(PoisonError::into_inner) = Some(text);
            if !IS_QUIET.load(Ordering::Relaxed) {
                print(panic);
            }
        }));
    });
}

fn take_last() -> Option<String> {
    LAST.lock().unwrap_or_else(PoisonError::into_inner).take()
}

fn text_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "without a message".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_told_with_its_place() {
        assert_eq!(caught(|| 5), Ok(5));
        let told = caught(|| panic!("as {}", "planned")).unwrap_err();
        assert!(told.contains("panics.rs:") && told.ends_with("as planned"), "{told}");
    }
}
