//! Routes, asked as a client asks, over a house that remembers what it was given.

mod otlp;

use std::sync::{Arc, Mutex};

use axum::{Router, body::Body};
use http_body_util::BodyExt;
use hyper::{HeaderMap, Method, Request, StatusCode, service::Service};
use hyper_util::service::TowerToHyperService;

use crate::http::{
    BackupMade, Context, Doors, Metrics, Operations, Options, RowFile, Storage, StorageKind,
    StoreCounter, routes,
};
use crate::ingest::LabelBook;
use crate::model::{
    Ask, Batch, Cardinality, Error, ExemplarSeries, Labels, Matcher, Metadata, Position, Scope,
    Selection, Sink, SinkDone, Source, TimeRange,
};
use crate::os::SimClock;
use crate::query::Engine;

/// Answers label questions from a list; has no rows.
#[derive(Default)]
struct Shelf {
    series: Vec<Labels>,
}

impl Source for Shelf {
    fn select(&self, _: &Ask<'_>) -> Result<Box<dyn Selection>, Error> {
        Err(Error::Damaged("block 7 is damaged at byte 9".into()))
    }
    fn label_names(&self, _: &Ask<'_>) -> Result<Vec<String>, Error> {
        let names = self
            .series
            .iter()
            .flat_map(|labels| labels.iter().map(|(name, _)| name.to_owned()).collect::<Vec<_>>());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names.dedup();
        Ok(names)
    }
    fn label_values(&self, _: &Ask<'_>, name: &str) -> Result<Vec<String>, Error> {
        let values = self.series.iter().filter_map(|labels| labels.get(name));
        let mut values: Vec<String> = values.map(str::to_owned).collect();
        values.sort();
        values.dedup();
        Ok(values)
    }
    fn series(&self, _: &Ask<'_>) -> Result<Vec<Labels>, Error> {
        Ok(self.series.clone())
    }
    fn metadata(&self, _: &Scope, metric: Option<&str>) -> Vec<Metadata> {
        let names = ["go_info", "up"].into_iter().filter(|name| metric.is_none_or(|m| m == *name));
        names.map(|name| Metadata { metric: name.into(), ..Metadata::default() }).collect()
    }
    fn exemplars(&self, _: &Ask<'_>) -> Result<Vec<ExemplarSeries>, Error> {
        Ok(Vec::new())
    }
    fn cardinality(&self, _: &Scope, _: usize) -> Cardinality {
        Cardinality { series: 2, by_metric: vec![("up".into(), 2)], ..Cardinality::default() }
    }
}

/// Keeps batches, or refuses them all.
#[derive(Default)]
struct Basket {
    batches: Mutex<Vec<Batch>>,
    refusal: Option<Error>,
}

impl Sink for Basket {
    fn write(&self, batch: Batch, done: SinkDone) {
        if let Some(error) = &self.refusal {
            return done(Err(error.clone()));
        }
        self.batches.lock().unwrap().push(batch);
        done(Ok(Position::default()));
    }
}

struct Tidy;

impl Operations for Tidy {
    fn flush(&self) -> Result<(), Error> {
        Ok(())
    }
    fn compact(&self) -> Result<(), Error> {
        Err(Error::Full("the disk is full".into()))
    }
    fn retention(&self) -> Result<(), Error> {
        panic!("a fault in upkeep")
    }
    fn delete(&self, matchers: &[Matcher], _: TimeRange) -> Result<(), Error> {
        Err(Error::Invalid(format!("{} matchers", matchers.len())))
    }
    fn clean_deleted(&self) -> Result<(), Error> {
        Ok(())
    }
    fn scrub(&self) -> Vec<String> {
        vec!["a \"bad\" page".into()]
    }
    fn scrub_findings(&self) -> Vec<String> {
        Vec::new()
    }
    fn storage(&self) -> Result<Storage, Error> {
        let kinds = vec![StorageKind { name: "wal", files: 1, bytes: 9 }];
        Ok(Storage { kinds, index_bytes: 4, total_bytes: 9, rows: 1 })
    }
    fn row_files(&self) -> Vec<RowFile> {
        Vec::new()
    }
    fn log_segments(&self) -> Result<Option<(u64, u64)>, Error> {
        Ok(None)
    }
    fn back_up(&self, to: Option<&str>) -> Result<BackupMade, Error> {
        let id = to.ok_or_else(|| Error::Unavailable("a backup is being made".into()))?.into();
        Ok(BackupMade { id, ..BackupMade::default() })
    }
    fn snapshot(&self, name: &str, with_log: bool) -> Result<(), Error> {
        assert!(name.len() == 33 && with_log, "{name}");
        Ok(())
    }
    fn counters(&self) -> Vec<StoreCounter> {
        Vec::new()
    }
}

