//! Messages of the domain name system to bytes and back.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Names are at most this long on the wire.
const NAME_BYTES_MAX: usize = 255;
/// Pointers followed in one name: more is a loop.
const POINTERS_MAX: usize = 64;
/// Records read of one message; 64 KiB hold no more.
const RECORDS_MAX: usize = 4096;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum Kind {
    /// An address of four bytes.
    A = 1,
    /// A name server.
    Ns = 2,
    /// A mail server.
    Mx = 15,
    /// An address of sixteen bytes.
    Aaaa = 28,
    /// A server of some kind, with its port.
    Srv = 33,
}

/// What an answer holds. Names are as they are written, with the dot at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// See [`Kind::A`].
    A(Ipv4Addr),
    /// See [`Kind::Aaaa`].
    Aaaa(Ipv6Addr),
    /// See [`Kind::Ns`].
    Ns(String),
    /// See [`Kind::Mx`].
    Mx(String),
    /// See [`Kind::Srv`].
    Srv {
        /// The server's name.
        target: String,
        /// Its port.
        port: u16,
    },
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// 0 is fine, 3 is no such name.
    pub code: u8,
    /// Whether there was more than fits.
    pub is_cut: bool,
    /// The records of the kind asked for.
    pub records: Vec<Record>,
}

/// Why bytes are no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// The message ends too soon.
    #[error("the message ends in the middle of a record")]
    Truncated,
    /// A name that cannot be.
    #[error("a name is longer than 255 bytes, or its pointers go round")]
    Name,
    /// Another question's answer, or none at all.
    #[error("the message answers another question")]
    Stranger,
}

/// A question for `name`, which has its dots between labels. None where it is no name.
pub fn question(id: u16, name: &str, kind: Kind) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(64);
    // Asks for recursion.
    for word in [id, 0x0100, 1, 0, 0, 0] {
        out.extend_from_slice(&word.to_be_bytes());
    }
    let start = out.len();
    for label in name.trim_end_matches('.').split('.') {
        let size = u8::try_from(label.len()).ok().filter(|size| (1..64).contains(size))?;
        out.push(size);
        out.extend_from_slice(label.as_bytes());
    }
    out.push(0);
    if out.len() - start > NAME_BYTES_MAX {
        return None;
    }
    out.extend_from_slice(&(kind as u16).to_be_bytes());
    out.extend_from_slice(&1_u16.to_be_bytes());
    Some(out)
}

