//! Requests encoded by prost come out as they went in; others are refused by name.

use proptest::collection::vec;
use proptest::prelude::*;
use prost::Message as _;

use super::oracle::{self, Exemplar, Label, MetricMetadata, Sample, TimeSeries, WriteRequest};
use super::{Form, Message, Replicas, decode, decode_of_replicas};
use crate::ingest::{
    Config, Elections, Error, Intake, LabelBook, Reason, ReplicaConfig, Report, Session,
};
use crate::model::{Batch, Labels, Registry, STALE_BITS, TenantId, TimeRange, Timestamp};

mod rows;

/// A sender, and what becomes of what it sends.
struct Door {
    book: LabelBook,
    config: Config,
    session: Session,
    batch: Batch,
}

impl Door {
    fn new() -> Self {
        Self::within(TimeRange::ALL)
    }

    fn within(window: TimeRange) -> Self {
        Self {
            book: LabelBook::new(window),
            config: Config::default(),
            session: Session::new(),
            batch: Batch::default(),
        }
    }

    fn take(&mut self, message: Message, body: &[u8]) -> Result<Report, Error> {
        let registry: &dyn Registry = &self.book;
        let intake = Intake { config: &self.config, registry, tenant: TenantId(3) };
        decode(message, body, &mut self.session, &intake, &mut self.batch)
    }

    /// As [`Self::take`], where names of metrics are clusters and each `job` is a replica.
    fn take_of_replicas(&mut self, message: Message, body: &[u8]) -> Result<Report, Error> {
        let config = ReplicaConfig {
            cluster_label: "__name__".into(),
            replica_label: "job".into(),
            ..ReplicaConfig::default()
        };
        let elections = Elections::new(config);
        let replicas = Some(Replicas { elections: &elections, now: 0 });
        let registry: &dyn Registry = &self.book;
        let intake = Intake { config: &self.config, registry, tenant: TenantId(3) };
        let (session, batch) = (&mut self.session, &mut self.batch);
        decode_of_replicas(Form { message, replicas }, body, session, &intake, batch)
    }

    fn send(&mut self, request: &WriteRequest) -> Report {
        self.take(Message::WriteRequest, &request.encode_to_vec()).unwrap()
    }

    /// The float rows of the batch: labels, time, start, bits of the value.
    fn rows(&self) -> Vec<(Labels, i64, i64, u64)> {
        let rows = &self.batch.rows;
        let mut out = Vec::new();
        let mut from = 0;
        for (series, end) in rows.series().iter().zip(rows.ends()) {
            for at in from..*end as usize {
                let start = rows.starts().get(at).copied().unwrap_or(0);
                let labels = self.book.labels(*series).unwrap();
                out.push((labels, rows.times()[at], start, rows.values()[at].to_bits()));
            }
            from = *end as usize;
        }
        assert_eq!(from, rows.len(), "every row belongs to a run");
        out
    }
}

fn labels(pairs: &[(&str, &str)]) -> Vec<Label> {
    pairs.iter().map(|(n, v)| Label { name: (*n).into(), value: (*v).into() }).collect()
}

fn up() -> TimeSeries {
    TimeSeries {
        labels: labels(&[("__name__", "up"), ("job", "a")]),
        samples: vec![Sample { value: 1.0, timestamp: 1000, start_timestamp: 0 }],
        ..TimeSeries::default()
    }
}

fn request(timeseries: Vec<TimeSeries>) -> WriteRequest {
    WriteRequest { timeseries, metadata: Vec::new() }
}

fn expected_rows(request: &WriteRequest) -> Vec<(Labels, i64, i64, u64)> {
    let mut rows = Vec::new();
    for series in &request.timeseries {
        let pairs = series.labels.iter().map(|l| (l.name.as_str(), l.value.as_str()));
        let labels = Labels::new(pairs).unwrap();
        for sample in &series.samples {
            let (time, start) = (sample.timestamp * 1_000_000, sample.start_timestamp * 1_000_000);
            rows.push((labels.clone(), time, start, sample.value.to_bits()));
        }
    }
    rows
}

fn any_labels() -> impl Strategy<Value = Vec<Label>> {
    let label = ("[a-zA-Zé_. ]{1,9}", "[a-zß]{0,200}");
    proptest::collection::btree_map(label.0, label.1, 0..8).prop_map(|map| {
        let mut labels = labels(&[("__name__", "m")]);
        labels.extend(map.into_iter().map(|(name, value)| Label { name, value }));
        labels.rotate_left(1);
        labels
    })
}

fn any_bits() -> impl Strategy<Value = f64> {
    prop_oneof![
        // Derived encoders leave out -0 as if it were 0.
        any::<u64>().prop_map(f64::from_bits).prop_filter("-0", |v| v.to_bits() != 1 << 63),
        Just(f64::from_bits(STALE_BITS)),
        Just(0.0),
        any::<i32>().prop_map(f64::from),
    ]
}

