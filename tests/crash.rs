//! Nothing acknowledged is lost, doubled or changed: on a simulated disk that fails at every call.

#![expect(clippy::unwrap_used, reason = "what cannot be is a failed test")]
#![expect(clippy::cast_precision_loss, reason = "the numbers are small")]

use std::{path::Path, sync::Arc};

use quipu::{
    model::{Matcher, Registry, TimeRange, Timestamp},
    os::{
        Clock, Files, SimClock,
        sim::{Call, Calls, Directories, Fault, SimFiles},
    },
    store::{Config, Db, SyncPolicy},
};

#[path = "support/rows.rs"]
mod rows;

use rows::{DAY, Map, NOW, read, read_where, write};

/// One thing that is done to a database.
#[derive(Clone, Debug)]
enum Step {
    /// Rows: series, time, value.
    Write(Vec<(u64, i64, f64)>),
    Flush,
    Merge,
    KeepUp,
    Delete(u64, i64, i64),
    /// Half a day goes by, and what retention no longer keeps is dropped.
    Age,
}

struct World {
    clock: Arc<SimClock>,
    config: Config,
}

impl World {
    fn new() -> Self {
        let retention = Some(std::time::Duration::from_hours(72));
        let config = Config { retention, ..Config::small() };
        Self { clock: Arc::new(SimClock::new(NOW)), config }
    }

    /// What is still kept of `map`.
    fn kept(&self, map: &Map) -> Map {
        let oldest = self.clock.now() - 3 * DAY;
        map.iter()
            .filter(|((_, time), _)| *time >= oldest)
            .map(|(row, value)| (*row, *value))
            .collect()
    }

    fn perform(&self, db: &Db, step: &Step) -> Result<(), String> {
        if matches!(step, Step::Age) {
            self.clock.advance(std::time::Duration::from_hours(12));
        }
        perform(db, step)
    }

    fn open(&self, files: &SimFiles) -> Result<Arc<Db>, quipu::store::Error> {
        let clock: Arc<dyn Clock> = Arc::<SimClock>::clone(&self.clock);
        let files: Arc<dyn Files> = Arc::new(files.clone());
        let (db, recovery) = Db::open(files, clock, self.config)?;
        assert_eq!(
            recovery.findings,
            Vec::<String>::new(),
            "no damage is found where there is none"
        );
        Ok(db)
    }
}

/// Bytes of each file whose name ends so.
fn sizes(files: &SimFiles, extension: &str) -> Vec<u64> {
    let named = |path: &str| Path::new(path).extension().is_some_and(|it| it == extension);
    files.files().into_iter().filter(|(path, _)| named(path)).map(|(_, size)| size).collect()
}

/// Fails with the first rows that differ.
fn same(found: &Map, expected: &Map, when: &str) {
    let lost = expected.iter().find(|(row, value)| found.get(row) != Some(value));
    let extra = found.iter().find(|(row, value)| expected.get(row) != Some(value));
    assert!(lost.is_none() && extra.is_none(), "{when}: expected {lost:?}, found {extra:?}");
}

fn apply(map: &mut Map, step: &Step) {
    match step {
        Step::Write(rows) => {
            map.extend(
                rows.iter().map(|(series, time, value)| ((*series, *time), value.to_bits())),
            );
        }
        Step::Delete(series, start, end) => {
            map.retain(|(it, time), _| it != series || !(*start..*end).contains(time));
        }
        Step::Flush | Step::Merge | Step::KeepUp | Step::Age => {}
    }
}

fn perform(db: &Db, step: &Step) -> Result<(), String> {
    match step {
        Step::Write(rows) => write(db, rows).map_err(|error| error.to_string()),
        Step::Flush => db.flush().map_err(|error| error.to_string()),
        Step::Merge => db.compact().map_err(|error| error.to_string()),
        Step::KeepUp => db.keep_up().map_err(|error| error.to_string()),
        Step::Age => db.retention().map_err(|error| error.to_string()),
        Step::Delete(series, start, end) => {
            let matcher = Matcher::equal("series", series.to_string());
            let range = TimeRange::new(Timestamp(*start), Timestamp(*end)).unwrap();
            db.delete(&[matcher], range).map_err(|error| error.to_string())
        }
    }
}

