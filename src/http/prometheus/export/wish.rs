//! What an export asks for.

use crate::export::{Fold, Format, LINE_ROWS_MAX, TimeForm};
use crate::http::{
    Error,
    params::Params,
    prometheus::{moment::parse_duration, scope::Wanted},
};
use crate::model::{Matcher, TimeRange};

/// Nanoseconds of a millisecond.
const MILLISECOND: i64 = 1_000_000;

/// What an export asks for.
#[derive(Debug)]
pub(super) struct Wish {
    pub(super) selectors: Vec<Vec<Matcher>>,
    pub(super) range: TimeRange,
    pub(super) format: Format,
    pub(super) line_rows_max: usize,
    /// Length of a bucket in ns, and what becomes of it.
    pub(super) reduce: Option<(i64, Fold)>,
    /// The label whose values head the columns.
    pub(super) pivot: Option<String>,
    pub(super) times: TimeForm,
}

impl Wish {
    pub(super) fn parse(params: &Params, default: Format) -> Result<Self, Error> {
        let wanted = Wanted::parse(params)?;
        if wanted.selectors.is_empty() {
            return Err(Error::Bad(
                "no match[] parameter provided: name the series to export".into(),
            ));
        }
        let format = format(params, default)?;
        let pivot = params.get("pivot").map(str::to_owned);
        if pivot.is_some() && format != Format::Csv {
            let why = "only CSV has a column a series: say format=csv".into();
            return Err(Error::Parameter { name: "pivot", why });
        }
        Ok(Self {
            selectors: wanted.selectors,
            range: wanted.range,
            format,
            line_rows_max: line_rows_max(params)?,
            reduce: params.get("reduce").map(reduce).transpose()?,
            pivot,
            times: times(params)?,
        })
    }
}

fn format(params: &Params, default: Format) -> Result<Format, Error> {
    let Some(name) = params.get("format") else { return Ok(default) };
    let bad = |why: String| Error::Parameter { name: "format", why };
    let format = Format::named(name)
        .ok_or_else(|| bad(format!("{name:?} is no format; there are {}", Format::names())))?;
    if matches!(format, Format::Parquet | Format::Arrow) && !cfg!(feature = "parquet") {
        return Err(bad(format!(
            "this program was built without {name}: build it with --features parquet"
        )));
    }
    Ok(format)
}

fn line_rows_max(params: &Params) -> Result<usize, Error> {
    match params.get("max_rows_per_line") {
        None => Ok(LINE_ROWS_MAX),
        Some(text) => text.parse().map_err(|_| Error::Parameter {
            name: "max_rows_per_line",
            why: "it is no whole number".into(),
        }),
    }
}

fn times(params: &Params) -> Result<TimeForm, Error> {
    let Some(name) = params.get("times") else { return Ok(TimeForm::default()) };
    TimeForm::named(name).ok_or_else(|| Error::Parameter {
        name: "times",
        why: format!("{name:?} is no form of times; there are rfc3339, unix_s, unix_ms, unix_ns"),
    })
}

/// `1m`, or `1m,avg`.
fn reduce(text: &str) -> Result<(i64, Fold), Error> {
    let (length, fold) = text.split_once([',', ':']).unwrap_or((text, "last"));
    let bad = |why: String| Error::Parameter { name: "reduce", why };
    let millis = parse_duration(length).filter(|millis| *millis > 0);
    let length = millis.and_then(|millis| millis.checked_mul(MILLISECOND));
    let length = length.ok_or_else(|| bad("write it like 1m, 5m,avg or 1h,max".into()))?;
    let fold = Fold::named(fold).ok_or_else(|| {
        bad(format!("{fold:?} is none of last, first, avg, min, max, sum, count"))
    })?;
    Ok((length, fold))
}
