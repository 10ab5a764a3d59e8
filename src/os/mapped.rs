//! A file seen as memory, read-only. The one file with `unsafe` in it.
//!
//! Never for writes, and for reads only of files that are complete and never changed in place.
//! Whoever reads through it must have read the bytes with `pread` before ([`super::PageReader`] does):
//! a device error then has a name, where a first touch of the mapping would end the process (SIGBUS).

use std::fmt;
use std::fs::File;
use std::io;
use std::ops::Deref;
use std::sync::Arc;

/// Bytes of a file, lent as a slice for as long as a clone lives.
#[derive(Clone)]
pub struct Mapped(Memory);

#[derive(Clone)]
enum Memory {
    File(Arc<memmap2::Mmap>),
    Copy(Arc<[u8]>),
}

impl Mapped {
    /// Maps the whole of `file`, which must not be changed or cut as long as the mapping lives.
    ///
    /// # Errors
    /// What mmap says: no address space, too many mappings, a file system that cannot.
    pub(super) fn map(file: &File) -> io::Result<Self> {
        #[expect(unsafe_code, reason = "a mapping is the only way to lend pages without copying")]
        // SAFETY: the slice is sound as long as nobody changes or cuts the file. Inside the process
        // nobody does: `Files` maps only what is opened for reading, and the store maps only files
        // that were synced and renamed into place, which it never opens for writing again (removing
        // the name leaves the inode alone). Other processes are kept out by the lock of the
        // database; one that ignores it can end this process with SIGBUS or show it bytes that
        // changed after their check, as it could by writing to the files before they are read.
        let map = unsafe { memmap2::Mmap::map(file)? };
        Ok(Self(Memory::File(Arc::new(map))))
    }

    /// Tells the kernel that reads jump about, so that it reads no pages ahead. A hint: errors are
    /// ignored.
    pub fn advise_random(&self) {
        if let Memory::File(map) = &self.0 {
            let _ = map.advise(memmap2::Advice::Random);
        }
    }

    /// Tells the kernel that the pages will not be wanted soon, so that they stop counting as memory
    /// of this process. They read the same afterwards. A hint: errors are ignored.
    pub fn advise_unneeded(&self) {
        if let Memory::File(map) = &self.0 {
            #[expect(unsafe_code, reason = "memmap2 calls every use of MADV_DONTNEED unsafe")]
            // SAFETY: MADV_DONTNEED loses stores to private and anonymous pages. This mapping is
            // shared, of a file, and read-only, so that its pages come back from the file unchanged.
            let _ = unsafe { map.unchecked_advise(memmap2::UncheckedAdvice::DontNeed) };
        }
    }
}

impl From<Vec<u8>> for Mapped {
    /// What a disk in memory lends in place of a mapping.
    fn from(bytes: Vec<u8>) -> Self {
        Self(Memory::Copy(bytes.into()))
    }
}

impl Deref for Mapped {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Memory::File(map) => map,
            Memory::Copy(bytes) => bytes,
        }
    }
}

impl fmt::Debug for Mapped {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Mapped({} bytes)", self.len())
    }
}
