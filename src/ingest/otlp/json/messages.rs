//! The messages by their JSON names.
//!
//! Source: the `.proto` files of `opentelemetry-proto`; `shapes.rs` lists the same by number alone.

/// A message, with the fields that are of use here.
pub(super) struct Message {
    pub(super) name: &'static str,
    pub(super) fields: &'static [Field],
}

pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) number: u8,
    pub(super) kind: Kind,
    pub(super) is_repeated: bool,
}

#[derive(Clone, Copy)]
pub(super) enum Kind {
    Message(&'static Message),
    Text,
    /// Bytes in base64.
    Bytes,
    /// Bytes in hexadecimal.
    Id,
    Bool,
    Double,
    /// Unsigned, of eight bytes.
    Fixed64,
    /// Signed, of eight bytes.
    SignedFixed64,
    /// Unsigned.
    Varint,
    /// Signed.
    Signed,
    /// Signed, near zero most often.
    Zigzag,
    /// Names and their numbers.
    Enum(&'static [(&'static str, u64)]),
}

impl Kind {
    /// What a value should be.
    pub(super) fn expecting(self) -> &'static str {
        match self {
            Self::Message(_) => "an object",
            Self::Text => "text",
            Self::Bytes => "text in base64",
            Self::Id => "hexadecimal digits",
            Self::Bool => "true or false",
            Self::Double => "a number",
            Self::Fixed64 | Self::Varint => "an integer, not negative",
            Self::SignedFixed64 | Self::Signed | Self::Zigzag => "an integer",
            Self::Enum(_) => "a number or a name of the enum",
        }
    }
}

impl Field {
    /// Whether `name` is its name, in lowerCamelCase or as the `.proto` file writes it.
    pub(super) fn is_called(&self, name: &str) -> bool {
        if name == self.name {
            return true;
        }
        if !name.contains('_') {
            return false;
        }
        let letters = name.bytes().filter(|byte| *byte != b'_');
        letters.eq(self.name.bytes().map(|byte| byte.to_ascii_lowercase()))
    }
}

const fn one(name: &'static str, number: u8, kind: Kind) -> Field {
    Field { name, number, kind, is_repeated: false }
}

const fn many(name: &'static str, number: u8, kind: Kind) -> Field {
    Field { name, number, kind, is_repeated: true }
}

pub(super) static REQUEST: Message = Message {
    name: "ExportMetricsServiceRequest",
    fields: &[many("resourceMetrics", 1, Kind::Message(&RESOURCE_METRICS))],
};

static RESOURCE_METRICS: Message = Message {
    name: "ResourceMetrics",
    fields: &[
        one("resource", 1, Kind::Message(&RESOURCE)),
        many("scopeMetrics", 2, Kind::Message(&SCOPE_METRICS)),
        one("schemaUrl", 3, Kind::Text),
    ],
};

static RESOURCE: Message =
    Message { name: "Resource", fields: &[many("attributes", 1, Kind::Message(&KEY_VALUE))] };

static SCOPE_METRICS: Message = Message {
    name: "ScopeMetrics",
    fields: &[
        one("scope", 1, Kind::Message(&SCOPE)),
        many("metrics", 2, Kind::Message(&METRIC)),
        one("schemaUrl", 3, Kind::Text),
    ],
};

static SCOPE: Message = Message {
    name: "InstrumentationScope",
    fields: &[
        one("name", 1, Kind::Text),
        one("version", 2, Kind::Text),
        many("attributes", 3, Kind::Message(&KEY_VALUE)),
    ],
};

static METRIC: Message = Message {
    name: "Metric",
    fields: &[
        one("name", 1, Kind::Text),
        one("description", 2, Kind::Text),
        one("unit", 3, Kind::Text),
        one("gauge", 5, Kind::Message(&GAUGE)),
        one("sum", 7, Kind::Message(&SUM)),
        one("histogram", 9, Kind::Message(&HISTOGRAM)),
        one("exponentialHistogram", 10, Kind::Message(&EXPONENTIAL)),
        one("summary", 11, Kind::Message(&SUMMARY)),
    ],
};

const TEMPORALITY: Field = one(
    "aggregationTemporality",
    2,
    Kind::Enum(&[
        ("AGGREGATION_TEMPORALITY_UNSPECIFIED", 0),
        ("AGGREGATION_TEMPORALITY_DELTA", 1),
        ("AGGREGATION_TEMPORALITY_CUMULATIVE", 2),
    ]),
);

static GAUGE: Message =
    Message { name: "Gauge", fields: &[many("dataPoints", 1, Kind::Message(&NUMBER))] };

static SUM: Message = Message {
    name: "Sum",
    fields: &[
        many("dataPoints", 1, Kind::Message(&NUMBER)),
        TEMPORALITY,
        one("isMonotonic", 3, Kind::Bool),
    ],
};

