//! Files that the configuration names: outside of the data directory, read whole.

use std::{fs, io, io::Read, path::Path};

/// The bytes of a file, or of a pipe.
///
/// # Errors
/// What the system says; `FileTooLarge` where there are more than `bytes_max`.
#[expect(clippy::disallowed_methods, reason = "pipes have no size that `os` could ask for first")]
pub fn read_file(file: &Path, bytes_max: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    fs::File::open(file)?.take(bytes_max + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > bytes_max {
        let what = format!("it has more than {bytes_max} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, what));
    }
    Ok(bytes)
}
