//! Questions: parameters in, work on a thread that may block, a deadline, and an end when the asker
//! goes.

use std::{sync::Arc, time::Duration};

use axum::extract::Request;
use hyper::http::request;
use tokio::time::timeout;

use crate::http::{
    Context, Error, body,
    params::{self, Params},
};
use crate::model::{Budget, Stop};

/// How long a stopped question may take to notice.
const GRACE: Duration = Duration::from_secs(2);

/// A request whose parameters are read.
pub(super) struct Asked {
    pub(super) params: Params,
    pub(super) head: request::Parts,
}

/// Reads the parameters of URL and form.
pub(super) async fn asked(context: &Context, request: Request) -> Result<Asked, Error> {
    let (head, body) = request.into_parts();
    let form = if params::is_form(&head.headers) {
        let admission = &context.bytes;
        body::read(body, Context::form_limit(), admission, Vec::new()).await?.bytes
    } else {
        Vec::new()
    };
    let params = Params::parse(head.uri.query(), &form)?;
    Ok(Asked { params, head })
}

/// Throws the switch when the question is dropped: hyper drops it when the connection is gone.
struct StopOnDrop(Stop);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// Runs `work` where blocking is allowed, at most `within` or the server's own limit.
pub(super) async fn run<T: Send + 'static>(
    context: &Arc<Context>,
    within: Option<Duration>,
    work: impl FnOnce(&Context, &Budget) -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let permit = context.questions.enter().await?;
    let deadline =
        within.unwrap_or(context.options.query_timeout).min(context.options.query_timeout);
    let stop = Stop::default();
    let gone = StopOnDrop(stop.clone());
    let budget = Budget::new(context.options.query_limits, stop.clone());
    let inside = Arc::clone(context);
    let mut running = tokio::task::spawn_blocking(move || {
        let answer = work(&inside, &budget);
        drop(permit);
        answer
    });
    let ended = if let Ok(ended) = timeout(deadline, &mut running).await {
        ended
    } else {
        stop.time_out();
        let still = |_| Error::TimedOut("query timed out and is still ending".into());
        timeout(GRACE, running).await.map_err(still)?
    };
    drop(gone);
    ended.unwrap_or_else(|panic| Err(Error::Internal(format!("the query failed inside: {panic}"))))
}