static HISTOGRAM: Message = Message {
    name: "Histogram",
    fields: &[many("dataPoints", 1, Kind::Message(&HISTOGRAM_POINT)), TEMPORALITY],
};

static EXPONENTIAL: Message = Message {
    name: "ExponentialHistogram",
    fields: &[many("dataPoints", 1, Kind::Message(&EXPONENTIAL_POINT)), TEMPORALITY],
};

static SUMMARY: Message =
    Message { name: "Summary", fields: &[many("dataPoints", 1, Kind::Message(&SUMMARY_POINT))] };

const START: Field = one("startTimeUnixNano", 2, Kind::Fixed64);
const TIME: Field = one("timeUnixNano", 3, Kind::Fixed64);

static NUMBER: Message = Message {
    name: "NumberDataPoint",
    fields: &[
        START,
        TIME,
        one("asDouble", 4, Kind::Double),
        many("exemplars", 5, Kind::Message(&EXEMPLAR)),
        one("asInt", 6, Kind::SignedFixed64),
        many("attributes", 7, Kind::Message(&KEY_VALUE)),
        one("flags", 8, Kind::Varint),
    ],
};

static HISTOGRAM_POINT: Message = Message {
    name: "HistogramDataPoint",
    fields: &[
        START,
        TIME,
        one("count", 4, Kind::Fixed64),
        one("sum", 5, Kind::Double),
        many("bucketCounts", 6, Kind::Fixed64),
        many("explicitBounds", 7, Kind::Double),
        many("exemplars", 8, Kind::Message(&EXEMPLAR)),
        many("attributes", 9, Kind::Message(&KEY_VALUE)),
        one("flags", 10, Kind::Varint),
    ],
};

static EXPONENTIAL_POINT: Message = Message {
    name: "ExponentialHistogramDataPoint",
    fields: &[
        many("attributes", 1, Kind::Message(&KEY_VALUE)),
        START,
        TIME,
        one("count", 4, Kind::Fixed64),
        one("sum", 5, Kind::Double),
        one("scale", 6, Kind::Zigzag),
        one("zeroCount", 7, Kind::Fixed64),
        one("positive", 8, Kind::Message(&BUCKETS)),
        one("negative", 9, Kind::Message(&BUCKETS)),
        one("flags", 10, Kind::Varint),
        many("exemplars", 11, Kind::Message(&EXEMPLAR)),
        one("zeroThreshold", 14, Kind::Double),
    ],
};

static BUCKETS: Message = Message {
    name: "Buckets",
    fields: &[one("offset", 1, Kind::Zigzag), many("bucketCounts", 2, Kind::Varint)],
};

static SUMMARY_POINT: Message = Message {
    name: "SummaryDataPoint",
    fields: &[
        START,
        TIME,
        one("count", 4, Kind::Fixed64),
        one("sum", 5, Kind::Double),
        many("quantileValues", 6, Kind::Message(&QUANTILE)),
        many("attributes", 7, Kind::Message(&KEY_VALUE)),
        one("flags", 8, Kind::Varint),
    ],
};

static QUANTILE: Message = Message {
    name: "ValueAtQuantile",
    fields: &[one("quantile", 1, Kind::Double), one("value", 2, Kind::Double)],
};

static EXEMPLAR: Message = Message {
    name: "Exemplar",
    fields: &[
        one("timeUnixNano", 2, Kind::Fixed64),
        one("asDouble", 3, Kind::Double),
        one("spanId", 4, Kind::Id),
        one("traceId", 5, Kind::Id),
        one("asInt", 6, Kind::SignedFixed64),
        many("filteredAttributes", 7, Kind::Message(&KEY_VALUE)),
    ],
};

static KEY_VALUE: Message = Message {
    name: "KeyValue",
    fields: &[one("key", 1, Kind::Text), one("value", 2, Kind::Message(&ANY_VALUE))],
};

static ANY_VALUE: Message = Message {
    name: "AnyValue",
    fields: &[
        one("stringValue", 1, Kind::Text),
        one("boolValue", 2, Kind::Bool),
        one("intValue", 3, Kind::Signed),
        one("doubleValue", 4, Kind::Double),
        one("arrayValue", 5, Kind::Message(&ARRAY)),
        one("kvlistValue", 6, Kind::Message(&MAP)),
        one("bytesValue", 7, Kind::Bytes),
    ],
};

static ARRAY: Message =
    Message { name: "ArrayValue", fields: &[many("values", 1, Kind::Message(&ANY_VALUE))] };

static MAP: Message =
    Message { name: "KeyValueList", fields: &[many("values", 1, Kind::Message(&KEY_VALUE))] };
