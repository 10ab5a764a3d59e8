//! `/api/v2/delete`: rows of a bucket, from one time to another, of the series that a predicate matches.
//!
//! Source: InfluxDB's API of version 2, `DeletePredicateRequest`.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Request, State},
};
use hyper::Response;
use serde::Deserialize;
use tokio::task::spawn_blocking;

use crate::http::{
    Context, Error,
    answer::done,
    body,
    influx::{
        buckets::{id, refusal},
        predicate::matchers,
        query::databases,
        routes::marked,
    },
    params::Params,
    routes::Shared,
};
use crate::model::{self, Matcher, TimeRange, Timestamp};

/// The body of a request.
#[derive(Deserialize)]
struct Wanted {
    start: String,
    stop: String,
    #[serde(default)]
    predicate: Option<String>,
}

pub(super) async fn delete(State(context): State<Shared>, request: Request) -> Response<Body> {
    match deleted(&context, request).await {
        Ok(()) => marked(done()),
        Err(error) => refusal(&error),
    }
}

async fn deleted(context: &Shared, request: Request) -> Result<(), Error> {
    let params = Params::parse(request.uri().query(), b"");
    let limit = Context::form_limit();
    let read = body::read(request.into_body(), limit, &context.bytes, Vec::new()).await?;
    let wanted: Wanted = serde_json::from_slice(&read.bytes)
        .map_err(|error| Error::Bad(format!("cannot read the deletion: {error}")))?;
    let range = TimeRange::closed(time("start", &wanted.start)?, time("stop", &wanted.stop)?)
        .ok_or_else(|| Error::Bad("stop lies before start".into()))?;
    let mut all = matchers(wanted.predicate.as_deref().unwrap_or_default())?;
    all.push(Matcher::equal("db", &bucket(context, &params?).await?));
    let operations = Arc::clone(&context.doors.operations);
    match spawn_blocking(move || operations.delete(&all, range)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(model::Error::Invalid(why))) => Err(Error::Bad(why)),
        Ok(Err(error)) => Err(Error::of_write(error)),
        Err(panic) => Err(Error::Internal(format!("deletion failed inside: {panic}"))),
    }
}

/// The bucket's name, which is the label `db`. One that nobody wrote to is not there.
async fn bucket(context: &Shared, params: &Params) -> Result<String, Error> {
    let (name, number) = (params.get("bucket"), params.get("bucketID"));
    let all = databases(context).await?;
    let is_meant = |it: &&String| match number {
        Some(number) => id(it) == number,
        None => name == Some(it.as_str()),
    };
    match (all.iter().find(is_meant), name.or(number)) {
        (Some(found), _) => Ok(found.clone()),
        (None, Some(asked)) => Err(Error::NotFound(format!("bucket {asked:?} not found"))),
        (None, None) => Err(Error::Bad("bucket or bucketID is required".into())),
    }
}

/// RFC 3339, to the nanosecond.
fn time(name: &'static str, text: &str) -> Result<Timestamp, Error> {
    let read = text.parse::<jiff::Timestamp>().map_err(|error| Error::Parameter {
        name,
        why: format!("it is no RFC 3339 time: {error}"),
    })?;
    let nanos = read.as_nanosecond();
    let edge = if nanos < 0 { i64::MIN } else { i64::MAX };
    Ok(Timestamp(i64::try_from(nanos).unwrap_or(edge)))
}