struct House {
    router: TowerToHyperService<Router>,
    basket: Arc<Basket>,
}

struct Got {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl House {
    fn new() -> Self {
        Self::with(Basket::default(), Options::default())
    }

    fn with(basket: Basket, options: Options) -> Self {
        let series = [[("__name__", "up"), ("job", "a")], [("__name__", "up"), ("job", "b")]];
        let series = series.map(|pairs| Labels::new(pairs).unwrap()).to_vec();
        let basket = Arc::new(basket);
        let doors = Doors {
            scraper: Arc::default(),
            pushed: crate::ingest::push::SharedGroups::default(),
            source: Arc::new(Shelf { series }),
            engine: Arc::new(Engine::default()),
            registry: Arc::new(LabelBook::new(TimeRange::ALL)),
            sink: Arc::clone(&basket) as Arc<dyn Sink>,
            operations: Arc::new(Tidy),
            clock: Arc::new(SimClock::new(1_700_000_000_000_000_000)),
        };
        let context = Context::new(doors, options, Arc::new(Metrics::default()));
        let router = TowerToHyperService::new(routes::router(Arc::new(context)));
        Self { router, basket }
    }

    async fn send(&self, request: Request<Body>) -> Got {
        let response = self.router.call(request).await.unwrap();
        let (head, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let body = String::from_utf8_lossy(&body).into_owned();
        Got { status: head.status, headers: head.headers, body }
    }

    async fn get(&self, path: &str) -> Got {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    async fn post(&self, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Got {
        let mut request = Request::post(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(body.into()).unwrap()).await
    }
}

/// One sample of `m`, as remote write 1 has it, in snappy's literal form.
fn one_sample() -> Vec<u8> {
    let label = |name: &[u8], value: &[u8]| field(1, &[field(1, name), field(2, value)].concat());
    let mut sample = vec![0x09];
    sample.extend(1.5_f64.to_le_bytes());
    sample.extend([0x10, 0xe8, 0x07]);
    let series = [label(b"__name__", b"m"), label(b"job", b"a"), field(2, &sample)].concat();
    snappy(&field(1, &series))
}

fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    [&[number << 3 | 2, u8::try_from(bytes.len()).unwrap()], bytes].concat()
}

fn snappy(bytes: &[u8]) -> Vec<u8> {
    let length = u8::try_from(bytes.len()).unwrap();
    [&[length, (length - 1) << 2], bytes].concat()
}

#[tokio::test]
async fn remote_write_is_acknowledged_after_the_sink_took_it() {
    let house = House::new();
    let got = house.post("/api/v1/write", &[], one_sample()).await;
    assert_eq!((got.status, got.body.as_str()), (StatusCode::NO_CONTENT, ""));
    assert_eq!(got.headers["x-prometheus-remote-write-samples-written"], "1");
    let batches = house.basket.batches.lock().unwrap();
    assert_eq!(batches[0].rows.times(), [1_000_000_000]);
    assert_eq!(batches[0].rows.values(), [1.5]);
}

#[tokio::test]
async fn remote_write_refuses_what_it_cannot_read_in_plain_text() {
    let house = House::new();
    let json = [("content-type", "application/x-protobuf;proto=io.prometheus.write.v9.Request")];
    let unknown = house.post("/api/v1/write", &json, one_sample()).await;
    assert_eq!(unknown.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let encoding = [("content-encoding", "br")];
    let unknown = house.post("/api/v1/write", &encoding, one_sample()).await;
    assert_eq!(unknown.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert!(unknown.body.contains("\"br\" is not known"), "{}", unknown.body);
    let garbage = house.post("/api/v1/write", &[], "garbage").await;
    assert_eq!(garbage.status, StatusCode::BAD_REQUEST);
    assert_eq!(garbage.headers["x-prometheus-remote-write-samples-written"], "0");
    assert!(house.basket.batches.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_sink_that_cannot_write_is_said_with_its_status_and_when_to_retry() {
    for (refusal, status) in [
        (Error::Full("the disk is full".into()), StatusCode::INSUFFICIENT_STORAGE),
        (Error::Unavailable("memory is short".into()), StatusCode::SERVICE_UNAVAILABLE),
        (Error::Io("cannot sync".into()), StatusCode::SERVICE_UNAVAILABLE),
    ] {
        let basket = Basket { refusal: Some(refusal), ..Basket::default() };
        let house = House::with(basket, Options::default());
        let got = house.post("/api/v1/write", &[], one_sample()).await;
        assert_eq!(got.status, status);
        assert_eq!(got.headers["retry-after"], "1");
    }
}

#[tokio::test]
async fn a_body_over_the_limit_names_the_option() {
    let options = Options { body_bytes_max: 10, ..Options::default() };
    let house = House::with(Basket::default(), options);
    let got = house.post("/api/v1/write", &[], one_sample()).await;
    assert_eq!(got.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(got.body.contains("--ingest-body-max"), "{}", got.body);
}

#[tokio::test]
async fn vmagent_is_told_that_zstd_is_read() {
    let house = House::new();
    assert_eq!(house.get("/api/v1/write?get_vm_proto_version=1").await.body, "1");
    let got = house.get("/api/v1/write").await;
    assert_eq!(got.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(got.headers["allow"], "POST");
}

#[tokio::test]
async fn labels_values_series_and_metadata_are_listed() {
    let house = House::new();
    for (path, body) in [
        ("/api/v1/labels", r#"{"status":"success","data":["__name__","job"]}"#),
        ("/api/v1/label/job/values", r#"{"status":"success","data":["a","b"]}"#),
        ("/api/v1/label/U__job/values", r#"{"status":"success","data":["a","b"]}"#),
        ("/api/v1/label/none/values", r#"{"status":"success","data":[]}"#),
        (
            "/api/v1/label/job/values?limit=1",
            r#"{"status":"success","data":["a"],"warnings":["results truncated due to limit"]}"#,
        ),
        (
            "/api/v1/metadata?metric=up",
            r#"{"status":"success","data":{"up":[{"type":"unknown","help":"","unit":""}]}}"#,
        ),
    ] {
        let got = house.get(path).await;
        assert_eq!((got.status, got.body.as_str()), (StatusCode::OK, body), "{path}");
    }
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let got = house.post("/api/v1/series", &form, "match%5B%5D=up").await;
    assert!(got.body.contains(r#"{"__name__":"up","job":"b"}"#), "{}", got.body);
}

#[tokio::test]
async fn wrong_parameters_are_named() {
    let house = House::new();
    for (path, says) in [
        ("/api/v1/labels?start=x", "cannot parse \\\"x\\\" to a valid timestamp"),
        ("/api/v1/labels?limit=99999999999999999999", "invalid parameter \\\"limit\\\""),
        ("/api/v1/labels?start=2&end=1", "end timestamp must not be before start time"),
        ("/api/v1/labels?a=%zz", "invalid URL escape"),
        ("/api/v1/series", "no match[] parameter provided"),
        ("/api/v1/export", "no match[] parameter provided"),
        ("/api/v1/series?match[]=a%7B", "parse error"),
        ("/api/v1/series?match[]=rate(a[5m])", "is no series selector"),
        ("/api/v1/query", "invalid parameter \\\"query\\\""),
        ("/api/v1/query?query=1&time=x", "invalid parameter \\\"time\\\""),
        ("/api/v1/query_range?query=1&start=1&end=2", "invalid parameter \\\"step\\\""),
    ] {
        let got = house.get(path).await;
        assert_eq!(got.status, StatusCode::BAD_REQUEST, "{path}");
        assert!(got.body.starts_with(r#"{"status":"error","errorType":"bad_data","error":"#));
        assert!(got.body.contains(says), "{path}: {}", got.body);
    }
}

#[tokio::test]
async fn questions_are_answered_in_the_envelope_and_damage_is_named() {
    let house = House::new();
    let got = house.get("/api/v1/query?query=1%2B1&time=4").await;
    assert_eq!(got.body, r#"{"status":"success","data":{"resultType":"scalar","result":[4,"2"]}}"#);
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let got = house.post("/api/v1/query_range?step=1", &form, "query=3&start=0&end=1").await;
    assert_eq!(
        got.body,
        r#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[0,"3"],[1,"3"]]}]}}"#
    );
    let got = house.get("/api/v1/query?query=up").await;
    assert_eq!(got.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(got.body.contains("block 7 is damaged at byte 9"), "{}", got.body);
    let got = house.get("/api/v1/export?match[]=up").await;
    assert_eq!(got.status, StatusCode::INTERNAL_SERVER_ERROR);
}

#[tokio::test]
async fn unknown_paths_and_wrong_methods_say_so_in_json() {
    let house = House::new();
    let got = house.get("/nope").await;
    assert_eq!(got.status, StatusCode::NOT_FOUND);
    assert!(got.body.contains("no such path"), "{}", got.body);
    let request = Request::builder().method(Method::DELETE).uri("/api/v1/query");
    let got = house.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(got.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(got.headers["allow"], "GET,HEAD,POST");
    assert!(got.body.contains("DELETE is not for"), "{}", got.body);
}

#[tokio::test]
async fn upkeep_is_for_those_who_address_the_server() {
    let house = House::new();
    let own = [("host", "127.0.0.1:7847")];
    let got = house.post("/api/v1/admin/flush", &own, "").await;
    assert_eq!(got.status, StatusCode::OK);
    assert!(got.body.starts_with(r#"{"status":"success","data":{"seconds":"#), "{}", got.body);
    let evil = [("host", "127.0.0.1:7847"), ("origin", "http://evil.example")];
    assert_eq!(house.post("/api/v1/admin/flush", &evil, "").await.status, StatusCode::FORBIDDEN);
    let rebound = [("host", "evil.example")];
    let got = house.post("/api/v1/admin/flush", &rebound, "").await;
    assert_eq!(got.status, StatusCode::FORBIDDEN);
    assert!(got.body.contains("--allow-host"), "{}", got.body);
    let got = house.post("/api/v1/admin/compact", &own, "").await;
    assert_eq!(got.status, StatusCode::INSUFFICIENT_STORAGE);
    let got = house.post("/api/v1/admin/retention", &own, "").await;
    assert_eq!(got.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(house.get("/api/v1/admin/flush").await.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn the_server_says_what_it_is_and_counts() {
    let house = House::new();
    for path in ["/", "/ready", "/health", "/-/ready", "/-/healthy", "/api/v1/status/config"] {
        assert_eq!(house.get(path).await.status, StatusCode::OK, "{path}");
    }
    assert!(house.get("/health").await.body.contains(r#""status":"pass""#));
    let build = house.get("/api/v1/status/buildinfo").await.body;
    assert!(build.contains(r#""features":{}"#), "{build}");
    let tsdb = house.get("/api/v1/status/tsdb").await.body;
    assert!(tsdb.contains(r#""seriesCountByMetricName":[{"name":"up","value":2}]"#), "{tsdb}");
    assert!(house.get("/api/v1/status/runtimeinfo").await.body.contains("2023-11-14T22:13:20Z"));
    let storage = house.get("/api/quipu/v1/storage").await.body;
    assert!(storage.contains(r#""index_bytes":4"#), "{storage}");
    let metrics = house.get("/metrics").await.body;
    assert!(
        metrics.contains("quipu_http_requests_total{route=\"/health\",status=\"200\"} 2\n"),
        "{metrics}"
    );
}

#[tokio::test]
async fn influx_clients_find_what_they_ask_first() {
    let house = House::new();
    let ping = house.get("/ping").await;
    assert_eq!(ping.status, StatusCode::NO_CONTENT);
    assert!(ping.headers.contains_key("x-influxdb-version"));
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let got = house.post("/query", &form, "q=CREATE+DATABASE+telegraf").await;
    assert_eq!(got.body, "{\"results\":[{\"statement_id\":0}]}\n");
    let got = house.get("/query?q=SHOW%20DATABASES").await;
    assert!(got.body.contains(r#""values":[["telegraf"]]"#), "{}", got.body);
    let got = house.get("/query?db=x&q=SELECT%201").await;
    assert_eq!(got.status, StatusCode::BAD_REQUEST);
    assert!(got.headers.contains_key("x-influxdb-version"));
}
