//! The paths of the search: batches of results, a line each, and a line that says how it ended.

use std::{collections::HashMap, sync::Arc};

use axum::{
    body::Body,
    extract::{Request, State},
};
use hyper::Response;
use serde::Serialize;

use super::wish::{Order, Wish, boolean};
use crate::http::{
    Context, Error,
    outlet::{Form, Outlet, Page},
    question::{self, Asked, Job, asked},
    routes::Shared,
};
use crate::model::{Ask, Budget, METRIC_NAME, Metadata, Scope};

const LINES: &str = "application/x-ndjson; charset=utf-8";

/// One result.
#[derive(Serialize)]
struct Found<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<f64>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    help: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    unit: &'a str,
}

/// Gives names or values to choose from.
type Gather = Box<dyn Fn(&Context, &Ask<'_>) -> Result<Vec<String>, crate::model::Error> + Send>;

pub(in crate::http::prometheus) async fn metric_names(
    State(context): State<Shared>,
    request: Request,
) -> Result<Response<Body>, Error> {
    let asked = asked(&context, request).await?;
    let has_metadata = boolean(&asked.params, "include_metadata", false)?;
    let gather: Gather =
        Box::new(|context, ask| context.doors.source.label_values(ask, METRIC_NAME));
    search(&context, &asked, ("metric_names", has_metadata), gather).await
}

pub(in crate::http::prometheus) async fn label_names(
    State(context): State<Shared>,
    request: Request,
) -> Result<Response<Body>, Error> {
    let asked = asked(&context, request).await?;
    let gather: Gather = Box::new(|context, ask| context.doors.source.label_names(ask));
    search(&context, &asked, ("label_names", false), gather).await
}

pub(in crate::http::prometheus) async fn label_values(
    State(context): State<Shared>,
    request: Request,
) -> Result<Response<Body>, Error> {
    let asked = asked(&context, request).await?;
    let Some(label) = asked.params.get("label").map(str::to_owned) else {
        return Err(Error::Bad("missing required parameter \"label\"".into()));
    };
    let gather: Gather =
        Box::new(move |context, ask| context.doors.source.label_values(ask, &label));
    search(&context, &asked, ("label_values", false), gather).await
}

async fn search(
    context: &Shared,
    asked: &Asked,
    (path, has_metadata): (&'static str, bool),
    gather: Gather,
) -> Result<Response<Body>, Error> {
    let wish = Wish::parse(&asked.params, context.now_ms(), path)?;
    let job = Job { form: Form::new(LINES, &asked.head.headers), ..Job::json(context, asked) };
    question::answer(context, job, move |context, budget, outlet| {
        let texts = all(context, budget, &wish, &gather)?;
        let mut found = choose(&texts, &wish);
        let has_more = found.len() > wish.limit;
        found.truncate(wish.limit);
        let known = if has_metadata { known(context) } else { HashMap::new() };
        let told = Told { wish: &wish, known: &known, is_value: path == "label_values" };
        told.write(&found, has_more, outlet)
    })
    .await
}

/// What there is to choose from, sorted, each once.
fn all(
    context: &Context,
    budget: &Budget,
    wish: &Wish,
    gather: &Gather,
) -> Result<Vec<String>, Error> {
    let everything = Vec::new();
    let selectors = match wish.selectors.as_slice() {
        [] => std::slice::from_ref(&everything),
        selectors => selectors,
    };
    let mut texts = Vec::new();
    for matchers in selectors {
        let ask = Ask { scope: Scope::METRICS, matchers, range: wish.range, budget };
        texts.append(&mut gather(context, &ask).map_err(Error::of_question)?);
    }
    texts.sort_unstable();
    texts.dedup();
    Ok(texts)
}

/// Those that match, with their scores, in the order that was asked for.
fn choose<'a>(texts: &'a [String], wish: &Wish) -> Vec<(&'a str, f64)> {
    let scored = texts.iter().filter_map(|text| Some((text.as_str(), wish.matching.score(text)?)));
    match wish.order {
        // One more than is shown tells that there are more.
        Order::Rising => scored.take(wish.limit.saturating_add(1)).collect(),
        Order::Falling => scored.rev().take(wish.limit.saturating_add(1)).collect(),
        Order::BestFirst => {
            let mut all: Vec<_> = scored.collect();
            all.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(b.0)));
            all
        }
    }
}

/// What metrics are, by name.
fn known(context: &Context) -> HashMap<String, Arc<Metadata>> {
    let all = context.doors.source.metadata(&Scope::METRICS, None);
    all.into_iter().map(|row| (row.metric.clone(), Arc::new(row))).collect()
}

/// How results are told.
struct Told<'a> {
    wish: &'a Wish,
    known: &'a HashMap<String, Arc<Metadata>>,
    is_value: bool,
}

impl Told<'_> {
    fn write(
        &self,
        found: &[(&str, f64)],
        has_more: bool,
        outlet: &mut Outlet,
    ) -> Result<(), Error> {
        // There is a first batch even where there is nothing.
        let batches = found.chunks(self.wish.batch);
        let empty = found.is_empty().then_some(&[][..]);
        for batch in batches.chain(empty) {
            let results: Vec<Found<'_>> = batch.iter().map(|it| self.found(it)).collect();
            line(&serde_json::json!({ "results": results }), outlet)?;
        }
        line(&serde_json::json!({ "status": "success", "has_more": has_more }), outlet)
    }

    fn found<'a>(&'a self, (text, score): &(&'a str, f64)) -> Found<'a> {
        let known = self.known.get(*text);
        Found {
            name: (!self.is_value).then_some(*text),
            value: self.is_value.then_some(*text),
            score: self.wish.shows_score.then_some(*score),
            kind: known.map(|it| it.kind.name()),
            help: known.map_or("", |it| it.help.as_str()),
            unit: known.map_or("", |it| it.unit.as_str()),
        }
    }
}

fn line(json: &serde_json::Value, outlet: &mut Outlet) -> Result<(), Error> {
    let out = outlet.out();
    out.extend_from_slice(json.to_string().as_bytes());
    out.push(b'\n');
    outlet.breathe()
}
