//! The shapes of `io.prometheus.client`'s messages.

use crate::ingest::shape::{Kind, Shape, check};
use crate::ingest::wire::{Malformed, Wire};

/// Whether every family of a body can be read.
pub(super) fn check_body(mut body: Wire<'_>) -> Result<(), Malformed> {
    while !body.is_empty() {
        check(body.delimited()?, &FAMILY)?;
    }
    Ok(())
}

static FAMILY: Shape = Shape {
    name: "MetricFamily",
    fields: &[
        (1, Kind::Text),
        (2, Kind::Text),
        (3, Kind::Varint),
        (4, Kind::Message(&METRIC)),
        (5, Kind::Text),
    ],
};

static METRIC: Shape = Shape {
    name: "Metric",
    fields: &[
        (1, Kind::Message(&LABEL)),
        (2, Kind::Message(&NUMBER)),
        (3, Kind::Message(&NUMBER)),
        (4, Kind::Message(&SUMMARY)),
        (5, Kind::Message(&NUMBER)),
        (6, Kind::Varint),
        (7, Kind::Message(&HISTOGRAM)),
    ],
};

static LABEL: Shape = Shape { name: "Label", fields: &[(1, Kind::Text), (2, Kind::Text)] };

static NUMBER: Shape = Shape {
    name: "Counter",
    fields: &[(1, Kind::Double), (2, Kind::Message(&EXEMPLAR)), (3, Kind::Message(&TIMESTAMP))],
};

static SUMMARY: Shape = Shape {
    name: "Summary",
    fields: &[
        (1, Kind::Varint),
        (2, Kind::Double),
        (3, Kind::Message(&QUANTILE)),
        (4, Kind::Message(&TIMESTAMP)),
    ],
};

static QUANTILE: Shape =
    Shape { name: "Quantile", fields: &[(1, Kind::Double), (2, Kind::Double)] };

static HISTOGRAM: Shape = Shape {
    name: "Histogram",
    fields: &[
        (1, Kind::Varint),
        (2, Kind::Double),
        (3, Kind::Message(&BUCKET)),
        (4, Kind::Double),
        (5, Kind::Varint),
        (6, Kind::Double),
        (7, Kind::Varint),
        (8, Kind::Double),
        (9, Kind::Message(&SPAN)),
        (10, Kind::Varints),
        (11, Kind::Doubles),
        (12, Kind::Message(&SPAN)),
        (13, Kind::Varints),
        (14, Kind::Doubles),
        (15, Kind::Message(&TIMESTAMP)),
        (16, Kind::Message(&EXEMPLAR)),
    ],
};

static BUCKET: Shape = Shape {
    name: "Bucket",
    fields: &[
        (1, Kind::Varint),
        (2, Kind::Double),
        (3, Kind::Message(&EXEMPLAR)),
        (4, Kind::Double),
    ],
};

static SPAN: Shape = Shape { name: "BucketSpan", fields: &[(1, Kind::Varint), (2, Kind::Varint)] };

static EXEMPLAR: Shape = Shape {
    name: "Exemplar",
    fields: &[(1, Kind::Message(&LABEL)), (2, Kind::Double), (3, Kind::Message(&TIMESTAMP))],
};

static TIMESTAMP: Shape =
    Shape { name: "Timestamp", fields: &[(1, Kind::Varint), (2, Kind::Varint)] };
