//! A question, printed in its plain form, or as a tree.

use axum::{
    body::Body,
    extract::{Request, State},
};
use hyper::{Response, StatusCode};

use crate::export::write_string;
use crate::http::{
    Error,
    answer::{JSON, answer},
    prometheus::{ast, envelope::success},
    question::{asked, run},
    routes::Shared,
};

/// The tree of a question, as the web interface of Prometheus draws it.
pub(super) async fn tree(
    State(context): State<Shared>,
    request: Request,
) -> Result<Response<Body>, Error> {
    let asked = asked(&context, request).await?;
    let text = asked.params.get("query").unwrap_or_default().to_owned();
    run(&context, None, move |_, _| {
        let expr = query_lang::parse(&text)
            .map_err(|error| Error::Parse { is_named: true, error: Box::new(error) })?;
        let tree = ast::of(&expr).to_string();
        let body = success(&[], &[], |out| out.extend_from_slice(tree.as_bytes()));
        Ok(answer(StatusCode::OK, JSON, body))
    })
    .await
}

pub(super) async fn format(
    State(context): State<Shared>,
    request: Request,
) -> Result<Response<Body>, Error> {
    let asked = asked(&context, request).await?;
    let text = asked.params.get("query").unwrap_or_default().to_owned();
    // A long text takes a while to read.
    run(&context, None, move |_, _| {
        let expr = query_lang::parse(&text)
            .map_err(|error| Error::Parse { is_named: true, error: Box::new(error) })?;
        let body = success(&[], &[], |out| write_string(&expr.to_string(), out));
        Ok(answer(StatusCode::OK, JSON, body))
    })
    .await
}
