//! `/federate`: the newest value of each selected series, for a Prometheus above this one.

use std::collections::HashSet;

use axum::{
    body::Body,
    extract::{Request, State},
};
use hyper::{HeaderMap, Response, header::ACCEPT};

use crate::export::{Federated, FederatedValue, FederationForm, write_federation};
use crate::http::{
    Context, Error,
    outlet::{Form, Outlet, Page},
    prometheus::{scope::selectors, write::refusal},
    queries::Told,
    question::{self, Job, asked},
    routes::Shared,
};
use crate::model::{
    Ask, Buckets, Budget, Columns, Error as Failure, FloatPartial, Flow, Matcher, Reading, Rows,
    Scope, Selection, TimeRange, Timestamp, Visitor, Windows, is_stale,
};

const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8; escaping=underscores";
const TEXT_UTF8: &str = "text/plain; version=1.0.0; charset=utf-8; escaping=allow-utf-8";
const PROTOBUF: &str = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited; escaping=allow-utf-8";

/// What is held of a series beside its labels, and of those about this much.
const BYTES_A_SERIES: usize = 256;

pub(super) async fn federate(State(context): State<Shared>, request: Request) -> Response<Body> {
    let answered = values(&context, request).await;
    answered.unwrap_or_else(|error| refusal(&error, &HeaderMap::new()))
}

async fn values(context: &Shared, request: Request) -> Result<Response<Body>, Error> {
    let asked = asked(context, request).await?;
    let selectors = selectors(&asked.params).map_err(Error::unnamed)?;
    let (form, media_type) = form(&asked.head.headers);
    let job = Job {
        within: None,
        form: Form::new(media_type, &asked.head.headers),
        told: Told::of(context, &asked.head),
    };
    question::answer(context, job, move |context, budget, outlet| {
        let samples = newest(context, budget, &selectors)?;
        write(&samples, form, outlet)
    })
    .await
}

/// The form that the asker likes best, of those that are known.
fn form(headers: &HeaderMap) -> (FederationForm, &'static str) {
    let mut best = (0.0_f32, FederationForm::Text, TEXT);
    let offers = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    for offer in offers.flat_map(|value| value.split(',')) {
        let mut parts = offer.split(';').map(str::trim);
        let media_type = parts.next().unwrap_or_default();
        let parameters: Vec<(&str, &str)> = parts.filter_map(|part| part.split_once('=')).collect();
        let parameter = |name: &str| {
            parameters.iter().find(|(there, _)| *there == name).map_or("", |(_, value)| *value)
        };
        let weight = parameter("q").parse().unwrap_or(1.0);
        let found = match media_type {
            "application/vnd.google.protobuf"
                if parameter("proto") == "io.prometheus.client.MetricFamily"
                    && parameter("encoding") == "delimited" =>
            {
                (weight, FederationForm::Protobuf, PROTOBUF)
            }
            "text/plain" if parameter("escaping") == "allow-utf-8" => {
                (weight, FederationForm::TextUtf8, TEXT_UTF8)
            }
            "text/plain" => (weight, FederationForm::Text, TEXT),
            _ => continue,
        };
        if found.0 > best.0 {
            best = found;
        }
    }
    (best.1, best.2)
}

/// The newest row of each series within the lookback; none where it says that the series ended.
fn newest(
    context: &Context,
    budget: &Budget,
    selectors: &[Vec<Matcher>],
) -> Result<Vec<Federated>, Error> {
    let now = context.now_ms();
    let start = Timestamp::from_millis_saturating(now - context.doors.engine.lookback_ms());
    let end = Timestamp(Timestamp::from_millis_saturating(now).nanos().saturating_add(1_000_000));
    let Some(range) = TimeRange::new(start, end) else { return Ok(Vec::new()) };
    let mut all = Vec::new();
    let mut known = HashSet::new();
    for matchers in selectors {
        let ask = Ask { scope: Scope::METRICS, matchers, range, budget };
        let selection = context.doors.source.select(&ask).map_err(Error::of_question)?;
        budget.use_memory(selection.len() as usize * BYTES_A_SERIES).map_err(Error::of_question)?;
        let mut found = newest_of(&*selection, range, budget).map_err(Error::of_question)?;
        if selectors.len() > 1 {
            found.retain(|sample| known.insert(sample.labels.clone()));
        }
        all.append(&mut found);
    }
    all.sort_by(|a, b| {
        a.labels.metric().cmp(b.labels.metric()).then_with(|| a.labels.cmp(&b.labels))
    });
    Ok(all)
}

