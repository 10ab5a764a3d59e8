//! `ExportMetricsServiceResponse`: nothing, or what was refused.

use crate::export::write_string;
use crate::ingest::Report;

/// As protobuf.
pub(super) fn protobuf(report: &Report) -> Vec<u8> {
    let mut out = Vec::new();
    if !report.is_clean() {
        let mut partial = Vec::new();
        put_varint_field(1, report.refused, &mut partial);
        put_text(2, reasons(report).as_bytes(), &mut partial);
        put_text(1, &partial, &mut out);
    }
    out
}

/// As JSON.
pub(super) fn json(report: &Report) -> Vec<u8> {
    if report.is_clean() {
        return b"{}".into();
    }
    let refused = report.refused;
    let mut out =
        format!(r#"{{"partialSuccess":{{"rejectedDataPoints":"{refused}","errorMessage":"#)
            .into_bytes();
    write_string(&reasons(report), &mut out);
    out.extend_from_slice(b"}}");
    out
}

/// The first reasons, in one line.
fn reasons(report: &Report) -> String {
    let told: Vec<String> = report.refusals.iter().map(ToString::to_string).collect();
    let more = report.refused.saturating_sub(told.len() as u64);
    let told = told.join("; ");
    if more > 0 { format!("{told}; and {more} more") } else { told }
}

/// Appends a field that is a varint.
pub(super) fn put_varint_field(number: u8, value: u64, out: &mut Vec<u8>) {
    out.push(number << 3);
    put_varint(value, out);
}

/// Appends a field that is text or a message.
pub(super) fn put_text(number: u8, bytes: &[u8], out: &mut Vec<u8>) {
    out.push(number << 3 | 2);
    put_varint(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

fn put_varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        let [low, ..] = value.to_le_bytes();
        out.push(low | 0x80);
        value >>= 7;
    }
    out.extend(value.to_le_bytes().first());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::{Place, Reason, Refusal};

    #[test]
    fn what_was_refused_is_told_in_both_forms() {
        let place = Place::Point { metric: "m".into(), index: 1 };
        let report = Report {
            refused: 300,
            refusals: vec![Refusal { place, reason: Reason::NoTime }],
            ..Report::default()
        };
        let text = "data point 1 of metric \"m\": data point has no time; and 299 more";
        let mut expected = b"\x0a\x45\x08\xac\x02\x12\x40".to_vec();
        expected.extend_from_slice(text.as_bytes());
        assert_eq!(protobuf(&report), expected);
        let json: serde_json::Value = serde_json::from_slice(&json(&report)).unwrap();
        assert_eq!(json["partialSuccess"]["rejectedDataPoints"], "300");
        assert_eq!(json["partialSuccess"]["errorMessage"], text);
    }

    #[test]
    fn where_all_was_taken_nothing_is_said() {
        assert_eq!(protobuf(&Report::default()), b"");
        assert_eq!(json(&Report::default()), b"{}");
    }
}
