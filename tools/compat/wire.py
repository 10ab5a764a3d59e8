"""Remote write 1.0 by hand: protobuf in snappy, with literals only. Python standard library only."""
import struct

HEADERS = {'Content-Encoding': 'snappy', 'Content-Type': 'application/x-protobuf',
           'X-Prometheus-Remote-Write-Version': '0.1.0'}


def varint(number):
    number &= (1 << 64) - 1
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def field(number, payload):
    """A length-delimited field."""
    payload = payload if isinstance(payload, bytes) else payload.encode()
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def snappy(data):
    out = bytearray(varint(len(data)))
    for start in range(0, len(data), 60000):
        part = data[start:start + 60000]
        size = len(part) - 1
        out += (bytes([size << 2]) if size < 60 else bytes([61 << 2]) + struct.pack('<H', size)) + part
    return bytes(out)


def write_request(series):
    """`series`: (labels as a dict, samples as (milliseconds, value))."""
    body = b''
    for labels, samples in series:
        one = b''.join(field(1, field(1, name) + field(2, labels[name])) for name in sorted(labels))
        for time, value in samples:
            one += field(2, b'\x09' + struct.pack('<d', value) + b'\x10' + varint(time))
        body += field(1, one)
    return snappy(body)
