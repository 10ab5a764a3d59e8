//! Requests of OTLP, written field by field.

#![expect(clippy::expect_used, reason = "what cannot be is a failed test")]

const SECOND: u64 = 1_000_000_000;

fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number > 127 {
        bytes.push(u8::try_from(number & 127).expect("seven bits") | 128);
        number >>= 7;
    }
    bytes.push(u8::try_from(number).expect("seven bits"));
    bytes
}

fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    [vec![number << 3 | 2], varint(bytes.len() as u64), bytes.to_vec()].concat()
}

fn fixed(number: u8, value: u64) -> Vec<u8> {
    [&[number << 3 | 1][..], &value.to_le_bytes()].concat()
}

fn request(resource: &[u8], metric: &[u8]) -> Vec<u8> {
    let scope = field(2, metric);
    field(1, &[field(1, resource), field(2, &scope)].concat())
}

/// The metrics of a request, now of a service with a name.
pub(crate) fn named(service: &str, request: &[u8]) -> Vec<u8> {
    let value = field(1, service.as_bytes());
    let attribute = [field(1, b"service.name"), field(2, &value)].concat();
    // What is merged into the same message: a field that comes twice counts the last time.
    let resource = field(1, &field(1, &attribute));
    let inner = request.get(1 + varint_size(request)..).expect("a request of one resource");
    field(1, &[inner, &resource].concat())
}

fn varint_size(request: &[u8]) -> usize {
    let length = request.get(1..).expect("a length");
    length.iter().take_while(|byte| **byte > 127).count() + 1
}

/// A gauge with values at seconds.
pub(crate) fn gauge(name: &str, points: &[(u64, f64)]) -> Vec<u8> {
    let points: Vec<u8> = points
        .iter()
        .flat_map(|(time, value)| {
            field(1, &[fixed(3, time * SECOND), fixed(4, value.to_bits())].concat())
        })
        .collect();
    request(b"", &[field(1, name.as_bytes()), field(5, &points)].concat())
}

/// A cumulative histogram with the sum 4.5.
pub(crate) fn histogram(name: &str, time: u64, counts: &[u64], bounds: &[f64]) -> Vec<u8> {
    let packed: Vec<u8> = counts.iter().flat_map(|count| count.to_le_bytes()).collect();
    let edges: Vec<u8> = bounds.iter().flat_map(|bound| bound.to_le_bytes()).collect();
    let point = [
        fixed(3, time * SECOND),
        fixed(4, counts.iter().sum()),
        fixed(5, 4.5_f64.to_bits()),
        field(6, &packed),
        field(7, &edges),
    ]
    .concat();
    let data = [field(1, &point), vec![2 << 3, 2]].concat();
    request(b"", &[field(1, name.as_bytes()), field(9, &data)].concat())
}
