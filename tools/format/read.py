#!/usr/bin/env python3
"""Reads a data directory by storage-format.md alone, and says what is in it.

    read.py DIRECTORY [--rows]

Every checksum is checked and every column decoded; the first thing that is not as the page says ends
it with an error. It shares no code with the database on purpose: what both read, the page has right.
Needs nothing but Python. Slow: for small directories.
"""

import argparse
import math
import struct
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

PAGE = 64 * 1024
MASK = 2**64 - 1


class Wrong(Exception):
    """Bytes that are not as the page says."""


def must(holds, what):
    if not holds:
        raise Wrong(what)


# Words and conventions


def crc_table():
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


CRC_TABLE = crc_table()


def crc(*parts):
    value = 0xFFFFFFFF
    for part in parts:
        for byte in part:
            value = value >> 8 ^ CRC_TABLE[(value ^ byte) & 0xFF]
    return value ^ 0xFFFFFFFF


def check(expected, what, *parts):
    found = crc(*parts)
    must(expected == found, f"{what}: checksum is {found:08x}, {expected:08x} was written")


def unzigzag(number):
    return number >> 1 ^ -(number & 1)


def wrap(number):
    """As a signed number of 64 bits."""
    number &= MASK
    return number - 2**64 if number >> 63 else number


def float_of(bits):
    return struct.unpack("<d", struct.pack("<Q", bits & MASK))[0]


class Reader:
    def __init__(self, data, at=0, end=None):
        self.data, self.at, self.end = data, at, len(data) if end is None else end

    def left(self):
        return self.end - self.at

    def take(self, count):
        must(0 <= count <= self.left(), f"ends at byte {self.end}, {count} bytes are due at {self.at}")
        self.at += count
        return self.data[self.at - count : self.at]

    def unpack(self, form):
        return struct.unpack("<" + form, self.take(struct.calcsize("<" + form)))

    def u8(self):
        return self.take(1)[0]

    def varint(self):
        value = 0
        for i in range(10):
            byte = self.u8()
            value |= (byte & 0x7F) << 7 * i
            if byte < 0x80:
                must(value <= MASK, "varint has more than 64 bits")
                return value
        raise Wrong("varint has more than 10 bytes")

    def signed(self):
        return unzigzag(self.varint())

    def text(self):
        return self.take(self.varint()).decode()

    def labels(self):
        return {self.text(): self.text() for _ in range(self.varint())}

    def ints(self, count):
        values = []
        while len(values) < count:
            values += ints_column(self, min(count - len(values), 65_536))
        return values

    def table_column(self):
        return self.ints(self.varint())

    def done(self, what):
        must(self.left() == 0, f"{what}: {self.left()} bytes stand behind the last")


# Columns

COMMON = [1, 10**3, 10**6, 10**9, 2**10, 2**12]


