//! A server that speaks remote read: its streamed chunks, decoded, go on as remote write.
//!
//! A server that does not stream answers with whole series, which are what remote write takes.

use std::sync::Arc;

use super::{
    note::Note,
    slices::slices,
    target::{Target, told},
    words::Server,
};
use crate::cli::{
    client::{Pieces, Remote},
    error::Error,
};
use crate::export::{
    read_request,
    remote_write::{self, Message, Outgoing, Sample, TimedHistogram},
};
use crate::ingest::{
    remote_read::{ReadError, read_message, take_frame},
    tsdb::{Columns, HistogramPoint},
};
use crate::model::{Labels, MatchOp, Matcher};
use crate::os::{Clock, SystemClock};

/// Bytes of a body, before it is packed, about.
const BODY_BYTES: usize = 2 << 20;
/// An answer that is not streamed is held whole.
const ANSWER_BYTES_MAX: usize = 256 << 20;
const PROTOBUF: &str = "application/x-protobuf";

pub(super) async fn run(words: &Server) -> Result<(), Error> {
    let (start, end) = words.choice.time.millis()?;
    let now_ms = SystemClock::new().now().div_euclid(1_000_000);
    let mut selectors = words.choice.selectors()?;
    if selectors.is_empty() {
        let op = MatchOp::Regex;
        selectors.push(vec![Matcher { name: "__name__".into(), op, value: ".+".into() }]);
    }
    let what = format!("{} {:?}", words.url, words.choice.selectors);
    let mut note = Note::open(words.to.resume.clone(), what)?;
    let mut source = Remote::connect(&words.url, None).await?;
    let mut target = Target::open(&words.to).await?;
    let done = note.position;
    for (begin, last) in slices((start, end.unwrap_or(now_ms)), done) {
        for matchers in &selectors {
            let span = (begin.unwrap_or(0), last);
            let body = pack(&read_request(matchers, span))?;
            let answer = source.stream("/api/v1/read", PROTOBUF, body).await?;
            copy(answer, &words.url, span, &mut target).await?;
        }
        note.keep(last)?;
    }
    target.finish("rows")
}

fn pack(message: &[u8]) -> Result<Vec<u8>, Error> {
    remote_write::pack(message).map_err(|error| Error::Failed(error.to_string()))
}

async fn copy(
    mut answer: Pieces,
    url: &str,
    (first, last): (i64, i64),
    target: &mut Target,
) -> Result<(), Error> {
    if !answer.status.is_success() {
        let got = answer.rest().await?;
        return Err(Error::Failed(format!("{url} answered {}: {}", got.status, told(&got))));
    }
    if !answer.is_streamed() {
        return copy_whole(answer, target).await;
    }
    let failed = |error: ReadError| Error::Failed(error.to_string());
    let (mut rest, mut body, mut rows) = (Vec::new(), Vec::new(), 0);
    while let Some(piece) = answer.next().await? {
        rest.extend_from_slice(&piece);
        let mut used = 0;
        while let Some((message, size)) =
            take_frame(rest.get(used..).unwrap_or_default()).map_err(failed)?
        {
            let read = read_message(message, |labels, columns| {
                let series = outgoing(labels, columns, (first, last));
                rows += (series.samples.len() + series.histograms.len()) as u64;
                if !(series.samples.is_empty() && series.histograms.is_empty()) {
                    remote_write::encode(Message::WriteRequest, &[series], &mut body);
                }
                Ok::<_, ReadError>(())
            });
            read.map_err(failed)?;
            used += size;
            if body.len() >= BODY_BYTES {
                send(&mut body, &mut rows, target).await?;
            }
        }
        rest.drain(..used);
    }
    if !rest.is_empty() {
        return Err(Error::Failed("the answer ends inside a frame".into()));
    }
    send(&mut body, &mut rows, target).await
}

/// The rows from `first` to `last`, in ms: chunks reach beyond the range that was asked for.
fn outgoing(labels: &Labels, columns: &Columns, (first, last): (i64, i64)) -> Outgoing {
    let is_in = |time: i64| first <= time && time <= last;
    let nanos = |millis: i64| millis.saturating_mul(1_000_000);
    let mut series = Outgoing::new(labels.clone());
    let floats = columns.times.iter().copied().zip(columns.values.iter().copied());
    let floats = floats.filter(|(time, _)| is_in(*time));
    series.samples =
        floats.map(|(time, value)| Sample { time: nanos(time), start: 0, value }).collect();
    let points = columns.histograms.iter().filter(|point| is_in(point.time));
    let timed = |point: &HistogramPoint| TimedHistogram {
        time: nanos(point.time),
        start: 0,
        value: Arc::new(point.value.clone()),
    };
    series.histograms = points.map(timed).collect();
    series
}

/// An answer of samples: `ReadResponse` holds results, and a result is written as a `WriteRequest` is.
async fn copy_whole(mut answer: Pieces, target: &mut Target) -> Result<(), Error> {
    let mut packed = Vec::new();
    while let Some(piece) = answer.next().await? {
        packed.extend_from_slice(&piece);
        if packed.len() > ANSWER_BYTES_MAX {
            return Err(Error::Failed(
                "the answer has more than 256 MiB and is not streamed: say --start, so that a day is \
                 asked for at a time"
                    .into(),
            ));
        }
    }
    let bad = |_| Error::Failed("the answer is no snappy block".into());
    let length = snap::raw::decompress_len(&packed).map_err(bad)?;
    if length > ANSWER_BYTES_MAX {
        return Err(Error::Failed("the answer has more than 256 MiB unpacked: say --start".into()));
    }
    let message = snap::raw::Decoder::new().decompress_vec(&packed).map_err(bad)?;
    let mut rest = message.as_slice();
    while let Some((result, behind)) = take_result(rest) {
        if !result.is_empty() {
            let mut body = result.to_vec();
            send(&mut body, &mut 0, target).await?;
        }
        rest = behind;
    }
    Ok(())
}

/// The next field 1 of a message, and what is behind it; None at the end or where it is another.
fn take_result(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = bytes.strip_prefix(&[0x0a])?;
    let mut length = 0_usize;
    for (i, byte) in rest.iter().take(5).enumerate() {
        length |= usize::from(byte & 0x7f) << (7 * i);
        if *byte < 0x80 {
            return rest.get(i + 1..)?.split_at_checked(length);
        }
    }
    None
}

async fn send(body: &mut Vec<u8>, rows: &mut u64, target: &mut Target) -> Result<(), Error> {
    if !body.is_empty() {
        let packed = pack(body)?;
        target.send("/api/v1/write", PROTOBUF, packed, *rows).await?;
        target.meter.show(target.rows, None);
    }
    body.clear();
    *rows = 0;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_taken_one_by_one() {
        let (first, rest) = take_result(&[10, 2, 7, 8, 10, 0]).unwrap();
        assert_eq!(first, [7, 8]);
        assert_eq!(take_result(rest).unwrap(), (&[][..], &[][..]));
        assert_eq!(take_result(&[10, 9, 1]), None);
        assert_eq!(take_result(&[]), None);
    }
}
