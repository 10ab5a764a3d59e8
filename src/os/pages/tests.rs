//! Written, read every way, damaged.

use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use proptest::prelude::*;

use crate::os::pages::{PAGE_SIZE, PageCache, PageError, PageReader, PageWriter, page_count};
use crate::os::scratch::Scratch;
use crate::os::sim::{Call, Calls, Fault, SimFiles};
use crate::os::{Disk, Files, Mapped, ReadFile};

fn sample(size: usize) -> Vec<u8> {
    (0..size).map(|index| u8::try_from((index * 7 + index / 251) % 256).unwrap()).collect()
}

/// Writes `bytes` in appends of `step` bytes, and a footer; gives the checksums.
fn written(files: &dyn Files, bytes: &[u8], step: usize) -> Arc<[u32]> {
    let mut writer = PageWriter::new(files.create("block").unwrap());
    for (index, part) in bytes.chunks(step.max(1)).enumerate() {
        assert_eq!(writer.position(), (index * step) as u64);
        writer.append(part).unwrap();
    }
    assert_eq!(writer.position(), bytes.len() as u64);
    let (mut file, checksums) = writer.finish().unwrap();
    file.write_all_at(bytes.len() as u64, b"footer").unwrap();
    file.sync().unwrap();
    checksums.into()
}

fn open(
    files: &dyn Files,
    size: u64,
    checksums: &Arc<[u32]>,
    cache: Option<&Arc<PageCache>>,
) -> Result<PageReader, PageError> {
    let file = files.open_read("block").unwrap();
    PageReader::new(file, "block", size, Arc::clone(checksums), cache.cloned())
}

/// The same data by mapping, by cache, by neither; and from the real disk.
fn every_way(bytes: &[u8], check: impl Fn(&PageReader)) {
    let scratch = Scratch::new();
    let ways: [(Arc<dyn Files>, Option<usize>); 6] = [
        (Arc::new(SimFiles::seeded(1).mapping(true)), None),
        (Arc::new(SimFiles::seeded(1)), None),
        (Arc::new(SimFiles::seeded(1)), Some(2 * PAGE_SIZE)),
        (Arc::new(SimFiles::seeded(1)), Some(64 << 20)),
        (Arc::new(Disk::create(scratch.path().join("1")).unwrap()), None),
        (Arc::new(Disk::create(scratch.path().join("2")).unwrap().mmap(false)), Some(0)),
    ];
    for (files, cache) in ways {
        let cache = cache.map(|size| Arc::new(PageCache::new(size)));
        let checksums = written(&*files, bytes, 10_007);
        check(&open(&*files, bytes.len() as u64, &checksums, cache.as_ref()).unwrap());
    }
}

#[test]
fn what_was_written_is_read_every_way() {
    for size in [0, 1, PAGE_SIZE - 1, PAGE_SIZE, PAGE_SIZE + 1, 9 * PAGE_SIZE + 13] {
        let bytes = sample(size);
        every_way(&bytes, |reader| {
            reader.verify_all().unwrap();
            assert_eq!(&*reader.read(0, size).unwrap(), bytes, "{reader:?}");
            let mut copy = b"before".to_vec();
            reader.read_uncached(0, size, &mut copy).unwrap();
            assert_eq!(&copy[6..], bytes);
            let mut stream = reader.stream();
            for (index, part) in bytes.chunks(1_003).enumerate() {
                assert_eq!(stream.read(index as u64 * 1_003, part.len()).unwrap(), part);
            }
            assert_eq!(reader.read(size as u64, 0).unwrap().len(), 0);
        });
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20))]

    #[test]
    fn any_range_in_any_order_is_the_slice_of_it(
        size in 0..400_000_usize,
        ranges in prop::collection::vec((0..420_000_usize, 0..200_000_usize), 1..20),
    ) {
        let bytes = sample(size);
        every_way(&bytes, |reader| {
            let mut stream = reader.stream();
            for &(start, length) in &ranges {
                let wanted = bytes.get(start..start + length);
                let offset = start as u64;
                assert_eq!(reader.read(offset, length).ok().as_deref(), wanted);
                assert_eq!(stream.read(offset, length).ok(), wanted);
                let mut copy = Vec::new();
                let read = reader.read_uncached(offset, length, &mut copy);
                assert_eq!(read.ok().map(|()| &copy[..]), wanted);
            }
        });
    }
}

