//! Backups on a simulated disk: whole under writes, safe against a power cut at every call, exact in time.

use std::{sync::Arc, time::Duration};

use quipu::{
    model::Blocks,
    os::{Clock, Files, read_whole, sim::SimFiles},
    store::{
        Config, Db, Error,
        backup::{DirectoryBlocks, Keep, Shipper, Until, prune, verify_backup},
    },
};

#[path = "support/backups.rs"]
mod backups;
#[path = "support/rows.rs"]
mod rows;

use backups::{AtOnce, World, open, same};
use rows::{DAY, Map, NOW, read};

#[test]
fn a_backup_holds_what_was_acknowledged_and_the_next_stores_only_what_is_new() {
    let (files, place) = (SimFiles::seeded(1), SimFiles::seeded(2));
    let mut world = World::new(&files);
    let empty = world.back_up(&place).unwrap();
    assert_eq!(world.restored(&place, None), Map::new());
    world.write(500);
    world.db.compact().unwrap();
    world.write(30);
    let first = world.back_up(&place).unwrap();
    same(&world.restored(&place, None), &world.map, "the first");
    assert!(first.stored_bytes > 0 && first.position > empty.position);
    let again = world.back_up(&place).unwrap();
    let manifest_bytes = 4096;
    assert!(again.stored_bytes < manifest_bytes, "{again:?}");
    assert!(again.bytes >= first.bytes);
    world.write(40);
    world.db.flush().unwrap();
    world.write(7);
    world.back_up(&place).unwrap();
    same(&world.restored(&place, None), &world.map, "after a flush");
    // The snapshots it was copied from are gone.
    assert!(files.files().iter().all(|(path, _)| !path.starts_with("snapshots")));
}

#[test]
fn a_power_cut_in_a_backup_leaves_the_one_before_and_the_database() {
    let (files, place) = (SimFiles::seeded(1), SimFiles::seeded(2));
    let mut world = World::new(&files);
    world.write(300);
    world.db.compact().unwrap();
    world.write(10);
    world.back_up(&place).unwrap();
    let before = world.map.clone();
    world.write(30);
    world.db.compact().unwrap();
    let (base, base_place) = (files.after_kill(), place.after_kill());
    for on_place in [false, true] {
        for cut in 0.. {
            let (files, place) = (base.after_kill(), base_place.after_kill());
            world.db = open(&files, &world.clock, world.config);
            let victim = if on_place { &place } else { &files };
            victim.cut_power_at(victim.operations() + cut);
            let done = world.back_up(&place);
            let was_cut = victim.was_cut();
            let (place, files) = if on_place {
                (place.after_reboot(cut), files)
            } else {
                (place, files.after_reboot(cut))
            };
            let expected = if done.is_ok() { &world.map } else { &before };
            let found = world.restored(&place, None);
            // A cut in the last call may come after all was done.
            if &found != expected {
                same(&found, &world.map, &format!("place {on_place}, cut {cut}"));
            }
            let db = open(&files.after_kill(), &world.clock, world.config);
            same(&read(&db), &world.map, &format!("database, cut {cut}"));
            if !was_cut {
                assert!(done.is_ok() && cut > 5, "{done:?}");
                break;
            }
        }
    }
}

#[test]
fn a_power_cut_in_a_restore_leaves_a_mark_and_the_next_comes_to_its_end() {
    let (files, place) = (SimFiles::seeded(1), SimFiles::seeded(2));
    let mut world = World::new(&files);
    let mut shipper = Shipper::open(&world.db, world.repository(&place).unwrap()).unwrap();
    world.write(200);
    world.db.compact().unwrap();
    world.back_up(&place).unwrap();
    world.write(20);
    shipper.ship(&world.db, &AtOnce).unwrap();
    let until = Some(Until::Time(NOW + DAY));
    for cut in 0.. {
        let to = SimFiles::seeded(cut);
        to.cut_power_at(cut);
        let done = world.restore(&place, &to, until);
        let was_cut = to.was_cut();
        let to = to.after_reboot(cut);
        let opened = {
            let clock: Arc<dyn Clock> = Arc::<quipu::os::SimClock>::clone(&world.clock);
            let look = to.after_kill();
            Db::open(Arc::new(look), clock, Config::small()).map(|(db, _)| read(&db))
        };
        match opened {
            Err(Error::Restoring { .. }) => assert!(done.is_err()),
            // The mark was not there yet, or it was gone already.
            Ok(found) => assert!(found.is_empty() || found == world.map, "cut {cut}"),
            Err(error) => panic!("cut {cut}: {error}"),
        }
        match world.restore(&place, &to, until) {
            // Not empty: all was done but for the word of it.
            Ok(_) | Err(Error::NotEmpty { .. }) => {}
            Err(error) => panic!("cut {cut}: {error}"),
        }
        same(&read(&open(&to, &world.clock, Config::small())), &world.map, &format!("cut {cut}"));
        if !was_cut {
            assert!(cut > 20);
            break;
        }
    }
}

