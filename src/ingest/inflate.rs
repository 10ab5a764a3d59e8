//! Bodies unpacked, never beyond a limit.
//!
//! A bomb is stopped by its claim where the format has one (snappy), else by reading no further than
//! one byte past the limit.

use std::fmt;
use std::io::{self, Read};

use crate::ingest::Error;
use crate::ingest::config::BODY_OPTION;

/// How a body is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// As it is.
    Identity,
    /// One snappy block, not the framed format.
    Snappy,
    /// gzip, one member or several.
    Gzip,
    /// zlib, or bare deflate, as some senders understood the word.
    Deflate,
    /// Zstandard frames.
    Zstd,
}

impl Encoding {
    /// Of a `Content-Encoding` header; `default` is what the door takes where there is none.
    ///
    /// # Errors
    /// [`Error::UnknownEncoding`] for any word but the five, several codings included.
    pub fn from_header(header: Option<&str>, default: Self) -> Result<Self, Error> {
        let word = header.unwrap_or_default().trim();
        let known = [
            ("", default),
            ("identity", Self::Identity),
            ("snappy", Self::Snappy),
            ("gzip", Self::Gzip),
            ("x-gzip", Self::Gzip),
            ("deflate", Self::Deflate),
            ("zstd", Self::Zstd),
        ];
        match known.iter().find(|(name, _)| word.eq_ignore_ascii_case(name)) {
            Some((_, encoding)) => Ok(*encoding),
            None => Err(Error::UnknownEncoding(word.chars().take(64).collect())),
        }
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Identity => "identity",
            Self::Snappy => "snappy",
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
            Self::Zstd => "zstd",
        })
    }
}

/// Starts every zstd frame. No snappy block of this house's messages begins so: its first field
/// would have to be a copy.
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// The body unpacked: `body` itself, or a beginning of `buffer`, which keeps its memory for the next.
///
/// A zstd frame is known by its first bytes, whatever the header said: senders that agreed on zstd
/// go on sending it (VictoriaMetrics issue 5344). An empty body is never inflated, but snappy has no
/// empty block.
///
/// # Errors
/// [`Error::Limit`] where it would be more than `bytes_max`, [`Error::Claim`], [`Error::Empty`] and
/// [`Error::Compressed`] where it cannot be unpacked.
pub fn inflate<'a>(
    encoding: Encoding,
    body: &'a [u8],
    bytes_max: usize,
    buffer: &'a mut Vec<u8>,
) -> Result<&'a [u8], Error> {
    let encoding = if body.starts_with(&ZSTD_MAGIC) { Encoding::Zstd } else { encoding };
    if body.is_empty() {
        return match encoding {
            Encoding::Snappy => Err(Error::Empty(encoding)),
            _ => Ok(body),
        };
    }
    let damaged = |source| Error::Compressed { encoding, size: body.len(), source };
    match encoding {
        Encoding::Identity if body.len() <= bytes_max => Ok(body),
        Encoding::Identity => Err(too_large(bytes_max)),
        Encoding::Snappy => unsnap(body, bytes_max, buffer),
        Encoding::Gzip => {
            read(flate2::bufread::MultiGzDecoder::new(body), bytes_max, buffer, damaged)
        }
        Encoding::Deflate if is_zlib(body) => {
            read(flate2::bufread::ZlibDecoder::new(body), bytes_max, buffer, damaged)
        }
        Encoding::Deflate => {
            read(flate2::bufread::DeflateDecoder::new(body), bytes_max, buffer, damaged)
        }
        Encoding::Zstd => {
            read(zstd_reader(body, bytes_max).map_err(damaged)?, bytes_max, buffer, damaged)
        }
    }
}

fn too_large(bytes_max: usize) -> Error {
    Error::Limit {
        what: "length in bytes of the decompressed body is",
        limit: bytes_max,
        option: BODY_OPTION,
    }
}

/// The best snappy can do: 64 bytes for each copy of 3.
fn unsnapped_max(size: usize) -> u64 {
    (size as u64 / 3 + 1) * 64
}