/// A small generator of numbers that need not be good, but the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        (self.0 >> 33) % limit
    }

    fn value(&mut self) -> f64 {
        match self.below(6) {
            0 => self.below(1000) as f64,
            1 => self.below(100_000) as f64 / 100.0,
            2 => f64::from_bits(0x7ff0_0000_0000_0002),
            3 => -0.0,
            4 => f64::from_bits(self.below(u64::MAX / 2) << 1 & 0x7fdf_ffff_ffff_ffff),
            _ => f64::NAN,
        }
    }

    fn time(&mut self) -> i64 {
        let day = (self.below(3).cast_signed() - 2) * DAY;
        // Milliseconds mostly, sometimes the odd nanosecond; some on the edge of a day.
        match self.below(10) {
            0 => 20_000 * DAY + day,
            1 => NOW + day + self.below(5000).cast_signed(),
            _ => NOW + day + self.below(40).cast_signed() * 1_000_000_000,
        }
    }

    fn rows(&mut self) -> Step {
        let count = 1 + self.below(12);
        Step::Write((0..count).map(|_| (self.below(7), self.time(), self.value())).collect())
    }

    fn step(&mut self) -> Step {
        match self.below(21) {
            20 => Step::Age,
            0 => Step::Flush,
            1 => Step::Merge,
            2 => Step::KeepUp,
            3 => {
                let start = self.time();
                Step::Delete(
                    self.below(7),
                    start,
                    start + 1 + self.below(20).cast_signed() * 1_000_000_000,
                )
            }
            _ => self.rows(),
        }
    }
}

#[test]
fn rows_end_as_in_a_sorted_map_whatever_happens_between() {
    for seed in 0..60 {
        let mut dice = Dice(seed);
        let world = World::new();
        let mut files = SimFiles::seeded(seed).mapping(seed % 2 == 0);
        let mut db = world.open(&files).unwrap();
        let mut map = Map::new();
        for number in 0..60 {
            let step = dice.step();
            world.perform(&db, &step).unwrap();
            apply(&mut map, &step);
            match dice.below(12) {
                0 => {
                    drop(db);
                    files = files.after_kill();
                    db = world.open(&files).unwrap();
                }
                1 => {
                    drop(db);
                    files = files.after_reboot(seed + number);
                    db = world.open(&files).unwrap();
                }
                _ => {}
            }
            same(&read(&db), &world.kept(&map), &format!("seed {seed}, step {number}: {step:?}"));
        }
        let range = TimeRange::new(Timestamp(NOW - DAY), Timestamp(NOW + 7_000_000_000)).unwrap();
        map = world.kept(&map);
        map.retain(|(series, time), _| series % 3 == 1 && range.contains(Timestamp(*time)));
        let found = read_where(&db, &[Matcher::equal("__name__", "metric_1")], range);
        assert!(found == map, "seed {seed}: by metric and time");
    }
}

/// What a workload acknowledged, and the batch that was under way when it ended.
fn run(world: &World, files: &SimFiles, steps: &[Step]) -> (Map, Option<Step>) {
    let mut map = Map::new();
    let Ok(db) = world.open(files) else { return (map, None) };
    for step in steps {
        if world.perform(&db, step).is_err() {
            return (map, Some(step.clone()));
        }
        apply(&mut map, step);
    }
    (map, None)
}

/// A workload that flushes, merges, seals, deletes and begins segments.
fn steps() -> Vec<Step> {
    let mut dice = Dice(7);
    let mut steps = Vec::new();
    for round in 0..5 {
        steps.extend((0..4).map(|_| dice.rows()));
        steps.push(match round {
            1 => Step::Flush,
            3 => Step::Delete(2, NOW - 2 * DAY, NOW + DAY),
            _ => Step::Merge,
        });
        steps.extend((round > 1).then_some(Step::Age));
    }
    steps.push(dice.rows());
    steps
}

/// Whether `found` is what was acknowledged, the step under way done or not.
fn is_right(world: &World, found: &Map, acknowledged: &Map, under_way: Option<&Step>) -> bool {
    if *found == world.kept(acknowledged) {
        return true;
    }
    let mut also = acknowledged.clone();
    under_way.is_some_and(|step| {
        apply(&mut also, step);
        *found == world.kept(&also)
    })
}