#[test]
fn a_turned_bit_anywhere_is_named_and_the_other_pages_are_served() {
    let bytes = sample(3 * PAGE_SIZE + 100);
    for (offset, page) in [(0, 0), (PAGE_SIZE + 5, 1), (3 * PAGE_SIZE - 1, 2), (bytes.len() - 1, 3)]
    {
        for mapping in [false, true] {
            let files = SimFiles::seeded(1).mapping(mapping);
            let checksums = written(&files, &bytes, 999);
            files.flip_bit("block", offset as u64, 3).unwrap();
            let cache = Arc::new(PageCache::new(1 << 20));
            let reader = open(&files, bytes.len() as u64, &checksums, Some(&cache)).unwrap();
            let named = |error: PageError| match error {
                PageError::Damaged { file, page: found, offset: at, expected, found: sum } => {
                    assert_eq!((file.as_path(), found), (Path::new("block"), page as u64));
                    assert_eq!(at, (page * PAGE_SIZE) as u64);
                    assert_ne!(expected, sum);
                }
                other => panic!("{other}"),
            };
            named(reader.verify_all().unwrap_err());
            for _ in 0..2 {
                named(reader.read(offset as u64, 1).unwrap_err());
                named(reader.read(0, bytes.len()).unwrap_err());
                named(reader.stream().read(offset as u64, 1).unwrap_err());
            }
            for good in (0..4).filter(|&good| good != page) {
                let start = good * PAGE_SIZE;
                let read = reader.read(start as u64, 50).unwrap();
                assert_eq!(&*read, &bytes[start..start + 50]);
            }
        }
    }
}

#[test]
fn a_stream_lends_nothing_of_a_bad_page_also_after_the_error() {
    let bytes = sample(8 * PAGE_SIZE);
    let files = SimFiles::seeded(1);
    let checksums = written(&files, &bytes, PAGE_SIZE);
    files.flip_bit("block", 2 * PAGE_SIZE as u64, 0).unwrap();
    let reader = open(&files, bytes.len() as u64, &checksums, None).unwrap();
    let mut stream = reader.stream();
    assert_eq!(stream.read(5 * PAGE_SIZE as u64, 9).unwrap(), &bytes[5 * PAGE_SIZE..][..9]);
    for _ in 0..2 {
        assert!(stream.read(PAGE_SIZE as u64, 2 * PAGE_SIZE).is_err());
    }
    assert_eq!(stream.read(3 * PAGE_SIZE as u64, 9).unwrap(), &bytes[3 * PAGE_SIZE..][..9]);
}

#[test]
fn damage_ahead_of_a_stream_does_not_hide_the_page_before_it() {
    let bytes = sample(8 * PAGE_SIZE);
    let files = SimFiles::seeded(1);
    let checksums = written(&files, &bytes, PAGE_SIZE);
    files.flip_bit("block", 2 * PAGE_SIZE as u64, 0).unwrap();
    let reader = open(&files, bytes.len() as u64, &checksums, None).unwrap();
    let mut stream = reader.stream();
    for page in 0..2 {
        let start = page * PAGE_SIZE;
        assert_eq!(stream.read(start as u64, 7).unwrap(), &bytes[start..start + 7]);
    }
    assert!(stream.read(2 * PAGE_SIZE as u64, 7).is_err());
}

#[test]
fn a_short_file_and_a_wrong_array_are_refused_when_opened() {
    let bytes = sample(PAGE_SIZE + 10);
    let files = SimFiles::seeded(1).mapping(true);
    let checksums = written(&files, &bytes, 999);
    let size = bytes.len() as u64;
    assert_eq!(page_count(size), 2);
    assert!(matches!(
        open(&files, size + PAGE_SIZE as u64, &checksums, None),
        Err(PageError::Checksums { expected: 3, found: 2, .. })
    ));
    files.truncate_file("block", size - 1).unwrap();
    let error = open(&files, size, &checksums, None).unwrap_err();
    assert!(error.is_damage());
    assert_eq!(error.to_string(), "block is damaged: it has 65545 bytes, expected at least 65546");
}

#[test]
fn a_file_cut_while_open_is_an_error_and_no_crash() {
    let bytes = sample(3 * PAGE_SIZE);
    let files = SimFiles::seeded(1);
    let checksums = written(&files, &bytes, 999);
    let reader = open(&files, bytes.len() as u64, &checksums, None).unwrap();
    files.truncate_file("block", 100).unwrap();
    let error = reader.read(PAGE_SIZE as u64, 1).unwrap_err();
    assert!(matches!(error, PageError::Truncated { found: 100, .. }), "{error}");
}

#[test]
fn a_device_error_is_no_damage_and_passes() {
    let bytes = sample(PAGE_SIZE);
    for mapping in [false, true] {
        let files = SimFiles::seeded(1).mapping(mapping);
        let checksums = written(&files, &bytes, 999);
        let reader = open(&files, bytes.len() as u64, &checksums, None).unwrap();
        files.fail(Fault::at(0, ErrorKind::Other).only(Calls::Only(Call::Read)));
        let error = reader.read(5, 5).unwrap_err();
        assert!(matches!(error, PageError::Io { .. }) && !error.is_damage(), "{error}");
        assert_eq!(&*reader.read(5, 5).unwrap(), &bytes[5..10]);
    }
}

