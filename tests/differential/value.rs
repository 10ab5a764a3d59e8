//! Answers, from whomever, and how far two of them are apart.

use std::collections::BTreeMap;

use quipu::query::{self, Point};

pub(crate) type Labels = BTreeMap<String, String>;

/// An answer.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    /// There is none, and why not.
    Failed(String),
    Scalar(i64, f64),
    Vector(Vec<(Labels, i64, f64)>),
    Matrix(Vec<(Labels, Vec<(i64, f64)>)>),
    /// Histograms or texts, which nobody asked for.
    Other,
}

/// How far two answers are apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Apart {
    /// The same bits, or NaN both.
    Not,
    /// By [`TOLERANCE`] at most.
    Little,
    /// By more, and where.
    Far(String),
}

/// Relative.
const TOLERANCE: f64 = 1e-9;

impl Value {
    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Self::Vector(all) => all.is_empty(),
            Self::Matrix(all) => all.is_empty(),
            Self::Failed(_) | Self::Scalar(..) | Self::Other => false,
        }
    }

    /// Numbers by series and time.
    pub(crate) fn cells(&self) -> Vec<(String, i64, f64)> {
        let mut cells: Vec<_> = match self {
            Self::Vector(all) => all.iter().map(|(l, t, v)| (format!("{l:?}"), *t, *v)).collect(),
            Self::Matrix(all) => all
                .iter()
                .flat_map(|(l, rows)| rows.iter().map(move |(t, v)| (format!("{l:?}"), *t, *v)))
                .collect(),
            Self::Scalar(time, value) => vec![(String::new(), *time, *value)],
            Self::Failed(_) | Self::Other => Vec::new(),
        };
        cells.sort_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
        cells
    }

    /// As the engine gave it.
    pub(crate) fn of(answer: Result<query::Answer, query::Error>) -> Self {
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => return Self::Failed(error.to_string()),
        };
        let named = |labels: &quipu::model::Labels| -> Labels {
            labels.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
        };
        match answer.value {
            query::Value::Scalar(time, value) => Self::Scalar(time, value),
            query::Value::String(..) => Self::Other,
            query::Value::Vector(samples) => {
                let float = |sample: &query::Sample| match sample.value {
                    Point::Float(value) => Some((named(&sample.labels), sample.time, value)),
                    Point::Histogram(_) => None,
                };
                Self::Vector(samples.iter().filter_map(float).collect())
            }
            query::Value::Matrix(series) => Self::Matrix(
                series.into_iter().map(|series| (named(&series.labels), series.floats)).collect(),
            ),
        }
    }

    /// As the HTTP API writes it.
    pub(crate) fn read(body: &[u8]) -> Self {
        let Ok(json) = serde_json::from_slice::<serde_json::Value>(body) else {
            return Self::Other;
        };
        if json["status"] != "success" {
            return Self::Failed(json["error"].as_str().unwrap_or_default().to_owned());
        }
        let result = &json["data"]["result"];
        let list = || result.as_array().into_iter().flatten();
        let read = match json["data"]["resultType"].as_str() {
            Some("scalar") => cell(result).map(|(time, value)| Self::Scalar(time, value)),
            Some("vector") => list()
                .map(|it| {
                    cell(&it["value"]).map(|(time, value)| (named(&it["metric"]), time, value))
                })
                .collect::<Option<_>>()
                .map(Self::Vector),
            Some("matrix") => list()
                .map(|it| {
                    let rows = it["values"].as_array()?.iter().map(cell).collect::<Option<_>>()?;
                    Some((named(&it["metric"]), rows))
                })
                .collect::<Option<_>>()
                .map(Self::Matrix),
            _ => None,
        };
        read.unwrap_or(Self::Other)
    }
}

fn named(json: &serde_json::Value) -> Labels {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    json.as_object()
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.clone(), text(value)))
        .collect()
}

fn cell(json: &serde_json::Value) -> Option<(i64, f64)> {
    let time = json.get(0)?.as_f64()?;
    let value = json.get(1)?.as_str()?.parse().ok()?;
    Some(((time * 1000.0).round() as i64, value))
}

/// How far apart; `is_ordered` where a vector has an order.
pub(crate) fn apart(left: &Value, right: &Value, is_ordered: bool) -> Apart {
    match (left, right) {
        (Value::Failed(_), Value::Failed(_)) => Apart::Not,
        (Value::Scalar(..), Value::Scalar(..)) | (Value::Matrix(_), Value::Matrix(_)) => {
            cells_apart(&left.cells(), &right.cells())
        }
        (Value::Vector(mine), Value::Vector(theirs)) => {
            let apart = cells_apart(&left.cells(), &right.cells());
            let same =
                |(a, b): (&(Labels, i64, f64), &(Labels, i64, f64))| cell_apart(a.2, b.2) != 2;
            if is_ordered && !mine.iter().zip(theirs).all(same) && !matches!(apart, Apart::Far(_)) {
                return Apart::Far("another order".to_owned());
            }
            apart
        }
        _ => Apart::Far("another kind of answer".to_owned()),
    }
}

fn cells_apart(mine: &[(String, i64, f64)], theirs: &[(String, i64, f64)]) -> Apart {
    let mut most = Apart::Not;
    for (a, b) in mine.iter().zip(theirs) {
        if (&a.0, a.1) != (&b.0, b.1) {
            return Apart::Far(format!("{} at {} against {} at {}", a.0, a.1, b.0, b.1));
        }
        match cell_apart(a.2, b.2) {
            0 => {}
            1 => most = Apart::Little,
            _ => return Apart::Far(format!("{} at {}: {:?} against {:?}", a.0, a.1, a.2, b.2)),
        }
    }
    if mine.len() == theirs.len() {
        most
    } else {
        Apart::Far(format!("{} values against {}", mine.len(), theirs.len()))
    }
}

fn cell_apart(a: f64, b: f64) -> u8 {
    if a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan()) {
        0
    } else if a == b || (a - b).abs() <= TOLERANCE * a.abs().max(b.abs()) {
        1
    } else {
        2
    }
}
