//! The two paths: one where the format is asked for, one where it is CSV.

use axum::{
    body::Body,
    extract::{Request, State},
};
use hyper::{Response, header::ACCEPT};
use tokio::{sync::mpsc, task::spawn_blocking};

use super::{walk::Walk, wish::Wish};
use crate::export::Format;
use crate::http::{
    Error,
    outlet::{Form, PIECES_WAITING, StopOnDrop, respond},
    question::asked,
    routes::Shared,
};
use crate::model::Stop;

pub(in crate::http::prometheus) async fn export(
    State(context): State<Shared>,
    request: Request,
) -> Result<Response<Body>, Error> {
    let accept = request.headers().get(ACCEPT).and_then(|value| value.to_str().ok());
    let accepted = accept.and_then(Format::accepted).unwrap_or_default();
    answer(context, request, accepted).await
}

pub(in crate::http::prometheus) async fn csv(
    State(context): State<Shared>,
    request: Request,
) -> Result<Response<Body>, Error> {
    answer(context, request, Format::Csv).await
}

async fn answer(
    context: Shared,
    request: Request,
    default: Format,
) -> Result<Response<Body>, Error> {
    let asked = asked(&context, request).await?;
    let wish = Wish::parse(&asked.params, default)?;
    let form = Form::plain(wish.format.media_type());
    let permit = context.streams.enter().await?;
    let (pieces, receiver) = mpsc::channel(PIECES_WAITING);
    let stop = Stop::default();
    let walk = Walk { wish, pieces, stop: stop.clone(), permit };
    let walking =
        spawn_blocking(move || walk.run(&context).map(|()| None).map_err(Error::of_question));
    respond(form, walking, receiver, StopOnDrop(stop)).await
}
