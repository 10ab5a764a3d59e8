//! Files of text: JSON lines, CSV, OpenMetrics, line protocol. Cut at line ends into bodies that the
//! doors for them take; what a line means they know, not we.

use std::{
    fs,
    io::{self, Read},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use super::{
    note::Note,
    target::Target,
    words::{Csv, File, Lines, To},
};
use crate::cli::{client::form, error::Error};

/// Bytes of a body, about: a share of what a door takes at most.
const BODY_BYTES: usize = 4 << 20;
/// A longer line is no line.
const LINE_BYTES_MAX: usize = 48 << 20;

/// How a file's lines are sent.
struct Way {
    path: String,
    media_type: &'static str,
    /// Whether the text is OpenMetrics, which has heads of families and an end.
    has_families: bool,
    skips_first: bool,
}

pub(super) async fn json_lines(file: &File) -> Result<(), Error> {
    let way = Way {
        path: "/api/v1/import".into(),
        media_type: "application/stream+json",
        has_families: false,
        skips_first: false,
    };
    send(file, &way).await
}

pub(super) async fn open_metrics(file: &File) -> Result<(), Error> {
    let way = Way {
        path: "/api/v1/import/prometheus".into(),
        media_type: "application/openmetrics-text; version=1.0.0; charset=utf-8",
        has_families: true,
        skips_first: false,
    };
    send(file, &way).await
}

pub(super) async fn csv(csv: &Csv) -> Result<(), Error> {
    let way = Way {
        path: format!("/api/v1/import/csv?{}", form(&[("format", &csv.format)])),
        media_type: "text/csv",
        has_families: false,
        skips_first: csv.skip_header,
    };
    send(&csv.file, &way).await
}

pub(super) async fn lines(lines: &Lines) -> Result<(), Error> {
    let query = form(&[("precision", &lines.precision), ("db", &lines.db)]);
    let way = Way {
        path: format!("/write?{query}"),
        media_type: "text/plain",
        has_families: false,
        skips_first: false,
    };
    send(&lines.file, &way).await
}

async fn send(file: &File, way: &Way) -> Result<(), Error> {
    let shown = file.file.display().to_string();
    let failed = |error: io::Error| Error::Failed(format!("cannot read {shown}: {error}"));
    let To { resume, .. } = &file.to;
    let mut note = Note::open(resume.clone(), format!("{shown} to {}", way.path))?;
    let mut source = Source::open(&file.file).map_err(failed)?;
    let mut target = Target::open(&file.to).await?;
    let mut cutter = Cutter::new(way.has_families, way.skips_first);
    let done = u64::try_from(note.position.unwrap_or(0)).unwrap_or(0);
    let mut at = 0_u64;
    while let Some(body) = cutter.next(&mut source.reader).map_err(failed)? {
        at += body.bytes;
        if at <= done {
            continue;
        }
        target.send(&way.path, way.media_type, body.text, body.lines).await?;
        note.keep(i64::try_from(at).unwrap_or(i64::MAX))?;
        let share = source.share();
        target.meter.show(target.rows, share.map(|share| (share, 0.0)));
    }
    target.finish("lines")
}

/// A file being read, unpacked.
struct Source {
    reader: Box<dyn Read + Send>,
    read: Arc<AtomicU64>,
    size: Option<u64>,
}

/// Counts the bytes that go through.
struct Counted<R>(R, Arc<AtomicU64>);

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.0.read(out)?;
        self.1.fetch_add(count as u64, Relaxed);
        Ok(count)
    }
}

impl Source {
    #[expect(clippy::disallowed_methods, reason = "a file of the person who types, in no database")]
    fn open(path: &Path) -> io::Result<Self> {
        let read = Arc::new(AtomicU64::new(0));
        if path == Path::new("-") {
            let reader = Box::new(Counted(io::stdin(), Arc::clone(&read)));
            return Ok(Self { reader, read, size: None });
        }
        let file = fs::File::open(path)?;
        let size = Some(file.metadata()?.len()).filter(|size| *size > 0);
        let plain = Counted(file, Arc::clone(&read));
        let reader: Box<dyn Read + Send> = match path.extension().and_then(|it| it.to_str()) {
            Some("gz") => Box::new(flate2::read::MultiGzDecoder::new(io::BufReader::new(plain))),
            Some("zst") => Box::new(zstd::stream::Decoder::new(plain)?),
            _ => Box::new(plain),
        };
        Ok(Self { reader, read, size })
    }

    /// The share that is read.
    fn share(&self) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "shown with two digits")]
        let share = |size: u64| self.read.load(Relaxed) as f64 / size as f64;
        self.size.map(share)
    }
}

/// Whole lines.
#[derive(Debug)]
struct Body {
    text: Vec<u8>,
    /// Lines that are not comments.
    lines: u64,
    /// Bytes of the file that it stands for.
    bytes: u64,
}

