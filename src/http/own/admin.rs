//! Upkeep now instead of when it is due. Each call returns when the work is done.

use std::sync::Arc;

use axum::{body::Body, extract::State};
use hyper::{Response, StatusCode};
use tokio::task::spawn_blocking;

use crate::http::{
    Error, Operations,
    answer::{JSON, TEXT, answer},
    routes::Shared,
};
use crate::model;

pub(super) async fn flush(State(context): State<Shared>) -> Result<Response<Body>, Error> {
    work(&context, |operations| operations.flush()).await
}

pub(super) async fn compact(State(context): State<Shared>) -> Result<Response<Body>, Error> {
    work(&context, |operations| operations.compact()).await
}

pub(super) async fn retention(State(context): State<Shared>) -> Result<Response<Body>, Error> {
    work(&context, |operations| operations.retention()).await
}

pub(super) async fn reload(State(context): State<Shared>) -> Result<Response<Body>, Error> {
    let control = Arc::clone(&context.control);
    let failed = |panic| Error::Internal(format!("the reload failed inside: {panic}"));
    let done = spawn_blocking(move || control.reload()).await.map_err(failed)??;
    let body = serde_json::json!({
        "status": "success",
        "data": { "changed": done.changed, "needs_restart": done.waiting },
    });
    Ok(answer(StatusCode::OK, JSON, body.to_string()))
}

pub(super) async fn quit(State(context): State<Shared>) -> Result<Response<Body>, Error> {
    context.control.quit()?;
    Ok(answer(StatusCode::OK, TEXT, "Requesting termination... Goodbye!\n"))
}

pub(super) async fn scrub(State(context): State<Shared>) -> Result<Response<Body>, Error> {
    let operations = Arc::clone(&context.doors.operations);
    let found = spawn_blocking(move || operations.scrub())
        .await
        .map_err(|panic| Error::Internal(format!("the scrub failed inside: {panic}")))?;
    let body = serde_json::json!({ "status": "success", "data": { "findings": found } });
    Ok(answer(StatusCode::OK, JSON, body.to_string()))
}

async fn work(
    context: &Shared,
    call: impl FnOnce(&dyn Operations) -> Result<(), model::Error> + Send + 'static,
) -> Result<Response<Body>, Error> {
    let clock = &context.doors.clock;
    let operations = Arc::clone(&context.doors.operations);
    let began = clock.monotonic();
    let done = spawn_blocking(move || call(operations.as_ref())).await;
    let took = clock.monotonic().saturating_sub(began);
    match done {
        Ok(Ok(())) => {
            let seconds = took.as_secs_f64();
            let body = format!(r#"{{"status":"success","data":{{"seconds":{seconds:.3}}}}}"#);
            Ok(answer(StatusCode::OK, JSON, body))
        }
        Ok(Err(error)) => Err(Error::of_write(error)),
        Err(panic) => Err(Error::Internal(format!("upkeep failed inside: {panic}"))),
    }
}
