//! `query` and `query_range`.

use std::time::Duration;

use axum::{
    body::Body,
    extract::{Request, State},
};
use hyper::{HeaderMap, Response};

use crate::http::{
    Error,
    answer::{JSON, accepts_gzip, packed},
    params::Params,
    prometheus::{
        envelope::success,
        moment,
        scope::{cut, limit},
        value::write_result,
    },
    question::{asked, run},
    routes::Shared,
};
use crate::model::{Scope, Tier};
use crate::query::{self, Question, Stats, Value, When};

/// Points a series of one answer, and the text that clients know: Prometheus `api.go`.
const POINTS_MAX: i64 = 11_000;

/// What a question asks for besides its value.
struct Wishes {
    text: String,
    lookback_ms: Option<i64>,
    tier: Option<Tier>,
    timeout: Option<Duration>,
    limit: usize,
    has_stats: bool,
    /// Nothing that was kept is used, and nothing is kept.
    is_anew: bool,
    gzip: bool,
}

impl Wishes {
    fn parse(params: &Params, headers: &HeaderMap) -> Result<Self, Error> {
        let text = params.get("query").map(str::to_owned).ok_or_else(|| Error::Parameter {
            name: "query",
            why: "unknown position: parse error: no expression found in input".into(),
        })?;
        let lookback_ms = moment::duration(params, "lookback_delta")?;
        if lookback_ms.is_some_and(|millis| millis <= 0) {
            let why = "it must be more than zero".into();
            return Err(Error::Parameter { name: "lookback_delta", why });
        }
        // A timeout of nothing has run out before it begins.
        let timeout = moment::duration(params, "timeout")?
            .map(|millis| positive(millis).unwrap_or(Duration::ZERO));
        Ok(Self {
            text,
            lookback_ms,
            tier: tier(params)?,
            timeout,
            limit: limit(params)?,
            has_stats: params.get("stats").is_some(),
            is_anew: params.get("nocache").is_some_and(|text| text != "0" && text != "false"),
            gzip: accepts_gzip(headers),
        })
    }
}

/// The tier that is to answer; None is raw rows, as far as they are kept.
pub(super) fn tier(params: &Params) -> Result<Option<Tier>, Error> {
    match params.get("tier") {
        None | Some("raw") => Ok(None),
        Some(name) => Tier::named(name).map(Some).ok_or_else(|| Error::Parameter {
            name: "tier",
            why: "tiers are raw, 5m and 1h".into(),
        }),
    }
}

fn positive(millis: i64) -> Option<Duration> {
    u64::try_from(millis).ok().filter(|millis| *millis > 0).map(Duration::from_millis)
}

pub(super) async fn instant(
    State(context): State<Shared>,
    request: Request,
) -> Result<Response<Body>, Error> {
    let asked = asked(&context, request).await?;
    let wishes = Wishes::parse(&asked.params, &asked.head.headers)?;
    let time = moment::time(&asked.params, "time")?.unwrap_or_else(|| context.now_ms());
    answer(&context, wishes, When::At(time)).await
}

pub(super) async fn range(
    State(context): State<Shared>,
    request: Request,
) -> Result<Response<Body>, Error> {
    let asked = asked(&context, request).await?;
    let when = steps(&asked.params)?;
    let wishes = Wishes::parse(&asked.params, &asked.head.headers)?;
    answer(&context, wishes, when).await
}

/// From `start` to `end` by `step`.
pub(super) fn steps(params: &Params) -> Result<When, Error> {
    let required = |name| {
        let why = "it is required: Unix seconds or RFC 3339".to_owned();
        moment::time(params, name)?.ok_or(Error::Parameter { name, why })
    };
    let (start, end) = (required("start")?, required("end")?);
    let wrong = |name, why: &str| Err(Error::Parameter { name, why: why.to_owned() });
    if end < start {
        return wrong("end", "end timestamp must not be before start time");
    }
    let Some(step) = moment::duration(params, "step")? else {
        return wrong("step", "it is required: seconds, or a duration like 1m");
    };
    if step <= 0 {
        return wrong(
            "step",
            "zero or negative query resolution step widths are not accepted. Try a positive integer",
        );
    }
    if end.saturating_sub(start) / step > POINTS_MAX {
        return Err(Error::Bad(
            "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query \
             resolution (?step=XX)"
                .into(),
        ));
    }
    Ok(When::Over { start, end, step })
}