/// Cuts a text at line ends.
struct Cutter {
    has_families: bool,
    skips_first: bool,
    /// Bytes behind the last cut.
    rest: Vec<u8>,
    /// The head of the family that the last body ended in.
    head: Vec<u8>,
    is_over: bool,
}

impl Cutter {
    fn new(has_families: bool, skips_first: bool) -> Self {
        Self { has_families, skips_first, rest: Vec::new(), head: Vec::new(), is_over: false }
    }

    /// The next body; None behind the last.
    fn next(&mut self, reader: &mut dyn Read) -> io::Result<Option<Body>> {
        let mut cut = None;
        while cut.is_none() && !self.is_over {
            let before = self.rest.len();
            self.rest.resize(before + BODY_BYTES, 0);
            let read = reader.read(self.rest.get_mut(before..).unwrap_or_default());
            self.rest.truncate(before + read.as_ref().copied().unwrap_or(0));
            let count = match read {
                Err(again) if again.kind() == io::ErrorKind::Interrupted => continue,
                other => other?,
            };
            self.is_over = count == 0;
            if self.rest.len() >= BODY_BYTES {
                cut = memchr::memrchr(b'\n', &self.rest).map(|at| at + 1);
                if cut.is_none() && self.rest.len() > LINE_BYTES_MAX {
                    let what = "a line has more than 48 MiB";
                    return Err(io::Error::new(io::ErrorKind::InvalidData, what));
                }
            }
        }
        let cut = cut.unwrap_or(self.rest.len());
        if cut == 0 {
            return Ok(None);
        }
        let later = self.rest.split_off(cut);
        let text = std::mem::replace(&mut self.rest, later);
        Ok(Some(self.body(text)))
    }

    fn body(&mut self, mut text: Vec<u8>) -> Body {
        let bytes = text.len() as u64;
        if std::mem::take(&mut self.skips_first) {
            let first = memchr::memchr(b'\n', &text).map_or(text.len(), |at| at + 1);
            text.drain(..first);
        }
        if !self.has_families {
            let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count();
            return Body { text, lines: lines as u64, bytes };
        }
        // The head of a family belongs to all bodies that have samples of it, and each has an end.
        let mut out = std::mem::take(&mut self.head);
        let (mut lines, mut was_head) = (0, false);
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            if line.starts_with(b"# EOF") {
                continue;
            }
            let is_head = line.starts_with(b"#");
            if is_head && !was_head {
                self.head.clear();
            }
            if is_head {
                self.head.extend_from_slice(line);
            } else {
                lines += 1;
            }
            was_head = is_head;
            out.extend_from_slice(line);
        }
        if !out.ends_with(b"\n") {
            out.push(b'\n');
        }
        out.extend_from_slice(b"# EOF\n");
        Body { text: out, lines, bytes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives a few bytes at a time.
    struct Slow<'a>(&'a [u8]);

    impl Read for Slow<'_> {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let count = self.0.len().min(out.len()).min(1 << 19);
            out[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    fn bodies(text: &str, has_families: bool, skips_first: bool) -> Vec<Body> {
        let mut cutter = Cutter::new(has_families, skips_first);
        let mut reader = Slow(text.as_bytes());
        std::iter::from_fn(|| cutter.next(&mut reader).unwrap()).collect()
    }

    #[test]
    fn bodies_are_whole_lines_and_stand_for_all_bytes() {
        let text = "a line of twenty chars\n".repeat(500_000) + "the last";
        let found = bodies(&text, false, false);
        assert!(found.len() > 1);
        let joined: Vec<u8> = found.iter().flat_map(|body| body.text.clone()).collect();
        assert!(joined == text.as_bytes());
        assert_eq!(found.iter().map(|body| body.lines).sum::<u64>(), 500_001);
        assert_eq!(found.iter().map(|body| body.bytes).sum::<u64>(), text.len() as u64);
        assert!(bodies("", false, false).is_empty());
    }

    #[test]
    fn a_header_is_skipped_once() {
        let found = bodies("time,value\n1,2\n3,4\n", false, true);
        assert_eq!((found[0].text.as_slice(), found[0].lines), (&b"1,2\n3,4\n"[..], 2));
    }

    #[test]
    fn each_body_of_open_metrics_has_the_head_of_its_family_and_an_end() {
        let sample = "m_total{a=\"b\"} 1 1\n";
        let text = format!("# TYPE m counter\n# HELP m x\n{}# EOF\n", sample.repeat(400_000));
        let found = bodies(&text, true, false);
        assert!(found.len() > 1);
        for body in &found {
            assert!(body.text.starts_with(b"# TYPE m counter\n# HELP m x\nm_total"));
            assert!(body.text.ends_with(b"1 1\n# EOF\n"));
        }
        assert_eq!(found.iter().map(|body| body.lines).sum::<u64>(), 400_000);
    }
}