#[test]
fn a_restore_to_a_moment_has_what_was_acknowledged_by_then_and_nothing_else() {
    let (mut files, place) = (SimFiles::seeded(1), SimFiles::seeded(2));
    let mut world = World::new(&files);
    let mut shipper = Shipper::open(&world.db, world.repository(&place).unwrap()).unwrap();
    world.write(50);
    let first = world.back_up(&place).unwrap();
    let mut moments = Vec::new();
    for round in 0..12 {
        world.write(37);
        match round % 4 {
            // Seals, retires series and trims the log: what is not sent yet must wait for that.
            0 => world.db.flush().unwrap(),
            1 => {
                shipper.ship(&world.db, &AtOnce).unwrap();
            }
            2 => world.db.keep_up().unwrap(),
            _ => {
                files = files.after_kill();
                world.db = open(&files, &world.clock, world.config);
                shipper = Shipper::open(&world.db, world.repository(&place).unwrap()).unwrap();
            }
        }
        if round == 5 {
            world.back_up(&place).unwrap();
        }
        world.clock.advance(Duration::from_secs(1));
        moments.push((world.clock.now(), world.map.clone()));
        world.clock.advance(Duration::from_secs(1));
    }
    let sent = shipper.ship(&world.db, &AtOnce).unwrap();
    assert_eq!(sent.segments_lost, 0);
    for (time, expected) in &moments {
        let found = world.restored(&place, Some(Until::Time(*time)));
        same(&found, expected, &format!("{time}"));
    }
    for behind in [0, 1, 40] {
        let position = first.position + behind;
        let found = world.restored(&place, Some(Until::Position(position)));
        assert_eq!(found.len() as u64, 50 + behind, "one row a record");
    }
    let error = world
        .restore(&place, &SimFiles::seeded(1), Some(Until::Time(NOW - DAY)))
        .unwrap_err()
        .to_string();
    assert!(error.contains("no backup that is old enough"), "{error}");
}

#[test]
fn a_restore_to_a_moment_repeats_the_deletions_until_then() {
    let (mut files, place) = (SimFiles::seeded(1), SimFiles::seeded(2));
    let mut world = World::new(&files);
    let mut shipper = Shipper::open(&world.db, world.repository(&place).unwrap()).unwrap();
    world.write(60);
    world.delete(7);
    world.back_up(&place).unwrap();
    let mut moments = Vec::new();
    for round in 0..9 {
        world.clock.advance(Duration::from_secs(1));
        match round % 3 {
            0 => world.write(150),
            // A row of it is written again in the next round: it came later, and stays.
            1 => world.delete(round),
            _ => world.delete(60 + round),
        }
        if round == 4 {
            // Sent by the next process, from what the manifest says.
            files = files.after_kill();
            world.db = open(&files, &world.clock, world.config);
            shipper = Shipper::open(&world.db, world.repository(&place).unwrap()).unwrap();
        }
        if round == 5 {
            world.back_up(&place).unwrap();
        }
        if round % 2 == 0 {
            shipper.ship(&world.db, &AtOnce).unwrap();
        }
        world.clock.advance(Duration::from_secs(1));
        moments.push((world.clock.now(), world.map.clone()));
    }
    shipper.ship(&world.db, &AtOnce).unwrap();
    for (round, (time, expected)) in moments.iter().enumerate() {
        let found = world.restored(&place, Some(Until::Time(*time)));
        same(&found, expected, &format!("round {round}"));
    }
    let reached = world.restore(&place, &SimFiles::seeded(5), Some(Until::Time(moments[4].0)));
    assert_eq!(reached.unwrap().reached.unwrap().deletions, 3);
    // Of deletions that all backups have none is kept.
    let blocks = DirectoryBlocks::new(Arc::new(place.clone()));
    assert_eq!(blocks.list("deletes").unwrap().len(), 7, "one was before the first backup");
    let keep = Keep { last: 1, ..Keep::default() };
    prune(&world.repository(&place).unwrap(), keep, false).unwrap();
    assert_eq!(blocks.list("deletes").unwrap().len(), 2);
    let last = moments.last().unwrap();
    same(&world.restored(&place, Some(Until::Time(last.0))), &last.1, "after the prune");
    let first = blocks.list("deletes").unwrap().remove(0);
    place.flip_bit(&first.name, 5, 1).unwrap();
    let error = world.restore(&place, &SimFiles::seeded(5), Some(Until::Time(last.0)));
    assert!(error.unwrap_err().to_string().contains(&first.name));
}