fn unsnap<'a>(body: &[u8], bytes_max: usize, buffer: &'a mut Vec<u8>) -> Result<&'a [u8], Error> {
    let damaged = |source: snap::Error| Error::Compressed {
        encoding: Encoding::Snappy,
        size: body.len(),
        source: source.into(),
    };
    let claimed = snap::raw::decompress_len(body).map_err(damaged)?;
    if claimed > bytes_max {
        return Err(too_large(bytes_max));
    }
    let possible = unsnapped_max(body.len());
    if claimed as u64 > possible {
        return Err(Error::Claim { claimed: claimed as u64, size: body.len(), possible });
    }
    // Only grows: clearing it for each request would cost as much as half the decoding.
    if buffer.len() < claimed {
        buffer.resize(claimed, 0);
    }
    let size = snap::raw::Decoder::new().decompress(body, buffer).map_err(damaged)?;
    Ok(buffer.get(..size).unwrap_or_default())
}

fn read(
    reader: impl Read,
    bytes_max: usize,
    buffer: &mut Vec<u8>,
    damaged: impl Fn(io::Error) -> Error,
) -> Result<&[u8], Error> {
    buffer.clear();
    reader.take(bytes_max as u64 + 1).read_to_end(buffer).map_err(damaged)?;
    if buffer.len() > bytes_max {
        *buffer = Vec::new();
        return Err(too_large(bytes_max));
    }
    Ok(buffer)
}

/// RFC 1950: method 8, and the two bytes are a multiple of 31.
fn is_zlib(body: &[u8]) -> bool {
    matches!(body, [method, flags, ..]
        if method & 15 == 8 && (u16::from(*method) << 8 | u16::from(*flags)) % 31 == 0)
}

