//! How a query would run, and with `analyze=1` how it ran: the plan as a tree, as JSON or as text.
//!
//! Parameters are those of `query` and `query_range`: `start` makes it a range.

use axum::{
    body::Body,
    extract::{Request, State},
};
use hyper::{Response, StatusCode};
use serde_json::{Map, Value as Json, json};

use crate::http::{
    Error,
    answer::{JSON, TEXT, answer},
    params::Params,
    prometheus::{
        moment,
        query::{refusal, steps, tier},
    },
    question::{asked, run},
    routes::Shared,
};
use crate::model::Scope;
use crate::query::{Explained, Node, Question, When};

pub(super) async fn explain(
    State(context): State<Shared>,
    request: Request,
) -> Result<Response<Body>, Error> {
    let params = asked(&context, request).await?.params;
    let when = if params.get("start").is_some() {
        steps(&params)?
    } else {
        When::At(moment::time(&params, "time")?.unwrap_or_else(|| context.now_ms()))
    };
    let is_text = match params.get("format") {
        None | Some("json") => false,
        Some("text") => true,
        Some(_) => {
            let why = "formats are json and text".to_owned();
            return Err(Error::Parameter { name: "format", why });
        }
    };
    let mut question =
        Question::parse(params.get("query").unwrap_or_default(), when).map_err(refusal)?;
    question.lookback_ms = moment::duration(&params, "lookback_delta")?;
    question.tier = tier(&params)?;
    question.now_ms = Some(context.now_ms());
    question.asked_at = (!is_set(&params, "nocache")).then(|| context.now_ms());
    let is_run = is_set(&params, "analyze");
    run(&context, None, move |context, budget| {
        let clock = || context.doors.clock.monotonic();
        let clock: &dyn Fn() -> std::time::Duration = &clock;
        let (engine, source) = (&context.doors.engine, context.doors.source.as_ref());
        let clock = is_run.then_some(clock);
        let explained = engine.explain((source, Scope::METRICS), &question, budget, clock);
        let explained = explained.map_err(refusal)?;
        if is_text {
            return Ok(answer(StatusCode::OK, TEXT, explained.to_string()));
        }
        let body = json!({ "status": "success", "data": data(&explained) });
        Ok(answer(StatusCode::OK, JSON, body.to_string()))
    })
    .await
}

fn is_set(params: &Params, name: &str) -> bool {
    params.get(name).is_some_and(|text| text != "0" && text != "false")
}

fn data(explained: &Explained) -> Json {
    let mut data = json!({
        "plan": node(&explained.root),
        "steps": explained.steps,
        "keepable": explained.is_kept,
        "notes": explained.notes,
    });
    if let (Some((stats, took, steps_kept)), Json::Object(data)) = (&explained.ran, &mut data) {
        let ran = json!({
            "seconds": took.as_secs_f64(),
            "rows": stats.samples,
            "steps_kept": steps_kept,
        });
        data.insert("ran".to_owned(), ran);
    }
    data
}

fn node(of: &Node) -> Json {
    let mut fields = Map::new();
    fields.insert("what".to_owned(), Json::from(of.what.as_str()));
    if let Some(reading) = &of.reading {
        let (start, end) = reading.range_ms;
        let reading = json!({
            "start_ms": start,
            "end_ms": end,
            "series": reading.series,
            "rows": reading.rows,
            "bytes": reading.bytes,
            "tier": reading.tier,
        });
        fields.insert("reads".to_owned(), reading);
    }
    if let Some(ran) = &of.ran {
        let ran = json!({
            "times": ran.times,
            "series": ran.series,
            "rows": ran.samples,
            "seconds": ran.took.as_secs_f64(),
        });
        fields.insert("ran".to_owned(), ran);
    }
    if !of.children.is_empty() {
        fields.insert("of".to_owned(), of.children.iter().map(node).collect());
    }
    Json::Object(fields)
}
