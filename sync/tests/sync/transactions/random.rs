//! Random transactions on a bad network: at any time, each is on the primary in full or not at all,
//! and in the end all that were not dropped are there.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::sync::Mutex;

use async_trait::async_trait;
use fastest_fixtures::random::Random;
use fastest_schema::{Migration, Row, Schema, init_sql, table};
use fastest_sync::WriteError;
use fastest_sync::database::error::DatabaseError;
use fastest_sync::remote::embedded::Embedded;
use fastest_sync::remote::primary::{Failure, Primary, PrimaryError, Rows};
use fastest_sync::{Database, Remote, migrate};

use crate::machine::query;
use crate::run;
use fastest_sync::remote::statement::Statement;

/// One of the rows of a transaction, which all bear its mark.
#[table(name = "parts", policy = versioned("a test"), scope = team)]
struct Part {
    #[pk]
    id: String,
    team: String,
    /// The same in all rows of one transaction.
    mark: String,
    #[references(parts.id)]
    after: Option<String>,
}

static PARTS: LazyLock<Schema> = LazyLock::new(|| {
    let tables = vec![Part::TABLE].leak();
    let sql = init_sql(tables).leak();
    let migrations = vec![Migration { name: "0000_parts_init.sql", sql }].leak();
    Schema { owner: "parts", tables, migrations }
});

/// A primary that loses requests and answers.
struct Bad {
    inner: Embedded,
    random: Mutex<Random>,
}

#[async_trait]
impl Primary for Bad {
    fn url(&self) -> &str {
        self.inner.url()
    }

    fn world(&self) -> &fastest_sync::World {
        self.inner.world()
    }

    async fn run(
        &self,
        statement: Statement<'_>,
        parameters: &[&str],
    ) -> Result<Rows, PrimaryError> {
        let fate = self.random.lock().unwrap().below(8);
        let lost = |reason: &str| {
            let (url, reason) = (self.url().to_owned(), reason.to_owned());
            Err(PrimaryError::Unreachable { url, reason, failure: Failure::Lost })
        };
        if fate == 0 {
            return lost("the request was lost");
        }
        let answer = self.inner.run(statement, parameters).await?;
        if fate == 1 { lost("the answer was lost") } else { Ok(answer) }
    }

    async fn migrate(&self, name: &str, statements: &[&str]) -> Result<(), PrimaryError> {
        self.inner.migrate(name, statements).await
    }
}

/// Some devices, and what each has written.
struct World {
    folder: PathBuf,
    random: Random,
    devices: Vec<Database>,
    remote: Remote,
    /// The mark of each transaction's rows, by its number; `None` if it was dropped.
    wanted: BTreeMap<u64, Option<String>>,
    /// The transactions that each device has written itself.
    written: Vec<Vec<u64>>,
}

impl World {
    fn new(folder: &Path, seed: u64) -> Self {
        let path = folder.join("primary.db");
        let inner = Embedded::new(&path, fastest_sync::World::system());
        run(migrate(&inner, &PARTS)).unwrap();
        let rule = "CREATE TRIGGER rule BEFORE INSERT ON parts WHEN NEW.mark GLOB 'bad*'
                    BEGIN SELECT RAISE(ABORT, 'nothing bad, please'); END";
        run(inner.run(Statement::once(rule), &[])).unwrap();
        let remote = Remote::of(Box::new(Bad { inner, random: Random::new(seed).into() }));
        let mut world = Self {
            folder: folder.to_owned(),
            random: Random::new(!seed),
            devices: Vec::new(),
            remote,
            wanted: BTreeMap::new(),
            written: vec![Vec::new(); 3],
        };
        world.devices = (0..3).map(|at| world.open(at)).collect();
        world
    }

    fn open(&self, device: usize) -> Database {
        Database::open(
            &self.folder.join(format!("{device}.db")),
            &PARTS,
            fastest_sync::World::system(),
        )
        .unwrap()
    }