fn newest_of(
    selection: &dyn Selection,
    range: TimeRange,
    budget: &Budget,
) -> Result<Vec<Federated>, Failure> {
    let last = range.end().nanos().saturating_sub(1);
    let length = last.saturating_sub(range.start().nanos()).saturating_add(1);
    let windows = Windows { first_end: last, step: 0, count: 1, length, partials: false };
    let reading = Reading { columns: Columns::VALUES, windows, chunks: None };
    let mut newest = Newest { selection, found: Vec::new(), held: None };
    selection.scan(0..selection.len(), &reading, budget, &mut newest)?;
    newest.end_series();
    Ok(newest.found)
}

/// Keeps the last row of each series.
struct Newest<'a> {
    selection: &'a dyn Selection,
    found: Vec<Federated>,
    held: Option<(u32, i64, FederatedValue)>,
}

impl Newest<'_> {
    fn end_series(&mut self) {
        let Some((series, time, value)) = self.held.take() else { return };
        let is_end = match &value {
            FederatedValue::Float(value) => is_stale(*value),
            FederatedValue::Histogram(histogram) => is_stale(histogram.sum),
        };
        if !is_end {
            let (labels, time) = (self.selection.labels(series), Timestamp(time).millis());
            self.found.push(Federated { labels, time, value });
        }
    }
}

impl Visitor for Newest<'_> {
    fn rows(&mut self, series: u32, rows: Rows<'_>) -> Result<Flow, Failure> {
        if self.held.as_ref().is_some_and(|(held, ..)| *held != series) {
            self.end_series();
        }
        let Some(time) = rows.times.last() else { return Ok(Flow::Continue) };
        let value = match (rows.values.last(), rows.histograms.last()) {
            (Some(value), _) => FederatedValue::Float(*value),
            (None, Some(histogram)) => FederatedValue::Histogram(std::sync::Arc::clone(histogram)),
            (None, None) => return Ok(Flow::Continue),
        };
        self.held = Some((series, *time, value));
        Ok(Flow::Continue)
    }

    fn buckets(&mut self, _: u32, _: &Buckets) -> Result<Flow, Failure> {
        Ok(Flow::Continue)
    }

    fn chunks(&mut self, _: u32, _: &[FloatPartial]) -> Result<Flow, Failure> {
        Ok(Flow::Continue)
    }
}

fn write(samples: &[Federated], form: FederationForm, outlet: &mut Outlet) -> Result<(), Error> {
    for family in samples.chunk_by(|a, b| a.labels.metric() == b.labels.metric()) {
        write_federation(family, form, outlet.out());
        outlet.breathe()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    #[test]
    fn forms_are_those_that_prometheus_asks_for() {
        let asked = |accept: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, HeaderValue::from_static(accept));
            form(&headers).0
        };
        let protobuf = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.8,text/plain;version=0.0.4;q=0.2,*/*;q=0.1";
        assert_eq!(asked(protobuf), FederationForm::Protobuf);
        let newest = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.1";
        assert_eq!(asked(newest), FederationForm::TextUtf8);
        assert_eq!(asked("text/html, */*"), FederationForm::Text);
        assert_eq!(form(&HeaderMap::new()).0, FederationForm::Text);
    }
}
