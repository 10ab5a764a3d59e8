//! Deletion of series, and of what was deleted. Source: Prometheus `web/api/v1/api.go`, `deleteSeries`.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Request, State},
};
use hyper::{Response, StatusCode};
use tokio::task::spawn_blocking;

use crate::http::{
    Error, Operations,
    answer::{TEXT, answer},
    prometheus::scope::Wanted,
    question::asked,
    routes::Shared,
};
use crate::model;

/// Deletes the rows of the series that match any selector, from `start` to `end`.
pub(super) async fn delete_series(
    State(context): State<Shared>,
    request: Request,
) -> Result<Response<Body>, Error> {
    let asked = asked(&context, request).await?;
    let wanted = Wanted::parse(&asked.params)?;
    if wanted.selectors.is_empty() {
        return Err(Error::Bad("no match[] parameter provided: name the series to delete".into()));
    }
    work(&context, move |operations| {
        wanted.selectors.iter().try_for_each(|matchers| operations.delete(matchers, wanted.range))
    })
    .await
}

/// Writes the files anew that have rows which were deleted.
pub(super) async fn clean_tombstones(
    State(context): State<Shared>,
) -> Result<Response<Body>, Error> {
    work(&context, |operations| operations.clean_deleted()).await
}

async fn work(
    context: &Shared,
    call: impl FnOnce(&dyn Operations) -> Result<(), model::Error> + Send + 'static,
) -> Result<Response<Body>, Error> {
    let operations = Arc::clone(&context.doors.operations);
    match spawn_blocking(move || call(operations.as_ref())).await {
        Ok(Ok(())) => Ok(answer(StatusCode::NO_CONTENT, TEXT, "")),
        Ok(Err(model::Error::Invalid(why))) => Err(Error::Bad(why)),
        Ok(Err(error)) => Err(Error::of_write(error)),
        Err(panic) => Err(Error::Internal(format!("deletion failed inside: {panic}"))),
    }
}
