//! The rows of a batch as the payload of a record.
//!
//! Requests repeat: refs come in runs, all rows have one time, each series one row. What is regular
//! costs a few bytes a request; what is left is a value, about three bytes a sample.
//! Bytes: storage-format.md, "Rows".

use crate::codec;
use crate::model::{
    Batch, Exemplar, HistogramRow, Labels, Metadata, MetricKind, MetricRows, SeriesRef, TenantId,
};
use crate::store::{
    bytes::{Reader, put_signed, put_text},
    error::Damage,
    histogram,
};

use super::record::{put_ints, take_ints};

const ONE_ROW_A_RUN: u8 = 1;
const ONE_TIME: u8 = 2;
const HAS_STARTS: u8 = 4;
const HAS_OTHERS: u8 = 8;
/// Rows that a payload may hold: more than fit in its bytes would be a false count.
const ROWS_MAX: usize = 8 << 20;

/// Appends the rows of `batch`, whose tenant stands in the record's header.
pub(in crate::store) fn encode_rows(batch: &Batch, out: &mut Vec<u8>) {
    let rows = &batch.rows;
    let has_one_row_a_run = rows.series().len() == rows.len();
    let one_time =
        rows.times().first().filter(|first| rows.times().iter().all(|time| time == *first));
    let has_others =
        !(batch.histograms.is_empty() && batch.exemplars.is_empty() && batch.metadata.is_empty());
    let flag = |is_set: bool, bit: u8| if is_set { bit } else { 0 };
    out.push(
        flag(has_one_row_a_run, ONE_ROW_A_RUN)
            | flag(one_time.is_some(), ONE_TIME)
            | flag(!rows.starts().is_empty(), HAS_STARTS)
            | flag(has_others, HAS_OTHERS),
    );
    codec::encode_varint(rows.series().len() as u64, out);
    codec::encode_varint(rows.len() as u64, out);
    put_refs(rows.series(), out);
    if !has_one_row_a_run {
        let mut begin = 0;
        for end in rows.ends() {
            codec::encode_varint(u64::from(end - begin), out);
            begin = *end;
        }
    }
    match one_time {
        Some(time) => put_signed(*time, out),
        None => put_ints(rows.times(), out),
    }
    put_ints(rows.starts(), out);
    codec::encode_mixed(rows.values(), out);
    if has_others {
        put_others(batch, out);
    }
}

/// Runs of consecutive refs: the step from the ref that was expected, and how many follow.
fn put_refs(refs: &[SeriesRef], out: &mut Vec<u8>) {
    let mut expected = 0_u64;
    for run in refs.chunk_by(|left, right| left.0.wrapping_add(1) == right.0) {
        let first = run.first().map_or(0, |first| first.0);
        put_signed(first.wrapping_sub(expected).cast_signed(), out);
        codec::encode_varint(run.len() as u64, out);
        expected = first.wrapping_add(run.len() as u64);
    }
}

fn put_others(batch: &Batch, out: &mut Vec<u8>) {
    codec::encode_varint(batch.histograms.len() as u64, out);
    for row in &batch.histograms {
        put_head(row.series, row.time, out);
        put_signed(row.start, out);
        histogram::encode(&row.value, out);
    }
    codec::encode_varint(batch.exemplars.len() as u64, out);
    for exemplar in &batch.exemplars {
        put_head(exemplar.series, exemplar.time, out);
        out.extend_from_slice(&exemplar.value.to_le_bytes());
        put_labels(&exemplar.labels, out);
    }
    codec::encode_varint(batch.metadata.len() as u64, out);
    for metadata in &batch.metadata {
        put_metadata(metadata, out);
    }
}

fn put_head(series: SeriesRef, time: i64, out: &mut Vec<u8>) {
    codec::encode_varint(series.0, out);
    put_signed(time, out);
}

/// Appends a label set: its size, then names and values.
pub(in crate::store) fn put_labels(labels: &Labels, out: &mut Vec<u8>) {
    codec::encode_varint(labels.len() as u64, out);
    for (name, value) in labels.iter() {
        put_text(name, out);
        put_text(value, out);
    }
}

