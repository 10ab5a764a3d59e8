//! `query` and `query_range`.

use std::time::Duration;

use axum::{
    body::Body,
    extract::{Request, State},
};
use hyper::Response;

use crate::http::{
    Error,
    outlet::Page,
    params::Params,
    prometheus::{
        envelope::{close, open},
        moment,
        scope::{cut, limit},
        stats::{Cost, StatsWish, write_stats},
        value::write_result,
    },
    question::{self, Asked, Job, asked},
    routes::Shared,
};
use crate::model::{Scope, Tier};
use crate::query::{self, Question, Value, When};

/// Points a series of one answer, and the text that clients know: Prometheus `api.go`.
const POINTS_MAX: i64 = 11_000;

/// What a question asks for besides its value.
struct Wishes {
    text: String,
    lookback_ms: Option<i64>,
    tier: Option<Tier>,
    timeout: Option<Duration>,
    limit: usize,
    stats: StatsWish,
}

impl Wishes {
    fn parse(params: &Params) -> Result<Self, Error> {
        let lookback_ms =
            moment::duration(params, "lookback_delta").map_err(|error| match error {
                Error::Parameter { why, .. } => {
                    Error::Bad(format!("error parsing lookback delta duration: {why}"))
                }
                other => other,
            })?;
        // A timeout of nothing has run out before it begins.
        let timeout = moment::duration(params, "timeout")?
            .map(|millis| positive(millis).unwrap_or(Duration::ZERO));
        Ok(Self {
            text: params.get("query").unwrap_or_default().to_owned(),
            lookback_ms,
            tier: tier(params)?,
            timeout,
            limit: limit(params)?,
            stats: StatsWish::parse(params),
        })
    }
}

/// The tier that is to answer; None is raw rows, as far as they are kept.
fn tier(params: &Params) -> Result<Option<Tier>, Error> {
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
    let time = moment::optional_time(&asked.params, "time")?.unwrap_or_else(|| context.now_ms());
    answer(&context, &asked, When::At(time)).await
}

pub(super) async fn range(
    State(context): State<Shared>,
    request: Request,
) -> Result<Response<Body>, Error> {
    let asked = asked(&context, request).await?;
    let when = steps(&asked.params)?;
    answer(&context, &asked, when).await
}

/// From `start` to `end` by `step`.
fn steps(params: &Params) -> Result<When, Error> {
    let wrong = |name, why: &str| Error::Parameter { name, why: why.to_owned() };
    let required = |name| {
        moment::time(params, name)?
            .ok_or_else(|| wrong(name, "cannot parse \"\" to a valid timestamp"))
    };
    let (start, end) = (required("start")?, required("end")?);
    if end < start {
        return Err(wrong("end", "end timestamp must not be before start time"));
    }
    let step = moment::duration(params, "step")?;
    let step = step.ok_or_else(|| wrong("step", "cannot parse \"\" to a valid duration"))?;
    if step <= 0 {
        return Err(wrong(
            "step",
            "zero or negative query resolution step widths are not accepted. Try a positive integer",
        ));
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

async fn answer(context: &Shared, asked: &Asked, when: When) -> Result<Response<Body>, Error> {
    let wishes = Wishes::parse(&asked.params)?;
    let mut job = Job::json(context, asked);
    job.within = wishes.timeout;
    job.told = job.told.about(&wishes.text, span(when));
    question::answer(context, job, move |context, budget, outlet| {
        let clock = &context.doors.clock;
        let began = clock.monotonic();
        let mut question = Question::parse(&wishes.text, when).map_err(refusal)?;
        question.lookback_ms = wishes.lookback_ms;
        question.tier = wishes.tier;
        question.counts_steps = wishes.stats.is_wanted();
        let prepared = clock.monotonic().saturating_sub(began);
        let (engine, source) = (&context.doors.engine, context.doors.source.as_ref());
        let mut answer = engine.ask(source, Scope::METRICS, &question, budget).map_err(refusal)?;
        let took = clock.monotonic().saturating_sub(began);
        let cut = match &mut answer.value {
            Value::Vector(samples) => cut(wishes.limit, samples),
            Value::Matrix(series) => cut(wishes.limit, series),
            Value::Scalar(..) | Value::String(..) => Vec::new(),
        };
        answer.warnings.extend(cut);
        answer.warnings.extend(wishes.stats.warning());
        open(outlet.out());
        write_result(&answer.value, outlet)?;
        if wishes.stats.is_wanted() {
            let cost = Cost { stats: &answer.stats, queued: outlet.queued, prepared, took, when };
            write_stats(&cost, &wishes.stats, outlet.out());
        }
        outlet.out().push(b'}');
        close(&answer.warnings, &answer.infos, outlet.out());
        Ok(())
    })
    .await
}

/// First step, last step and their distance.
fn span(when: When) -> (i64, i64, i64) {
    match when {
        When::At(time) => (time, time, 0),
        When::Over { start, end, step } => (start, end, step),
    }
}

fn refusal(error: query::Error) -> Error {
    match error.kind() {
        query::ErrorKind::BadData => match error {
            query::Error::Parse(error) => Error::Parse { is_named: true, error: Box::new(error) },
            other => Error::Parameter { name: "query", why: other.to_string() },
        },
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
            ("start=5&end=6", r#"invalid parameter "step": cannot parse "" to a valid duration"#),
            ("end=6&step=1", r#"invalid parameter "start": cannot parse "" to a valid timestamp"#),
            ("start=x&end=6&step=1", "cannot parse \"x\" to a valid timestamp"),
            ("start=5&end=6&step=often", "cannot parse \"often\" to a valid duration"),
        ] {
            let refusal = steps_of(text).unwrap_err();
            assert!(refusal.contains(says), "{text}: {refusal}");
        }
    }
}
