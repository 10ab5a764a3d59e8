//! Tiers and failing disks: power cuts, failing calls, damage, the scrub.

use std::{sync::Arc, time::Duration};

use quipu::{
    model::Matcher,
    os::{Clock, Files, SimClock, sim::Fault},
    store::{Config, DataKind, Db, Kept, RetentionRule, inspect, inspect_file, repair, verify},
};

#[path = "support/rows.rs"]
mod rows;
#[path = "support/tiers.rs"]
mod tiers;

use tiers::{World, counts, fill, tiered, workload};

#[test]
fn a_power_cut_at_any_call_of_downsampling_and_retention_loses_nothing() {
    let rows: Vec<_> = workload(6).into_iter().filter(|row| row.0 < 3).collect();
    let plain = World::new(Config::small());
    let expected = counts(&fill(&plain, &rows));
    let full = World::new(tiered());
    let db = fill(&full, &rows);
    drop(db);
    let mut late_cuts = 0;
    for cut in (0..).step_by(3) {
        let files = full.files.after_kill().cut_power_at(cut);
        let mut world = World { clock: Arc::clone(&full.clock), files, config: full.config };
        let clock: Arc<dyn Clock> = Arc::<SimClock>::clone(&world.clock);
        if let Ok((db, _)) = Db::open(Arc::new(world.files.clone()), clock, world.config) {
            db.set_retention_rules(vec![RetentionRule {
                matchers: vec![Matcher::equal("series", "2")],
                kept: Kept { raw: Some(Duration::from_hours(12)), ..Kept::default() },
            }])
            .unwrap();
            drop(db.flush().and_then(|()| db.retention()).and_then(|()| db.keep_up()));
        }
        let was_cut = world.files.was_cut();
        world.files = world.files.after_reboot(cut);
        let db = world.open();
        assert_eq!(counts(&db), expected, "cut {cut}");
        db.flush().unwrap();
        db.retention().unwrap();
        assert_eq!(counts(&db), expected, "cut {cut}, and on from there");
        late_cuts += 1;
        if !was_cut {
            break;
        }
    }
    assert!(late_cuts > 20, "{late_cuts} cuts");
}

#[test]
fn any_call_may_fail_while_tiers_are_written() {
    let rows: Vec<_> = workload(7).into_iter().filter(|row| row.0 < 3).collect();
    let plain = World::new(Config::small());
    let expected = counts(&fill(&plain, &rows));
    let full = World::new(tiered());
    drop(fill(&full, &rows));
    for call in (0..).step_by(5) {
        let files = full.files.after_kill();
        let world = World { clock: Arc::clone(&full.clock), files, config: full.config };
        let db = world.open();
        world.files.fail(Fault::at(call, std::io::ErrorKind::Other));
        let run = || db.flush().and_then(|()| db.retention());
        run().or_else(|_| run()).unwrap();
        assert_eq!(counts(&db), expected, "call {call}");
        if world.files.faults_hit() == 0 {
            assert!(call > 30, "{call} calls");
            break;
        }
    }
}

#[test]
fn damage_in_a_tier_is_named_found_by_the_scrub_and_put_aside() {
    let world = World::new(tiered());
    let db = fill(&world, &workload(8));
    db.flush().unwrap();
    db.retention().unwrap();
    drop(db);
    let inspection = inspect(&world.files).unwrap();
    assert_eq!(inspection.findings, Vec::<String>::new());
    let tier = inspection.files.iter().find(|file| file.kind == DataKind::Tier).unwrap();
    let taken_apart = inspect_file(&world.files, &tier.path, 9).unwrap();
    assert_eq!(taken_apart.findings, Vec::<String>::new());
    assert!(taken_apart.columns.iter().any(|column| column.encoding == "buckets"));
    let is_tier = |path: &&String| {
        std::path::Path::new(path.as_str()).extension().is_some_and(|it| it == "tier")
    };
    let paths: Vec<(String, u64)> = world.files.files().into_iter().collect();
    let (path, size) = paths.iter().find(|(path, _)| is_tier(&path)).unwrap().clone();
    let name = path.rsplit('/').next().unwrap().to_owned();
    for at in (0..size).step_by(usize::try_from(size / 40).unwrap()) {
        let files = world.files.after_kill();
        files.flip_bit(&path, at, 3).unwrap();
        let report = verify(&files, true).unwrap();
        assert!(report.findings.iter().any(|it| it.file == path), "byte {at}: {report:?}");
        let damaged = World { clock: Arc::clone(&world.clock), files, config: world.config };
        let clock: Arc<dyn Clock> = Arc::<SimClock>::clone(&damaged.clock);
        let (db, recovery) =
            Db::open(Arc::new(damaged.files.clone()), clock, damaged.config).unwrap();
        // Noticed at the start, or when it is read; never a wrong answer.
        if recovery.findings.is_empty() {
            let found = db.scrub();
            assert!(found.iter().any(|it| it.contains(&name)), "byte {at}: {found:?}");
            let count = |name: &str| {
                db.counters().into_iter().find(|it| it.name == name).map(|it| it.value)
            };
            assert_eq!(count("quipu_scrub_findings_total"), Some(1.0));
            assert_eq!(db.new_scrub_findings().len(), 1);
        } else {
            assert!(recovery.findings.iter().any(|it| it.contains(&name)), "byte {at}");
        }
        drop(db);
        let files: Arc<dyn Files> = Arc::new(damaged.files.clone());
        repair(&files, false).unwrap();
        assert_eq!(verify(&*files, true).unwrap().findings, vec![]);
    }
}

#[test]
fn a_lost_manifest_is_made_anew_with_tiers() {
    let world = World::new(tiered());
    let rows = workload(9);
    let db = fill(&world, &rows);
    db.flush().unwrap();
    db.retention().unwrap();
    let expected = counts(&db);
    drop(db);
    let files = world.files.after_kill();
    for (path, _) in files.files() {
        if path.starts_with("manifest/") {
            Files::remove(&files, &path).unwrap();
        }
    }
    let shared: Arc<dyn Files> = Arc::new(files.clone());
    repair(&shared, false).unwrap();
    let world = World { clock: world.clock, files, config: world.config };
    assert_eq!(counts(&world.open()), expected);
}

#[test]
fn the_scrub_reads_everything_in_its_time_and_no_more() {
    let config = Config { scrub_every: Some(Duration::from_hours(1)), ..tiered() };
    let world = World::new(config);
    let db = fill(&world, &workload(1));
    db.flush().unwrap();
    let count = |name: &str| {
        db.counters().into_iter().find(|it| it.name == name).map_or(0.0, |it| it.value)
    };
    db.keep_up().unwrap();
    assert!(count("quipu_scrub_bytes_total") < 1.0);
    for _ in 0..130 {
        world.clock.advance(Duration::from_mins(1));
        db.keep_up().unwrap();
    }
    let rounds = count("quipu_scrub_rounds_total");
    assert!((1.0..=3.0).contains(&rounds), "{rounds} rounds in two hours");
    assert_eq!(db.scrub_findings(), Vec::<String>::new());
}
