//! What one backup is: its files, each as the pieces it is stored in.
//!
//! A line with a checksum, then JSON: a person can read it, and damage is noticed.
//! Bytes: storage-format.md, "Backups".

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::{xxh3_128, xxh3_128_with_seed};

use crate::store::{catalog, error::Damage, manifest, wal};

/// Bytes of a piece: all of a file but the last have so many. Bounds what is held in memory, and what
/// is sent again where a connection breaks.
pub(super) const PIECE_BYTES: u64 = 16 << 20;
/// A longer record is not read: it would list some ten million files.
pub(super) const RECORD_MAX: u64 = 1 << 30;

const BEGIN: &str = "quipu backup ";
const FORMAT: u16 = 1;

/// A backup: what its record says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backup {
    /// Its name: the moment it shows, UTC to the millisecond.
    pub id: String,
    /// The database's id, in hexadecimal digits.
    pub database: String,
    /// The moment it shows, ns since 1970: what was acknowledged before is in it.
    pub at: i64,
    /// The position of the last record in it.
    pub position: u64,
    /// The number of its catalog file.
    pub catalog: u64,
    /// Changes of what lives that it has, deletions among them; 0 in backups of before they were told.
    #[serde(default)]
    pub changes: u64,
    /// The archive of the log that goes on behind it.
    pub lineage: String,
    /// Its files.
    pub files: Vec<BackupFile>,
}

/// A file of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupFile {
    /// Below the root of a data directory.
    pub path: String,
    /// Its size.
    pub bytes: u64,
    /// Of a part or block, the checksum of its footer: tells whether it is the same file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crc: Option<u32>,
    /// Digests of its pieces, in hexadecimal digits.
    pub pieces: Vec<String>,
}

/// The digest of a piece. Seeded with the database's id, which is no secret but is not guessed: rows
/// cannot be made up so that two pieces have one digest.
pub(super) fn digest(bytes: &[u8], database: u128) -> u128 {
    let [low, high] = [database, database >> 64]
        .map(|half| u64::try_from(half & u128::from(u64::MAX)).unwrap_or_default());
    xxh3_128_with_seed(bytes, low ^ high)
}

/// What is said of bytes whose digest is another than was noted: the upper halves tell enough.
pub(super) fn wrong_digest(expected: u128, found: u128) -> Damage {
    let upper = |digest: u128| u64::try_from(digest >> 64).unwrap_or(u64::MAX);
    Damage::Digest { expected: upper(expected), found: upper(found) }
}

/// The name of a piece.
pub(super) fn piece_name(digest: &str) -> String {
    format!("objects/{}/{digest}", digest.get(..2).unwrap_or("00"))
}

/// The number that 32 hexadecimal digits are.
pub(super) fn number(text: &str) -> Result<u128, Damage> {
    let is_plain = text.len() == 32
        && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    let parsed = u128::from_str_radix(text, 16).ok().filter(|_| is_plain);
    parsed.ok_or(Damage::Contradiction("a number is not 32 hexadecimal digits"))
}

impl Backup {
    /// Bytes of all its files.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// As it is stored.
    pub(super) fn encode(&self) -> Result<Vec<u8>, serde_json::Error> {
        Ok(with_digest(&serde_json::to_vec(self)?))
    }

    fn check(&self) -> Result<(), Damage> {
        number(&self.database)?;
        if !is_id(&self.id) {
            return Err(Damage::Contradiction("a backup's name is no time"));
        }
        for file in &self.files {
            if !may_hold(&file.path) {
                return Err(Damage::Contradiction("a backup has a file that no database has"));
            }
            if file.pieces.len() as u64 != file.bytes.div_ceil(PIECE_BYTES) {
                return Err(Damage::Contradiction("a file has more or fewer pieces than its size"));
            }
            for piece in &file.pieces {
                number(piece)?;
            }
        }
        Ok(())
    }
}

/// JSON behind the line that begins a record.
pub(in crate::store) fn with_digest(body: &[u8]) -> Vec<u8> {
    let mut out = format!("{BEGIN}{FORMAT} {:032x}\n", xxh3_128(body)).into_bytes();
    out.extend_from_slice(body);
    out
}

