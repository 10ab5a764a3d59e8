//! A data file written from front to back, and the checksums of its pages.

use std::io;

use crate::os::WriteFile;
use crate::os::pages::PAGE_SIZE;

/// Bytes gathered before they are written: whole pages, so that each is checked once as it goes.
const BUFFER_SIZE: usize = 4 * PAGE_SIZE;

/// Writes data into an empty file.
///
/// After an error the file is of no use, and every further call fails: remove it.
#[derive(Debug)]
pub struct PageWriter {
    file: Box<dyn WriteFile>,
    buffer: Vec<u8>,
    written: u64,
    checksums: Vec<u32>,
    has_failed: bool,
}

impl PageWriter {
    /// Begins at byte 0 of `file`.
    pub fn new(file: Box<dyn WriteFile>) -> Self {
        let buffer = Vec::with_capacity(BUFFER_SIZE);
        Self { file, buffer, written: 0, checksums: Vec::new(), has_failed: false }
    }

    /// Bytes appended so far: the offset of the next.
    pub fn position(&self) -> u64 {
        self.written.saturating_add(self.buffer.len() as u64)
    }

    /// Adds `bytes` to the data. Nothing of it is durable yet.
    pub fn append(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        if self.has_failed {
            return Err(io::Error::other("an earlier write to this file failed"));
        }
        while self.buffer.len() + bytes.len() >= BUFFER_SIZE {
            let (now, later) = bytes.split_at(BUFFER_SIZE - self.buffer.len());
            self.buffer.extend_from_slice(now);
            self.flush()?;
            bytes = later;
        }
        self.buffer.extend_from_slice(bytes);
        Ok(())
    }

    /// Writes the rest. Gives the file, not yet synced, and the CRC-32C of each page of
    /// `[0, position)`.
    pub fn finish(mut self) -> io::Result<(Box<dyn WriteFile>, Vec<u32>)> {
        self.append(&[])?;
        self.flush()?;
        Ok((self.file, self.checksums))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.has_failed = true;
        self.file.write_all_at(self.written, &self.buffer)?;
        self.has_failed = false;
        self.checksums.extend(self.buffer.chunks(PAGE_SIZE).map(crc32c::crc32c));
        self.written = self.position();
        self.buffer.clear();
        Ok(())
    }
}