#[test]
fn what_waits_for_the_archive_goes_when_it_is_switched_off() {
    let files = SimFiles::seeded(1);
    let mut world = World::new(&files);
    world.write(600);
    world.db.flush().unwrap();
    world.delete(3);
    let waiting = |files: &SimFiles| {
        files.files().iter().filter(|(path, _)| path.starts_with("archiving/")).count()
    };
    assert!(waiting(&files) > 0);
    world.db.forget_waiting().unwrap();
    assert!(waiting(&files) > 0, "the archive is kept still");
    let config = Config { archive_backlog_max: 0, ..world.config };
    let files = files.after_kill();
    world.db = open(&files, &world.clock, config);
    assert!(waiting(&files) > 0, "a command that looks leaves it alone");
    world.db.forget_waiting().unwrap();
    assert_eq!(waiting(&files), 0);
    same(&read(&world.db), &world.map, "nothing of the database went");
}

#[test]
fn a_gap_in_the_archive_is_an_error_that_says_how_far_it_goes() {
    let (files, place) = (SimFiles::seeded(1), SimFiles::seeded(2));
    let mut world = World::new(&files);
    let mut shipper = Shipper::open(&world.db, world.repository(&place).unwrap()).unwrap();
    world.write(50);
    let made = world.back_up(&place).unwrap();
    for _ in 0..4 {
        world.write(300);
        world.db.flush().unwrap();
        shipper.ship(&world.db, &AtOnce).unwrap();
    }
    let blocks = DirectoryBlocks::new(Arc::new(place.clone()));
    let log: Vec<_> = blocks.list("wal").unwrap();
    let segment = |name: &str| name.split('/').nth(2).unwrap().to_owned();
    let numbers: std::collections::BTreeSet<_> = log.iter().map(|it| segment(&it.name)).collect();
    let lost = numbers.iter().nth(2).unwrap();
    for entry in log.iter().filter(|entry| segment(&entry.name) == *lost) {
        blocks.remove(&entry.name).unwrap();
    }
    let to = SimFiles::seeded(4);
    let error = world.restore(&place, &to, Some(Until::Time(NOW + DAY))).unwrap_err().to_string();
    let position = error.rsplit("--to-position ").next().unwrap();
    let position: u64 = position.split(',').next().unwrap().parse().unwrap();
    assert!(position > made.position, "{error}");
    let found = world.restored(&place, Some(Until::Position(position)));
    assert_eq!(found.len() as u64, position - made.position + 50);
}

#[test]
fn every_damaged_object_is_named_and_refused() {
    let (files, place) = (SimFiles::seeded(1), SimFiles::seeded(2));
    let mut world = World::new(&files);
    world.write(200);
    world.db.compact().unwrap();
    world.write(20);
    world.back_up(&place).unwrap();
    let base = place.after_kill();
    let mut seen = [0; 3];
    for (path, size) in base.files() {
        let is_piece = path.starts_with("objects/");
        for (harm, seen) in seen.iter_mut().enumerate() {
            let place = base.after_kill();
            match harm {
                0 => place.flip_bit(&path, size / 2, 3).unwrap(),
                1 => place.truncate_file(&path, size - 1).unwrap(),
                _ => place.remove(&path).unwrap(),
            }
            *seen += 1;
            let to = SimFiles::seeded(9);
            let refused = world.restore(&place, &to, None);
            assert!(refused.is_err(), "{path}, harm {harm}: {refused:?}");
            if !is_piece {
                continue;
            }
            let error = refused.unwrap_err().to_string();
            assert!(error.contains(&path), "{error} does not name {path}");
            let repository = world.repository(&place).unwrap();
            let backup = repository.list().unwrap().pop().unwrap().backup.unwrap();
            let check = verify_backup(&repository, &backup, true, &AtOnce).unwrap();
            assert!(check.troubles.iter().all(|it| it.is_incomplete == (harm > 0)), "{check:?}");
            assert_eq!(check.troubles.len(), 1);
            let shallow = verify_backup(&repository, &backup, false, &AtOnce).unwrap();
            assert_eq!(shallow.troubles.is_empty(), harm == 0);
        }
    }
    assert!(seen.iter().all(|count| *count > 4));
}