def packed(reader, count, width):
    must(width <= 56 or width == 64, f"numbers of {width} bits")
    number = int.from_bytes(reader.take((count * width + 7) // 8), "little")
    return [number >> i * width & (1 << width) - 1 for i in range(count)]


def residuals(reader, count, is_patched):
    base, width = reader.signed(), reader.u8()
    is_zigzag, width = width >> 7, width & 0x7F
    patches = []
    if is_patched:
        patch_count, high_width = reader.varint(), reader.u8()
        positions = packed(reader, patch_count, max(count - 1, 0).bit_length())
        patches = list(zip(positions, packed(reader, patch_count, high_width)))
    distances = packed(reader, count, width)
    for position, high in patches:
        distances[position] += high << width
    return [wrap(base + (unzigzag(it) if is_zigzag else it)) for it in distances]


def sums(first, steps):
    values = [first]
    for step in steps:
        values.append(wrap(values[-1] + step))
    return values


def ints_column(reader, count, is_inside=False):
    tag = reader.u8()
    encoding, aside = tag & 31, tag >> 5
    if encoding in (8, 9, 10):
        must(aside == 0, f"aside {aside} of encoding {encoding}")
        must(encoding == 10 or not is_inside, f"encoding {encoding} inside a column")
    if encoding == 8:
        runs = reader.varint()
        values = ints_column(reader, runs, True)
        lengths = ints_column(reader, runs, True)
        values = [value for value, length in zip(values, lengths) for _ in range(length + 1)]
        must(len(values) == count, "runs are of another length than the column")
        return values
    if encoding == 9:
        last = reader.u8()
        distinct = ints_column(reader, last + 1, True)
        return [distinct[which] for which in packed(reader, count, last.bit_length())]
    if encoding == 10:
        return list(reader.unpack(f"{count}q"))
    must(aside != 6, "scale 6")
    divisor = reader.varint() if aside == 7 else COMMON[aside]
    if encoding == 0:
        values = [reader.signed()] * count
    elif encoding == 1:
        first, step = reader.signed(), reader.signed()
        values = [wrap(first + step * i) for i in range(count)]
    elif encoding in (2, 5):
        values = residuals(reader, count, encoding == 5)
    elif encoding in (3, 6):
        values = sums(reader.signed(), residuals(reader, count - 1, encoding == 6))
    elif encoding in (4, 7):
        first, step = reader.signed(), reader.signed()
        values = sums(first, sums(step, residuals(reader, count - 2, encoding == 7)))
    else:
        raise Wrong(f"encoding {encoding} of whole numbers")
    return [wrap(value * divisor) for value in values]


def rotate_right(bits, by):
    bits &= MASK
    return (bits >> by | bits << 64 - by) & MASK


def floats_column(reader, count):
    tag = reader.u8()
    encoding, aside = tag & 31, tag >> 5
    if encoding == 0:
        return list(reader.unpack("d")) * count
    if encoding in (16, 17):
        digits = reader.u8() if aside == 7 else aside
        must(digits <= 22, f"{digits} digits")
        values = [float(number) / float(10**digits) for number in ints_column(reader, count)]
        if encoding == 17:
            apart = reader.varint()
            positions = ints_column(reader, apart >> 1, True)
            for position, bits in zip(positions, ints_column(reader, apart >> 1, True)):
                values[position] = float_of(rotate_right(bits, 13) if apart & 1 else bits)
        return values
    if encoding == 18:
        return [float_of(bits) for bits in ints_column(reader, count)]
    must(encoding == 19, f"encoding {encoding} of floats")
    bits = Bits(reader.data, reader.at, reader.end)
    values = xor_values(bits, count)
    reader.take((bits.at + 7) // 8)
    return values


class Bits:
    def __init__(self, data, begin, end):
        self.number, self.size, self.at = int.from_bytes(data[begin:end], "little"), (end - begin) * 8, 0

    def take(self, count):
        must(self.at + count <= self.size, "bits end too early")
        self.at += count
        return self.number >> self.at - count & (1 << count) - 1

    def ones(self, most):
        count = 0
        while count < most and self.take(1):
            count += 1
        return count


def xor_values(bits, count):
    values, last, window = [], 0, None
    for _ in range(count):
        match bits.ones(3):
            case 1:
                must(window, "no window was written yet")
                last ^= bits.take(window[1]) << 64 - window[0] - window[1]
            case 2:
                window = (bits.take(5), bits.take(6) + 1)
                must(sum(window) <= 64, "window is wider than a float")
                last ^= bits.take(window[1]) << 64 - window[0] - window[1]
            case 3:
                step = unzigzag(bits.take((6, 12, 18, 32)[bits.take(2)]))
                last = struct.unpack("<Q", struct.pack("<d", int(float_of(last)) + step))[0]
        values.append(float_of(last))
    return values


def mixed_column(reader, count):
    values = []
    for control in list(reader.take(count)):
        if control == 0xFF:
            values += reader.unpack("d")
            continue
        scale, width = control >> 4, control & 15
        must(scale <= 2 and width <= 8, f"control byte {control:#x}")
        number = unzigzag(int.from_bytes(reader.take(width), "little"))
        values.append(float(number) / (1.0, 1e2, 1e4)[scale])
    return values


def sorted_strings(reader, count):
    strings, before = [], b""
    for _ in range(count):
        shared, rest = reader.varint(), reader.varint()
        must(shared <= len(before), "string shares more than there is")
        before = before[:shared] + reader.take(rest)
        strings.append(before.decode())
    must(strings == sorted(strings, key=str.encode), "strings are not in order")
    return strings


def histogram(reader):
    flags, schema = reader.unpack("Bb")
    must(flags >> 1 <= 3, f"flags {flags} of a histogram")
    zero_threshold, zero_count, count, total = reader.unpack("4d")

    def buckets():
        spans = [(reader.signed(), reader.varint()) for _ in range(reader.varint())]
        return spans, mixed_column(reader, reader.varint())

    positive, negative = buckets(), buckets()
    custom = mixed_column(reader, reader.varint())
    return dict(
        flags=flags, schema=schema, zero=(zero_threshold, zero_count), count=count, sum=total,
        positive=positive, negative=negative, custom=custom,
    )


# Files


def log_header(data, magic, what):
    """The header that manifest and catalog have: database, number, first."""
    must(data[:8] == magic, f"no {what} begins here")
    format_, = struct.unpack("<H", data[8:10])
    must(format_ == 1, f"format {format_} of {what}")
    check(struct.unpack("<I", data[60:64])[0], f"{what} header", data[:60])
    return data[16:32], *struct.unpack("<QQ", data[32:48])


def log_records(data, magic, header_bytes, database, number, first):
    """Offset and payload of each record of a manifest or catalog."""
    at, expected = 64, first
    while at < len(data):
        header = data[at : at + header_bytes]
        must(len(header) == header_bytes and header[:4] == magic, f"no record at byte {at}")
        length, sequence = struct.unpack("<IQ", header[4:16])
        payload = data[at + header_bytes : at + header_bytes + length]
        must(len(payload) == length, f"record at byte {at} ends too early")
        seed = database + struct.pack("<QQ", number, at)
        written, = struct.unpack("<I", header[-4:])
        check(written, f"record at byte {at}", seed, header[:-4], payload)
        must(sequence == expected, f"record {sequence} where {expected} is due")
        expected += 1
        yield payload
        at += header_bytes + length


def read_manifest(path):
    data = path.read_bytes()
    database, number, first = log_header(data, b"QUIPUMAN", "manifest")
    must(number == int(path.name.split(".")[0]), "number is not that of the name")
    state = dict(
        database=database, files={}, in_files=0, segments=(1, 1), catalog=0, next_series=1,
        dropped_until=-(2**63), deletions=[], retired=[], tiered={}, edits=0, sequence=first - 1,
    )
    for payload in log_records(data, b"MREC", 24, database, number, first):
        reader = Reader(payload)
        while reader.left():
            kind, flags = reader.u8(), reader.u8()
            length = reader.varint()
            apply_edit(state, kind, flags, Reader(reader.take(length)))
            state["edits"] += 1
        state["sequence"] += 1
    return state


def apply_edit(state, kind, flags, fields):
    match kind:
        case 1:
            file = read_file_edit(fields)
            state["files"][file["id"]] = file
        case 2:
            state["files"].pop(fields.varint(), None)
        case 3:
            state["in_files"] = max(state["in_files"], fields.varint())
        case 4:
            state["segments"] = fields.varint(), fields.varint()
        case 5:
            state["catalog"] = fields.varint()
        case 6:
            state["next_series"] = max(state["next_series"], fields.varint())
        case 7:
            state["dropped_until"] = max(state["dropped_until"], fields.signed())
        case 8:
            below, start, end = fields.varint(), fields.signed(), fields.signed()
            state["deletions"].append((below, start, end, read_matchers(fields)))
        case 9:
            del state["deletions"][: fields.varint()]
        case 10:
            tier, until = fields.u8(), fields.signed()
            must(tier in (0, *TIERS), f"tier {tier} is retired")
            state["retired"].append((tier, until, read_matchers(fields)))
        case 11:
            tier, until, below = fields.u8(), fields.signed(), fields.varint()
            must(tier in TIERS, f"tier {tier} holds rows")
            state["tiered"][tier, until] = below
        case 20:
            fields.take(16)
        case _:
            must(not flags & 1, f"edit of kind {kind} is required and not known")
            return
    fields.done(f"edit of kind {kind}")


# Number: name, width and partition of a tier in seconds.
TIERS = {1: ("5m", 300, 4 * 86400), 2: ("1h", 3600, 32 * 86400)}


def read_matchers(fields):
    ops, matchers = ("=", "!=", "=~", "!~"), []
    for _ in range(fields.varint()):
        op = fields.u8()
        must(op < 4, f"kind {op} of matcher")
        matchers.append(f"{fields.text()}{ops[op]}{fields.text()!r}")
    return matchers


def read_file_edit(fields):
    kind, table, tier = fields.take(3)
    fits = tier in TIERS if kind == 3 else kind in (1, 2) and tier == 0
    must(fits and table == 1, f"file of kind {kind}, table {table}, tier {tier}")
    file = dict(kind=kind, tier=tier, id=fields.varint())
    must(fields.varint() == 0, "another tenant than 0")
    for name in ("after", "until", "first", "last"):
        file[name] = fields.signed()
    for name in ("from", "to", "series", "rows", "bytes"):
        file[name] = fields.varint()
    file["crc"], = fields.unpack("I")
    must(file["after"] < file["first"] <= file["last"] <= file["until"], "rows outside the partition")
    return file


def file_path(file):
    day = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=file["after"] // 10**9)
    suffix = ("part", "block", "tier")[file["kind"] - 1]
    tier = f".{TIERS[file['tier']][0]}" if file["tier"] else ""
    return f"t0/metrics/{day:%Y-%m-%d}{tier}/{file['id']:010}.{suffix}"


def read_metadata(reader):
    kind = reader.u8()
    return dict(kind=kind, metric=reader.text(), unit=reader.text(), help=reader.text())


def read_catalog(path, database):
    data = path.read_bytes()
    found, number, first = log_header(data, b"QUIPUCAT", "catalog")
    must(found == database, "catalog of another database")
    series, metadata, pairs, sequence = {}, {}, [], first - 1
    for payload in log_records(data, b"CREC", 32, database, number, first):
        reader, sequence = Reader(payload), sequence + 1
        kind = reader.u8()
        must(kind in (1, 2), f"catalog record of kind {kind}")
        if kind == 2:
            for _ in range(reader.varint()):
                it = read_metadata(reader)
                metadata[it["metric"]] = it
        else:
            expected, before = 0, []
            for _ in range(reader.varint()):
                ref = (expected + reader.signed()) & MASK
                length, front, behind = reader.varint(), reader.varint(), reader.varint()
                must(front + behind <= min(length, len(before)), "series shares more than there is")
                middle = []
                for _ in range(length - front - behind):
                    which = reader.varint()
                    if which == 0:
                        pairs.append((reader.text(), reader.text()))
                        which = len(pairs)
                    middle.append(pairs[which - 1])
                before = before[:front] + middle + before[len(before) - behind :]
                names = [name for name, _ in before]
                must(names == sorted(set(names)), "labels are not sorted")
                series[ref], expected = dict(before), ref + 1
        reader.done("catalog record")
    return dict(series=series, metadata=metadata, pairs=pairs, sequence=sequence)


def read_segment(path, database):
    data = path.read_bytes()
    found, number, first = log_header(data, b"QUIPUWAL", "log segment")
    must(found == database, "segment of another database")
    durable_before, = struct.unpack("<Q", data[48:56])
    records, at, expected = [], 64, first
    while at < len(data) and any(data[at:]):
        header = data[at : at + 64]
        must(len(header) == 64 and header[:4] == b"QREC", f"no record at byte {at}")
        length, stream, tenant = struct.unpack("<3I", header[4:16])
        position, durable, catalog, manifest = struct.unpack("<4Q", header[16:48])
        form, payload_crc, written = header[48], *struct.unpack("<I4xI", header[52:64])
        check(written, f"record at byte {at}", database + struct.pack("<QQ", number, at), header[:60])
        payload = data[at + 64 : at + 64 + length]
        must(len(payload) == length, f"record at byte {at} ends too early")
        check(payload_crc, f"payload at byte {at + 64}", payload)
        must((form, stream, tenant, position) == (1, 0, 0, expected), f"header at byte {at}")
        must(durable < position, "a record knows itself to be durable")
        records.append(dict(position=position, catalog=catalog, manifest=manifest, **read_rows(payload)))
        expected += 1
        at += (64 + length + 7) // 8 * 8
    return dict(number=number, first=first, durable_before=durable_before, records=records)


def read_rows(payload):
    reader = Reader(payload)
    flags, runs, rows = reader.u8(), reader.varint(), reader.varint()
    must(flags < 16, f"flags {flags} of rows")
    refs, expected = [], 0
    while len(refs) < runs:
        first, count = (expected + reader.signed()) & MASK, reader.varint()
        refs += range(first, first + count)
        expected = first + count
    lengths = [1] * runs if flags & 1 else [reader.varint() for _ in range(runs)]
    must(len(refs) == runs and sum(lengths) == rows, "runs and rows do not fit")
    times = [reader.signed()] * rows if flags & 2 else reader.ints(rows)
    starts = reader.ints(rows) if flags & 4 else [0] * rows
    values = mixed_column(reader, rows)
    refs = [ref for ref, length in zip(refs, lengths) for _ in range(length)]
    record = dict(floats=list(zip(refs, times, starts, values)), histograms=[], exemplars=[], metadata=[])
    if flags & 8:
        for _ in range(reader.varint()):
            record["histograms"].append((reader.varint(), reader.signed(), reader.signed(), histogram(reader)))
        for _ in range(reader.varint()):
            record["exemplars"].append((reader.varint(), reader.signed(), *reader.unpack("d"), reader.labels()))
        record["metadata"] = [read_metadata(reader) for _ in range(reader.varint())]
    reader.done("rows")
    return record


SECTIONS = {1: "data", 2: "times", 3: "chunks", 4: "refs", 5: "exemplars", 6: "pairs", 7: "series", 8: "postings", 9: "statistics"}


def read_sections(data, file, database):
    must(len(data) == file["bytes"], "file has another size than the manifest says")
    footer = data[-64:]
    must(footer[:8] == b"QUIPUEND", "no footer ends the file")
    data_bytes, directory_at, directory_bytes, checksums_crc = struct.unpack("<3QI", footer[8:36])
    written, = struct.unpack("<I", footer[60:])
    check(written, "footer", footer[:60])
    must(written == file["crc"], "footer is not the one the manifest knows")
    checksums = data[data_bytes:-64]
    check(checksums_crc, "page checksums", checksums)
    must(len(checksums) == (data_bytes + PAGE - 1) // PAGE * 4, "page checksums do not fit")
    for page, (expected,) in enumerate(struct.iter_unpack("<I", checksums)):
        check(expected, f"page {page}", data[page * PAGE : min(page * PAGE + PAGE, data_bytes)])
    must(data[:8] == b"QUIPUDAT", "no data file begins here")
    format_, kind, tier, table = struct.unpack("<HBBB", data[8:13])
    id_, after, until = struct.unpack("<Qqq", data[32:56])
    check(struct.unpack("<I", data[60:64])[0], "header", data[:60])
    must((format_, table, data[16:32]) == (1, 1, database), "header is of another format, table or database")
    named = [file[it] for it in ("kind", "tier", "id", "after", "until")]
    must([kind, tier, id_, after, until] == named, "another file")
    sections = {}
    directory = Reader(data, directory_at, directory_at + directory_bytes)
    for _ in range(directory.varint()):
        number, flags, offset, length = directory.unpack("HHQQ")
        must(offset + length <= data_bytes, "section ends behind the data")
        must(number in SECTIONS or not flags & 1, f"section {number} is required and not known")
        must(number not in SECTIONS or flags == (number not in (5, 9)), f"flags {flags} of section {number}")
        if number in SECTIONS:
            sections[SECTIONS[number]] = Reader(data, offset, offset + length)
    directory.done("directory")
    return sections


def read_data_file(path, file, database, catalog):
    data = path.read_bytes()
    sections = read_sections(data, file, database)
    sizes = {name: section.left() for name, section in sections.items()}
    labels = read_block_labels(sections) if file["kind"] != 1 else read_part_labels(sections, catalog)
    times, table = sections["times"], sections["chunks"]
    at, bytes_, counts, firsts, spans = (times.table_column() for _ in range(5))
    times.done("times")
    columns = []
    for offset, length, count, first, span in zip(at, bytes_, counts, firsts, spans):
        reader = Reader(data, offset, offset + length)
        column = ints_column(reader, count)
        reader.done("time column")
        must(column == sorted(set(column)) and column[0] == first and column[-1] == first + span, "times")
        columns.append(column)
    per_series = table.table_column()
    chunks = list(zip(*(table.table_column() for _ in range(5)), strict=True))
    table.done("chunks")
    must(len(per_series) == len(labels) == file["series"], "series of another number than labels")
    rows, end, kinds, chunks_left, long = [], 0, {0: 0, 1: 0, 2: 0, 3: 0}, iter(chunks), []
    for place, count in enumerate(per_series):
        seen = set()
        for _ in range(count):
            time, values_bytes, starts_bytes, kind, gap = next(chunks_left)
            begin = end + gap
            end = begin + values_bytes + starts_bytes
            column, starts = columns[time], [0] * len(columns[time])
            reader = Reader(data, begin, begin + values_bytes)
            must(kind in ((2, 3) if file["tier"] else (0, 1)), f"chunk of kind {kind}")
            match kind:
                case 0:
                    values = floats_column(reader, len(column))
                    if len(values) >= 256:
                        long.append((column, values))
                case 1:
                    values = [histogram(reader) for _ in column]
                case 2:
                    values = float_buckets(reader, file["tier"], column)
                case _:
                    values = [histogram_bucket(reader, end_) for end_ in column]
            reader.done("values")
            if starts_bytes:
                reader = Reader(data, begin + values_bytes, end)
                starts = ints_column(reader, len(column))
                reader.done("starts")
            kinds[kind] += 1
            must(kind == 3 or seen.isdisjoint(column), "a time stands twice in a series")
            seen.update(column)
            rows += zip([labels[place]] * len(column), column, starts, values)
    must(next(chunks_left, None) is None, "chunks of no series")
    if file["tier"]:
        found = len({(id(labels), end_) for labels, end_, _, _ in rows})
        must(found == file["rows"], f"{found} buckets, the manifest says {file['rows']}")
    else:
        must(len(rows) == file["rows"], f"{len(rows)} rows, the manifest says {file['rows']}")
    check_statistics(sections.get("statistics"), long)
    exemplars = []
    if section := sections.get("exemplars"):
        for _ in range(section.varint()):
            place = section.varint()
            exemplars.append((labels[place], section.signed(), *section.unpack("d"), section.labels()))
        section.done("exemplars")
    return dict(rows=rows, exemplars=exemplars, sizes=sizes, chunks=kinds, columns=len(columns))


BUCKET_COLUMNS = (
    "count", "first", "last", "sum", "rest", "min", "max", "first time", "last time", "first start", "last start",
    "lost", "resets", "changes", "ends stale", "mean", "squares", "sum of times", "squares of times", "products",
)
BUCKET_FLOATS = {"first", "last", "sum", "min", "max", "lost", "mean", "squares", "products"}


def quotient(a, b):
    """As floats divide: by nothing too."""
    return a / b if b else float("nan")


def float_buckets(reader, tier, ends):
    """A bucket for each end: of those without floats nothing but its end, and whether it ends stale."""
    kept, predicted = reader.varint(), reader.varint()
    must(kept < 1 << len(BUCKET_COLUMNS), f"columns {kept:#x} of buckets")
    buckets = [dict.fromkeys(BUCKET_COLUMNS, 0) for _ in ends]
    for number, name in enumerate(BUCKET_COLUMNS):
        if not kept >> number & 1:
            must(tier == 1 and number >= 15, f"column {name} is not kept")
            continue
        if predicted >> number & 1:
            column = [predict(name, bucket) for bucket in buckets]
        else:
            inner = Reader(reader.take(reader.varint()))
            column = (floats_column if name in BUCKET_FLOATS else ints_column)(inner, len(ends))
            inner.done(f"column {name}")
        for bucket, value in zip(buckets, column):
            bucket[name] = float_of(value << 40) if name == "rest" else value
    width = TIERS[tier][1] * 10**9
    for end, bucket in zip(ends, buckets):
        must(end % width == 0, "a bucket ends off its grid")
        must(bucket["ends stale"] in (0, 1), "a bucket ends stale in another way")
        if bucket["count"] == 0:
            continue
        first, last = end - width + bucket["first time"], end - bucket["last time"]
        must(end - width < first <= last <= end, "rows of a bucket lie outside")
        must(bucket["min"] <= bucket["max"] or bucket["min"] != bucket["min"], "the least is not the least")
        must(bucket["count"] > 1 or first == last, "one row has two times")
        must(bucket["resets"] < bucket["count"] and bucket["changes"] < bucket["count"], "more happened than there are rows")
    return buckets


def predict(name, bucket):
    match name:
        case "last" | "min":
            return bucket["first"]
        case "max":
            return bucket["last"]
        case "sum":
            return bucket["first"] * bucket["count"]
        case "last start":
            return bucket["first start"]
        case "mean":
            return quotient(bucket["sum"], bucket["count"]) + quotient(bucket["rest"], bucket["count"])
    return 0


def histogram_bucket(reader, end):
    flags = reader.u8()
    must(flags < 16, f"flags {flags} of a bucket")
    count, resets, changes = reader.varint(), reader.varint(), reader.varint()
    must(count > 0 and (count == 1) == bool(flags & 8), "a bucket of another number of histograms than it says")

    def row():
        return (end - reader.signed(), reader.signed(), histogram(reader))

    first = row()
    last = first if flags & 8 else row()
    total = histogram(reader) if flags & 2 and not flags & 8 else None
    lost = histogram(reader) if flags & 4 else None
    return dict(count=count, resets=resets, changes=changes, first=first, last=last, sum=total, lost=lost)


def check_statistics(section, long):
    """That what is said of long chunks is what their rows say."""
    must(bool(long) == (section is not None), "statistics without long chunks, or those without them")
    if section is None:
        return
    flags = section.table_column()
    must(len(flags) == len(long) and all(it < 8 for it in flags), "flags of statistics")

    def floats(count):
        values = []
        while len(values) < count:
            values += floats_column(section, min(256, count - len(values)))
        return values

    known = [chunk for chunk, it in zip(long, flags) if it & 1]
    extremes = iter(floats(2 * len(known)))
    summed = sum(it >> 2 & 1 for it in flags)
    sums, rests = iter(floats(summed)), section.table_column()
    must(len(rests) == summed, "sums without rests")
    section.done("statistics")
    rests = iter(rests)
    for (times, values), it in zip(long, flags):
        shares = any(a // 10**6 == b // 10**6 for a, b in zip(times, times[1:]))
        must(bool(it & 1) == (not shares and all(value == value for value in values)), "known")
        if not it & 1:
            continue
        least, most = next(extremes), next(extremes)
        must((least, most) == (min(values), max(values)), "least and greatest")
        rises = all(a <= b for a, b in zip(values, values[1:]))
        # Zeros have signs, and then the first need not be the least, bit for bit.
        must(bool(it & 2) == rises or rises and 0.0 in values, "rises")
        if it & 4:
            total, exact = next(sums), math.fsum(values)
            must(least >= 0 or most <= 0, "a sum of both signs")
            must(abs(total + float_of(next(rests) << 40) - exact) <= abs(exact) * 2**-52, "sum")


def read_part_labels(sections, catalog):
    refs = sections["refs"].table_column()
    sections["refs"].done("refs")
    must(refs == sorted(set(refs)), "refs do not rise")
    must(all(ref in catalog["series"] for ref in refs), "a ref that the catalog does not know")
    return [catalog["series"][ref] for ref in refs]


def unpack_zstd(frame):
    """None where this Python has no zstd: postings say the same."""
    must(frame[:4] == b"\x28\xb5\x2f\xfd", "no zstd frame begins here")
    try:
        from compression import zstd
    except ImportError:
        return None
    return zstd.decompress(frame)


def read_block_labels(sections):
    pairs, section = [], sections["pairs"]
    for _ in range(section.varint()):
        name = section.text()
        pairs += [(name, value) for value in sorted_strings(section, section.varint())]
    section.done("pairs")
    must(pairs == sorted(pairs, key=lambda pair: (pair[0].encode(), pair[1].encode())), "pairs are not in order")

    section, lists = sections["series"], []
    count = section.varint()
    while section.left():
        plain_bytes, packed_bytes = section.varint(), section.varint()
        plain = unpack_zstd(section.take(packed_bytes))
        if plain is None:
            continue
        must(len(plain) == plain_bytes, "frame of another length than it says")
        frame = Reader(plain)
        while frame.left():
            lists.append([frame.varint() for _ in range(frame.varint())])

    section, series = sections["postings"], [[] for _ in range(count)]
    counts, lengths = section.table_column(), section.table_column()
    must(len(counts) == len(lengths) == len(pairs), "postings of another number than pairs")
    for pair, (postings, length) in enumerate(zip(counts, lengths)):
        reader = Reader(section.take(length))
        for place in reader.ints(postings):
            series[place].append(pair)
        reader.done("postings")
    section.done("postings")
    must(not lists or lists == series, "series and postings do not agree")
    labels = [dict(pairs[pair] for pair in list_) for list_ in series]
    order = [(it.get("__name__", "").encode(), list_) for it, list_ in zip(labels, series)]
    must(order == sorted(order), "series are not in order")
    return labels


def show(labels):
    rest = ", ".join(f'{name}="{value}"' for name, value in labels.items() if name != "__name__")
    return labels.get("__name__", "") + "{" + rest + "}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("directory", type=Path)
    parser.add_argument("--rows", action="store_true", help="print every row")
    options = parser.parse_args()
    root, at, rows, buckets = options.directory, options.directory, [], []
    try:
        at = max((root / "manifest").glob("*.manifest"))
        manifest = read_manifest(at)
        database = manifest["database"]
        print(f"{at.relative_to(root)}: database {int.from_bytes(database, 'little'):032x}, "
              f"{manifest['edits']} edits, rows up to position {manifest['in_files']} are in files")
        for below, start, end, matchers in manifest["deletions"]:
            print(f"  deletion below file {below}, {start} ≤ t < {end}: {', '.join(matchers)}")
        for tier, until, matchers in manifest["retired"]:
            print(f"  retired from tier {tier} up to {until}: {', '.join(matchers) or 'all series'}")
        at = root / f"t0/metrics/catalog/{manifest['catalog']:010}.cat"
        catalog = read_catalog(at, database) if manifest["catalog"] else dict(series={}, metadata={}, pairs=[], sequence=0)
        print(f"{at.relative_to(root)}: {len(catalog['series'])} series, {len(catalog['pairs'])} pairs, "
              f"{len(catalog['metadata'])} metadata")
        for file in manifest["files"].values():
            at = root / file_path(file)
            found = read_data_file(at, file, database, catalog)
            (buckets if file["tier"] else rows).extend(found["rows"])
            sizes = ", ".join(f"{name} {size}" for name, size in found["sizes"].items())
            what, kinds = ("buckets", (2, 3)) if file["tier"] else ("rows", (0, 1))
            floats, histograms = (found["chunks"][kind] for kind in kinds)
            print(f"{at.relative_to(root)}: {file['rows']} {what} of {file['series']} series, positions "
                  f"({file['from']}, {file['to']}], {found['columns']} time columns, {floats} chunks of "
                  f"floats, {histograms} of histograms, {len(found['exemplars'])} exemplars\n  {sizes}")
        position = None
        for number in range(*manifest["segments"]):
            at = root / f"wal/{number:010}.wal"
            segment = read_segment(at, database)
            must(position in (None, segment["first"]), "positions of segments do not follow each other")
            counts = [sum(len(it[kind]) for it in segment["records"]) for kind in ("floats", "histograms", "exemplars", "metadata")]
            print(f"{at.relative_to(root)}: {len(segment['records'])} records from position {segment['first']}: "
                  "{} floats, {} histograms, {} exemplars, {} metadata".format(*counts))
            for record in segment["records"]:
                must(record["catalog"] <= catalog["sequence"] and record["manifest"] <= manifest["sequence"], "records are missing")
                if record["position"] > manifest["in_files"]:
                    rows += [(catalog["series"][ref], *row) for ref, *row in record["floats"] + record["histograms"]]
            position = segment["first"] + len(segment["records"])
    except (Wrong, OSError, struct.error, IndexError, UnicodeDecodeError, ValueError) as error:
        print(f"{at}: {error}", file=sys.stderr)
        return 1
    if options.rows:
        for labels, time, start, value in rows + buckets:
            print(f"{show(labels)} {time} {start} {value!r}")
    print(f"{len(rows)} rows and {len(buckets)} buckets, before deletions and those that replace others")
    return 0


if __name__ == "__main__":
    sys.exit(main())
