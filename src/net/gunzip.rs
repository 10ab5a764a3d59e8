//! Unpacking answers, within a limit.

use std::io::Read;

use bytes::Bytes;
use flate2::read::MultiGzDecoder;

use crate::net::Error;

/// What `packed` holds.
///
/// # Errors
/// [`Error::TooLarge`] past `bytes_max`; [`Error::Packed`] where it is no gzip.
pub(super) fn gunzip(packed: &[u8], bytes_max: u64) -> Result<Bytes, Error> {
    // Text packs about ten to one; a claim of the sender's is not believed.
    let guess =
        packed.len().saturating_mul(10).min(usize::try_from(bytes_max).unwrap_or(usize::MAX));
    let mut out = Vec::with_capacity(guess.min(1 << 20));
    let read = MultiGzDecoder::new(packed)
        .take(bytes_max.saturating_add(1))
        .read_to_end(&mut out)
        .map_err(|error| Error::Packed(error.to_string()))?;
    if read as u64 > bytes_max {
        return Err(Error::TooLarge(bytes_max));
    }
    Ok(out.into())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};
    use proptest::prelude::*;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
        packer.write_all(bytes).unwrap();
        packer.finish().unwrap()
    }

    #[test]
    fn a_bomb_is_stopped_at_the_limit() {
        let bomb = gzip(&vec![0; 1 << 20]);
        assert!(matches!(gunzip(&bomb, 1000), Err(Error::TooLarge(1000))));
        assert_eq!(gunzip(&bomb, 1 << 20).unwrap().len(), 1 << 20);
    }

    proptest! {
        #[test]
        fn unpacking_undoes_packing(bytes: Vec<u8>) {
            prop_assert_eq!(&gunzip(&gzip(&bytes), 1 << 20).unwrap()[..], &bytes[..]);
        }

        #[test]
        fn any_bytes_are_a_body_or_an_error(bytes: Vec<u8>) {
            let _ = gunzip(&bytes, 1000);
        }
    }
}
