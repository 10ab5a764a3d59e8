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
use hyper::{
    HeaderMap, Method, Response, StatusCode,
    header::{ALLOW, ORIGIN},
    http::request::Parts,
};

use crate::access;
use crate::http::{
    Context, Counter, Error, Timings, access::Shown, answer, body, connection::Connection, influx,
    otlp, own, prometheus, pushgateway,
};

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

impl Scope {
    fn asked(self) -> Option<access::Scope> {
        match self {
            Self::Open => None,
            Self::Read => Some(access::Scope::Read),
            Self::Write => Some(access::Scope::Write),
            Self::Admin => Some(access::Scope::Admin),
        }
    }
}

/// How a product words a refusal; it may look at what the request asked for.
pub(super) type Form = fn(&Error, &HeaderMap) -> Response<Body>;

/// Routes, added one by one; none without a scope.
pub(super) struct Routes {
    context: Shared,
    router: Router<Shared>,
    form: Form,
    has_parameters: bool,
}

impl Routes {
    /// Routes after this refuse callers in this form.
    pub(super) fn refusing(self, form: Form) -> Self {
        Self { form, ..self }
    }

    /// Routes after this take the parameters `u` and `p` as name and password.
    pub(super) fn with_parameters(self) -> Self {
        Self { has_parameters: true, ..self }
    }

    pub(super) fn add(
        self,
        scope: Scope,
        path: &'static str,
        methods: MethodRouter<Shared>,
    ) -> Self {
        let route = Route::new(Arc::clone(&self.context), scope, path);
        let (form, has_parameters) = (self.form, self.has_parameters);
        let route = Arc::new(Route { form, has_parameters, ..route });
        let methods = methods.layer(middleware::from_fn_with_state(route, pass));
        Self { router: self.router.route(path, methods), ..self }
    }
}

/// All routes of the house.
pub(super) fn router(context: Shared) -> Router {
    let unknown = Arc::new(Route::new(Arc::clone(&context), Scope::Open, "unknown"));
    let mut routes = Routes {
        context: Arc::clone(&context),
        router: Router::new(),
        form: in_own_form,
        has_parameters: false,
    };
    let products =
        [own::routes, prometheus::routes, pushgateway::routes, influx::routes, otlp::routes];
    for product in products {
        routes = product(Routes { form: in_own_form, has_parameters: false, ..routes });
    }
    let nothing =
        axum::routing::any(not_found).layer(middleware::from_fn_with_state(unknown, pass));
    routes
        .router
        .fallback_service(nothing.with_state(Arc::clone(&context)))
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn_with_state(Arc::clone(&context), share))
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

fn in_own_form(error: &Error, _: &HeaderMap) -> Response<Body> {
    error.answer()
}

async fn not_found(request: Request) -> Error {
    let path: String = request.uri().path().chars().take(200).collect();
    // Those who look for an API of rules look for these words.
    Error::NotFound(format!("page not found: no such path: {path:?}; GET / lists what there is"))
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
    form: Form,
    has_parameters: bool,
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
        Self {
            context,
            scope,
            path,
            form: in_own_form,
            has_parameters: false,
            by_status: RwLock::default(),
            time,
        }
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
    let (mut head, body) = request.into_parts();
    if head.method == Method::OPTIONS {
        return options(next.run(Request::from_parts(head, body)).await);
    }
    let response = match route.admit(&head).await {
        Ok(None) => next.run(Request::from_parts(head, body)).await,
        Ok(Some(caller)) => {
            let who = Arc::clone(&caller.name);
            head.extensions.insert(caller);
            let response = next.run(Request::from_parts(head, body)).await;
            route.note(&who, response.status());
            response
        }
        Err(error) => {
            body::drain(body).await;
            (route.form)(&error, &head.headers)
        }
    };
    route.count(response.status());
    route.time.observe(clock.monotonic().saturating_sub(began));
    response
}

/// What a route says of itself to whoever asks, without looking at what is stored: nothing here
/// handles this method, so the answer is the refusal that names those it does.
fn options(refusal: Response<Body>) -> Response<Body> {
    let mut response = answer::done();
    if let Some(allowed) = refusal.headers().get(ALLOW) {
        response.headers_mut().insert(ALLOW, allowed.clone());
    }
    response
}

/// Tells browsers whose pages may read the answer.
async fn share(State(context): State<Shared>, request: Request, next: Next) -> Response<Body> {
    let origin = request.headers().get(ORIGIN).cloned();
    let mut response = next.run(request).await;
    context.cors.tell(origin.as_ref(), response.headers_mut());
    response
}

impl Route {
    /// Who calls, where the route asks.
    async fn admit(&self, head: &Parts) -> Result<Option<access::Caller>, Error> {
        let Some(scope) = self.scope.asked() else { return Ok(None) };
        let context = &self.context;
        // What it counts of itself is all there is to ask of an agent.
        if context.options.is_agent && self.scope == Scope::Read && self.path != "/metrics" {
            let what = "this is an agent, which keeps no rows: ask the server it sends them to";
            return Err(Error::NotFound(what.into()));
        }
        let connection = head.extensions.get::<Arc<Connection>>();
        let shown = Shown {
            headers: &head.headers,
            uri: &head.uri,
            has_parameters: self.has_parameters,
            certificate: connection.and_then(|connection| connection.client.as_deref()),
            now_ms: context.now_ms(),
        };
        let caller = context.access.admit(scope, &shown).await?;
        // A browser sends passwords and certificates by itself, whoever's page asks; tokens it does
        // not.
        let hosts = &context.options.allowed_hosts;
        match scope {
            access::Scope::Admin if !caller.is_by_token => {
                hosts.check(&head.uri, &head.headers)?;
            }
            access::Scope::Write if !caller.is_by_token && !caller.is_anonymous() => {
                hosts.check_origin(&head.uri, &head.headers)?;
            }
            access::Scope::Read | access::Scope::Write | access::Scope::Admin => {}
        }
        Ok(Some(caller))
    }

    /// Leaves a trace of calls that change the server.
    fn note(&self, who: &str, status: StatusCode) {
        if self.scope == Scope::Admin {
            tracing::info!(who, path = self.path, status = status.as_u16(), "admin call");
        }
    }
}
