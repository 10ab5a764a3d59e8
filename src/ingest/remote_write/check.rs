//! The shapes of the messages.

use crate::ingest::shape::{Kind, Shape};

/// `prometheus.WriteRequest`.
pub(super) static WRITE_REQUEST: Shape = Shape {
    name: "prometheus.WriteRequest",
    fields: &[(1, Kind::Message(&TIME_SERIES_1)), (3, Kind::Message(&METRIC_METADATA))],
};

static TIME_SERIES_1: Shape = Shape {
    name: "prometheus.TimeSeries",
    fields: &[
        (1, Kind::Message(&LABEL)),
        (2, Kind::Message(&SAMPLE)),
        (3, Kind::Message(&EXEMPLAR_1)),
        (4, Kind::Message(&HISTOGRAM)),
    ],
};

static LABEL: Shape = Shape { name: "Label", fields: &[(1, Kind::Text), (2, Kind::Text)] };

static EXEMPLAR_1: Shape = Shape {
    name: "prometheus.Exemplar",
    fields: &[(1, Kind::Message(&LABEL)), (2, Kind::Double), (3, Kind::Varint)],
};

static METRIC_METADATA: Shape = Shape {
    name: "prometheus.MetricMetadata",
    fields: &[(1, Kind::Varint), (2, Kind::Text), (4, Kind::Text), (5, Kind::Text)],
};

/// `io.prometheus.write.v2.Request`.
pub(super) static REQUEST: Shape = Shape {
    name: "io.prometheus.write.v2.Request",
    fields: &[(4, Kind::Text), (5, Kind::Message(&TIME_SERIES_2))],
};

static TIME_SERIES_2: Shape = Shape {
    name: "io.prometheus.write.v2.TimeSeries",
    fields: &[
        (1, Kind::Varints),
        (2, Kind::Message(&SAMPLE)),
        (3, Kind::Message(&HISTOGRAM)),
        (4, Kind::Message(&EXEMPLAR_2)),
        (5, Kind::Message(&METADATA)),
        (6, Kind::Varint),
    ],
};

static EXEMPLAR_2: Shape = Shape {
    name: "io.prometheus.write.v2.Exemplar",
    fields: &[(1, Kind::Varints), (2, Kind::Double), (3, Kind::Varint)],
};

static METADATA: Shape = Shape {
    name: "io.prometheus.write.v2.Metadata",
    fields: &[(1, Kind::Varint), (3, Kind::Varint), (4, Kind::Varint)],
};

static SAMPLE: Shape =
    Shape { name: "Sample", fields: &[(1, Kind::Double), (2, Kind::Varint), (3, Kind::Varint)] };

static HISTOGRAM: Shape = Shape {
    name: "Histogram",
    fields: &[
        (1, Kind::Varint),
        (2, Kind::Double),
        (3, Kind::Double),
        (4, Kind::Varint),
        (5, Kind::Double),
        (6, Kind::Varint),
        (7, Kind::Double),
        (8, Kind::Message(&SPAN)),
        (9, Kind::Varints),
        (10, Kind::Doubles),
        (11, Kind::Message(&SPAN)),
        (12, Kind::Varints),
        (13, Kind::Doubles),
        (14, Kind::Varint),
        (15, Kind::Varint),
        (16, Kind::Doubles),
        (17, Kind::Varint),
    ],
};

static SPAN: Shape = Shape { name: "BucketSpan", fields: &[(1, Kind::Varint), (2, Kind::Varint)] };