#[test]
fn a_prune_takes_what_no_kept_backup_needs_and_a_cut_leaves_whole_ones() {
    let (files, place) = (SimFiles::seeded(1), SimFiles::seeded(2));
    let mut world = World::new(&files);
    let mut shipper = Shipper::open(&world.db, world.repository(&place).unwrap()).unwrap();
    let mut last = None;
    for _ in 0..4 {
        world.write(150);
        world.db.flush().unwrap();
        last = Some(world.back_up(&place).unwrap());
        shipper.ship(&world.db, &AtOnce).unwrap();
        world.clock.advance(Duration::from_hours(1));
    }
    world.write(20);
    shipper.ship(&world.db, &AtOnce).unwrap();
    let keep = Keep { last: 1, ..Keep::default() };
    let base = place.after_kill();
    let planned = prune(&world.repository(&base.after_kill()).unwrap(), keep, true).unwrap();
    assert_eq!((planned.kept.len(), planned.removed.len()), (1, 3));
    assert!(planned.objects > 0);
    for cut in 0.. {
        let place = base.after_kill();
        place.cut_power_at(place.operations() + cut);
        let done = world.repository(&place).and_then(|it| prune(&it, keep, false));
        let was_cut = place.was_cut();
        let place = place.after_reboot(cut);
        let repository = world.repository(&place).unwrap();
        for listed in repository.list().unwrap() {
            let check = verify_backup(&repository, &listed.backup.unwrap(), true, &AtOnce).unwrap();
            assert_eq!(check.troubles.len(), 0, "cut {cut}");
        }
        assert_eq!(repository.ids().unwrap().last(), last.as_ref().map(|last| &last.id));
        let found = world.restored(&place, Some(Until::Time(world.clock.now())));
        same(&found, &world.map, &format!("cut {cut}"));
        if !was_cut {
            assert_eq!(done.unwrap(), planned);
            break;
        }
    }
}

#[test]
fn a_snapshot_is_a_data_directory_with_or_without_the_log() {
    let files = SimFiles::seeded(1);
    let mut world = World::new(&files);
    world.write(100);
    world.db.compact().unwrap();
    let in_files = world.map.clone();
    world.write(10);
    for (name, with_log) in [("a", true), ("b", false)] {
        world.db.snapshot(name, with_log).unwrap();
        assert!(world.db.snapshot(name, with_log).is_err(), "the name is taken");
        let disk: Arc<dyn Files> = Arc::new(files.after_reboot(3));
        let below = quipu::os::Below::new(Arc::clone(&disk), format!("snapshots/{name}"));
        assert_eq!(quipu::store::verify(&below, true).unwrap().findings, []);
        let clock: Arc<dyn Clock> = Arc::<quipu::os::SimClock>::clone(&world.clock);
        let (db, _) = Db::open(Arc::new(below), clock, Config::small()).unwrap();
        same(&read(&db), if with_log { &world.map } else { &in_files }, name);
    }
}

#[test]
fn tokens_are_in_a_backup_where_that_is_asked_for() {
    let (files, place) = (SimFiles::seeded(1), SimFiles::seeded(2));
    let mut world = World::new(&files);
    world.write(5);
    files.create_dir_all("access").unwrap();
    quipu::os::write_new_durable(&files, "access/tokens.json", b"digests").unwrap();
    for asked in [false, true] {
        let config = Config { backs_up_access: asked, ..world.config };
        let files = files.after_kill();
        world.db = open(&files, &world.clock, config);
        world.back_up(&place).unwrap();
        let to = SimFiles::seeded(5);
        world.restore(&place, &to, None).unwrap();
        let found = read_whole(&to, "access/tokens.json", 99).ok();
        assert_eq!(found, asked.then(|| b"digests".to_vec()));
    }
}

#[test]
fn others_things_are_left_alone() {
    let (files, place) = (SimFiles::seeded(1), SimFiles::seeded(2));
    let world = World::new(&files);
    quipu::os::write_new_durable(&place, "holiday.jpg", b"x").unwrap();
    let error = world.back_up(&place).unwrap_err().to_string();
    assert!(error.contains("holiday.jpg"), "{error}");
    let error = world.restore(&SimFiles::seeded(3), &place, None).unwrap_err().to_string();
    assert!(error.contains("no backup"), "{error}");
    let good = SimFiles::seeded(4);
    world.back_up(&good).unwrap();
    let error = world.restore(&good, &place, None).unwrap_err();
    assert!(matches!(&error, Error::NotEmpty { found, .. } if found == "holiday.jpg"), "{error}");
    assert_eq!(read_whole(&place, "holiday.jpg", 9).unwrap(), b"x");
}
