//! The request of Prometheus' remote read: what is asked for, and in which forms it may come.
//!
//! Source: `prompb/remote.proto` of prometheus/prometheus.

use crate::export::wire::{put_message, put_present, put_present_text};
use crate::model::{MatchOp, Matcher};

/// `ReadRequest`: one query, times in milliseconds, both ends in. Streamed chunks are taken, and
/// samples.
pub fn read_request(matchers: &[Matcher], (first, last): (i64, i64)) -> Vec<u8> {
    let mut out = Vec::new();
    put_message(1, &mut out, |query| {
        put_present(1, first.cast_unsigned(), query);
        put_present(2, last.cast_unsigned(), query);
        for matcher in matchers {
            put_message(3, query, |out| put_matcher(matcher, out));
        }
    });
    for form in [STREAMED_CHUNKS, SAMPLES] {
        put_present(2, form, &mut out);
    }
    out
}

/// Of the forms of an answer.
const SAMPLES: u64 = 0;
const STREAMED_CHUNKS: u64 = 1;

fn put_matcher(matcher: &Matcher, out: &mut Vec<u8>) {
    let kind = match matcher.op {
        MatchOp::Equal => 0,
        MatchOp::NotEqual => 1,
        MatchOp::Regex => 2,
        MatchOp::NotRegex => 3,
    };
    put_present(1, kind, out);
    put_present_text(2, &matcher.name, out);
    put_present_text(3, &matcher.value, out);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_has_its_query_and_both_kinds_of_answer() {
        let matcher = Matcher::equal("a", "b");
        assert_eq!(
            read_request(&[matcher], (1, 300)),
            [10, 15, 8, 1, 16, 172, 2, 26, 8, 8, 0, 18, 1, b'a', 26, 1, b'b', 16, 1, 16, 0]
        );
    }
}
