//! The table of routes: every path, who may call it, what answers.

use std::sync::{Arc, PoisonError, RwLock};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    middleware::{self, Next},
    response::IntoResponse,
    routing::MethodRouter,
};
use hyper::{Response, StatusCode};

use crate::http::{Context, Counter, Error, Timings, answer, influx, own, prometheus};

/// What handlers are given.
pub(super) type Shared = Arc<Context>;

/// What a call does, and so who may make it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// Says nothing of what is stored.
    Open,
    /// Reads what is stored.
    Read,
    /// Adds rows.
    Write,
    /// Changes the server: only who addressed it, see `guard`.
    Admin,
}

/// Routes, added one by one; none without a scope.
pub(super) struct Routes {
    context: Shared,
    router: Router<Shared>,
}

impl Routes {
    pub(super) fn add(
        self,
        scope: Scope,
        path: &'static str,
        methods: MethodRouter<Shared>,
    ) -> Self {
        let route = Arc::new(Route::new(Arc::clone(&self.context), scope, path));
        let methods = methods.layer(middleware::from_fn_with_state(route, pass));
        Self { router: self.router.route(path, methods), ..self }
    }
}

/// All routes of the house.
pub(super) fn router(context: Shared) -> Router {
    let unknown = Arc::new(Route::new(Arc::clone(&context), Scope::Open, "unknown"));
    let mut routes = Routes { context: Arc::clone(&context), router: Router::new() };
    for product in [own::routes, prometheus::routes, influx::routes] {
        routes = product(routes);
    }
    let nothing =
        axum::routing::any(not_found).layer(middleware::from_fn_with_state(unknown, pass));
    routes
        .router
        .fallback_service(nothing.with_state(Arc::clone(&context)))
        .method_not_allowed_fallback(wrong_method)
        .with_state(context)
}

/// The answer to everything while the store recovers.
pub(super) fn starting(path: &str) -> Response<Body> {
    if path == "/-/healthy" {
        return answer::answer(StatusCode::OK, answer::TEXT, "alive, recovering\n");
    }
    let what = "the server is starting: the store recovers its log; try again in a second";
    Error::Unavailable(what.into()).into_response()
}

async fn not_found(request: Request) -> Error {
    let path: String = request.uri().path().chars().take(200).collect();
    Error::NotFound(format!("no such path: {path:?}; GET / lists what there is"))
}

async fn wrong_method(request: Request) -> Error {
    let (method, path) = (request.method(), request.uri().path());
    Error::Method(format!("{method} is not for {path:?}; the header Allow says what is"))
}

/// What one route counts, and what it asks of callers.
struct Route {
    context: Shared,
    scope: Scope,
    path: &'static str,
    by_status: RwLock<Vec<(StatusCode, Counter)>>,
    time: Timings,
}

impl Route {
    fn new(context: Shared, scope: Scope, path: &'static str) -> Self {
        let time = context.metrics.timings(
            "quipu_http_request_duration_seconds",
            "Time from the head of a request to the head of its answer.",
            &[("route", path.into())],
        );
        Self { context, scope, path, by_status: RwLock::default(), time }
    }

    fn count(&self, status: StatusCode) {
        let find = |counters: &[(StatusCode, Counter)]| {
            counters.iter().find(|(there, _)| *there == status).map(|(_, counter)| counter.clone())
        };
        let known = find(&self.by_status.read().unwrap_or_else(PoisonError::into_inner));
        let counter = known.unwrap_or_else(|| {
            let counter = self.context.metrics.counter(
                "quipu_http_requests_total",
                "Requests answered, by route and status.",
                &[("route", self.path.into()), ("status", status.as_str().to_owned().into())],
            );
            let mut counters = self.by_status.write().unwrap_or_else(PoisonError::into_inner);
            counters.push((status, counter.clone()));
            counter
        });
        counter.add(1);
    }
}

/// Checks who calls, answers, counts.
async fn pass(State(route): State<Arc<Route>>, request: Request, next: Next) -> Response<Body> {
    let clock = &route.context.doors.clock;
    let began = clock.monotonic();
    let hosts = &route.context.options.allowed_hosts;
    let allowed = match route.scope {
        // What it counts of itself is all there is to ask of an agent.
        Scope::Read if route.context.options.is_agent && route.path != "/metrics" => {
            let what = "this is an agent, which keeps no rows: ask the server it sends them to";
            Err(Error::NotFound(what.into()))
        }
        Scope::Admin => hosts.check(request.uri(), request.headers()),
        Scope::Open | Scope::Read | Scope::Write => Ok(()),
    };
    let response = match allowed {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    };
    route.count(response.status());
    route.time.observe(clock.monotonic().saturating_sub(began));
    response
}
