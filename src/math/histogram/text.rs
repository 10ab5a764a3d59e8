//! Histograms as text: the label that `count_values` gives them.

use super::buckets::{Bucket, negative_buckets, positive_buckets, zero_bucket};
use crate::math::number::general;
use crate::model::Histogram;

/// `{count:4, sum:5, (0.5,1]:1, (1,2]:2}`: populated buckets by rising bounds.
pub fn text(histogram: &Histogram) -> String {
    let mut buckets: Vec<Bucket> = negative_buckets(histogram).collect();
    buckets.reverse();
    buckets.push(zero_bucket(histogram));
    buckets.extend(positive_buckets(histogram));
    let mut text = format!("{{count:{}, sum:{}", general(histogram.count), general(histogram.sum));
    for bucket in buckets.iter().filter(|bucket| bucket.count != 0.0) {
        text.push_str(", ");
        text.push(if bucket.includes_lower { '[' } else { '(' });
        text.push_str(&general(bucket.lower));
        text.push(',');
        text.push_str(&general(bucket.upper));
        text.push(if bucket.includes_upper { ']' } else { ')' });
        text.push(':');
        text.push_str(&general(bucket.count));
    }
    text.push('}');
    text
}