#[test]
fn a_page_is_read_and_checked_once() {
    let bytes = sample(2 * PAGE_SIZE);
    for mapping in [false, true] {
        let files = SimFiles::seeded(1).mapping(mapping);
        let checksums = written(&files, &bytes, 999);
        let cache = Arc::new(PageCache::new(1 << 20));
        let reader = open(&files, bytes.len() as u64, &checksums, Some(&cache)).unwrap();
        let before = files.calls();
        for _ in 0..5 {
            reader.read(PAGE_SIZE as u64 - 5, 10).unwrap();
        }
        // Neighbours that are missing are asked for together.
        assert_eq!(files.calls() - before, if mapping { 2 } else { 1 });
        drop(reader);
        assert_eq!(cache.bytes(), 0);
    }
}

/// A file that takes long to answer, however little is asked for.
#[derive(Debug)]
struct FarAway(Arc<dyn ReadFile>, AtomicU64);

impl ReadFile for FarAway {
    fn read_exact_at(&self, offset: u64, out: &mut [u8]) -> std::io::Result<()> {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.read_exact_at(offset, out)
    }

    fn len(&self) -> std::io::Result<u64> {
        self.0.len()
    }

    fn map(&self) -> std::io::Result<Option<Mapped>> {
        Ok(None)
    }

    fn pages_ahead(&self) -> usize {
        16
    }
}

#[test]
fn far_away_more_is_asked_for_where_reads_go_forwards_and_nowhere_else() {
    let bytes = sample(100 * PAGE_SIZE);
    let files = SimFiles::seeded(1);
    let checksums = written(&files, &bytes, PAGE_SIZE);
    let far = Arc::new(FarAway(files.open_read("block").unwrap(), AtomicU64::new(0)));
    let cache = Arc::new(PageCache::new(64 << 20));
    let file = Arc::<FarAway>::clone(&far);
    let open = || {
        let (file, checksums) = (Arc::<FarAway>::clone(&file), Arc::clone(&checksums));
        PageReader::new(file, "block", bytes.len() as u64, checksums, Some(Arc::clone(&cache)))
    };
    let asked = || far.1.swap(0, Ordering::Relaxed);
    let reader = open().unwrap();
    for page in 0..100 {
        let begin = page * PAGE_SIZE;
        assert_eq!(&*reader.read(begin as u64, 9).unwrap(), &bytes[begin..begin + 9]);
    }
    assert!(asked() < 12, "1, 2, 4, 8, then 16 at once");
    let reader = open().unwrap();
    for page in (0..100).rev().step_by(7) {
        reader.read((page * PAGE_SIZE) as u64, 9).unwrap();
    }
    assert_eq!(asked(), 15, "one each");
    // A fault ahead is not the reader's before it goes there.
    files.flip_bit("block", 12 * PAGE_SIZE as u64, 1).unwrap();
    let reader = open().unwrap();
    (0..12).for_each(|page| drop(reader.read((page * PAGE_SIZE) as u64, 9).unwrap()));
    assert!(reader.read(12 * PAGE_SIZE as u64, 9).unwrap_err().is_damage());
}

#[test]
fn a_cache_never_holds_more_than_it_may_and_keeps_what_is_wanted() {
    let bytes = sample(40 * PAGE_SIZE);
    let files = SimFiles::seeded(1);
    let checksums = written(&files, &bytes, PAGE_SIZE);
    let cache = Arc::new(PageCache::new(8 * PAGE_SIZE));
    let reader = open(&files, bytes.len() as u64, &checksums, Some(&cache)).unwrap();
    let read = |page: usize| drop(reader.read((page * PAGE_SIZE) as u64, 1).unwrap());
    read(0);
    for page in 1..40 {
        read(page);
        read(0);
        assert!(cache.bytes() <= 8 * PAGE_SIZE);
    }
    assert_eq!(cache.bytes(), 8 * PAGE_SIZE);
    assert_eq!(cache.hits_and_misses(), (39, 40));
}

#[test]
fn a_large_cache_spreads_its_pages_over_its_shards() {
    let bytes = sample(64 * PAGE_SIZE);
    let files = SimFiles::seeded(1);
    let checksums = written(&files, &bytes, PAGE_SIZE);
    let cache = Arc::new(PageCache::new(64 << 20));
    let reader = open(&files, bytes.len() as u64, &checksums, Some(&cache)).unwrap();
    reader.read(0, bytes.len()).unwrap();
    assert_eq!(cache.bytes(), bytes.len());
}

#[test]
fn a_writer_that_failed_stays_failed() {
    let files = SimFiles::seeded(1).set_capacity(300_000);
    let mut writer = PageWriter::new(files.create("block").unwrap());
    let error = writer.append(&sample(600_000)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::StorageFull);
    files.set_capacity(None);
    assert!(writer.append(b"more").is_err());
    assert!(writer.finish().is_err());
}