#[test]
fn a_power_cut_at_any_call_keeps_what_was_acknowledged_and_batches_whole() {
    let steps = steps();
    for directories in [Directories::Strict, Directories::Ordered] {
        for cut in 0.. {
            let world = World::new();
            let files = SimFiles::seeded(cut).directories(directories).cut_power_at(cut);
            let (map, under_way) = run(&world, &files, &steps);
            if !files.was_cut() {
                assert!(cut > 150, "the workload makes {cut} calls");
                break;
            }
            for seed in 0..2 {
                let after = files.after_reboot(cut * 2 + seed);
                let db = world.open(&after).unwrap_or_else(|error| panic!("cut {cut}: {error}"));
                let found = read(&db);
                assert!(
                    is_right(&world, &found, &map, under_way.as_ref()),
                    "cut {cut}, seed {seed}: {under_way:?}"
                );
                // And it goes on from there.
                let now = world.clock.now();
                write(&db, &[(1, now, 4.5)]).unwrap();
                drop(db);
                let db = world.open(&after.after_reboot(seed)).unwrap();
                assert_eq!(read(&db).get(&(1, now)), Some(&4.5_f64.to_bits()), "cut {cut}");
            }
        }
    }
}

#[test]
fn any_call_may_fail_and_nothing_acknowledged_is_lost() {
    let steps = steps();
    for call in 0.. {
        let world = World::new();
        let files = SimFiles::seeded(call);
        files.fail(Fault::at(call, std::io::ErrorKind::Other));
        let mut map = Map::new();
        let mut doubtful = Vec::new();
        // A start that fails is tried again.
        let db = world.open(&files).or_else(|_| world.open(&files)).unwrap();
        for step in &steps {
            match world.perform(&db, step) {
                Ok(()) => apply(&mut map, step),
                // Refused, but it may have come to the disk: tried again, as a client does.
                Err(error) => {
                    doubtful.push((error, step.clone()));
                    perform(&db, step).unwrap_or_else(|error| {
                        panic!("call {call}: {step:?} fails twice: {error}")
                    });
                    apply(&mut map, step);
                }
            }
        }
        same(
            &read(&db),
            &world.kept(&map),
            &format!("call {call}: before the restart, after {doubtful:?}"),
        );
        drop(db);
        let after = files.after_reboot(call);
        let db = world
            .open(&after)
            .unwrap_or_else(|error| panic!("call {call}: {error}, after {doubtful:?}"));
        same(
            &read(&db),
            &world.kept(&map),
            &format!("call {call}: after the restart, after {doubtful:?}"),
        );
        if files.faults_hit() == 0 {
            assert!(call > 200, "the workload makes {call} calls");
            break;
        }
    }
}

#[test]
fn a_failed_sync_refuses_its_group_and_the_next_segment_takes_over() {
    let world = World::new();
    let files = SimFiles::seeded(1);
    let db = world.open(&files).unwrap();
    write(&db, &[(1, NOW, 1.0)]).unwrap();
    files.fail(Fault::at(0, std::io::ErrorKind::Other).only(Calls::Only(Call::Sync)).below("wal/"));
    assert!(write(&db, &[(1, NOW + 1, 2.0)]).is_err());
    assert_eq!(read(&db).len(), 1, "what was refused is not seen");
    write(&db, &[(1, NOW + 2, 3.0)]).unwrap();
    drop(db);
    let map = read(&world.open(&files.after_reboot(3)).unwrap());
    assert!(map.contains_key(&(1, NOW)) && map.contains_key(&(1, NOW + 2)));
}

#[test]
fn a_full_disk_refuses_writes_keeps_reads_and_goes_on_by_itself() {
    let world = World::new();
    let files = SimFiles::seeded(1);
    let mut map = Map::new();
    let mut dice = Dice(3);
    let mut db = world.open(&files).unwrap();
    files.set_capacity(Some(60_000));
    let mut refused = 0;
    while refused < 20 {
        let step = dice.rows();
        match perform(&db, &step) {
            Ok(()) => apply(&mut map, &step),
            Err(error) => {
                assert!(
                    error.contains("full") || error.contains("space") || error.contains("room"),
                    "{error}"
                );
                refused += 1;
            }
        }
        if refused == 10 {
            drop(db);
            db = world
                .open(&files)
                .unwrap_or_else(|error| panic!("a start needs no space: {error}"));
        }
    }
    assert!(read(&db) == map);
    files.set_capacity(None);
    let step = dice.rows();
    perform(&db, &step).unwrap();
    apply(&mut map, &step);
    assert!(read(&db) == map);
}

