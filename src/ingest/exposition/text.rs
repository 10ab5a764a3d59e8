//! Lines that begin with `#`: metadata, the end, and remarks.

use super::parser::{MetadataText, Says, What};
use super::series::expected;
use crate::model::MetricKind;

/// What such a line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comment<'a> {
    Metadata(MetadataText<'a>),
    Eof,
    Remark,
}

/// Reads a line without its end. In `OpenMetrics` there are no remarks.
pub(super) fn comment(line: &[u8], is_open_metrics: bool) -> Result<Comment<'_>, What> {
    let line = if is_open_metrics { line } else { line.strip_suffix(b"\r").unwrap_or(line) };
    if is_open_metrics && line == b"# EOF" {
        return Ok(Comment::Eof);
    }
    let mut rest = line.get(1..).unwrap_or_default();
    let blank = step_blanks(&mut rest, is_open_metrics);
    let word = take_word(&mut rest);
    let is_known = match word {
        b"HELP" | b"TYPE" => true,
        b"UNIT" => is_open_metrics,
        _ => false,
    };
    if !blank || !is_known {
        if is_open_metrics {
            return Err(expected(
                "HELP, TYPE, UNIT or EOF after '# '",
                line.get(1..).unwrap_or_default(),
            ));
        }
        return Ok(Comment::Remark);
    }
    if !step_blanks(&mut rest, is_open_metrics) {
        // "# HELP" alone is a remark to Prometheus, too.
        return if is_open_metrics {
            Err(expected("a metric's name", rest))
        } else {
            Ok(Comment::Remark)
        };
    }
    let metric = metric(&mut rest)?;
    let text = match rest.split_first() {
        None => rest,
        Some((b' ' | b'\t', text)) => text,
        Some(_) => return Err(expected("a blank after the metric's name", rest)),
    };
    let says = match word {
        b"HELP" => Says::Help(text),
        b"UNIT" => Says::Unit(unit(metric, text)?),
        _ => Says::Kind(kind(text, is_open_metrics)?),
    };
    Ok(Comment::Metadata(MetadataText { metric, says }))
}

/// A name, or text in quotes without them.
fn metric<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], What> {
    if let Some(inside) = rest.strip_prefix(b"\"") {
        let mut at = 0;
        loop {
            match inside.get(at) {
                Some(b'"') => break,
                Some(b'\\') => at += 2,
                Some(_) => at += 1,
                None => return Err("quotes are not closed in their line".into()),
            }
        }
        *rest = inside.get(at + 1..).unwrap_or_default();
        return Ok(inside.get(..at).unwrap_or_default());
    }
    let is_part = |(at, byte): (usize, &u8)| {
        byte.is_ascii_alphabetic()
            || matches!(byte, b'_' | b':')
            || (at > 0 && byte.is_ascii_digit())
    };
    let size = rest.iter().enumerate().take_while(|it| is_part(*it)).count();
    if size == 0 {
        return Err(expected("a metric's name", rest));
    }
    let (name, behind) = rest.split_at_checked(size).unwrap_or((rest, &[]));
    *rest = behind;
    Ok(name)
}

fn unit<'a>(metric: &[u8], unit: &'a [u8]) -> Result<&'a [u8], What> {
    let is_suffix = metric.strip_suffix(unit).is_some_and(|before| before.ends_with(b"_"));
    if unit.is_empty() || is_suffix {
        return Ok(unit);
    }
    let (metric, unit) = (String::from_utf8_lossy(metric), String::from_utf8_lossy(unit));
    Err(format!("unit {unit:?} is not the end of the metric's name {metric:?}").into())
}

fn kind(text: &[u8], is_open_metrics: bool) -> Result<MetricKind, What> {
    // Text of 0.0.4 is read as widely as its readers do together: blanks behind the word, and the
    // types that came later.
    let word = if is_open_metrics { text } else { text.trim_ascii() };
    Ok(match word {
        b"counter" => MetricKind::Counter,
        b"gauge" => MetricKind::Gauge,
        b"histogram" => MetricKind::Histogram,
        b"summary" => MetricKind::Summary,
        b"gaugehistogram" => MetricKind::GaugeHistogram,
        b"info" => MetricKind::Info,
        b"stateset" => MetricKind::StateSet,
        b"unknown" => MetricKind::Unknown,
        b"untyped" if !is_open_metrics => MetricKind::Unknown,
        _ => return Err(expected("a type", word)),
    })
}

/// Steps over blanks: one in `OpenMetrics`, one or more in text. Whether there were any.
fn step_blanks(rest: &mut &[u8], is_one: bool) -> bool {
    let blanks = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let blanks = if is_one { blanks.min(1) } else { blanks };
    *rest = rest.get(blanks..).unwrap_or_default();
    blanks > 0
}

fn take_word<'a>(rest: &mut &'a [u8]) -> &'a [u8] {
    let size = rest.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    let (word, behind) = rest.split_at_checked(size).unwrap_or((rest, &[]));
    *rest = behind;
    word
}
