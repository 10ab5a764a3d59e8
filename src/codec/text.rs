//! Sorted strings, each by what it shares with the one before: front coding.
//!
//! ```text
//!   for each string: shared (varint) · length of the rest (varint) · the rest
//! ```
//!
//! Lengths are in bytes, and `shared` ends between two characters. How many strings there are, the
//! caller keeps. To find a string without reading all before it, write a long list in groups.
//! Bytes: storage-format.md, "Sorted strings".
//! Idea: Witten, Moffat, Bell, "Managing Gigabytes", second edition, section 4.1.

use super::Error;
use super::varint::{decode_varint, encode_varint};

/// Appends `strings`, which ascend; equal neighbours are fine.
pub fn encode_sorted<S: AsRef<str>>(strings: &[S], out: &mut Vec<u8>) {
    let mut before = "";
    for string in strings {
        let string = string.as_ref();
        debug_assert!(before <= string, "strings ascend");
        let shared = shared_bytes(before, string);
        let rest = string.get(shared..).unwrap_or_default();
        encode_varint(shared as u64, out);
        encode_varint(rest.len() as u64, out);
        out.extend(rest.as_bytes());
        before = string;
    }
}

/// Reads the `rows` strings that [`encode_sorted`] wrote, one at a time.
pub const fn decode_sorted(bytes: &[u8], rows: usize) -> Strings<'_> {
    Strings { bytes, at: 0, string: String::new(), index: 0, rows }
}

/// Strings as they are decoded; one is in memory, never longer than all the bytes.
#[derive(Clone, Debug)]
pub struct Strings<'a> {
    bytes: &'a [u8],
    at: usize,
    string: String,
    index: usize,
    rows: usize,
}

impl Strings<'_> {
    /// Lends the next string; None behind the last.
    ///
    /// # Errors
    /// [`Error::Truncated`], [`Error::OutOfRange`], [`Error::NotText`], [`Error::NotSorted`]. After
    /// one, there is no next string.
    pub fn advance(&mut self) -> Result<Option<&str>, Error> {
        if self.index == self.rows {
            return Ok(None);
        }
        let next = self.read();
        self.index = if next.is_ok() { self.index + 1 } else { self.rows };
        next.map(|()| Some(self.string.as_str()))
    }

    /// How many bytes the strings took so far.
    pub const fn used(&self) -> usize {
        self.at
    }

    fn read(&mut self) -> Result<(), Error> {
        let index = self.index;
        let (found, limit) = (self.number()?, self.string.len() as u64);
        let shared = usize::try_from(found).unwrap_or(usize::MAX);
        let Some(old_rest) = self.string.get(shared..) else {
            return Err(Error::OutOfRange { what: "shared bytes", found, limit });
        };
        let old_rest_len = old_rest.len();
        let len = usize::try_from(self.number()?).unwrap_or(usize::MAX);
        let truncated = Error::Truncated { len: self.bytes.len() };
        let end = self.at.checked_add(len).ok_or(truncated)?;
        let rest = self.bytes.get(self.at..end).ok_or(truncated)?;
        let rest = str::from_utf8(rest).map_err(|_| Error::NotText { index })?;
        if self.string.get(shared..).is_some_and(|old_rest| old_rest > rest) {
            return Err(Error::NotSorted { index });
        }
        self.string.truncate(self.string.len() - old_rest_len);
        self.string.push_str(rest);
        self.at = end;
        Ok(())
    }

    fn number(&mut self) -> Result<u64, Error> {
        let behind = self.bytes.get(self.at..).unwrap_or_default();
        let (number, used) = decode_varint(behind)?;
        self.at += used;
        Ok(number)
    }
}

impl Iterator for Strings<'_> {
    type Item = Result<String, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.advance().map(|string| string.map(str::to_owned)).transpose()
    }
}

/// Bytes that two strings begin with in common, whole characters only.
fn shared_bytes(a: &str, b: &str) -> usize {
    let mut shared = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    while !(a.is_char_boundary(shared) && b.is_char_boundary(shared)) {
        shared -= 1;
    }
    shared
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn encoded(strings: &[String]) -> Vec<u8> {
        let mut bytes = Vec::new();
        encode_sorted(strings, &mut bytes);
        bytes
    }

    fn decoded(bytes: &[u8], rows: usize) -> Result<Vec<String>, Error> {
        decode_sorted(bytes, rows).collect()
    }

    proptest! {
        #[test]
        fn sorted_strings_come_back(mut strings in prop::collection::vec("[a-cé日]{0,6}", 0..30), behind: Vec<u8>) {
            strings.sort();
            let mut bytes = encoded(&strings);
            let len = bytes.len();
            for end in 0..len {
                prop_assert!(decoded(&bytes[..end], strings.len()).is_err());
            }
            bytes.extend(behind);
            let mut reader = decode_sorted(&bytes, strings.len());
            for string in &strings {
                prop_assert_eq!(reader.advance(), Ok(Some(string.as_str())));
            }
            prop_assert_eq!(reader.advance(), Ok(None));
            prop_assert_eq!(reader.used(), len);
        }

        #[test]
        fn any_bytes_decode_or_err(bytes: Vec<u8>, rows in 0_usize..50) {
            if let Ok(strings) = decoded(&bytes, rows) {
                prop_assert_eq!(strings.len(), rows);
                prop_assert!(strings.is_sorted());
            }
        }
    }

    #[test]
    fn a_shared_beginning_is_written_once() {
        let bytes = encoded(&["http_requests_failed".into(), "http_requests_total".into()]);
        assert_eq!(bytes, b"\x00\x14http_requests_failed\x0e\x05total");
    }

    #[test]
    fn what_is_no_sorted_text_is_refused_by_name() {
        assert_eq!(decoded(b"\x00\x01b\x00\x01a", 2), Err(Error::NotSorted { index: 1 }));
        assert_eq!(decoded(b"\x00\x01\xff", 1), Err(Error::NotText { index: 0 }));
        let inside_a_character = decoded("\u{0}\u{2}é\u{1}\u{1}z".as_bytes(), 2);
        assert!(matches!(inside_a_character, Err(Error::OutOfRange { what: "shared bytes", .. })));
        let mut broken = decode_sorted(b"\x01", 3);
        assert!(broken.next().is_some_and(|string| string.is_err()));
        assert!(broken.next().is_none(), "nothing follows an error");
    }
}
