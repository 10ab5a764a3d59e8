//! A question, printed in its plain form.

use axum::{
    body::Body,
    extract::{Request, State},
};
use hyper::{Response, StatusCode};

use crate::export::write_string;
use crate::http::{
    Error,
    answer::{JSON, answer},
    prometheus::envelope::success,
    question::{asked, run},
    routes::Shared,
};

pub(super) async fn format(
    State(context): State<Shared>,
    request: Request,
) -> Result<Response<Body>, Error> {
    let asked = asked(&context, request).await?;
    let text = asked.params.get("query").unwrap_or_default().to_owned();
    // A long text takes a while to read.
    run(&context, None, move |_, _| {
        let expr = query_lang::parse(&text)
            .map_err(|error| Error::Parameter { name: "query", why: error.to_string() })?;
        let body = success(&[], &[], |out| write_string(&expr.to_string(), out));
        Ok(answer(StatusCode::OK, JSON, body))
    })
    .await
}
