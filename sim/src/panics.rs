//! Panics of what is simulated: each is something that was found.

use std::any::Any;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, Once, PoisonError};

/// The messages of panics, with their places. A panic may go through several threads.
static TOLD: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// How many of them are kept: as many as may happen at the same time.
const TOLD_MAX: usize = 64;

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
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| {
        let text = text_of(&*panic);
        let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
        let place = told.iter().rposition(|told| told.ends_with(&text));
        place.map_or(text, |place| told.remove(place))
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
            let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
            if told.len() == TOLD_MAX {
                told.remove(0);
            }
            told.push(text);
            drop(told);
            if !IS_QUIET.load(Ordering::Relaxed) {
                print(panic);
            }
        }));
    });
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