async fn answer(context: &Shared, wishes: Wishes, when: When) -> Result<Response<Body>, Error> {
    run(context, wishes.timeout, move |context, budget| {
        let clock = &context.doors.clock;
        let began = clock.monotonic();
        let mut question = Question::parse(&wishes.text, when).map_err(refusal)?;
        question.lookback_ms = wishes.lookback_ms;
        question.tier = wishes.tier;
        question.now_ms = Some(context.now_ms());
        question.asked_at = (!wishes.is_anew).then(|| context.now_ms());
        let (engine, source) = (&context.doors.engine, context.doors.source.as_ref());
        let asked = engine.ask(source, Scope::METRICS, &question, budget);
        let mut answer = asked.map_err(refusal)?;
        let took = clock.monotonic().saturating_sub(began);
        let cut = match &mut answer.value {
            Value::Vector(samples) => cut(wishes.limit, samples),
            Value::Matrix(series) => cut(wishes.limit, series),
            Value::Scalar(..) | Value::String(..) => Vec::new(),
        };
        answer.warnings.extend(cut);
        let body = success(&answer.warnings, &answer.infos, |out| {
            write_result(&answer.value, out);
            if wishes.has_stats {
                write_stats(answer.stats, took, out);
            }
        });
        Ok(packed(JSON, body, wishes.gzip))
    })
    .await
}

/// Puts what the question cost into the object that `out` ends with.
fn write_stats(stats: Stats, took: Duration, out: &mut Vec<u8>) {
    if out.last() == Some(&b'}') {
        out.pop();
    }
    let seconds = took.as_secs_f64();
    let text = format!(
        r#","stats":{{"timings":{{"evalTotalTime":{seconds:.6},"execTotalTime":{seconds:.6}}},"samples":{{"totalQueryableSamples":{},"peakSamples":{}}}}}}}"#,
        stats.samples, stats.samples
    );
    out.extend_from_slice(text.as_bytes());
}

pub(super) fn refusal(error: query::Error) -> Error {
    match error.kind() {
        query::ErrorKind::BadData => Error::Parameter { name: "query", why: error.to_string() },
        query::ErrorKind::Execution => Error::Execution(error.to_string()),
        query::ErrorKind::Timeout => Error::TimedOut(error.to_string()),
        query::ErrorKind::Canceled => Error::Cancelled,
        query::ErrorKind::Internal => match error {
            query::Error::Source(error) => Error::of_question(error),
            other => Error::Internal(other.to_string()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps_of(text: &str) -> Result<When, String> {
        steps(&Params::parse(Some(text), b"").unwrap()).map_err(|error| error.to_string())
    }

    #[test]
    fn steps_are_milliseconds_and_bounded() {
        assert_eq!(
            steps_of("start=-1.5&end=10&step=1m"),
            Ok(When::Over { start: -1_500, end: 10_000, step: 60_000 })
        );
        assert_eq!(
            steps_of("start=0&end=11000&step=1"),
            Ok(When::Over { start: 0, end: 11_000_000, step: 1_000 })
        );
        for (text, says) in [
            ("start=0&end=11001&step=1", "exceeded maximum resolution of 11,000 points"),
            ("start=5&end=4&step=1", "end timestamp must not be before start time"),
            ("start=5&end=6&step=0", "zero or negative query resolution step widths"),
            ("start=5&end=6&step=-1", "zero or negative query resolution step widths"),
            ("start=5&end=6", "invalid parameter \"step\""),
            ("end=6&step=1", "invalid parameter \"start\""),
            ("start=x&end=6&step=1", "cannot parse \"x\" to a valid timestamp"),
            ("start=5&end=6&step=often", "cannot parse \"often\" to a valid duration"),
        ] {
            let refusal = steps_of(text).unwrap_err();
            assert!(refusal.contains(says), "{text}: {refusal}");
        }
    }

    #[test]
    fn what_a_question_cost_stands_beside_its_value() {
        let mut out = Vec::from(*br#"{"resultType":"vector","result":[]}"#);
        write_stats(Stats { samples: 7, steps: 1 }, Duration::from_millis(2), &mut out);
        let json: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(json["stats"]["samples"]["totalQueryableSamples"], 7);
    }
}
