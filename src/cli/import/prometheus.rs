//! `quipu import prometheus`.

use super::{progress::Meter, words::Prometheus};
use crate::app::{Summary, TsdbImport, import_tsdb};
use crate::cli::{error::Error, serve::say};

pub(super) fn run(words: &Prometheus) -> Result<(), Error> {
    let import = TsdbImport {
        directory: words.directory.clone(),
        data: words.data.clone(),
        range: words.choice.range()?,
        selectors: words.choice.selectors()?,
    };
    let mut meter = Meter::new();
    let done = import_tsdb(&import, &mut |at| meter.show(at.rows, Some((at.done, at.skipped))));
    meter.end();
    let summary = done.map_err(|error| Error::Failed(error.to_string()))?;
    tell(&summary, &meter);
    let lost = summary.refused.values().sum::<u64>();
    if lost == 0 {
        return Ok(());
    }
    Err(Error::Failed(format!("{lost} rows or chunks were left out, as told above")))
}

fn tell(summary: &Summary, meter: &Meter) {
    for note in &summary.notes {
        say(&format!("note: {note}"));
    }
    for (reason, count) in &summary.refused {
        say(&format!("left out: {count} {reason}"));
    }
    let Summary { rows, blocks, days, days_skipped, bytes, .. } = summary;
    let earlier = match days_skipped {
        0 => String::new(),
        count => format!("; {count} days were there already"),
    };
    let rate = meter.rate(*rows);
    say(&format!(
        "imported {rows} rows of {blocks} blocks into {days} days, {bytes} bytes, {rate}{earlier}"
    ));
}
