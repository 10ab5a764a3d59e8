"""A scrape target with native histograms, which are scraped as protobuf only. Python standard library only.

The messages are those of `io/prometheus/client/metrics.proto`, as Prometheus with native histograms on asks for them.
"""
import struct
import time

from target import Target, VANISHES_AFTER
from wire import field, varint

KIND = 'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited'
HISTOGRAM, RESETS_AT = 4, 8


class NativeTarget(Target):
    """Histograms with gaps, negative buckets, a zero bucket, a reset, another schema in the middle, and an end."""

    def answer(self, accept):
        if 'application/vnd.google.protobuf' not in accept:
            return 'text/plain; version=0.0.4', b'native_missing 1\n'
        n = self.count()
        since = n - RESETS_AT if n >= RESETS_AT else n
        metrics = [histogram('both', schema=3, zero=n, negative=[(-2, [n]), (1, [2 * n, 1])],
                             positive=[(0, [n, 3 * n, 0, 1]), (300, [n])], total=0.25 * n),
                   histogram('reset', schema=0, zero=0, negative=[], positive=[(1, [since + 1, 2])], total=since),
                   histogram('coarser', schema=5 if n < RESETS_AT else 2, zero=1, negative=[],
                             positive=[(4, [n, n + 1]), (9, [5 * n])], total=float('inf')),
                   histogram('exemplary', schema=0, zero=0, negative=[], positive=[(0, [2 * n])], total=n,
                             classic=[(1.0, 2 * n, n)])]
        if n <= VANISHES_AFTER:
            metrics.append(histogram('vanishing', schema=0, zero=3, negative=[], positive=[], total=1e-300))
        family = (field(1, 'native_seconds') + field(2, 'Native, all of them.') + integer(3, HISTOGRAM)
                  + b''.join(field(4, metric) for metric in metrics))
        return KIND, varint(len(family)) + family


def histogram(kind, schema, zero, negative, positive, total, classic=()):
    """`negative`, `positive`: spans as (buckets left out before it, counts of its buckets)."""
    count = zero + sum(sum(counts) for _, counts in [*negative, *positive])
    body = integer(1, count) + double(2, total) + signed(5, schema) + double(6, 1e-128) + integer(7, zero)
    body += b''.join(field(3, bucket(*one)) for one in classic)
    return field(1, field(1, 'kind') + field(2, kind)) + field(7, body + side(9, negative) + side(12, positive))


def side(number, spans):
    """Spans, and counts as differences between neighbours."""
    body, last = b'', 0
    for offset, counts in spans:
        body += field(number, signed(1, offset) + integer(2, len(counts)))
    for counts in (counts for _, counts in spans):
        for count in counts:
            body += signed(number + 1, count - last)
            last = count
    return body


def bucket(bound, count, n):
    """A classic bucket, for the exemplar in it."""
    now = time.time_ns()
    stamp = integer(1, now // 10**9) + integer(2, now % 10**9)
    exemplar = field(1, field(1, 'trace_id') + field(2, f'{n:032x}')) + double(2, 0.75) + field(3, stamp)
    return integer(1, count) + double(2, bound) + field(3, exemplar)


def integer(number, value):
    return varint(number << 3) + varint(value)


def signed(number, value):
    return integer(number, value << 1 ^ value >> 63)


def double(number, value):
    return varint(number << 3 | 1) + struct.pack('<d', value)
