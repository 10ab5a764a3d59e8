//! The messages of OTLP metrics: their known fields.
//!
//! Source: `opentelemetry/proto/collector/metrics/v1/metrics_service.proto` and what it imports.

use crate::ingest::check::{Kind, Shape};

/// `ExportMetricsServiceRequest`.
pub(super) static REQUEST: Shape =
    Shape { name: "ExportMetricsServiceRequest", fields: &[(1, Kind::Message(&RESOURCE_METRICS))] };

static RESOURCE_METRICS: Shape = Shape {
    name: "ResourceMetrics",
    fields: &[(1, Kind::Message(&RESOURCE)), (2, Kind::Message(&SCOPE_METRICS)), (3, Kind::Text)],
};

static RESOURCE: Shape =
    Shape { name: "Resource", fields: &[(1, Kind::Message(&KEY_VALUE)), (2, Kind::Varint)] };

static SCOPE_METRICS: Shape = Shape {
    name: "ScopeMetrics",
    fields: &[(1, Kind::Message(&SCOPE)), (2, Kind::Message(&METRIC)), (3, Kind::Text)],
};

static SCOPE: Shape = Shape {
    name: "InstrumentationScope",
    fields: &[(1, Kind::Text), (2, Kind::Text), (3, Kind::Message(&KEY_VALUE)), (4, Kind::Varint)],
};

static METRIC: Shape = Shape {
    name: "Metric",
    fields: &[
        (1, Kind::Text),
        (2, Kind::Text),
        (3, Kind::Text),
        (5, Kind::Message(&NUMBERS)),
        (7, Kind::Message(&NUMBERS)),
        (9, Kind::Message(&HISTOGRAMS)),
        (10, Kind::Message(&EXPONENTIALS)),
        (11, Kind::Message(&SUMMARIES)),
    ],
};

/// `Gauge` and `Sum`.
static NUMBERS: Shape = Shape {
    name: "Sum",
    fields: &[(1, Kind::Message(&NUMBER)), (2, Kind::Varint), (3, Kind::Varint)],
};

static HISTOGRAMS: Shape =
    Shape { name: "Histogram", fields: &[(1, Kind::Message(&HISTOGRAM)), (2, Kind::Varint)] };

static EXPONENTIALS: Shape = Shape {
    name: "ExponentialHistogram",
    fields: &[(1, Kind::Message(&EXPONENTIAL)), (2, Kind::Varint)],
};

static SUMMARIES: Shape = Shape { name: "Summary", fields: &[(1, Kind::Message(&SUMMARY))] };

static NUMBER: Shape = Shape {
    name: "NumberDataPoint",
    fields: &[
        (2, Kind::Fixed64),
        (3, Kind::Fixed64),
        (4, Kind::Fixed64),
        (5, Kind::Message(&EXEMPLAR)),
        (6, Kind::Fixed64),
        (7, Kind::Message(&KEY_VALUE)),
        (8, Kind::Varint),
    ],
};

static HISTOGRAM: Shape = Shape {
    name: "HistogramDataPoint",
    fields: &[
        (2, Kind::Fixed64),
        (3, Kind::Fixed64),
        (4, Kind::Fixed64),
        (5, Kind::Fixed64),
        (6, Kind::Fixed64s),
        (7, Kind::Fixed64s),
        (8, Kind::Message(&EXEMPLAR)),
        (9, Kind::Message(&KEY_VALUE)),
        (10, Kind::Varint),
        (11, Kind::Fixed64),
        (12, Kind::Fixed64),
    ],
};

static EXPONENTIAL: Shape = Shape {
    name: "ExponentialHistogramDataPoint",
    fields: &[
        (1, Kind::Message(&KEY_VALUE)),
        (2, Kind::Fixed64),
        (3, Kind::Fixed64),
        (4, Kind::Fixed64),
        (5, Kind::Fixed64),
        (6, Kind::Varint),
        (7, Kind::Fixed64),
        (8, Kind::Message(&BUCKETS)),
        (9, Kind::Message(&BUCKETS)),
        (10, Kind::Varint),
        (11, Kind::Message(&EXEMPLAR)),
        (12, Kind::Fixed64),
        (13, Kind::Fixed64),
        (14, Kind::Fixed64),
    ],
};

static BUCKETS: Shape = Shape { name: "Buckets", fields: &[(1, Kind::Varint), (2, Kind::Varints)] };

static SUMMARY: Shape = Shape {
    name: "SummaryDataPoint",
    fields: &[
        (2, Kind::Fixed64),
        (3, Kind::Fixed64),
        (4, Kind::Fixed64),
        (5, Kind::Fixed64),
        (6, Kind::Message(&QUANTILE)),
        (7, Kind::Message(&KEY_VALUE)),
        (8, Kind::Varint),
    ],
};

static QUANTILE: Shape =
    Shape { name: "ValueAtQuantile", fields: &[(1, Kind::Fixed64), (2, Kind::Fixed64)] };

static EXEMPLAR: Shape = Shape {
    name: "Exemplar",
    fields: &[
        (2, Kind::Fixed64),
        (3, Kind::Fixed64),
        (4, Kind::Text),
        (5, Kind::Text),
        (6, Kind::Fixed64),
        (7, Kind::Message(&KEY_VALUE)),
    ],
};

static KEY_VALUE: Shape =
    Shape { name: "KeyValue", fields: &[(1, Kind::Text), (2, Kind::Message(&ANY_VALUE))] };

static ANY_VALUE: Shape = Shape {
    name: "AnyValue",
    fields: &[
        (1, Kind::Text),
        (2, Kind::Varint),
        (3, Kind::Varint),
        (4, Kind::Fixed64),
        (5, Kind::Message(&ARRAY)),
        (6, Kind::Message(&MAP)),
        (7, Kind::Text),
    ],
};

static ARRAY: Shape = Shape { name: "ArrayValue", fields: &[(1, Kind::Message(&ANY_VALUE))] };

static MAP: Shape = Shape { name: "KeyValueList", fields: &[(1, Kind::Message(&KEY_VALUE))] };