fn any_sample() -> impl Strategy<Value = Sample> {
    let time = -9_223_372_036_854_i64..=9_223_372_036_854;
    let start = prop_oneof![3 => Just(0), 1 => time.clone()];
    (any_bits(), time, start).prop_map(|(value, timestamp, start_timestamp)| Sample {
        value,
        timestamp,
        start_timestamp,
    })
}

fn any_request() -> impl Strategy<Value = WriteRequest> {
    let exemplar = (any_labels(), any_bits(), 1..1_000_000_i64).prop_map(|(labels, value, t)| {
        let labels = labels.into_iter().take(1).map(|l| Label { value: String::new(), ..l });
        Exemplar { labels: labels.collect(), value, timestamp: t }
    });
    let series = (any_labels(), vec(any_sample(), 0..5), vec(exemplar, 0..2)).prop_map(
        |(labels, samples, exemplars)| TimeSeries {
            labels,
            samples,
            exemplars,
            histograms: Vec::new(),
        },
    );
    vec(series, 0..6).prop_map(request)
}

proptest! {
    #[test]
    fn both_messages_decode_to_what_was_encoded(request in any_request()) {
        let mut door = Door::new();
        let one = request.encode_to_vec();
        let two = oracle::referring(&request).encode_to_vec();
        let expected = expected_rows(&request);
        // Twice each: cold and by expectation. Message 2 finds the series of message 1.
        let mut series = None;
        for (message, body) in [
            (Message::WriteRequest, &one),
            (Message::WriteRequest, &one),
            (Message::Request, &two),
            (Message::Request, &two),
        ] {
            let report = door.take(message, body).unwrap();
            prop_assert!(report.is_clean(), "{report}");
            prop_assert_eq!(report.samples, expected.len() as u64);
            let exemplars: u64 = request.timeseries.iter().map(|s| s.exemplars.len() as u64).sum();
            prop_assert_eq!(report.exemplars, exemplars);
            prop_assert_eq!(door.rows(), expected.clone());
            prop_assert_eq!(door.batch.tenant, TenantId(3));
            let count = door.book.len();
            prop_assert_eq!(*series.get_or_insert(count), count);
        }
    }

    #[test]
    fn fields_in_any_order_mean_the_same(seed in any::<u64>()) {
        let mut fields: Vec<Vec<u8>> = labels(&[("a", "1"), ("__name__", "m"), ("b", "2")])
            .into_iter()
            .map(|label| delimited(1, &label.encode_to_vec()))
            .collect();
        fields.push(delimited(2, &Sample { value: 7.0, timestamp: 5, start_timestamp: 0 }.encode_to_vec()));
        fields.push(delimited(99, b"unknown"));
        let mut state = seed;
        for at in (1..fields.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            fields.swap(at, (state >> 33) as usize % (at + 1));
        }
        let body = delimited(1, &fields.concat());
        let mut door = Door::new();
        let report = door.take(Message::WriteRequest, &body).unwrap();
        prop_assert!(report.is_clean(), "{report}");
        let labels = Labels::new([("__name__", "m"), ("a", "1"), ("b", "2")]).unwrap();
        prop_assert_eq!(door.rows(), vec![(labels, 5_000_000, 0, 7.0_f64.to_bits())]);
    }

    #[test]
    fn any_bytes_give_rows_or_an_error(bytes: Vec<u8>, message in any::<bool>()) {
        let message = if message { Message::WriteRequest } else { Message::Request };
        let mut door = Door::new();
        let taken = door.take(message, &bytes);
        prop_assert!(taken.is_ok() || (door.batch.is_empty() && door.book.is_empty()));
    }

    #[test]
    fn a_flipped_byte_harms_nobody(request in any_request(), at: usize, flip in 1..=255_u8) {
        for message in [Message::WriteRequest, Message::Request] {
            let mut body = match message {
                Message::WriteRequest => request.encode_to_vec(),
                Message::Request => oracle::referring(&request).encode_to_vec(),
            };
            let size = body.len().max(1);
            if let Some(byte) = body.get_mut(at % size) { *byte ^= flip; }
            let mut door = Door::new();
            let taken = door.take(message, &body);
            prop_assert!(taken.is_ok() || (door.batch.is_empty() && door.book.is_empty()));
            let mut door = Door::new();
            let taken = door.take_of_replicas(message, &body);
            prop_assert!(taken.is_ok() || (door.batch.is_empty() && door.book.is_empty()));
        }
    }
}

fn delimited(number: u32, bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    prost::encoding::encode_key(number, prost::encoding::WireType::LengthDelimited, &mut out);
    prost::encoding::encode_varint(bytes.len() as u64, &mut out);
    out.extend_from_slice(bytes);
    out
}

