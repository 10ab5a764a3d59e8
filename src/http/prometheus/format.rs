//! A question, printed in its plain form, or as a tree.

use axum::{
    body::Body,
    extract::{Request, State},
};
use hyper::{Response, StatusCode};
use query_lang::Expr;

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
    read(&context, request, |expr, out| out.extend_from_slice(ast::of(expr).to_string().as_bytes()))
        .await
}

pub(super) async fn format(
    State(context): State<Shared>,
    request: Request,
) -> Result<Response<Body>, Error> {
    read(&context, request, |expr, out| write_string(&expr.to_string(), out)).await
}

/// Reads the text of a question, and answers with what `write` makes of it.
async fn read(
    context: &Shared,
    request: Request,
    write: impl FnOnce(&Expr, &mut Vec<u8>) + Send + 'static,
) -> Result<Response<Body>, Error> {
    let asked = asked(context, request).await?;
    let text = asked.params.get("query").unwrap_or_default().to_owned();
    // A long text takes a while to read.
    run(context, None, move |_, _| {
        let expr = query_lang::parse(&text)
            .map_err(|error| Error::Parse { is_named: true, error: Box::new(error) })?;
        let body = success(&[], &[], |out| write(&expr, out));
        Ok(answer(StatusCode::OK, JSON, body))
    })
    .await
}
