//! OTLP over a house that remembers: what is said when rows cannot be kept, and why.

use super::*;

const EXPORT: &str = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";
const GRPC: (&str, &str) = ("content-type", "application/grpc");

/// One data point of the gauge `m`, at second 1.
fn one_point() -> Vec<u8> {
    let point = [
        &[3 << 3 | 1][..],
        &1_000_000_000_u64.to_le_bytes(),
        &[4 << 3 | 1],
        &1.5_f64.to_le_bytes(),
    ]
    .concat();
    let metric = [field(1, b"m"), field(5, &field(1, &point))].concat();
    field(1, &field(2, &field(2, &metric)))
}

fn framed(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    [&[0][..], &length, message].concat()
}

#[tokio::test]
async fn a_data_point_is_a_row_by_either_door() {
    let house = House::new();
    let http = house.post("/v1/metrics", &[], one_point()).await;
    assert_eq!((http.status, http.body.as_str()), (StatusCode::OK, ""));
    let grpc = house.post(EXPORT, &[GRPC], framed(&one_point())).await;
    assert_eq!((grpc.status, grpc.body.as_bytes()), (StatusCode::OK, &[0; 5][..]));
    let batches = house.basket.batches.lock().unwrap();
    for batch in batches.iter() {
        assert_eq!((batch.rows.times(), batch.rows.values()), (&[1_000_000_000][..], &[1.5][..]));
    }
    assert_eq!(batches.len(), 2);
}

/// Clients of HTTP retry on 429, 502, 503 and 504; those of gRPC on UNAVAILABLE. All else they drop.
#[tokio::test]
async fn what_cannot_be_kept_now_is_to_be_sent_again() {
    for refusal in [
        Error::Full("the disk is full".into()),
        Error::Unavailable("memory is short".into()),
        Error::Io("cannot sync".into()),
    ] {
        let basket = Basket { refusal: Some(refusal), ..Basket::default() };
        let house = House::with(basket, Options::default());
        let http = house.post("/v1/metrics", &[], one_point()).await;
        assert_eq!(http.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(http.headers["retry-after"], "1");
        assert!(http.body.starts_with("\u{8}\u{e}\u{12}"), "{:?}", http.body);
        let grpc = house.post(EXPORT, &[GRPC], framed(&one_point())).await;
        assert_eq!(grpc.status, StatusCode::OK);
        assert_eq!(grpc.headers["grpc-status"], "14");
        let details = grpc.headers["grpc-status-details-bin"].to_str().unwrap();
        // "type.googleapis.com/google.rpc.RetryInfo" begins so in base64, at any of three places.
        let words = ["dHlwZS5nb29nbGVhcGlz", "R5cGUuZ29vZ2xlYXBpc", "0eXBlLmdvb2dsZWFwaX"];
        assert!(words.iter().any(|word| details.contains(word)), "{details}");
    }
}

#[tokio::test]
async fn what_is_too_large_is_not_to_be_sent_again() {
    let options = Options { body_bytes_max: 10, ..Options::default() };
    let house = House::with(Basket::default(), options);
    let http = house.post("/v1/metrics", &[], one_point()).await;
    assert_eq!(http.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(http.body.contains("--ingest-body-max") && http.headers.get("retry-after").is_none());
    let grpc = house.post(EXPORT, &[GRPC], framed(&one_point())).await;
    assert_eq!(grpc.headers["grpc-status"], "8");
    assert!(grpc.headers.get("grpc-status-details-bin").is_none());
    // Small on the wire, and says that it is large.
    let claims = house.post(EXPORT, &[GRPC], &[0, 0x7f, 0xff, 0xff, 0xff][..]).await;
    assert_eq!(claims.headers["grpc-status"], "8");
}

#[tokio::test]
async fn a_torn_call_is_refused_and_writes_nothing() {
    let house = House::new();
    let whole = framed(&one_point());
    for size in 0..whole.len() {
        let got = house.post(EXPORT, &[GRPC], whole[..size].to_vec()).await;
        assert_ne!(got.headers["grpc-status"], "0", "{size} bytes");
    }
    assert!(house.basket.batches.lock().unwrap().is_empty());
}
