//! Digests that need not be computed again: of the pieces of files that only grow.
//!
//! Segments of the log and the catalog are written at their ends alone, and a number is given once: what
//! stood in one at an earlier backup stands there now. Kept in memory only, so a process trusts no one
//! but itself.

use std::collections::HashMap;

use super::record::PIECE_BYTES;

/// What was stored of files that grow.
#[derive(Clone, Debug, Default)]
pub(in crate::store) struct Memo(HashMap<String, Stored>);

#[derive(Clone, Debug)]
struct Stored {
    bytes: u64,
    pieces: Vec<String>,
}

impl Memo {
    /// Notes that the first `bytes` of a file are in these pieces.
    pub(super) fn note(&mut self, path: &str, bytes: u64, pieces: &[String]) {
        self.0.insert(path.to_owned(), Stored { bytes, pieces: pieces.to_vec() });
    }

    /// The pieces that the first `bytes` of a file begin with, as far as is known.
    pub(super) fn of(&self, path: &str, bytes: u64) -> &[String] {
        let Some(stored) = self.0.get(path).filter(|stored| stored.bytes <= bytes) else {
            return &[];
        };
        if stored.bytes == bytes {
            return &stored.pieces;
        }
        // The last piece was short, and is longer now.
        let whole = usize::try_from(stored.bytes / PIECE_BYTES).unwrap_or(0);
        stored.pieces.get(..whole).unwrap_or_default()
    }
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn whole_pieces_stay_and_the_last_only_where_nothing_was_added() {
        let mut memo = Memo::default();
        let pieces = ["a".to_owned(), "b".to_owned()];
        memo.note("wal/1.wal", PIECE_BYTES + 7, &pieces);
        assert_eq!(memo.of("wal/1.wal", PIECE_BYTES + 7), pieces);
        assert_eq!(memo.of("wal/1.wal", PIECE_BYTES + 8), ["a"]);
        assert!(memo.of("wal/1.wal", PIECE_BYTES + 6).is_empty(), "it cannot have shrunk");
        assert!(memo.of("wal/2.wal", PIECE_BYTES + 7).is_empty());
    }
}