/// Reads the answer to the question `asked`.
///
/// # Errors
/// Where it is none.
pub fn read(bytes: &[u8], asked: &[u8], kind: Kind) -> Result<Response, Malformed> {
    let mut reader = Reader { bytes, at: 0 };
    let id = reader.word()?;
    let flags = reader.word()?;
    let (questions, answers) = (reader.word()?, reader.word()?);
    reader.skip(4)?;
    let is_answer = flags & 0x8000 != 0 && asked.get(..2) == Some(&id.to_be_bytes());
    if !is_answer || questions != 1 {
        return Err(Malformed::Stranger);
    }
    let begin = reader.at;
    reader.name()?;
    reader.skip(4)?;
    let echoed = bytes.get(begin..reader.at).unwrap_or_default();
    let is_same = asked.get(12..).is_some_and(|asked| asked.eq_ignore_ascii_case(echoed));
    if !is_same {
        return Err(Malformed::Stranger);
    }
    let mut records = Vec::new();
    for _ in 0..usize::from(answers).min(RECORDS_MAX) {
        reader.name()?;
        let found = reader.word()?;
        reader.skip(6)?;
        let size = usize::from(reader.word()?);
        let end = reader.at.checked_add(size).filter(|end| *end <= bytes.len());
        let end = end.ok_or(Malformed::Truncated)?;
        if found == kind as u16 {
            records.push(reader.record(kind)?);
        }
        reader.at = end;
    }
    // The lowest four bits are the code.
    let code = (flags & 0x000f).to_le_bytes();
    Ok(Response { code: code[0], is_cut: flags & 0x0200 != 0, records })
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let found = self.bytes.get(self.at..).and_then(|rest| rest.first_chunk::<N>());
        self.at += N;
        found.copied().ok_or(Malformed::Truncated)
    }

    fn word(&mut self) -> Result<u16, Malformed> {
        self.array().map(u16::from_be_bytes)
    }

    fn skip(&mut self, count: usize) -> Result<(), Malformed> {
        self.at = self.at.checked_add(count).ok_or(Malformed::Truncated)?;
        if self.at > self.bytes.len() { Err(Malformed::Truncated) } else { Ok(()) }
    }

    fn record(&mut self, kind: Kind) -> Result<Record, Malformed> {
        Ok(match kind {
            Kind::A => Record::A(Ipv4Addr::from(self.array::<4>()?)),
            Kind::Aaaa => Record::Aaaa(Ipv6Addr::from(self.array::<16>()?)),
            Kind::Ns => Record::Ns(self.name()?),
            Kind::Mx => {
                self.skip(2)?;
                Record::Mx(self.name()?)
            }
            Kind::Srv => {
                self.skip(4)?;
                let port = self.word()?;
                Record::Srv { port, target: self.name()? }
            }
        })
    }

    /// A name, wherever its pointers lead; the reader then stands behind its first part.
    fn name(&mut self) -> Result<String, Malformed> {
        let (mut name, mut behind, mut pointers) = (String::new(), None, 0);
        loop {
            let [size] = self.array::<1>()?;
            match size {
                0 => break,
                1..=63 => {
                    let end = self.at + usize::from(size);
                    let label = self.bytes.get(self.at..end).ok_or(Malformed::Truncated)?;
                    name.push_str(&String::from_utf8_lossy(label));
                    name.push('.');
                    if name.len() > NAME_BYTES_MAX * 3 {
                        return Err(Malformed::Name);
                    }
                    self.at = end;
                }
                192.. => {
                    let [low] = self.array::<1>()?;
                    behind = behind.or(Some(self.at));
                    pointers += 1;
                    if pointers > POINTERS_MAX {
                        return Err(Malformed::Name);
                    }
                    self.at = usize::from(u16::from_be_bytes([size & 0x3f, low]));
                }
                64..192 => return Err(Malformed::Name),
            }
        }
        self.at = behind.unwrap_or(self.at);
        if name.is_empty() {
            name.push('.');
        }
        Ok(name)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// An answer to `asked` with `records`, each: kind, then its data. Names point to the question.
    fn answer(asked: &[u8], records: &[(u16, &[u8])]) -> Vec<u8> {
        let mut out = asked.to_vec();
        out[2..4].copy_from_slice(&[0x81, 0x80]);
        out[7] = u8::try_from(records.len()).unwrap();
        for (kind, data) in records {
            out.extend_from_slice(&[0xc0, 12]);
            out.extend_from_slice(&kind.to_be_bytes());
            out.extend_from_slice(&[0, 1, 0, 0, 0, 60]);
            out.extend_from_slice(&u16::try_from(data.len()).unwrap().to_be_bytes());
            out.extend_from_slice(data);
        }
        out
    }

    #[test]
    fn records_of_each_kind_are_read_and_others_passed_over() {
        let asked = question(7, "_x._tcp.a.b", Kind::Srv).unwrap();
        let srv = [&[0, 1, 0, 2, 0x1f, 0x90, 1, b'h'][..], &[0xc0, 20]].concat();
        let bytes = answer(&asked, &[(5, &[0xc0, 12]), (33, &srv)]);
        let found = read(&bytes, &asked, Kind::Srv).unwrap();
        let target = "h.a.b.".to_owned();
        assert_eq!(found.records, [Record::Srv { target, port: 8080 }]);
        assert_eq!((found.code, found.is_cut), (0, false));
        let asked = question(7, "a.b.", Kind::A).unwrap();
        let found = read(&answer(&asked, &[(1, &[10, 0, 0, 1])]), &asked, Kind::A).unwrap();
        assert_eq!(found.records, [Record::A([10, 0, 0, 1].into())]);
        let asked = question(7, "a.b", Kind::Mx).unwrap();
        let found = read(&answer(&asked, &[(15, &[0, 5, 1, b'm', 0])]), &asked, Kind::Mx).unwrap();
        assert_eq!(found.records, [Record::Mx("m.".into())]);
    }

    #[test]
    fn answers_to_others_and_loops_are_refused() {
        let asked = question(7, "a.b", Kind::A).unwrap();
        let other = answer(&question(8, "a.b", Kind::A).unwrap(), &[]);
        assert_eq!(read(&other, &asked, Kind::A), Err(Malformed::Stranger));
        let other = answer(&question(7, "a.c", Kind::A).unwrap(), &[]);
        assert_eq!(read(&other, &asked, Kind::A), Err(Malformed::Stranger));
        let asked = question(7, "a.b", Kind::Ns).unwrap();
        let end = u8::try_from(asked.len()).unwrap();
        let round = answer(&asked, &[(2, &[0xc0, end + 12])]);
        assert_eq!(read(&round, &asked, Kind::Ns), Err(Malformed::Name));
        assert_eq!(question(1, "a..b", Kind::A), None);
        assert_eq!(question(1, &"a".repeat(64), Kind::A), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_an_answer_or_an_error(mut bytes: Vec<u8>, kind in 0_usize..5) {
            let kinds = [Kind::A, Kind::Aaaa, Kind::Ns, Kind::Mx, Kind::Srv];
            let asked = question(7, "a.b", kinds[kind]).unwrap();
            let _ = read(&bytes, &asked, kinds[kind]);
            let mut whole = answer(&asked, &[]);
            whole[7] = 9;
            whole.append(&mut bytes);
            let _ = read(&whole, &asked, kinds[kind]);
        }
    }
}
