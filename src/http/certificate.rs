//! The common name of a certificate that was checked already.
//!
//! Enough of DER (X.690) and of a certificate's outline (RFC 5280, section 4.1) to walk to the subject.

/// `2.5.4.3`
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];

const INTEGER: u8 = 0x02;
const OBJECT_ID: u8 = 0x06;
const UTF8: u8 = 0x0c;
const PRINTABLE: u8 = 0x13;
const IA5: u8 = 0x16;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const VERSION: u8 = 0xa0;

/// The last common name of the subject; None where there is none that is plain text.
pub(super) fn common_name(certificate: &[u8]) -> Option<&str> {
    let mut outer = Reader(certificate);
    let mut certificate = Reader(outer.expect(SEQUENCE)?);
    let mut signed = Reader(certificate.expect(SEQUENCE)?);
    let (tag, _) = signed.next()?;
    if tag == VERSION {
        signed.expect(INTEGER)?;
    }
    // Signature algorithm, issuer, validity.
    for _ in 0..3 {
        signed.expect(SEQUENCE)?;
    }
    let mut subject = Reader(signed.expect(SEQUENCE)?);
    let mut found = None;
    while let Some(part) = subject.expect(SET) {
        let mut part = Reader(part);
        while let Some(pair) = part.expect(SEQUENCE) {
            let mut pair = Reader(pair);
            if pair.expect(OBJECT_ID)? == COMMON_NAME {
                let (tag, text) = pair.next()?;
                let is_text = matches!(tag, UTF8 | PRINTABLE | IA5);
                found = is_text.then_some(text);
            }
        }
    }
    // A name with a NUL in it is one that was made to look like another.
    let name = std::str::from_utf8(found?).ok()?;
    (!name.is_empty() && !name.chars().any(char::is_control)).then_some(name)
}

/// Values one behind the other.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Tag and content of the next value.
    fn next(&mut self) -> Option<(u8, &'a [u8])> {
        let (tag, rest) = self.0.split_first()?;
        let (first, rest) = rest.split_first()?;
        let (length, rest) = if *first < 0x80 {
            (usize::from(*first), rest)
        } else {
            // Longer forms: how many bytes the length has, at most four of them.
            let count = usize::from(*first & 0x7f);
            if !(1..=4).contains(&count) {
                return None;
            }
            let (bytes, rest) = rest.split_at_checked(count)?;
            (bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((*tag, content))
    }

    /// The content of the next value, which has this tag.
    fn expect(&mut self, tag: u8) -> Option<&'a [u8]> {
        self.next().filter(|(found, _)| *found == tag).map(|(_, content)| content)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn value(tag: u8, content: &[u8]) -> Vec<u8> {
        let length = u8::try_from(content.len()).unwrap();
        let head = if length < 0x80 { vec![tag, length] } else { vec![tag, 0x81, length] };
        [head, content.to_vec()].concat()
    }

    fn certificate(subject: &[u8], has_version: bool) -> Vec<u8> {
        let version = value(VERSION, &value(INTEGER, &[2]));
        let signed = [
            if has_version { version } else { Vec::new() },
            value(INTEGER, &[1]),
            value(SEQUENCE, &[]),
            value(SEQUENCE, b"issuer"),
            value(SEQUENCE, b"validity"),
            value(SEQUENCE, subject),
        ];
        value(SEQUENCE, &value(SEQUENCE, &signed.concat()))
    }

    fn part(id: &[u8], tag: u8, text: &[u8]) -> Vec<u8> {
        value(SET, &value(SEQUENCE, &[value(OBJECT_ID, id), value(tag, text)].concat()))
    }

    #[test]
    fn the_last_common_name_of_the_subject_is_the_name() {
        let organisation = part(&[0x55, 0x04, 0x0a], UTF8, b"Example");
        let subject = [organisation, part(COMMON_NAME, UTF8, b"a"), part(COMMON_NAME, IA5, b"b.c")];
        for has_version in [true, false] {
            assert_eq!(common_name(&certificate(&subject.concat(), has_version)), Some("b.c"));
        }
        for subject in [
            Vec::new(),
            part(COMMON_NAME, UTF8, b""),
            part(COMMON_NAME, UTF8, b"admin\0.evil"),
            part(COMMON_NAME, UTF8, &[0xff]),
            part(COMMON_NAME, INTEGER, b"a"),
        ] {
            assert_eq!(common_name(&certificate(&subject, true)), None);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_name_or_none(bytes: Vec<u8>, at in 0_usize..80, byte: u8) {
            let _ = common_name(&bytes);
            let mut torn = certificate(&part(COMMON_NAME, UTF8, b"name"), true);
            if let Some(place) = torn.get_mut(at) {
                *place = byte;
            }
            let _ = common_name(&torn);
            let _ = common_name(torn.get(..at).unwrap_or_default());
        }
    }
}