#[test]
fn a_body_cut_anywhere_but_between_series_is_refused_whole() {
    let mut series = up();
    series.histograms.push(rows::histogram());
    series.exemplars.push(Exemplar {
        labels: labels(&[("trace_id", "x")]),
        value: 1.0,
        timestamp: 9,
    });
    let mut request = request(vec![series, up()]);
    request.metadata.push(MetricMetadata { metric_family_name: "up".into(), ..Default::default() });
    let ends: Vec<usize> = {
        let mut at = 0;
        let mut ends = vec![0];
        for series in &request.timeseries {
            at += delimited(1, &series.encode_to_vec()).len();
            ends.push(at);
        }
        ends
    };
    for (message, body) in [
        (Message::WriteRequest, request.encode_to_vec()),
        (Message::Request, oracle::referring(&request).encode_to_vec()),
    ] {
        for cut in 0..body.len() {
            let mut door = Door::new();
            match door.take(message, &body[..cut]) {
                Err(Error::Protobuf { at, .. }) => {
                    assert!(at <= cut && door.batch.is_empty() && door.book.is_empty());
                }
                Err(error) => panic!("{error}"),
                Ok(_) if message == Message::Request => {}
                Ok(_) => assert!(ends.contains(&cut), "cut at {cut}"),
            }
        }
    }
}

#[test]
fn a_bad_series_leaves_its_neighbours_alone() {
    let bad = |labels: Vec<Label>| TimeSeries { labels, ..up() };
    let mut many = labels(&[("__name__", "m")]);
    many.extend((0..64).map(|i| Label { name: format!("l{i}"), value: "v".into() }));
    let cases = [
        (bad(Vec::new()), "no labels"),
        (bad(labels(&[("a", "")])), "no labels"),
        (bad(labels(&[("a", "1"), ("a", "2")])), "duplicate label name \"a\""),
        (bad(labels(&[("", "x")])), "label name is empty"),
        (bad(many), "label count is 65, over the limit of 64; raise it with --ingest-labels-max"),
        (bad(labels(&[("v", &"x".repeat(5000))])), "--ingest-label-value-max"),
        (bad(labels(&[(&"n".repeat(5000), "v")])), "--ingest-label-name-max"),
    ];
    for (series, said) in cases {
        let mut door = Door::new();
        let report = door.send(&request(vec![up(), series, up()]));
        assert_eq!((report.samples, report.refused), (2, 1), "{said}");
        let text = report.refusals[0].to_string();
        assert!(text.starts_with("series 1: ") && text.contains(said), "{text}");
        assert!(text.len() < 1000);
    }
}

#[test]
fn text_that_is_not_utf8_is_refused_with_its_place() {
    for bytes in [&b"\xff\xfe"[..], b"\xc3(", b"\xc0\xaf"] {
        let label = [delimited(1, b"q"), delimited(2, bytes)].concat();
        let name = [delimited(1, bytes), delimited(2, b"q")].concat();
        for label in [label, name] {
            let sample = up().samples[0].encode_to_vec();
            let series = [delimited(1, &label), delimited(2, &sample)].concat();
            let mut door = Door::new();
            let body = [delimited(1, &series), request(vec![up()]).encode_to_vec()].concat();
            let report = door.take(Message::WriteRequest, &body).unwrap();
            assert_eq!((report.samples, report.refused), (1, 1));
            assert!(matches!(report.refusals[0].reason, Reason::NotUtf8 { at: 0, .. }));
        }
    }
}

#[test]
fn times_are_refused_row_by_row_and_register_nothing() {
    let window = TimeRange::new(Timestamp(1_000_000_000), Timestamp(2_000_000_000)).unwrap();
    let mut door = Door::within(window);
    let at = |timestamp| Sample { value: 1.0, timestamp, start_timestamp: 0 };
    let mut series = up();
    series.samples = vec![at(999), at(2000), at(i64::MAX), at(i64::MIN)];
    let report = door.send(&request(vec![series.clone()]));
    assert_eq!((report.samples, report.refused), (0, 4));
    assert!(door.book.is_empty() && door.batch.is_empty());
    let texts: Vec<String> = report.refusals.iter().map(ToString::to_string).collect();
    assert!(texts[0].contains("older") && texts[1].contains("too far in the future"), "{texts:?}");
    assert!(texts[2].contains("1677 to 2262") && texts[0].contains("__name__=\"up\""), "{texts:?}");
    series.samples.push(at(1000));
    let report = door.send(&request(vec![series]));
    assert_eq!((report.samples, report.refused, door.book.len()), (1, 4, 1));
}

#[test]
fn reasons_are_told_up_to_a_number_and_counted_beyond() {
    let mut door = Door::new();
    let nameless = TimeSeries { labels: Vec::new(), ..up() };
    let report = door.send(&request(vec![nameless; 1000]));
    assert_eq!((report.refused, report.refusals.len()), (1000, 10));
}

