//! The disk in memory against the real one, and against its own promises.

use std::collections::BTreeSet;
use std::io::{self, ErrorKind};

use proptest::prelude::*;

use crate::os::scratch::Scratch;
use crate::os::sim::{Call, Calls, Directories, Fault, SimFiles, is_power_cut};
use crate::os::{Disk, Files, WriteFile, read_whole, write_new_durable};

fn content(files: &dyn Files, path: &str) -> Option<Vec<u8>> {
    match read_whole(files, path, u64::MAX) {
        Ok(bytes) => Some(bytes),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => panic!("{path}: {error}"),
    }
}

fn kind<T: std::fmt::Debug>(result: io::Result<T>) -> ErrorKind {
    result.unwrap_err().kind()
}

fn made(files: &dyn Files, path: &str, bytes: &[u8]) -> Box<dyn WriteFile> {
    let mut file = files.create(path).unwrap();
    file.write_all_at(0, bytes).unwrap();
    file
}

/// Contents of `path` over many reboots.
fn outcomes(files: &SimFiles, path: &str) -> BTreeSet<Option<Vec<u8>>> {
    (0..200).map(|seed| content(&files.after_reboot(seed), path)).collect()
}

// ---- The disk in memory does what the real one does.

#[derive(Clone, Debug)]
enum Step {
    Create(&'static str),
    Write(&'static str, u64, Vec<u8>),
    Truncate(&'static str, u64),
    Sync(&'static str),
    Rename(&'static str, &'static str),
    Remove(&'static str),
    CreateDir(&'static str),
    RemoveDir(&'static str),
    SyncDir(&'static str),
    HardLink(&'static str, &'static str),
    Read(&'static str, u64, usize),
    List(&'static str),
    Exists(&'static str),
}

fn path() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["a", "b", "d", "d/a", "d/b", "d/e", "d/e/a", "a/x"])
}

fn step() -> impl Strategy<Value = Step> {
    let bytes = prop::collection::vec(any::<u8>(), 0..20);
    prop_oneof![
        4 => path().prop_map(Step::Create),
        4 => (path(), 0..40_u64, bytes).prop_map(|(path, at, bytes)| Step::Write(path, at, bytes)),
        1 => (path(), 0..40_u64).prop_map(|(path, size)| Step::Truncate(path, size)),
        1 => path().prop_map(Step::Sync),
        3 => (path(), path()).prop_map(|(from, to)| Step::Rename(from, to)),
        1 => path().prop_map(Step::Remove),
        2 => path().prop_map(Step::CreateDir),
        1 => path().prop_map(Step::RemoveDir),
        1 => path().prop_map(Step::SyncDir),
        1 => (path(), path()).prop_map(|(from, to)| Step::HardLink(from, to)),
        1 => (path(), 0..40_u64, 0..20_usize).prop_map(|(path, at, n)| Step::Read(path, at, n)),
        1 => path().prop_map(Step::List),
        1 => path().prop_map(Step::Exists),
    ]
}

/// What the step gave, as text, or the kind of its error.
fn take(files: &dyn Files, step: &Step) -> Result<String, ErrorKind> {
    let nothing = |()| String::new();
    let done = match step {
        Step::Create(path) => files.create(path).map(|_| String::new()),
        Step::Write(path, at, bytes) => {
            files.open_write(path).and_then(|mut file| file.write_all_at(*at, bytes)).map(nothing)
        }
        Step::Truncate(path, size) => {
            files.open_write(path).and_then(|mut file| file.truncate(*size)).map(nothing)
        }
        Step::Sync(path) => files.open_write(path).and_then(|mut file| file.sync()).map(nothing),
        Step::Rename(from, to) => files.rename(from, to).map(nothing),
        Step::Remove(path) => files.remove(path).map(nothing),
        Step::CreateDir(path) => files.create_dir_all(path).map(nothing),
        Step::RemoveDir(path) => files.remove_dir(path).map(nothing),
        Step::SyncDir(path) => files.sync_dir(path).map(nothing),
        Step::HardLink(from, to) => files.hard_link(from, to).map(nothing),
        Step::Read(path, at, count) => files.open_read(path).and_then(|file| {
            let mut out = vec![0; *count];
            file.read_exact_at(*at, &mut out)?;
            Ok(format!("{out:?} of {}", file.len()?))
        }),
        Step::List(path) => files.list(path).map(|entries| format!("{entries:?}")),
        Step::Exists(path) => files.exists(path).map(|exists| exists.to_string()),
    };
    done.map_err(|error| error.kind())
}

/// Every path below `path`, directories with a slash, with the bytes of files.
fn tree(files: &dyn Files, path: &str) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    for entry in files.list(path).unwrap() {
        let below = if path.is_empty() { entry.name } else { format!("{path}/{}", entry.name) };
        if entry.is_dir {
            all.push((format!("{below}/"), Vec::new()));
            all.extend(tree(files, &below));
        } else {
            all.push((below.clone(), content(files, &below).unwrap()));
        }
    }
    all
}

proptest! {
    #[test]
    fn it_answers_as_the_real_disk_does(steps in prop::collection::vec(step(), 0..40)) {
        let scratch = Scratch::new();
        let (disk, sim) = (Disk::open(scratch.path()).unwrap(), SimFiles::seeded(1));
        for step in &steps {
            prop_assert_eq!(take(&disk, step), take(&sim, step), "{:?}", step);
        }
        prop_assert_eq!(tree(&disk, ""), tree(&sim, ""));
        prop_assert_eq!(tree(&sim, ""), tree(&sim.after_kill(), ""));
    }

    /// However the steps end, what is on the disk after a cut is whole: it can be walked, and a
    /// second cut changes nothing.
    #[test]
    fn a_rebooted_disk_is_a_settled_disk(
        steps in prop::collection::vec(step(), 0..40), cut in 0..40_u64, seed: u64, strict: bool,
    ) {
        let model = if strict { Directories::Strict } else { Directories::Ordered };
        let sim = SimFiles::seeded(seed).directories(model).cut_power_at(cut);
        for step in &steps {
            let answer = take(&sim, step);
            prop_assert!(!sim.was_cut() || answer.is_err());
        }
        let first = sim.after_reboot(seed);
        prop_assert_eq!(tree(&first, ""), tree(&sim.after_reboot(seed), ""));
        prop_assert_eq!(tree(&first, ""), tree(&first.after_reboot(seed ^ 1), ""));
    }
}

// ---- Power cuts.

/// Appends numbered records to a log, syncing each; gives how many were acknowledged.
fn append_records(files: &dyn Files) -> io::Result<()> {
    files.create_dir_all("log")?;
    let mut file = files.create("log/0")?;
    files.sync_dir("log")?;
    for record in 0..10_u8 {
        file.write_all_at(u64::from(record) * 700, &[record + 1; 700])?;
        file.sync()?;
        ACKNOWLEDGED.set(record + 1);
    }
    Ok(())
}

thread_local! {
    static ACKNOWLEDGED: std::cell::Cell<u8> = const { std::cell::Cell::new(0) };
}

#[test]
fn synced_records_survive_a_cut_at_every_operation() {
    for model in [Directories::Strict, Directories::Ordered] {
        for cut in 0.. {
            let files = SimFiles::seeded(cut).directories(model).cut_power_at(cut);
            ACKNOWLEDGED.set(0);
            let done = append_records(&files);
            assert_eq!(done.as_ref().err().is_some_and(is_power_cut), files.was_cut());
            let safe: Vec<u8> = (1..=ACKNOWLEDGED.get()).flat_map(|byte| [byte; 700]).collect();
            for seed in 0..20 {
                let found = content(&files.after_reboot(seed), "log/0").unwrap_or_default();
                assert!(found.starts_with(&safe), "cut {cut}, seed {seed}, {model:?}");
                assert!(found.len() <= safe.len() + 700);
            }
            if !files.was_cut() {
                assert_eq!(files.operations(), cut);
                break;
            }
        }
    }
}

#[test]
fn a_file_replaced_durably_is_the_old_or_the_new_at_every_cut() {
    for cut in 0.. {
        let files = SimFiles::seeded(3);
        write_new_durable(&files, "manifest", b"old").unwrap();
        let files = files.after_reboot(cut).cut_power_at(cut);
        let done = write_new_durable(&files, "manifest", b"the new one");
        let seen = outcomes(&files, "manifest");
        let (old, new) = (Some(b"old".to_vec()), Some(b"the new one".to_vec()));
        assert!(seen.iter().all(|found| *found == new || *found == old), "cut {cut}: {seen:?}");
        if done.is_ok() {
            assert_eq!(seen, BTreeSet::from([new]));
            break;
        }
    }
}

#[test]
fn what_a_killed_process_left_beside_a_file_does_not_stop_the_next() {
    let files = SimFiles::seeded(1);
    made(&files, "manifest.tmp", b"half a mani");
    write_new_durable(&files, "manifest", b"whole").unwrap();
    assert_eq!(files.files(), [("manifest".to_owned(), 5)]);
}

#[test]
fn a_synced_file_may_lose_its_name_until_the_directory_is_synced() {
    let files = SimFiles::seeded(5);
    made(&files, "part", b"rows").sync().unwrap();
    assert_eq!(outcomes(&files, "part"), BTreeSet::from([None, Some(b"rows".to_vec())]));
    files.sync_dir("").unwrap();
    assert_eq!(outcomes(&files, "part"), BTreeSet::from([Some(b"rows".to_vec())]));

    let ordered = SimFiles::seeded(5).directories(Directories::Ordered);
    made(&ordered, "part", b"rows").sync().unwrap();
    assert_eq!(outcomes(&ordered, "part"), BTreeSet::from([Some(b"rows".to_vec())]));
}

#[test]
fn a_removal_may_be_undone_and_a_rename_may_not_have_happened() {
    let files = SimFiles::seeded(5);
    made(&files, "old", b"1").sync().unwrap();
    made(&files, "tmp", b"2").sync().unwrap();
    files.sync_dir("").unwrap();
    files.remove("old").unwrap();
    files.rename("tmp", "new").unwrap();
    let mut seen = BTreeSet::new();
    for seed in 0..200 {
        let disk = files.after_reboot(seed);
        let names: Vec<String> = disk.files().into_iter().map(|(name, _)| name).collect();
        seen.insert(names.join(" "));
    }
    assert_eq!(seen, BTreeSet::from(["new", "new old", "old tmp", "tmp"].map(String::from)));
}

#[test]
fn a_durable_rename_into_another_directory_leaves_no_second_name() {
    let files = SimFiles::seeded(5);
    files.create_dir_all("from").unwrap();
    files.create_dir_all("to").unwrap();
    made(&files, "from/a", b"1").sync().unwrap();
    files.hard_link("from/a", "from/kept").unwrap();
    files.rename("from/a", "from/b").unwrap();
    files.rename("from/b", "to/c").unwrap();
    files.sync_dir("to").unwrap();
    files.sync_dir("from").unwrap();
    let names: Vec<_> = files.after_reboot(1).files().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["from/kept", "to/c"]);
}

#[test]
fn a_directory_that_is_lost_takes_synced_files_with_it_unless_made_durably() {
    let files = SimFiles::seeded(5);
    files.create_dir_all("a/b").unwrap();
    made(&files, "a/b/c", b"1").sync().unwrap();
    files.sync_dir("a/b").unwrap();
    assert_eq!(outcomes(&files, "a/b/c"), BTreeSet::from([Some(b"1".to_vec())]));
    files.rename("a", "z").unwrap();
    files.sync_dir("").unwrap();
    assert_eq!(outcomes(&files, "z/b/c"), BTreeSet::from([Some(b"1".to_vec())]));
}

#[test]
fn a_kill_keeps_what_was_written_but_makes_nothing_durable() {
    let files = SimFiles::seeded(5);
    let lock = files.lock("LOCK").unwrap();
    made(&files, "log", b"written");
    let after = files.after_kill();
    assert_eq!(content(&after, "log"), Some(b"written".to_vec()));
    assert!(after.lock("LOCK").is_ok());
    assert_eq!(kind(files.lock("LOCK")), ErrorKind::WouldBlock);
    drop(lock);
    assert!(files.lock("LOCK").is_ok());
    assert!(outcomes(&after, "log").contains(&None));
}

#[test]
fn one_seed_gives_one_disk() {
    let look = |seed| {
        let files = SimFiles::seeded(9);
        for name in ["a", "b", "c"] {
            made(&files, name, &[7; 3_000]);
        }
        tree(&files.after_reboot(seed), "")
    };
    for seed in 0..20 {
        assert_eq!(look(seed), look(seed));
    }
    assert_ne!((0..20).map(look).collect::<BTreeSet<_>>().len(), 1);
}

// ---- Errors.

#[test]
fn what_a_failed_sync_lost_stays_lost_though_it_can_be_read() {
    let files = SimFiles::seeded(5);
    let mut file = made(&files, "log", b"first ");
    file.sync().unwrap();
    files.sync_dir("").unwrap();
    files.fail(Fault::at(0, ErrorKind::Other).only(Calls::Only(Call::Sync)));
    file.write_all_at(6, b"second ").unwrap();
    assert!(file.sync().is_err());
    file.write_all_at(13, b"third").unwrap();
    file.sync().unwrap();
    assert_eq!(content(&files, "log"), Some(b"first second third".to_vec()));
    let left = b"first \0\0\0\0\0\0\0third".to_vec();
    assert_eq!(outcomes(&files, "log"), BTreeSet::from([Some(left)]));
}

#[test]
fn faults_count_only_the_calls_they_are_about() {
    let files = SimFiles::seeded(1);
    let write = Fault::at(1, ErrorKind::TimedOut).only(Calls::Only(Call::Write));
    files.fail(write.below("wal/").lasting());
    files.create_dir_all("wal").unwrap();
    let (mut wal, mut other) = (files.create("wal/0").unwrap(), files.create("other").unwrap());
    wal.write_all_at(0, b"1").unwrap();
    other.write_all_at(0, b"1").unwrap();
    for _ in 0..3 {
        assert_eq!(kind(wal.write_all_at(1, b"2")), ErrorKind::TimedOut);
    }
    other.write_all_at(1, b"2").unwrap();
    assert_eq!(files.faults_hit(), 3);
    files.heal();
    wal.write_all_at(1, b"2").unwrap();
}

#[test]
fn each_call_of_a_run_can_be_made_to_fail_and_does_once() {
    let run = |files: &SimFiles| -> io::Result<()> {
        write_new_durable(files, "a", b"1")?;
        files.list("")?;
        files.space()?;
        read_whole(files, "a", 9).map(drop)
    };
    let whole = SimFiles::seeded(1);
    run(&whole).unwrap();
    for index in 0..whole.calls() {
        let files = SimFiles::seeded(1).fail_call(index, ErrorKind::PermissionDenied);
        assert_eq!(kind(run(&files)), ErrorKind::PermissionDenied, "call {index}");
        assert_eq!(files.faults_hit(), 1);
        run(&files).unwrap();
    }
}

#[test]
fn a_full_disk_stores_what_fits_and_has_room_again_after_a_removal() {
    let files = SimFiles::seeded(1).set_capacity(10);
    let mut one = made(&files, "one", b"123456");
    let mut two = files.create("two").unwrap();
    assert_eq!(kind(two.write_all_at(0, b"abcdefgh")), ErrorKind::StorageFull);
    assert_eq!(content(&files, "two"), Some(b"abcd".to_vec()));
    assert_eq!(files.space().unwrap().free, 0);
    // What is there can be overwritten.
    one.write_all_at(0, b"654321").unwrap();
    assert_eq!(kind(one.truncate(7)), ErrorKind::StorageFull);
    files.remove("one").unwrap();
    assert_eq!(kind(two.write_all_at(4, b"efgh")), ErrorKind::StorageFull);
    drop(one);
    two.write_all_at(4, b"efgh").unwrap();
    assert_eq!(files.space().unwrap().free, 2);
    files.set_capacity(None);
    two.write_all_at(8, &[0; 100]).unwrap();
    assert_eq!(kind(two.write_all_at(1 << 40, b"x")), ErrorKind::FileTooLarge);
}

// ---- Damage, mapping.

#[test]
fn damage_is_there_at_once_and_after_a_reboot() {
    let files = SimFiles::seeded(1);
    write_new_durable(&files, "block", b"0123456789").unwrap();
    files.flip_bit("block", 1, 0).unwrap();
    files.damage("block", 3..7, b"xy").unwrap();
    files.truncate_file("block", 8).unwrap();
    assert_eq!(content(&files, "block"), Some(b"002xyxy7".to_vec()));
    assert_eq!(content(&files.after_reboot(1), "block"), Some(b"002xyxy7".to_vec()));
    assert_eq!(kind(files.flip_bit("block", 8, 0)), ErrorKind::InvalidInput);
    assert_eq!(kind(files.flip_bit("none", 0, 0)), ErrorKind::NotFound);
}

#[test]
fn a_mapping_is_lent_if_allowed_and_a_removed_file_can_still_be_read() {
    let files = SimFiles::seeded(1);
    made(&files, "block", b"rows");
    let file = files.open_read("block").unwrap();
    assert!(file.map().unwrap().is_none());
    files.mapping(true);
    assert_eq!(file.map().unwrap().as_deref(), Some(&b"rows"[..]));
    files.remove("block").unwrap();
    for _ in 0..500 {
        write_new_durable(&files, "other", b"1").unwrap();
    }
    assert_eq!(file.len().unwrap(), 4);
}

#[test]
fn after_the_cut_nothing_works() {
    let files = SimFiles::seeded(1);
    let mut file = made(&files, "a", b"1");
    let reader = files.open_read("a").unwrap();
    files.cut_power_at(files.operations());
    assert!(!files.was_cut());
    assert!(is_power_cut(&file.sync().unwrap_err()));
    assert!(files.was_cut());
    assert!(is_power_cut(&reader.read_exact_at(0, &mut [0]).unwrap_err()));
    assert!(is_power_cut(&files.list("").unwrap_err()));
    assert!(is_power_cut(&files.create("b").unwrap_err()));
}
