//! Files of the store, of any bytes: as they are, and with their checksums made right, so that what
//! stands behind a checksum is reached too.
//!
//! The fuzz targets call these, and `tests/fuzz_corpus.rs` replays the corpus through them. Layouts are
//! those of `storage-format.md`.

use quipu::store::fuzz;

/// Bytes of a page that has a checksum.
const PAGE: usize = 64 << 10;

/// A log segment.
pub(crate) fn wal_segment(bytes: &[u8]) {
    fuzz::wal_segment(bytes);
    if let Some(mended) = mended_log(bytes, &Log { header: 64, step: 8, payload_crc: Some(52) }) {
        fuzz::wal_segment(&mended);
    }
    fuzz::wal_rows(bytes);
}

/// A catalog file.
pub(crate) fn catalog_file(bytes: &[u8]) {
    fuzz::catalog_file(bytes);
    if let Some(mended) = mended_log(bytes, &Log { header: 32, step: 1, payload_crc: None }) {
        fuzz::catalog_file(&mended);
    }
}

/// The record of a backup.
pub(crate) fn backup_record(bytes: &[u8]) {
    fuzz::backup_record(bytes);
}

/// A manifest file.
pub(crate) fn manifest_file(bytes: &[u8]) {
    fuzz::manifest_file(bytes);
    if let Some(mended) = mended_log(bytes, &Log { header: 24, step: 1, payload_crc: None }) {
        fuzz::manifest_file(&mended);
    }
}

/// A part or block.
pub(crate) fn data_file(bytes: &[u8]) {
    fuzz::data_file(bytes);
    if let Some(mended) = mended_data(bytes) {
        fuzz::data_file(&mended);
    }
}

/// Matchers, one a line.
pub(crate) fn matchers(bytes: &[u8]) {
    fuzz::matchers(bytes);
}

/// How the records of a log are framed.
struct Log {
    /// Bytes of a record's header, which ends in its checksum.
    header: usize,
    /// Records begin at multiples of this.
    step: usize,
    /// Where the payload has a checksum of its own; else the header's covers it.
    payload_crc: Option<usize>,
}

fn u32_at(bytes: &[u8], at: usize) -> Option<usize> {
    let field = bytes.get(at..at + 4)?.first_chunk().copied()?;
    usize::try_from(u32::from_le_bytes(field)).ok()
}

fn u64_at(bytes: &[u8], at: usize) -> Option<usize> {
    let field = bytes.get(at..at.checked_add(8)?)?.first_chunk().copied()?;
    usize::try_from(u64::from_le_bytes(field)).ok()
}

fn put_crc(bytes: &mut [u8], at: usize, crc: u32) -> Option<()> {
    bytes.get_mut(at..at + 4)?.copy_from_slice(&crc.to_le_bytes());
    Some(())
}

/// The header's and every record's checksum made right; the rest stays.
fn mended_log(bytes: &[u8], log: &Log) -> Option<Vec<u8>> {
    let mut out = bytes.to_vec();
    let crc = crc32c::crc32c(out.get(..60)?);
    put_crc(&mut out, 60, crc)?;
    let mut at = 64;
    while let Some(length) = u32_at(&out, at + 4) {
        let end = at + log.header + length;
        let payload = out.get(at + log.header..end).unwrap_or_default().to_vec();
        if let Some(place) = log.payload_crc {
            put_crc(&mut out, at + place, crc32c::crc32c(&payload))?;
        }
        let mut crc = crc32c::crc32c(out.get(16..40)?);
        crc = crc32c::crc32c_append(crc, &(at as u64).to_le_bytes());
        crc = crc32c::crc32c_append(crc, out.get(at..at + log.header - 4)?);
        if log.payload_crc.is_none() {
            crc = crc32c::crc32c_append(crc, &payload);
        }
        put_crc(&mut out, at + log.header - 4, crc)?;
        at = end.next_multiple_of(log.step);
    }
    Some(out)
}

/// The checksums of header, pages and footer made right; the rest stays.
fn mended_data(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut out = bytes.to_vec();
    let header = crc32c::crc32c(out.get(..60)?);
    put_crc(&mut out, 60, header)?;
    let footer_at = out.len().checked_sub(64)?;
    let data_bytes = u64_at(&out, footer_at + 8)?;
    let pages: Vec<u8> = out
        .get(..data_bytes)?
        .chunks(PAGE)
        .flat_map(|page| crc32c::crc32c(page).to_le_bytes())
        .collect();
    out.get_mut(data_bytes..data_bytes.checked_add(pages.len())?)?.copy_from_slice(&pages);
    put_crc(&mut out, footer_at + 32, crc32c::crc32c(&pages))?;
    let footer = crc32c::crc32c(out.get(footer_at..footer_at + 60)?);
    put_crc(&mut out, footer_at + 60, footer)?;
    Some(out)
}
