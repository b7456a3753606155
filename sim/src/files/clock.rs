//! What is racy in a run. A file is racy if it may have changed in the same tick of the file system's
//! clock in which it was looked at. That depends on how fast the process runs, so here the seed decides.

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::Path;
use std::time::Duration;

use fastest_fixtures::random::Random;

/// How long a tick may be.
const TICKS_MAX: u32 = 10_000;

/// Decides what is racy.
#[derive(Debug)]
pub struct Clock {
    rule: Rule,
    /// A file that is written to only to see the file system's clock.
    hand: File,
}

#[derive(Debug)]
enum Rule {
    Always,
    Never,
    /// Each time by a random number.
    Drawn(Random),
}

impl Clock {
    /// Makes the clock of a run, with a file at `hand`.
    pub fn new(seed: u64, hand: &Path) -> io::Result<Self> {
        let mut random = Random::new(seed ^ 0xC10C);
        let rule = match random.below(3) {
            0 => Rule::Always,
            1 => Rule::Never,
            _ => Rule::Drawn(random),
        };
        Ok(Self { rule, hand: File::create_new(hand)? })
    }

    /// Decides about a file that was last changed at `ctime_ns`. To say that it is not racy is only true
    /// once the clock has moved on, so this waits for that.
    pub fn is_racy(&mut self, ctime_ns: i64) -> bool {
        let is_racy = match &mut self.rule {
            Rule::Always => true,
            Rule::Never => false,
            Rule::Drawn(random) => random.below(2) == 0,
        };
        if !is_racy {
            self.wait_until_after(ctime_ns).expect("the file of the clock can be written");
        }
        is_racy
    }

    fn wait_until_after(&self, ctime_ns: i64) -> io::Result<()> {
        for _ in 0..TICKS_MAX {
            self.hand.write_all_at(b".", 0)?;
            let stat = self.hand.metadata()?;
            if stat.ctime() * 1_000_000_000 + stat.ctime_nsec() > ctime_ns {
                return Ok(());
            }
            std::thread::sleep(Duration::from_micros(100));
        }
        Err(io::Error::other("the clock of the file system does not move"))
    }
}
