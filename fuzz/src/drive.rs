//! Runs one target on many inputs. Each run happens in a process of its own for each target, so
//! that a decoder which overflows its stack or exhausts the memory ends nothing else: the input of
//! the current run is in a file, which its parent reads.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::corpus;
use crate::limits::{STACK_BYTES, Watch, limit_memory};
use crate::mutate::Mutator;
use crate::target::Target;

/// Bytes of a length before an input.
const LENGTH_BYTES: u64 = 8;

/// When a target has been run enough.
#[derive(Debug, Clone, Copy)]
pub enum Budget {
    /// After so much time.
    Time(Duration),
    /// After so many inputs, besides those of the corpus.
    Executions(u64),
}

/// What was run, if nothing was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Done {
    /// Inputs of the corpus, each of which was run once.
    pub corpus: usize,
    /// Inputs that were run, those included.
    pub executions: u64,
    /// The time that they took.
    pub seconds: f64,
}

/// Runs a target on its corpus, and on mutations of it. Panics if something is found: the input is
/// then in the file `current`.
///
/// # Errors
/// If the corpus cannot be read, or `current` cannot be written.
pub fn run(target: &'static Target, seed: u64, budget: Budget, current: &Path) -> io::Result<Done> {
    limit_memory();
    let (current, watch) = (File::create(current)?, Watch::begin());
    on_small_stack(move || {
        let corpus = corpus::read(target)?;
        let began = Instant::now();
        let one = |input: &[u8]| -> io::Result<()> {
            current.write_all_at(input, LENGTH_BYTES)?;
            current.write_all_at(&(input.len() as u64).to_le_bytes(), 0)?;
            watch.next_run();
            (target.run)(input);
            Ok(())
        };
        corpus.iter().try_for_each(|input| one(input))?;
        let mut mutator = Mutator::new(seed, &corpus, target.tokens);
        let mut drawn = 0;
        while match budget {
            Budget::Time(time) => began.elapsed() < time,
            Budget::Executions(count) => drawn < count,
        } {
            one(&mutator.draw())?;
            drawn += 1;
        }
        let (executions, seconds) = (corpus.len() as u64 + drawn, began.elapsed().as_secs_f64());
        Ok(Done { corpus: corpus.len(), executions, seconds })
    })
}

/// Runs a target on one input, with the same limits.
pub fn run_one(target: &'static Target, input: Vec<u8>) {
    limit_memory();
    Watch::begin().next_run();
    on_small_stack(move || (target.run)(&input));
}

fn on_small_stack<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let thread = std::thread::Builder::new().name("target".into()).stack_size(STACK_BYTES);
    let thread = thread.spawn(work).expect("a thread can be started");
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Returns the input that a run left in its file.
///
/// # Errors
/// If the file cannot be read, or no run began.
pub fn read_current(current: &Path) -> io::Result<Vec<u8>> {
    let bytes = fs::read(current)?;
    let cut = || io::Error::from(io::ErrorKind::UnexpectedEof);
    let (length, rest) = bytes.split_first_chunk::<{ LENGTH_BYTES as usize }>().ok_or_else(cut)?;
    let length = u64::from_le_bytes(*length) as usize;
    rest.get(..length).map(<[u8]>::to_vec).ok_or_else(cut)
}
