//! A VictoriaMetrics server: what `/api/v1/export` gives, `/api/v1/import` takes.

use super::{
    note::Note,
    slices::slices,
    target::{Target, told},
    words::Server,
};
use crate::cli::{
    client::{FORM, Remote, form},
    error::Error,
};
use crate::os::{Clock, SystemClock};

/// Bytes of a body, about.
const BODY_BYTES: usize = 4 << 20;
/// A longer line is no line: we ask for 10,000 rows each.
const LINE_BYTES_MAX: usize = 48 << 20;

pub(super) async fn run(words: &Server) -> Result<(), Error> {
    let (start, end) = words.choice.time.millis()?;
    let now_ms = SystemClock::new().now().div_euclid(1_000_000);
    let what = format!("{} {:?}", words.url, words.choice.selectors);
    let mut note = Note::open(words.to.resume.clone(), what)?;
    let mut source = Remote::connect(&words.url, None).await?;
    let mut target = Target::open(&words.to).await?;
    let done = note.position;
    for (begin, last) in slices((start, end.unwrap_or(now_ms)), done) {
        slice(&mut source, words, (begin, last), &mut target).await?;
        note.keep(last)?;
    }
    target.finish("lines of rows")
}

async fn slice(
    source: &mut Remote,
    words: &Server,
    (begin, last): (Option<i64>, i64),
    target: &mut Target,
) -> Result<(), Error> {
    let everything = ["{__name__!=\"\"}".to_owned()];
    let selectors = &words.choice.selectors;
    let selectors = if selectors.is_empty() { &everything[..] } else { selectors };
    let (begin, last) = (begin.map(seconds), seconds(last));
    let mut pairs: Vec<(&str, &str)> =
        selectors.iter().map(|selector| ("match[]", selector.as_str())).collect();
    pairs.extend([
        ("end", last.as_str()),
        ("max_rows_per_line", "10000"),
        ("reduce_mem_usage", "1"),
    ]);
    pairs.extend(begin.as_ref().map(|begin| ("start", begin.as_str())));
    let mut answer = source.stream("/api/v1/export", FORM, form(&pairs)).await?;
    if !answer.status.is_success() {
        let got = answer.rest().await?;
        return Err(Error::Failed(format!(
            "{} answered {}: {}",
            words.url,
            got.status,
            told(&got)
        )));
    }
    let mut rest: Vec<u8> = Vec::new();
    while let Some(piece) = answer.next().await? {
        rest.extend_from_slice(&piece);
        if rest.len() < BODY_BYTES {
            continue;
        }
        let Some(cut) = memchr::memrchr(b'\n', &rest) else {
            if rest.len() > LINE_BYTES_MAX {
                return Err(Error::Failed("the server sent a line of more than 48 MiB".into()));
            }
            continue;
        };
        let later = rest.split_off(cut + 1);
        send(target, std::mem::replace(&mut rest, later)).await?;
    }
    send(target, rest).await
}

async fn send(target: &mut Target, body: Vec<u8>) -> Result<(), Error> {
    let lines = memchr::memchr_iter(b'\n', &body).count() as u64;
    if lines > 0 {
        target.send("/api/v1/import", "application/stream+json", body, lines).await?;
        target.meter.show(target.rows, None);
    }
    Ok(())
}

fn seconds(millis: i64) -> String {
    let mut out = Vec::new();
    crate::export::write_seconds(millis, &mut out);
    String::from_utf8_lossy(&out).into_owned()
}