#[test]
fn retention_drops_whole_days_and_rows_do_not_come_back() {
    let world = World::new();
    let files = SimFiles::seeded(1);
    let db = world.open(&files).unwrap();
    write(&db, &[(1, NOW - 2 * DAY, 1.0), (1, NOW, 2.0)]).unwrap();
    db.flush().unwrap();
    assert_eq!(sizes(&files, "block").len(), 2);
    (0..4).for_each(|_| world.perform(&db, &Step::Age).unwrap());
    assert_eq!(sizes(&files, "block").len(), 1);
    assert!(db.window().start().0 > NOW - 2 * DAY, "older rows are refused at the door");
    drop(db);
    let found = read(&world.open(&files.after_reboot(1)).unwrap());
    assert_eq!(found.keys().collect::<Vec<_>>(), [&(1, NOW)]);
}

#[test]
fn without_a_sync_a_kill_loses_nothing_and_a_later_sync_saves_from_a_power_cut() {
    let mut world = World::new();
    world.config.sync = SyncPolicy::Interval(std::time::Duration::from_millis(100));
    let files = SimFiles::seeded(1);
    let db = world.open(&files).unwrap();
    write(&db, &[(1, NOW, 1.0)]).unwrap();
    world.clock.advance(std::time::Duration::from_millis(200));
    write(&db, &[(2, NOW, 2.0)]).unwrap();
    write(&db, &[(3, NOW, 3.0)]).unwrap();
    drop(db);
    assert_eq!(read(&world.open(&files.after_kill()).unwrap()).len(), 3);
    let found = read(&world.open(&files.after_reboot(1)).unwrap());
    assert!(found.contains_key(&(1, NOW)) && found.contains_key(&(2, NOW)), "{found:?}");
}

#[test]
fn over_its_memory_the_store_refuses_politely_and_reads_go_on() {
    let world = World::new();
    let files = SimFiles::seeded(1);
    let db = world.open(&files).unwrap();
    write(&db, &[(1, NOW, 1.0)]).unwrap();
    drop(db);
    let small = World { config: Config { memory_max: 1, ..world.config }, ..world };
    let db = small.open(&files).unwrap();
    let error = write(&db, &[(2, NOW, 1.0)]).unwrap_err();
    assert!(error.to_string().contains("--memory-max"), "{error}");
    assert_eq!(read(&db).len(), 1);
}

#[test]
fn series_of_sealed_rows_are_retired_and_come_back() {
    let world = World::new();
    let files = SimFiles::seeded(1);
    let db = world.open(&files).unwrap();
    let mut map = Map::new();
    let catalog = |files: &SimFiles| sizes(files, "cat").iter().sum::<u64>();
    let rows: Vec<_> = (0..500).map(|series| (series, NOW, 0.5)).collect();
    write(&db, &rows).unwrap();
    map.extend(rows.iter().map(|(series, time, value)| ((*series, *time), value.to_bits())));
    let before = catalog(&files);
    db.flush().unwrap();
    db.flush().unwrap();
    assert!(catalog(&files) < before / 10, "{} of {before} bytes", catalog(&files));
    assert!(read(&db) == map, "blocks have their own labels");
    let back = [(7, NOW + 1, 1.5), (900, NOW, 2.5)];
    write(&db, &back).unwrap();
    map.extend(back.iter().map(|(series, time, value)| ((*series, *time), value.to_bits())));
    same(&read(&db), &map, "a series that came back");
    drop(db);
    same(&read(&world.open(&files.after_reboot(1)).unwrap()), &map, "after a power cut");
}

#[test]
fn many_restarts_make_no_restart_slow() {
    let (world, files) = (World::new(), SimFiles::seeded(3));
    for restart in 0..30_u32 {
        let db = world.open(&files).unwrap();
        write(&db, &[(u64::from(restart), NOW, 1.0)]).unwrap();
    }
    // What the next segment knows to be durable is not synced again, so this fault hits nobody.
    let segments = files.files().into_iter().filter(|(path, _)| path.starts_with("wal/"));
    for (path, _) in segments.take(29) {
        let fault = Fault::at(0, std::io::ErrorKind::Other).only(Calls::Only(Call::Sync));
        files.fail(fault.below(&path).lasting());
    }
    let db = world.open(&files).unwrap();
    assert_eq!(read(&db).len(), 30);
    assert_eq!(files.faults_hit(), 0);
}