#[test]
fn minus_zero_is_kept() {
    let sample = [&[0x09][..], &(-0.0_f64).to_le_bytes(), &[0x10, 5]].concat();
    let label = labels(&[("__name__", "m")])[0].encode_to_vec();
    let series = [delimited(1, &label), delimited(2, &sample)].concat();
    let mut door = Door::new();
    door.take(Message::WriteRequest, &delimited(1, &series)).unwrap();
    assert_eq!(door.rows()[0].3, 1 << 63);
}

#[test]
fn a_series_without_rows_is_no_series() {
    let mut door = Door::new();
    let rowless = TimeSeries { samples: Vec::new(), ..up() };
    let report = door.send(&request(vec![rowless, TimeSeries::default()]));
    assert!(report.is_clean() && door.book.is_empty());
}

#[test]
fn references_into_nothing_are_refused_with_their_series() {
    let mut request = oracle::referring(&request(vec![up(), up(), up()]));
    request.timeseries[0].labels_refs = vec![1, 2, 3];
    request.timeseries[1].labels_refs = vec![1, 99];
    let mut door = Door::new();
    let report = door.take(Message::Request, &request.encode_to_vec()).unwrap();
    assert_eq!((report.samples, report.refused), (1, 2));
    assert_eq!(report.refusals[0].reason, Reason::OddReferences(3));
    assert_eq!(report.refusals[1].reason, Reason::UnknownSymbol { reference: 99, symbols: 5 });
    request.timeseries[0].labels_refs = vec![0; 100_000];
    let report = door.take(Message::Request, &request.encode_to_vec()).unwrap();
    assert!(report.to_string().contains("--ingest-labels-max"), "{report}");
    door.config.symbols_max = 4;
    let error = door.take(Message::Request, &request.encode_to_vec()).unwrap_err();
    assert!(error.to_string().contains("--ingest-symbols-max"), "{error}");
}

#[test]
fn one_message_sent_as_the_other_brings_nothing() {
    let one = request(vec![up()]);
    let mut door = Door::new();
    let report = door.take(Message::Request, &one.encode_to_vec()).unwrap();
    assert_eq!((report.samples, report.refused), (0, 0));
    let report =
        door.take(Message::WriteRequest, &oracle::referring(&one).encode_to_vec()).unwrap();
    assert_eq!((report.samples, report.refused), (0, 0));
}

#[test]
fn of_two_replicas_one_is_taken_and_its_label_goes() {
    const S: i64 = 1_000_000_000;
    let elections = Elections::new(ReplicaConfig::default());
    let mut door = Door::new();
    let mut send = |replica: &str, now: i64, value: f64, message| {
        let pairs = [("__name__", "up"), ("__replica__", replica), ("cluster", "eu")];
        let sample = Sample { value, timestamp: now / 1_000_000, start_timestamp: 0 };
        let one =
            TimeSeries { labels: labels(&pairs), samples: vec![sample], ..TimeSeries::default() };
        let other = TimeSeries { samples: one.samples.clone(), ..up() };
        let request = request(vec![one, other]);
        let body = match message {
            Message::WriteRequest => request.encode_to_vec(),
            Message::Request => oracle::referring(&request).encode_to_vec(),
        };
        let registry: &dyn Registry = &door.book;
        let intake = Intake { config: &door.config, registry, tenant: TenantId(3) };
        let replicas = Some(Replicas { elections: &elections, now });
        let (session, batch) = (&mut door.session, &mut door.batch);
        let form = Form { message, replicas };
        let report = decode_of_replicas(form, &body, session, &intake, batch).unwrap();
        let rows = door.rows();
        (report, rows.into_iter().map(|row| row.0.to_string()).collect::<Vec<_>>())
    };
    let both = [r#"{__name__="up", cluster="eu"}"#, r#"{__name__="up", job="a"}"#];
    for message in [Message::WriteRequest, Message::Request] {
        let at = if message == Message::Request { 1000 * S } else { 0 };
        let (report, rows) = send("a", at + S, 1.0, message);
        assert_eq!((report.samples, rows.len()), (2, 2), "no other was heard of for long");
        assert_eq!(rows, both);
        // The other says the same: thanked, counted, dropped.
        let (report, rows) = send("b", at + 2 * S, 2.0, message);
        assert_eq!((report.samples, report.refused), (2, 0));
        assert_eq!(rows, both[1..]);
        // And takes over when the first is silent.
        assert_eq!(send("b", at + 40 * S, 2.0, message).1, both);
        assert_eq!(send("a", at + 41 * S, 2.0, message).1, both[1..]);
    }
    assert_eq!((elections.deduplicated(), elections.failovers()), (4, 3));
    assert_eq!(door.book.len(), 2, "whoever sends it, it is one series");
}