    fn step(&mut self) {
        let device = self.random.below(3);
        match self.random.below(12) {
            10.. => self.delete(device),
            0..=4 => self.write(device),
            5 => self.mend_or_drop(device),
            6 => self.devices[device] = self.open(device),
            7 => {
                let scope = format!("t{}", self.random.below(4));
                let pushed = run(self.devices[device].push(&self.remote, &scope));
                self.heard(pushed.map(drop));
            }
            8 => {
                let pushed = run(self.devices[device].push_all(&self.remote));
                self.heard(pushed.map(drop));
            }
            _ => {
                let pulled = run(self.devices[device].pull_all(&self.remote));
                self.heard(pulled.map(drop));
            }
        }
        self.check_whole();
    }

    /// Writes a new transaction, or one of the device's older ones again together with another.
    fn write(&mut self, device: usize) {
        let number = self.wanted.len() as u64;
        let mark = match self.random.below(6) {
            0 => format!("bad {number}"),
            _ => format!("good {number}"),
        };
        let again = match self.random.below(3) {
            0 if !self.written[device].is_empty() => {
                let at = self.random.below(self.written[device].len());
                Some(self.written[device][at])
            }
            _ => None,
        };
        let after = self.written[device].last().map(|last| format!("{last}-0"));
        let after = after.filter(|_| self.random.below(2) == 0);
        let scopes = [self.random.below(4), self.random.below(4)];
        let one = &mut self.devices[device];
        // The row to refer to may have been dropped.
        let after = after.filter(|key| one.get::<Part>(key).unwrap().is_some());
        let written = one.transaction(|tx| {
            for (at, scope) in scopes.iter().enumerate() {
                let (id, team) = (format!("{number}-{at}"), format!("t{scope}"));
                tx.save(&Part { id, team, mark: mark.clone(), after: after.clone() })?;
            }
            for at in 0..2 {
                let Some(again) = again else { continue };
                if let Some(part) = tx.get::<Part>(&format!("{again}-{at}"))? {
                    tx.save(&Part { mark: mark.clone(), ..part })?;
                }
            }
            Ok::<_, DatabaseError>(())
        });
        written.unwrap();
        self.wanted.insert(number, Some(mark.clone()));
        self.written[device].push(number);
        if let Some(again) = again.filter(|again| self.wanted[again].is_some()) {
            self.wanted.insert(again, Some(mark));
        }
    }

    /// Deletes all rows of one of the device's older transactions, together with a new one.
    fn delete(&mut self, device: usize) {
        let known: Vec<u64> = self.written[device].clone();
        let known: Vec<u64> = known.into_iter().filter(|at| self.wanted[at].is_some()).collect();
        if known.is_empty() {
            return;
        }
        let gone = known[self.random.below(known.len())];
        let number = self.wanted.len() as u64;
        let mark = format!("good {number}");
        let written = self.devices[device].transaction(|tx| {
            for at in 0..2 {
                tx.delete::<Part>(&format!("{gone}-{at}"))?;
                let (id, team) = (format!("{number}-{at}"), format!("t{at}"));
                tx.save(&Part { id, team, mark: mark.clone(), after: None })?;
            }
            Ok::<_, DatabaseError>(())
        });
        match written {
            Ok(()) => {
                self.wanted.insert(gone, None);
                self.wanted.insert(number, Some(mark));
                self.written[device].push(number);
            }
            // Other rows refer to it.
            Err(DatabaseError::Write(WriteError::Referred { .. })) => {}
            Err(error) => panic!("{error}"),
        }
    }

    /// Does with a refused transaction what a user may do.
    fn mend_or_drop(&mut self, device: usize) {
        let one = &mut self.devices[device];
        let Some(refused) = one.refused().unwrap().into_iter().next() else { return };
        match self.random.below(3) {
            0 => one.retry_refused(refused.id).unwrap(),
            1 => self.mend(device),
            _ => {
                one.drop_refused(refused.id).unwrap();
                for row in &refused.rows {
                    let number: u64 = row.key.as_str().split('-').next().unwrap().parse().unwrap();
                    // A row that existed before has its old mark again.
                    let there = self.devices[device].get::<Part>(row.key.as_str()).unwrap();
                    self.wanted.insert(number, there.map(|part| part.mark));
                }
            }
        }
    }

