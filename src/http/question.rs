//! Questions: parameters in, work on a thread that may block, a deadline, and an end when the asker
//! goes.

use std::{sync::Arc, time::Duration};

use axum::{body::Body, extract::Request};
use hyper::{Response, http::request};
use tokio::{sync::mpsc, time::timeout};

use crate::http::{
    Context, Error, body,
    outlet::{Form, Outlet, PIECES_WAITING, StopOnDrop, respond},
    params::{self, Params},
    queries::Told,
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

/// A question whose answer is written to an outlet.
pub(super) struct Job {
    /// How long it may take to its first byte; None for the server's own limit.
    pub(super) within: Option<Duration>,
    /// What the answer is.
    pub(super) form: Form,
    /// What is told of it where running questions are listed.
    pub(super) told: Told,
}

impl Job {
    /// JSON, without a deadline of its own.
    pub(super) fn json(context: &Context, asked: &Asked) -> Self {
        Self {
            within: None,
            form: Form::json(&asked.head.headers),
            told: Told::of(context, &asked.head),
        }
    }
}

/// Runs `work` where blocking is allowed; what it writes is the answer. It is listed while it runs
/// and can be ended from outside.
pub(super) async fn answer(
    context: &Arc<Context>,
    job: Job,
    work: impl FnOnce(&Context, &Budget, &mut Outlet) -> Result<(), Error> + Send + 'static,
) -> Result<Response<Body>, Error> {
    let stop = Stop::default();
    let gone = StopOnDrop(stop.clone());
    let budget = Arc::new(Budget::new(context.options.query_limits, stop.clone()));
    let entry = context.queries.enter(job.told, &stop, &budget);
    let clock = &context.doors.clock;
    let began = clock.monotonic();
    let permit = context.questions.enter().await?;
    let queued = clock.monotonic().saturating_sub(began);
    entry.begin();
    let most = context.options.query_timeout;
    let deadline = job.within.unwrap_or(most).min(most);
    let (pieces, receiver) = mpsc::channel(PIECES_WAITING);
    let mut outlet = Outlet::new(context, &job.form, pieces, (stop.clone(), permit, queued));
    let inside = Arc::clone(context);
    let writing = tokio::task::spawn_blocking(move || {
        stop_check(&budget)?;
        let done = work(&inside, &budget, &mut outlet).and_then(|()| outlet.finish());
        entry.end(done.as_ref().err());
        done
    });
    let mut responding = std::pin::pin!(respond(job.form, writing, receiver, gone));
    if let Ok(done) = timeout(deadline, &mut responding).await {
        return done;
    }
    stop.time_out();
    let still = |_| Error::TimedOut("query timed out and is still ending".into());
    timeout(GRACE, responding).await.map_err(still)?
}

/// A question that was ended while it waited for its turn does not begin.
fn stop_check(budget: &Budget) -> Result<(), Error> {
    budget.check().map_err(Error::of_question)
}
