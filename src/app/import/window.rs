//! A file read mostly forwards, a piece at a time, in bounded memory.

use std::{io, sync::Arc};

use crate::os::ReadFile;

/// Read at once where reads follow each other.
const AHEAD_BYTES: usize = 256 << 10;
/// Read at once after a jump: about what a day of one series takes.
const JUMP_BYTES: usize = 16 << 10;

/// The bytes around where a file was read last.
#[derive(Debug)]
pub(super) struct Window {
    file: Arc<dyn ReadFile>,
    size: u64,
    begin: u64,
    bytes: Vec<u8>,
}

impl Window {
    pub(super) fn new(file: Arc<dyn ReadFile>) -> io::Result<Self> {
        let size = file.len()?;
        Ok(Self { file, size, begin: 0, bytes: Vec::new() })
    }

    /// Size of the file.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// The bytes from `at` on: `least` or more, fewer only where the file ends.
    pub(super) fn at(&mut self, at: u64, least: usize) -> io::Result<&[u8]> {
        let wanted = self.size.saturating_sub(at).min(least as u64);
        let end = self.begin + self.bytes.len() as u64;
        if at < self.begin || at.saturating_add(wanted) > end {
            let goes_on = at >= self.begin && at <= end && end > 0;
            let ahead = if goes_on { AHEAD_BYTES } else { JUMP_BYTES };
            let length = self.size.saturating_sub(at).min(least.max(ahead) as u64);
            self.bytes.clear();
            self.begin = at;
            self.bytes.resize(usize::try_from(length).unwrap_or(0), 0);
            if let Err(error) = self.file.read_exact_at(at, &mut self.bytes) {
                self.bytes.clear();
                return Err(error);
            }
        }
        let skipped = usize::try_from(at - self.begin).unwrap_or(usize::MAX);
        Ok(self.bytes.get(skipped..).unwrap_or_default())
    }
}
