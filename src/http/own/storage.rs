//! What lies on disk, by kind of file.

use std::sync::Arc;

use axum::{body::Body, extract::State};
use hyper::{Response, StatusCode};
use tokio::task::spawn_blocking;

use crate::http::{
    Error,
    answer::{JSON, answer},
    routes::Shared,
};

pub(super) async fn storage(State(context): State<Shared>) -> Result<Response<Body>, Error> {
    let operations = Arc::clone(&context.doors.operations);
    let look = move || operations.storage().map(|it| (it, operations.scrub_findings()));
    let (storage, damaged) = spawn_blocking(look)
        .await
        .map_err(|panic| Error::Internal(format!("the files could not be counted: {panic}")))?
        .map_err(Error::of_question)?;
    let kinds: serde_json::Map<String, serde_json::Value> = storage
        .kinds
        .iter()
        .map(|kind| {
            let figures = serde_json::json!({ "files": kind.files, "bytes": kind.bytes });
            (kind.name.to_owned(), figures)
        })
        .collect();
    let body = serde_json::json!({
        "total_bytes": storage.total_bytes,
        "index_bytes": storage.index_bytes,
        "rows": storage.rows,
        "kinds": kinds,
        "damaged": damaged,
    });
    Ok(answer(StatusCode::OK, JSON, body.to_string()))
}