/// Reads the record of a backup: any bytes give one whose names and sizes can be relied on, or an error.
///
/// # Errors
/// Where it is no record, of a later format, or damaged.
pub fn decode_backup(bytes: &[u8]) -> Result<Backup, Damage> {
    let rest = bytes.strip_prefix(BEGIN.as_bytes()).ok_or(Damage::NoMagic("backup"))?;
    let end = rest.iter().position(|byte| *byte == b'\n');
    let (head, body) = end
        .and_then(|end| rest.split_at_checked(end))
        .ok_or(Damage::Truncated("record of a backup"))?;
    let head = std::str::from_utf8(head).map_err(|_| Damage::NoMagic("backup"))?;
    let (format, expected) = head.split_once(' ').ok_or(Damage::NoMagic("backup"))?;
    let found: u16 = format.parse().map_err(|_| Damage::NoMagic("backup"))?;
    if found == 0 {
        return Err(Damage::NoMagic("backup"));
    }
    if found > FORMAT {
        return Err(Damage::Format { kind: "backup", found, newest: FORMAT });
    }
    let body = body.get(1..).unwrap_or_default();
    let (expected, found) = (number(expected)?, xxh3_128(body));
    if expected != found {
        return Err(wrong_digest(expected, found));
    }
    let backup: Backup = serde_json::from_slice(body)
        .map_err(|_| Damage::Contradiction("the record of a backup does not read as one"))?;
    backup.check()?;
    Ok(backup)
}

/// Whether a backup may bring a file of this path into a data directory.
fn may_hold(path: &str) -> bool {
    let folders = [manifest::FOLDER, wal::FOLDER, catalog::FOLDER, "t0", "access"];
    let is_in = |folder: &&str| {
        path.strip_prefix(*folder).is_some_and(|rest| rest.starts_with('/') && rest.len() > 1)
    };
    let is_plain = path.split('/').all(|name| {
        !name.is_empty()
            && !name.starts_with('.')
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    });
    is_plain && folders.iter().any(is_in)
}

/// `20261125T030615123Z`.
pub(super) fn is_id(id: &str) -> bool {
    id.len() == 19
        && id.bytes().enumerate().all(|(at, byte)| match at {
            8 => byte == b'T',
            18 => byte == b'Z',
            _ => byte.is_ascii_digit(),
        })
}

/// The name of a moment, ns since 1970.
pub(super) fn id_of(at: i64) -> String {
    let ms = at.div_euclid(1_000_000).rem_euclid(1000);
    let time = jiff::Timestamp::from_nanosecond(at.into()).unwrap_or_default();
    format!("{}{ms:03}Z", time.strftime("%Y%m%dT%H%M%S"))
}

#[cfg(test)]
mod unit {
    use proptest::prelude::*;

    use super::*;

    fn backup() -> Backup {
        let piece = format!("{:032x}", digest(b"abc", 7));
        Backup {
            id: id_of(1_795_575_975_123_456_789),
            database: format!("{:032x}", 7),
            at: 1_795_575_975_123_456_789,
            position: 9,
            catalog: 1,
            changes: 4,
            lineage: String::new(),
            files: vec![
                BackupFile { path: "wal/1.wal".into(), bytes: 0, crc: None, pieces: vec![] },
                BackupFile {
                    path: "t0/metrics/2026-11-25/2.part".into(),
                    bytes: 3,
                    crc: Some(1),
                    pieces: vec![piece],
                },
            ],
        }
    }

    #[test]
    fn a_record_comes_back_and_every_flipped_bit_is_noticed() {
        let bytes = backup().encode().unwrap();
        assert_eq!(decode_backup(&bytes), Ok(backup()));
        assert_eq!(backup().id, "20261125T030615123Z");
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut bytes = bytes.clone();
                bytes[at] ^= 1 << bit;
                assert!(decode_backup(&bytes).is_err(), "byte {at}, bit {bit}");
            }
            assert!(decode_backup(&bytes[..at]).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        for path in [
            "../x",
            "/etc/passwd",
            "wal/../../x",
            "LOCK",
            "t0/.x",
            "wal/",
            "snapshots/a",
            "wal/a\0",
        ] {
            let mut wrong = backup();
            wrong.files[0].path = path.into();
            assert!(decode_backup(&wrong.encode().unwrap()).is_err(), "{path}");
        }
        let mut wrong = backup();
        wrong.files[1].bytes = u64::MAX;
        assert!(decode_backup(&wrong.encode().unwrap()).is_err());
        let mut wrong = backup();
        wrong.files[1].pieces[0] = "../../../../../../../../../../xx".into();
        assert!(decode_backup(&wrong.encode().unwrap()).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_record_or_an_error(bytes: Vec<u8>, body: String) {
            let _ = decode_backup(&bytes);
            let _ = decode_backup(&with_digest(body.as_bytes()));
        }
    }
}
