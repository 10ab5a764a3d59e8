//! Blocks in the archive: read as any other, safe against a power cut at every call, removed with their rows.

#![expect(clippy::unwrap_used, reason = "what cannot be is a failed test")]
#![expect(clippy::cast_precision_loss, reason = "the numbers are small")]

use std::{
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use quipu::{
    model::{self, BlockEntry, Blocks, MatchOp, Matcher, TimeRange, Timestamp},
    os::{Clock, Files, SimClock, sim::SimFiles},
    store::{
        Config, Db, Error, Tiers,
        backup::{DirectoryBlocks, Repository, create, restore},
        verify, verify_with_archive,
    },
};

#[path = "support/backups.rs"]
mod backups;
#[path = "support/rows.rs"]
mod rows;

use backups::{AtOnce, same};
use rows::{DAY, Map, NOW, read, read_or_fail, read_where, write};

const SECOND: i64 = 1_000_000_000;

/// An archive in a simulated disk that may be away.
#[derive(Debug)]
struct Place {
    inner: DirectoryBlocks,
    is_away: AtomicBool,
    reads: AtomicU64,
}

impl Place {
    fn new(files: &SimFiles) -> Arc<Self> {
        let inner = DirectoryBlocks::new(Arc::new(files.clone()));
        Arc::new(Self { inner, is_away: AtomicBool::new(false), reads: AtomicU64::new(0) })
    }

    fn ask(&self) -> Result<&DirectoryBlocks, model::Error> {
        if self.is_away.load(Relaxed) {
            return Err(model::Error::Unavailable("no route to host".into()));
        }
        Ok(&self.inner)
    }
}

impl Blocks for Place {
    fn place(&self) -> String {
        "the shelf".into()
    }

    fn put(&self, name: &str, bytes: &[u8]) -> Result<(), model::Error> {
        self.ask()?.put(name, bytes)
    }

    fn put_new(&self, name: &str, bytes: &[u8]) -> Result<bool, model::Error> {
        self.ask()?.put_new(name, bytes)
    }

    fn get(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, model::Error> {
        self.ask()?.get(name, limit)
    }

    fn read(&self, name: &str, ranges: &[Range<u64>]) -> Result<Vec<Vec<u8>>, model::Error> {
        self.reads.fetch_add(1, Relaxed);
        self.ask()?.read(name, ranges)
    }

    fn list(&self, folder: &str) -> Result<Vec<BlockEntry>, model::Error> {
        self.ask()?.list(folder)
    }

    fn remove(&self, name: &str) -> Result<(), model::Error> {
        self.ask()?.remove(name)
    }
}

fn config() -> Config {
    Config { archive_after: Some(Duration::from_hours(24)), ..Config::small() }
}

struct World {
    clock: Arc<SimClock>,
    files: SimFiles,
    shelf: SimFiles,
    place: Arc<Place>,
    db: Arc<Db>,
    map: Map,
}

impl World {
    /// Rows of four days, the last of them today.
    fn new() -> Self {
        let (files, shelf) = (SimFiles::seeded(1), SimFiles::seeded(2));
        let clock = Arc::new(SimClock::new(NOW));
        let place = Place::new(&shelf);
        let db = open(&files, &clock, config(), Some(&place)).unwrap();
        let mut world = Self { clock, files, shelf, place, db, map: Map::new() };
        for day in 0..4 {
            world.write(day, 60);
        }
        world.db.flush().unwrap();
        world
    }

    fn write(&mut self, days_ago: i64, count: u64) {
        for number in 0..count {
            let time = NOW - days_ago * DAY + number.cast_signed() * SECOND;
            let row = (number % 13, time, (number + days_ago.unsigned_abs() * 1000) as f64);
            write(&self.db, &[row]).unwrap();
            self.map.insert((row.0, row.1), row.2.to_bits());
        }
    }

    fn archive(&self) -> Result<u64, Error> {
        let mut count = 0;
        while let Some(done) = self.db.archive_block(&AtOnce)? {
            count += done.blocks;
        }
        Ok(count)
    }

    /// Ends as a kill does, and starts again.
    fn restart(&mut self) {
        self.files = self.files.after_kill();
        self.db = open(&self.files, &self.clock, config(), Some(&self.place)).unwrap();
    }

    fn on_shelf(&self) -> usize {
        self.place.inner.list("blocks").unwrap().len()
    }

    fn blocks_here(&self) -> usize {
        self.files.files().iter().filter(|(path, _)| path.contains(".block")).count()
    }
}

fn open(
    files: &SimFiles,
    clock: &Arc<SimClock>,
    config: Config,
    place: Option<&Arc<Place>>,
) -> Result<Arc<Db>, Error> {
    let clock: Arc<dyn Clock> = Arc::<SimClock>::clone(clock);
    let place = place.map(|place| Arc::<Place>::clone(place) as Arc<dyn Blocks>);
    let (db, recovery) = Db::open_with_archive(Arc::new(files.clone()), clock, config, place)?;
    assert_eq!(recovery.findings, Vec::<String>::new());
    Ok(db)
}

fn series(number: u64) -> Matcher {
    let (name, value) = ("series".to_owned(), number.to_string());
    Matcher { op: MatchOp::Equal, name, value }
}

#[test]
fn old_blocks_leave_this_disk_and_answer_as_before() {
    let mut world = World::new();
    assert_eq!(world.archive().unwrap(), 2, "those of two and three days ago");
    assert_eq!((world.on_shelf(), world.blocks_here()), (2, 2));
    same(&read(&world.db), &world.map, "after");
    let asked = world.place.reads.load(Relaxed);
    world.restart();
    assert_eq!(world.place.reads.load(Relaxed), asked, "a start asks nothing of the archive");
    same(&read(&world.db), &world.map, "after a restart");
    let asked = world.place.reads.load(Relaxed);
    same(&read(&world.db), &world.map, "again");
    assert_eq!(world.place.reads.load(Relaxed), asked, "pages are kept");
    let recent = TimeRange::new(Timestamp(NOW), Timestamp(NOW + DAY)).unwrap();
    world.restart();
    let asked = world.place.reads.load(Relaxed);
    assert_eq!(read_where(&world.db, &[series(3)], recent).len(), 5);
    assert_eq!(world.place.reads.load(Relaxed), asked, "recent rows need no archive");
    let storage = world.db.storage().unwrap();
    let kind = |name| storage.kinds.iter().find(|kind| kind.kind == name).unwrap().files;
    assert_eq!((kind("archived"), kind("blocks")), (2, 2));
    assert_eq!(world.archive().unwrap(), 0);
    assert_eq!(world.db.sweep_leftovers().unwrap(), 0);
}

#[test]
fn buckets_are_made_before_rows_go_away() {
    let files = SimFiles::seeded(1);
    let clock = Arc::new(SimClock::new(NOW));
    let place = Place::new(&SimFiles::seeded(2));
    let config = Config { tiers: Some(Tiers { hour1: true, ..Tiers::NONE }), ..config() };
    let db = open(&files, &clock, config, Some(&place)).unwrap();
    (0..50).for_each(|number| write(&db, &[(1, NOW - 5 * DAY + number, 1.0)]).unwrap());
    db.flush().unwrap();
    assert!(db.archive_block(&AtOnce).unwrap().is_some());
    place.is_away.store(true, Relaxed);
    clock.advance(Duration::from_hours(1));
    db.keep_up().unwrap();
    assert_eq!(db.archived().blocks, 1);
}

#[test]
fn late_rows_and_deletions_rewrite_an_archived_block_and_retention_drops_it() {
    let mut world = World::new();
    world.archive().unwrap();
    world.write(2, 90);
    let late = (7, NOW - 2 * DAY - 5 * SECOND, 5.0);
    write(&world.db, &[late]).unwrap();
    world.map.insert((late.0, late.1), late.2.to_bits());
    same(&read(&world.db), &world.map, "late rows beside the block");
    world.db.flush().unwrap();
    assert_eq!(world.db.archived().blocks, 1, "that day is written anew here");
    same(&read(&world.db), &world.map, "rewritten");
    assert_eq!(world.on_shelf(), 2);
    assert_eq!(world.db.sweep_archive().unwrap(), 1);
    assert_eq!((world.on_shelf(), world.archive().unwrap(), world.on_shelf()), (1, 1, 2));

    world.db.delete(&[series(3)], TimeRange::ALL).unwrap();
    world.map.retain(|(series, _), _| *series != 3);
    same(&read(&world.db), &world.map, "deleted");
    assert_eq!(world.archive().unwrap(), 0, "not before the deletion is carried out");
    world.db.clean_deleted().unwrap();
    same(&read(&world.db), &world.map, "carried out");
    assert_eq!((world.db.archived().blocks, world.db.sweep_archive().unwrap()), (0, 2));
    assert_eq!((world.on_shelf(), world.archive().unwrap()), (0, 2));

    let kept = Config { retention: Some(Duration::from_hours(59)), ..config() };
    world.files = world.files.after_kill();
    world.db = open(&world.files, &world.clock, kept, Some(&world.place)).unwrap();
    world.db.retention().unwrap();
    assert_eq!((world.db.archived().blocks, world.db.sweep_archive().unwrap()), (1, 1));
    assert_eq!(world.on_shelf(), 1);
    world.map.retain(|(_, time), _| *time > NOW - 3 * DAY + DAY / 2);
    same(&read(&world.db), &world.map, "after retention");
}

#[test]
fn a_reader_keeps_what_it_reads_until_it_is_done() {
    let world = World::new();
    world.archive().unwrap();
    let budget = model::Budget::default();
    let ask = model::Ask {
        scope: model::Scope::METRICS,
        matchers: &[],
        range: TimeRange::ALL,
        budget: &budget,
    };
    let selection = model::Source::select(&*world.db, &ask).unwrap();
    world.db.delete(&[series(3)], TimeRange::ALL).unwrap();
    world.db.clean_deleted().unwrap();
    assert_eq!((world.db.sweep_archive().unwrap(), world.on_shelf()), (0, 2));
    drop(selection);
    assert_eq!((world.db.sweep_archive().unwrap(), world.on_shelf()), (2, 0));
}

#[test]
fn a_power_cut_at_any_call_here_or_there_leaves_every_row() {
    let base = World::new();
    let (files, shelf) = (base.files.after_kill(), base.shelf.after_kill());
    for on_shelf in [false, true] {
        for cut in 0.. {
            let (files, shelf) = (files.after_kill(), shelf.after_kill());
            let place = Place::new(&shelf);
            let db = open(&files, &base.clock, config(), Some(&place)).unwrap();
            let victim = if on_shelf { &shelf } else { &files };
            victim.cut_power_at(victim.operations() + cut);
            let done = (|| -> Result<(), Error> {
                while db.archive_block(&AtOnce)?.is_some() {}
                db.delete(&[series(2)], TimeRange::ALL).map_err(|_| Error::Closed)?;
                db.clean_deleted()?;
                db.sweep_archive()?;
                while db.archive_block(&AtOnce)?.is_some() {}
                Ok(())
            })();
            let was_cut = victim.was_cut();
            let (files, shelf) = (
                if on_shelf { files.after_kill() } else { files.after_reboot(cut) },
                if on_shelf { shelf.after_reboot(cut) } else { shelf.after_kill() },
            );
            let place = Place::new(&shelf);
            let db = open(&files, &base.clock, config(), Some(&place)).unwrap();
            let mut deleted = base.map.clone();
            deleted.retain(|(series, _), _| *series != 2);
            let found = read_or_fail(&db).unwrap();
            let when = format!("shelf {on_shelf}, cut {cut}, {done:?}");
            let expected = if found.len() < base.map.len() { &deleted } else { &base.map };
            same(&found, expected, &when);
            // Then all goes on: what was left behind is found, and nothing that lives.
            db.sweep_leftovers().unwrap();
            while db.archive_block(&AtOnce).unwrap().is_some() {}
            same(&read(&db), expected, &when);
            assert_eq!(place.inner.list("blocks").unwrap().len(), 2, "{when}");
            let here: Arc<dyn Blocks> = place;
            let report = verify_with_archive(&files.after_kill(), Some(here), true);
            assert_eq!(report.unwrap().findings, vec![], "{when}");
            if !was_cut {
                assert!(done.is_ok() && cut > 20, "{done:?} {cut}");
                break;
            }
        }
    }
}

#[test]
fn an_archive_that_is_away_fails_who_needs_it_and_nobody_else() {
    let mut world = World::new();
    world.archive().unwrap();
    world.restart();
    world.place.is_away.store(true, Relaxed);
    let error = read_or_fail(&world.db).unwrap_err();
    assert!(error.contains("the shelf/blocks/") && error.contains("no route"), "{error}");
    let recent = TimeRange::new(Timestamp(NOW - DAY), Timestamp(NOW + DAY)).unwrap();
    assert_eq!(read_where(&world.db, &[series(3)], recent).len(), 10);
    // Late rows are taken; that they cannot be merged yet holds nothing else up.
    world.write(2, 90);
    world.clock.advance(Duration::from_hours(1));
    world.db.flush().unwrap_err();
    world.clock.advance(Duration::from_hours(1));
    world.write(0, 500);
    world.db.keep_up().unwrap_err();
    world.db.keep_up().unwrap();
    world.clock.advance(Duration::from_hours(1));
    assert!(world.archive().is_ok_and(|count| count == 0), "nothing is due but what is late");
    world.place.is_away.store(false, Relaxed);
    world.clock.advance(Duration::from_hours(1));
    world.db.keep_up().unwrap();
    same(&read(&world.db), &world.map, "back again");

    world.files = world.files.after_kill();
    let without = open(&world.files, &world.clock, config(), None).unwrap();
    let error = read_or_fail(&without).unwrap_err();
    assert!(error.contains("--archive-to"), "{error}");
    drop(without);
    let report = verify(&world.files.after_kill(), true).unwrap();
    assert!(report.findings.is_empty() && report.notes[0].contains("in the archive"));
}

#[test]
fn what_is_damaged_in_the_archive_is_named_and_never_served() {
    let world = World::new();
    world.archive().unwrap();
    let objects = world.place.inner.list("blocks").unwrap();
    for (harm, entry) in objects.iter().chain(&objects).chain(&objects).enumerate() {
        let shelf = world.shelf.after_kill();
        match harm / 2 {
            0 => shelf.flip_bit(&entry.name, entry.size / 3, 2).unwrap(),
            1 => shelf.truncate_file(&entry.name, entry.size - 1).unwrap(),
            _ => shelf.remove(&entry.name).unwrap(),
        }
        let (files, place) = (world.files.after_kill(), Place::new(&shelf));
        let db = open(&files, &world.clock, config(), Some(&place)).unwrap();
        let folder = entry.name.rsplit_once('/').unwrap().0;
        let error = read_or_fail(&db).unwrap_err();
        assert!(error.contains(folder), "harm {harm}: {error}");
        drop(db);
        let report = verify_with_archive(&files, Some(place), true).unwrap();
        assert_eq!(report.findings.len(), 1, "harm {harm}");
    }
}

#[test]
fn an_upload_that_does_not_arrive_whole_lets_nothing_go() {
    /// Keeps other bytes than it was given.
    #[derive(Debug)]
    struct Liar(Arc<Place>);
    impl Blocks for Liar {
        fn place(&self) -> String {
            self.0.place()
        }
        fn put(&self, name: &str, bytes: &[u8]) -> Result<(), model::Error> {
            let mut bytes = bytes.to_vec();
            bytes[70] ^= 1;
            self.0.put(name, &bytes)
        }
        fn put_new(&self, name: &str, bytes: &[u8]) -> Result<bool, model::Error> {
            self.0.put_new(name, bytes)
        }
        fn get(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, model::Error> {
            self.0.get(name, limit)
        }
        fn read(&self, name: &str, ranges: &[Range<u64>]) -> Result<Vec<Vec<u8>>, model::Error> {
            self.0.read(name, ranges)
        }
        fn list(&self, folder: &str) -> Result<Vec<BlockEntry>, model::Error> {
            self.0.list(folder)
        }
        fn remove(&self, name: &str) -> Result<(), model::Error> {
            self.0.remove(name)
        }
    }
    let world = World::new();
    let (files, liar) = (world.files.after_kill(), Arc::new(Liar(Arc::clone(&world.place))));
    let clock: Arc<dyn Clock> = Arc::<SimClock>::clone(&world.clock);
    let (db, _) =
        Db::open_with_archive(Arc::new(files.clone()), clock, config(), Some(liar)).unwrap();
    let error = db.archive_block(&AtOnce).unwrap_err().to_string();
    assert!(error.contains("not what was stored"), "{error}");
    assert_eq!(db.archived().blocks, 0);
    same(&read(&db), &world.map, "here still");
}

#[test]
fn a_backup_has_copies_of_archived_blocks_and_a_snapshot_leaves_them_there() {
    let mut world = World::new();
    let backups = SimFiles::seeded(3);
    let repository = || {
        let blocks: Arc<dyn Blocks> = Arc::new(DirectoryBlocks::new(Arc::new(backups.clone())));
        Repository::make(blocks, Arc::<SimClock>::clone(&world.clock)).unwrap()
    };
    let restored = |when: &str| {
        let to = SimFiles::seeded(5);
        let clock: Arc<dyn Clock> = Arc::<SimClock>::clone(&world.clock);
        let target = (Arc::new(to.clone()) as Arc<dyn Files>, clock, Config::small());
        restore(target, &repository(), (None, None), &AtOnce).unwrap();
        // No archive is named: all is here.
        let db = open(&to, &world.clock, Config::small(), None).unwrap();
        same(&read(&db), &world.map, when);
        assert_eq!(db.archived().blocks, 0);
    };
    world.archive().unwrap();
    create(&world.db, &repository(), &AtOnce).unwrap();
    restored("from the archive");
    world.place.is_away.store(true, Relaxed);
    world.clock.advance(Duration::from_secs(1));
    create(&world.db, &repository(), &AtOnce).unwrap();
    restored("what a backup has is not read again");
    world.place.is_away.store(false, Relaxed);

    world.db.snapshot("s", true).unwrap();
    let disk: Arc<dyn Files> = Arc::new(world.files.after_kill());
    let below: Arc<dyn Files> = Arc::new(quipu::os::Below::new(disk, "snapshots/s"));
    let clock: Arc<dyn Clock> = Arc::<SimClock>::clone(&world.clock);
    let place: Arc<dyn Blocks> = Arc::<Place>::clone(&world.place);
    let (copy, _) = Db::open_with_archive(below, clock, config(), Some(place)).unwrap();
    same(&read(&copy), &world.map, "snapshot");
    copy.delete(&[series(3)], TimeRange::ALL).unwrap();
    copy.clean_deleted().unwrap();
    copy.sweep_archive().unwrap();
    copy.sweep_leftovers().unwrap();
    assert_eq!(world.on_shelf(), 2, "what another directory put there is its own");
    world.restart();
    same(&read(&world.db), &world.map, "and it has it still");
}