    /// Writes the rows of refused transactions again, with valid values.
    fn mend(&mut self, device: usize) {
        let one = &mut self.devices[device];
        for refused in one.refused().unwrap() {
            one.transaction(|tx| {
                for row in &refused.rows {
                    let Some(part) = tx.get::<Part>(row.key.as_str())? else { continue };
                    let mark = part.mark.replace("bad", "good");
                    // The row that it referred to may have been dropped.
                    tx.save(&Part { mark, after: None, ..part })?;
                }
                Ok::<_, DatabaseError>(())
            })
            .unwrap();
            for row in &refused.rows {
                let number: u64 = row.key.as_str().split('-').next().unwrap().parse().unwrap();
                if let Some(Some(mark)) = self.wanted.get_mut(&number) {
                    *mark = mark.replace("bad", "good");
                }
            }
        }
    }

    fn heard(&self, done: Result<(), DatabaseError>) {
        if let Err(error) = done {
            assert!(error.is_unreachable(), "{error}");
        }
    }

    /// Checks that the rows of each transaction on the primary are complete, and have the same
    /// mark.
    fn check_whole(&self) {
        let sql = "SELECT substr(id, 1, instr(id, '-') - 1) AS number FROM parts
                   GROUP BY number HAVING count(*) <> 2 OR count(DISTINCT mark) <> 1";
        let torn = query(&self.folder.join("primary.db"), sql);
        assert!(torn.is_empty(), "torn: {torn:?}");
    }

    /// Checks that in the end everything is there, and the devices agree.
    fn settle(&mut self) {
        let remote = Remote::of(Box::new(Embedded::new(
            &self.folder.join("primary.db"),
            fastest_sync::World::system(),
        )));
        for _ in 0..2 {
            for device in 0..self.devices.len() {
                // Others may have waited for one that was refused.
                while !run(self.devices[device].push_all(&remote)).unwrap().refused.is_empty()
                    || !self.devices[device].refused().unwrap().is_empty()
                {
                    self.mend(device);
                }
                for scope in 0..4 {
                    run(self.devices[device].pull(&remote, &format!("t{scope}"))).unwrap();
                }
            }
        }
        self.check_whole();
        let sql = "SELECT id || ' ' || mark FROM parts ORDER BY id";
        let mut wanted: Vec<String> = Vec::new();
        for (number, mark) in &self.wanted {
            let Some(mark) = mark else { continue };
            wanted.extend((0..2).map(|at| format!("{number}-{at} {mark}")));
        }
        wanted.sort();
        let mut there = query(&self.folder.join("primary.db"), sql);
        there.sort();
        assert_eq!(there, wanted);
        for (at, device) in self.devices.iter().enumerate() {
            assert!(device.waiting().unwrap().is_empty(), "device {at}");
            assert!(device.conflicts().unwrap().is_empty(), "device {at}");
            let mut here = query(&self.folder.join(format!("{at}.db")), sql);
            here.sort();
            assert_eq!(here, wanted, "device {at}");
        }
    }
}

/// Runs `FASTEST_SEEDS` histories, 8 by default, or the one of `FASTEST_SEED`.
#[test]
fn whole_or_not_at_all() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let first = now.as_nanos() as u64;
    let seeds = match number("FASTEST_SEED") {
        Some(seed) => seed..seed + 1,
        None => first..first + number("FASTEST_SEEDS").unwrap_or(8),
    };
    for seed in seeds {
        println!("FASTEST_SEED={seed}");
        let folder = tempfile::tempdir().unwrap();
        let mut world = World::new(folder.path(), seed);
        for _ in 0..80 {
            world.step();
        }
        world.settle();
    }
}
