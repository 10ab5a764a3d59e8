//! What a search asks for.

use super::score::{Algorithm, Matching};
use crate::http::{
    Error,
    params::Params,
    prometheus::{moment, rules::is_true, scope::selectors},
};
use crate::model::{Matcher, TimeRange, Timestamp};

const HOUR_MS: i64 = 3_600_000;

/// Terms of one search: each is tried on every name.
const TERMS_MAX: usize = 32;

/// Results, unless it is said, and at most.
const LIMIT: usize = 100;
const LIMIT_MAX: usize = 100_000;

/// Results of a line, unless it is said.
const BATCH: usize = 100;

/// In which order results come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Rising,
    Falling,
    BestFirst,
}

/// What is asked for.
#[derive(Debug)]
pub(super) struct Wish {
    pub(super) selectors: Vec<Vec<Matcher>>,
    pub(super) range: TimeRange,
    pub(super) matching: Matching,
    pub(super) order: Order,
    pub(super) shows_score: bool,
    pub(super) limit: usize,
    pub(super) batch: usize,
}

impl Wish {
    pub(super) fn parse(params: &Params, now_ms: i64, path: &str) -> Result<Self, Error> {
        let range = range(params, now_ms)?;
        let selectors = selectors(params).map_err(Error::unnamed)?;
        let terms: Vec<&str> = params.all("search[]").collect();
        if terms.len() > TERMS_MAX {
            return Err(Error::Bad(format!(
                "too many search[] terms: got {}, maximum is {TERMS_MAX}",
                terms.len()
            )));
        }
        let threshold = match params.get("fuzz_threshold") {
            None => 0,
            Some(text) => text.parse::<u8>().ok().filter(|it| *it <= 100).ok_or_else(|| {
                Error::Bad(format!("invalid fuzz_threshold {text:.40?}: must be 0-100"))
            })?,
        };
        let algorithm = match params.get("fuzz_alg") {
            None | Some("subsequence") => Algorithm::Subsequence,
            Some("jarowinkler") => Algorithm::JaroWinkler,
            Some(other) => {
                return Err(Error::Bad(format!(
                    "unsupported fuzz_alg {other:.40?}: must be one of [subsequence jarowinkler]"
                )));
            }
        };
        let has_case = boolean(params, "case_sensitive", true)?;
        let shows_score = boolean(params, "include_score", false)?;
        let order = order(params, !terms.is_empty(), path)?;
        let terms = terms.into_iter().filter(|term| !term.is_empty());
        let terms = terms.map(|it| if has_case { it.to_owned() } else { it.to_lowercase() });
        let terms = terms.collect();
        let threshold = f64::from(threshold) / 100.0;
        let limit = positive(params, "limit", LIMIT)?;
        if limit > LIMIT_MAX {
            return Err(Error::Bad(format!("limit {limit} exceeds the maximum ({LIMIT_MAX})")));
        }
        Ok(Self {
            selectors,
            range,
            matching: Matching { terms, algorithm, threshold, has_case },
            order,
            shows_score,
            limit,
            batch: positive(params, "batch_size", BATCH)?,
        })
    }
}

/// The last hour, unless it is said.
fn range(params: &Params, now_ms: i64) -> Result<TimeRange, Error> {
    let time = |name, default| {
        let time = moment::optional_time(params, name).map_err(Error::unnamed)?;
        Ok::<_, Error>(time.unwrap_or(default))
    };
    let (start, end) = (time("start", now_ms - HOUR_MS)?, time("end", now_ms)?);
    if end < start {
        return Err(Error::Bad("end timestamp must not be before start timestamp".into()));
    }
    let end = Timestamp::from_millis_saturating(end).nanos().saturating_add(1_000_000);
    let start = Timestamp::from_millis_saturating(start);
    Ok(TimeRange::new(start, Timestamp(end)).unwrap_or(TimeRange::ALL))
}

fn order(params: &Params, has_terms: bool, path: &str) -> Result<Order, Error> {
    let (by, direction) = (params.get("sort_by"), params.get("sort_dir"));
    let bad = |why: &str| Err(Error::Bad(why.to_owned()));
    match (by, direction) {
        (None, Some(_)) => bad("sort_dir is only valid when sort_by is set"),
        (Some("score"), Some(_)) => bad("sort_dir is not supported for sort_by=score"),
        (_, Some(other)) if !matches!(other, "asc" | "dsc") => {
            Err(Error::Bad(format!("invalid sort_dir {other:.40?}: must be \"asc\" or \"dsc\"")))
        }
        (Some("score"), None) if !has_terms => bad("sort_by=score requires search[] to be set"),
        (Some("score"), None) => Ok(Order::BestFirst),
        (Some("alpha"), Some("dsc")) => Ok(Order::Falling),
        (None | Some("alpha"), _) => Ok(Order::Rising),
        (Some(other), _) => Err(Error::Bad(format!(
            "invalid sort_by {other:.40?} for {path}: must be \"alpha\" or \"score\""
        ))),
    }
}

pub(super) fn boolean(params: &Params, name: &str, default: bool) -> Result<bool, Error> {
    let Some(text) = params.get(name) else { return Ok(default) };
    is_true(text).ok_or_else(|| Error::Bad(format!("invalid {name} {text:.40?}: must be boolean")))
}

fn positive(params: &Params, name: &str, default: usize) -> Result<usize, Error> {
    let Some(text) = params.get(name) else { return Ok(default) };
    text.parse::<usize>().ok().filter(|number| *number > 0).ok_or_else(|| {
        Error::Bad(format!("invalid {name} {text:.40?}: must be a positive integer"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Wish, String> {
        let params = Params::parse(Some(text), b"").unwrap();
        Wish::parse(&params, 7_200_000, "metric_names").map_err(|error| error.to_string())
    }

    #[test]
    fn searches_are_of_the_last_hour_and_short() {
        let wish = parse("search[]=Ab&case_sensitive=false").unwrap();
        assert_eq!((wish.limit, wish.batch, wish.order), (100, 100, Order::Rising));
        assert_eq!(wish.matching.terms, ["ab"]);
        assert_eq!(wish.range.start().millis(), 3_600_000);
    }

    #[test]
    fn wrong_searches_are_told_what_is_wrong() {
        for (text, says) in [
            ("start=5&end=4", "end timestamp must not be before start timestamp"),
            ("fuzz_threshold=101", "must be 0-100"),
            ("fuzz_alg=x", "unsupported fuzz_alg \"x\""),
            ("case_sensitive=x", "invalid case_sensitive \"x\": must be boolean"),
            ("sort_dir=asc", "sort_dir is only valid when sort_by is set"),
            ("sort_by=score", "requires search[]"),
            ("sort_by=alpha&sort_dir=x", "invalid sort_dir \"x\""),
            ("sort_by=x", "invalid sort_by \"x\" for metric_names"),
            ("limit=0", "invalid limit \"0\": must be a positive integer"),
            ("batch_size=x", "invalid batch_size \"x\""),
        ] {
            let refusal = parse(text).map(|_| ()).unwrap_err();
            assert!(refusal.contains(says), "{text}: {refusal}");
        }
        assert!(parse(&"search[]=a&".repeat(33)).is_err());
    }
}
