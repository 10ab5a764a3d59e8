//! A database, a place of backups, and what a restore should bring back.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses a part")]
#![expect(clippy::unwrap_used, reason = "what cannot be is a failed test")]
#![expect(clippy::cast_precision_loss, reason = "the numbers are small")]

use std::{sync::Arc, time::Duration};

use quipu::{
    model::{Blocks, MatchOp, Matcher, TimeRange},
    os::{Clock, Files, SimClock, sim::SimFiles},
    store::{
        Config, Db, Error,
        backup::{Created, DirectoryBlocks, Pace, Repository, Restored, Until, create, restore},
    },
};

use super::rows::{Map, NOW, read, write};

const SECOND: i64 = 1_000_000_000;

/// Does not wait.
pub struct AtOnce;

impl Pace for AtOnce {
    fn moved(&self, _bytes: u64) -> Result<(), Error> {
        Ok(())
    }
}

/// A database that is backed up, and what it should hold.
pub struct World {
    pub clock: Arc<SimClock>,
    pub config: Config,
    pub db: Arc<Db>,
    pub map: Map,
    pub next: u64,
}

impl World {
    pub fn new(files: &SimFiles) -> Self {
        let clock = Arc::new(SimClock::new(NOW));
        let config = Config { archive_backlog_max: 1 << 30, ..Config::small() };
        let db = open(files, &clock, config);
        Self { clock, config, db, map: Map::new(), next: 0 }
    }

    /// Some rows, all acknowledged. Every other time they are of a series that is new.
    pub fn write(&mut self, count: u64) {
        for _ in 0..count {
            let number = self.next;
            self.next += 1;
            let row = (number % 97, NOW + number.cast_signed() * SECOND, number as f64);
            write(&self.db, &[row]).unwrap();
            self.map.insert((row.0, row.1), row.2.to_bits());
        }
        self.clock.advance(Duration::from_millis(1));
    }

    /// Deletes a series, as in the map.
    pub fn delete(&mut self, series: u64) {
        let matcher =
            Matcher { op: MatchOp::Equal, name: "series".into(), value: series.to_string() };
        self.db.delete(&[matcher], TimeRange::ALL).unwrap();
        self.map.retain(|(found, _), _| *found != series);
    }

    pub fn repository(&self, files: &SimFiles) -> Result<Repository, Error> {
        let blocks: Arc<dyn Blocks> = Arc::new(DirectoryBlocks::new(Arc::new(files.clone())));
        Repository::make(blocks, Arc::<SimClock>::clone(&self.clock))
    }

    pub fn back_up(&self, to: &SimFiles) -> Result<Created, Error> {
        self.clock.advance(Duration::from_millis(1));
        create(&self.db, &self.repository(to)?, &AtOnce)
    }

    pub fn restore(
        &self,
        from: &SimFiles,
        to: &SimFiles,
        until: Option<Until>,
    ) -> Result<Restored, Error> {
        let clock: Arc<dyn Clock> = Arc::<SimClock>::clone(&self.clock);
        let config = Config { seed: Some(99), ..Config::small() };
        let target = (Arc::new(to.clone()) as Arc<dyn Files>, clock, config);
        restore(target, &self.repository(from)?, (None, until), &AtOnce)
    }

    /// What a restore of the newest backup holds.
    pub fn restored(&self, from: &SimFiles, until: Option<Until>) -> Map {
        let to = SimFiles::seeded(5);
        self.restore(from, &to, until).unwrap();
        assert_eq!(quipu::store::verify(&to, true).unwrap().findings, []);
        read(&open(&to, &self.clock, Config::small()))
    }
}

/// A database without damage.
pub fn open(files: &SimFiles, clock: &Arc<SimClock>, config: Config) -> Arc<Db> {
    let clock: Arc<dyn Clock> = Arc::<SimClock>::clone(clock);
    let (db, recovery) = Db::open(Arc::new(files.clone()), clock, config).unwrap();
    assert_eq!(recovery.findings, Vec::<String>::new());
    db
}

/// Says the first difference.
pub fn same(found: &Map, expected: &Map, when: &str) {
    let lost = expected.iter().find(|(row, value)| found.get(row) != Some(value));
    let extra = found.iter().find(|(row, value)| expected.get(row) != Some(value));
    assert!(lost.is_none() && extra.is_none(), "{when}: lost {lost:?}, extra {extra:?}");
}