/// A window never needs to be larger than the body may be; RFC 8878 asks for 8 MiB at least.
fn zstd_reader(body: &[u8], bytes_max: usize) -> io::Result<impl Read + use<'_>> {
    let mut reader = zstd::stream::read::Decoder::with_buffer(body)?;
    reader.window_log_max(bytes_max.max(1).ilog2().clamp(23, 27))?;
    Ok(reader)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use proptest::prelude::*;

    use super::*;

    const PACKED: [Encoding; 4] =
        [Encoding::Snappy, Encoding::Gzip, Encoding::Deflate, Encoding::Zstd];

    fn pack(encoding: Encoding, bytes: &[u8]) -> Vec<u8> {
        match encoding {
            Encoding::Identity => bytes.to_vec(),
            Encoding::Snappy => snap::raw::Encoder::new().compress_vec(bytes).unwrap(),
            Encoding::Gzip => {
                let mut out = flate2::write::GzEncoder::new(Vec::new(), Compression::fast());
                out.write_all(bytes).unwrap();
                out.finish().unwrap()
            }
            Encoding::Deflate => {
                let mut out = flate2::write::ZlibEncoder::new(Vec::new(), Compression::fast());
                out.write_all(bytes).unwrap();
                out.finish().unwrap()
            }
            Encoding::Zstd => zstd::bulk::compress(bytes, 1).unwrap(),
        }
    }

    fn unpack(encoding: Encoding, body: &[u8], bytes_max: usize) -> Result<Vec<u8>, Error> {
        inflate(encoding, body, bytes_max, &mut Vec::new()).map(<[u8]>::to_vec)
    }

    proptest! {
        #[test]
        fn inflate_undoes_deflate(bodies in proptest::collection::vec(any::<Vec<u8>>(), 1..4)) {
            for encoding in PACKED {
                let mut buffer = Vec::new();
                for bytes in &bodies {
                    let packed = pack(encoding, bytes);
                    let inflated = inflate(encoding, &packed, 1 << 20, &mut buffer).unwrap();
                    prop_assert_eq!(inflated, &bytes[..]);
                    let as_said_wrongly = inflate(Encoding::Zstd, &packed, 1 << 20, &mut buffer);
                    prop_assert!(encoding == Encoding::Zstd || as_said_wrongly.is_err());
                }
            }
        }

        #[test]
        fn any_bytes_inflate_or_fail(bytes: Vec<u8>) {
            for encoding in PACKED {
                let mut magic = ZSTD_MAGIC.to_vec();
                magic.extend_from_slice(&bytes);
                for body in [&bytes, &magic] {
                    let mut buffer = Vec::new();
                    if let Ok(inflated) = inflate(encoding, body, 1000, &mut buffer) {
                        prop_assert!(inflated.len() <= 1000);
                    }
                    prop_assert!(buffer.capacity() < 10_000);
                }
            }
        }

        #[test]
        fn a_cut_body_fails(bytes in proptest::collection::vec(any::<u8>(), 1..100), cut: usize) {
            for encoding in PACKED {
                let packed = pack(encoding, &bytes);
                let cut = 1 + cut % (packed.len() - 1);
                prop_assert!(unpack(encoding, &packed[..cut], 1 << 20).is_err(), "{encoding}");
            }
        }
    }

    #[test]
    fn a_bomb_stops_at_the_limit() {
        let bytes = vec![0; 1 << 20];
        for encoding in PACKED {
            let packed = pack(encoding, &bytes);
            let mut buffer = Vec::new();
            let error = inflate(encoding, &packed, (1 << 20) - 1, &mut buffer).unwrap_err();
            assert!(matches!(error, Error::Limit { .. }), "{encoding}: {error}");
            assert!(error.to_string().contains("--ingest-body-max") && buffer.is_empty());
            assert_eq!(unpack(encoding, &packed, 1 << 20).unwrap(), bytes);
        }
        assert!(matches!(unpack(Encoding::Identity, &bytes, 10), Err(Error::Limit { .. })));
    }

    #[test]
    fn a_snappy_block_cannot_claim_more_than_it_can_make() {
        let claim = |hex: &[u8]| unpack(Encoding::Snappy, hex, 1 << 20).unwrap_err();
        assert!(matches!(claim(&[0xff, 0xff, 0x03, 0, b'a']), Error::Claim { claimed: 65535, .. }));
        assert!(matches!(claim(&[0xff, 0xff, 0xff, 0xff, 0x0f, 0, b'a']), Error::Limit { .. }));
        for body in [&[0xff; 40][..], &[0x0a, 0, b'a', 0x0e, 0, 0], b"\x64\xfc\xff\xff\xff\xffa"] {
            let error = claim(body);
            assert!(matches!(error, Error::Compressed { .. }), "{error}");
            assert!(error.to_string().contains("snappy"));
        }
        assert!(matches!(claim(b""), Error::Empty(Encoding::Snappy)));
        // As tight as it gets: one literal, then copies of 64.
        let bytes = vec![b'a'; 64 * 1000 + 1];
        let packed = pack(Encoding::Snappy, &bytes);
        assert!(packed.len() < 64 * 1000 / 20);
        assert_eq!(unpack(Encoding::Snappy, &packed, 1 << 20).unwrap(), bytes);
    }

    #[test]
    fn zstd_is_known_by_its_first_bytes_and_bare_deflate_is_taken() {
        let packed = pack(Encoding::Zstd, b"hello");
        assert_eq!(unpack(Encoding::Snappy, &packed, 100).unwrap(), b"hello");
        let mut bare = flate2::write::DeflateEncoder::new(Vec::new(), Compression::fast());
        bare.write_all(b"hello").unwrap();
        let bare = bare.finish().unwrap();
        assert_eq!(unpack(Encoding::Deflate, &bare, 100).unwrap(), b"hello");
        assert_eq!(unpack(Encoding::Gzip, b"", 100).unwrap(), b"");
        let twice = [pack(Encoding::Gzip, b"a"), pack(Encoding::Gzip, b"b")].concat();
        assert_eq!(unpack(Encoding::Gzip, &twice, 100).unwrap(), b"ab");
    }

    #[test]
    fn a_header_names_an_encoding() {
        let of = |header| Encoding::from_header(header, Encoding::Snappy).ok();
        assert_eq!(of(None), Some(Encoding::Snappy));
        assert_eq!(of(Some("")), Some(Encoding::Snappy));
        assert_eq!(of(Some(" GZIP ")), Some(Encoding::Gzip));
        assert_eq!(of(Some("identity")), Some(Encoding::Identity));
        assert_eq!(of(Some("lzma")), None);
        assert_eq!(of(Some("gzip, snappy")), None);
    }
}
