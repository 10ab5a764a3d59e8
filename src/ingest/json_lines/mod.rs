//! JSON lines as VictoriaMetrics exports and imports them, and as this house exports: a line a series,
//! columns in it.
//!
//! `{"metric":{"__name__":"up"},"values":[1,null],"timestamps":[1700000000000,1700000015000]}`
//!
//! A series is found by the bytes of its `metric` as they came. Numbers are read where they lie; only
//! labels not seen before and native histograms are taken apart.

mod decode;
mod histogram;
mod json;

#[cfg(test)]
mod tests;

pub use decode::{Ask, decode};