/// Reads what [`put_labels`] wrote.
pub(in crate::store) fn take_labels(reader: &mut Reader<'_>) -> Result<Labels, Damage> {
    let mut pairs = Vec::new();
    for _ in 0..reader.count(2)? {
        pairs.push((reader.text()?, reader.text()?));
    }
    Labels::new(pairs).map_err(|_| Damage::Contradiction("label stands twice"))
}

/// Appends what a metric is.
pub(in crate::store) fn put_metadata(metadata: &Metadata, out: &mut Vec<u8>) {
    out.push(metadata.kind as u8);
    for text in [&metadata.metric, &metadata.unit, &metadata.help] {
        put_text(text, out);
    }
}

/// Reads what [`put_metadata`] wrote.
pub(in crate::store) fn take_metadata(reader: &mut Reader<'_>) -> Result<Metadata, Damage> {
    let kind = MetricKind::from_number(reader.u8()?.into());
    let mut text = || reader.text().map(str::to_owned);
    Ok(Metadata { kind, metric: text()?, unit: text()?, help: text()? })
}

/// Reads what [`encode_rows`] wrote.
pub(in crate::store) fn decode_rows(payload: &[u8], tenant: TenantId) -> Result<Batch, Damage> {
    let mut reader = Reader::new(payload, "record");
    let flags = reader.u8()?;
    if flags & !(ONE_ROW_A_RUN | ONE_TIME | HAS_STARTS | HAS_OTHERS) != 0 {
        return Err(Damage::Unknown { what: "record flag", number: flags.into() });
    }
    let [runs, rows] = [reader.varint()?, reader.varint()?];
    let rows =
        usize::try_from(rows).ok().filter(|rows| *rows <= ROWS_MAX && *rows <= payload.len());
    let (Some(rows), Ok(runs)) = (rows, usize::try_from(runs)) else {
        return Err(Damage::Contradiction("record has more rows than bytes"));
    };
    if runs > rows {
        return Err(Damage::Contradiction("record has more runs than rows"));
    }
    let refs = take_refs(&mut reader, runs)?;
    let lengths = if flags & ONE_ROW_A_RUN == 0 {
        take_lengths(&mut reader, runs, rows)?
    } else {
        vec![1; runs]
    };
    let mut times = Vec::new();
    if flags & ONE_TIME == 0 {
        take_ints(&mut reader, rows, &mut times)?;
    } else {
        times.resize(rows, reader.signed()?);
    }
    let mut starts = Vec::new();
    if flags & HAS_STARTS != 0 {
        take_ints(&mut reader, rows, &mut starts)?;
    }
    let mut values = Vec::new();
    reader.column(|bytes| codec::decode_mixed(bytes, rows, &mut values))?;
    let rows = MetricRows::from_columns(&refs, &lengths, times, values, starts);
    let rows = rows.ok_or(Damage::Contradiction("columns of a record differ in length"))?;
    let mut batch = Batch { tenant, rows, ..Batch::default() };
    if flags & HAS_OTHERS != 0 {
        take_others(&mut reader, &mut batch)?;
    }
    if !reader.is_empty() {
        return Err(Damage::Contradiction("record has bytes behind its last column"));
    }
    Ok(batch)
}

fn take_refs(reader: &mut Reader<'_>, runs: usize) -> Result<Vec<SeriesRef>, Damage> {
    let mut refs = Vec::with_capacity(runs);
    let mut expected = 0_u64;
    while refs.len() < runs {
        let first = expected.wrapping_add(reader.signed()?.cast_unsigned());
        let count = usize::try_from(reader.varint()?).unwrap_or(usize::MAX);
        if count == 0 || count > runs - refs.len() {
            return Err(Damage::Contradiction("record has another number of refs than it says"));
        }
        refs.extend((0..count as u64).map(|step| SeriesRef(first.wrapping_add(step))));
        expected = first.wrapping_add(count as u64);
    }
    Ok(refs)
}

fn take_lengths(reader: &mut Reader<'_>, runs: usize, rows: usize) -> Result<Vec<u32>, Damage> {
    let mut lengths = Vec::with_capacity(runs);
    let mut left = rows as u64;
    for _ in 0..runs {
        let length = reader.varint()?;
        left = left
            .checked_sub(length)
            .ok_or(Damage::Contradiction("runs are longer than the rows"))?;
        lengths.push(u32::try_from(length).unwrap_or(u32::MAX));
    }
    Ok(lengths)
}

fn take_others(reader: &mut Reader<'_>, batch: &mut Batch) -> Result<(), Damage> {
    for _ in 0..reader.count(40)? {
        let (series, time) = take_head(reader)?;
        let start = reader.signed()?;
        batch.histograms.push(HistogramRow {
            series,
            time,
            start,
            value: histogram::decode(reader)?,
        });
    }
    for _ in 0..reader.count(11)? {
        let (series, time) = take_head(reader)?;
        let value = reader.f64()?;
        batch.exemplars.push(Exemplar { series, time, value, labels: take_labels(reader)? });
    }
    for _ in 0..reader.count(4)? {
        batch.metadata.push(take_metadata(reader)?);
    }
    Ok(())
}

fn take_head(reader: &mut Reader<'_>) -> Result<(SeriesRef, i64), Damage> {
    Ok((SeriesRef(reader.varint()?), reader.signed()?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Series, each with its rows: time, start, value.
    type Runs = Vec<(u64, Vec<(i64, i64, f64)>)>;

    fn batch(runs: &Runs) -> Batch {
        let mut batch = Batch::default();
        for (series, rows) in runs {
            for (time, start, value) in rows {
                batch.rows.push_started(*time, *start, *value);
            }
            batch.rows.end_run(SeriesRef(*series));
        }
        batch
    }

    #[test]
    fn a_scrape_of_a_thousand_series_costs_a_few_bytes_a_sample() {
        let mut batch = Batch::default();
        for series in 0..1000_u32 {
            batch.rows.push(1_700_000_000_000_000_000, f64::from(series % 50));
            batch.rows.end_run(SeriesRef(5000 + u64::from(series)));
        }
        let mut bytes = Vec::new();
        encode_rows(&batch, &mut bytes);
        assert!(bytes.len() < 2100, "{} bytes", bytes.len());
    }

    #[test]
    fn histograms_exemplars_and_metadata_come_back() {
        let mut batch = batch(&vec![(3, vec![(1, 0, 2.0)])]);
        let value = crate::model::Histogram { count: 3.0, ..Default::default() };
        batch.histograms.push(HistogramRow { series: SeriesRef(9), time: -5, start: 4, value });
        let labels = Labels::new([("trace_id", "ab")]).unwrap();
        batch.exemplars.push(Exemplar { series: SeriesRef(9), time: 7, value: 1.5, labels });
        batch.metadata.push(Metadata {
            metric: "up".into(),
            kind: MetricKind::Gauge,
            ..Default::default()
        });
        let mut bytes = Vec::new();
        encode_rows(&batch, &mut bytes);
        let back = decode_rows(&bytes, TenantId(0)).unwrap();
        assert_eq!(back.rows, batch.rows);
        assert_eq!(back.histograms, batch.histograms);
        assert_eq!((back.exemplars, back.metadata), (batch.exemplars, batch.metadata));
    }

    proptest! {
        #[test]
        fn decode_undoes_encode(runs: Runs, one_time: bool) {
            let mut runs = runs;
            for row in runs.iter_mut().flat_map(|(_, rows)| rows) {
                row.0 = if one_time { 77 } else { row.0 };
                row.2 = if row.2.is_nan() { 0.5 } else { row.2 };
            }
            let batch = batch(&runs);
            let mut bytes = Vec::new();
            encode_rows(&batch, &mut bytes);
            prop_assert_eq!(&decode_rows(&bytes, TenantId(0)).unwrap().rows, &batch.rows);
            for end in 0..bytes.len() {
                prop_assert!(decode_rows(&bytes[..end], TenantId(0)).is_err());
            }
        }

        #[test]
        fn any_bytes_are_rows_or_an_error(bytes: Vec<u8>) {
            let _ = decode_rows(&bytes, TenantId(0));
        }
    }
}
