"""Comparing answers: by default to the last bit."""
import math
import struct
import time

from process import Failed

NAN = 'nan'


def bits(value):
    """A value so that equal means equal: -0 is not 0, and one NaN is as good as another (JSON shows one)."""
    return NAN if math.isnan(value) else struct.pack('<d', value)


def is_near(a, b, tolerance):
    if isinstance(a, list) or isinstance(b, list):
        return type(a) is type(b) and len(a) == len(b) and all(map(is_near, a, b, [tolerance] * len(a)))
    if tolerance and math.isfinite(a) and math.isfinite(b):
        return abs(a - b) <= tolerance * max(abs(a), abs(b))
    return bits(a) == bits(b)


def difference(expected, found, tolerance=0.0):
    """The first difference of two {labels: [(ms, value)]}, in words; empty where there is none."""
    for labels in expected.keys() | found.keys():
        if labels not in found:
            return f'{shown(labels)} is missing'
        if labels not in expected:
            return f'{shown(labels)} is there and should not be'
        mine, theirs = found[labels], expected[labels]
        if [time for time, _ in mine] != [time for time, _ in theirs]:
            return f'{shown(labels)} has times {brief(mine)}, expected {brief(theirs)}'
        for (at, a), (_, b) in zip(mine, theirs):
            if not is_near(a, b, tolerance):
                return f'{shown(labels)} at {at} is {a!r}, expected {b!r}'
    return ''


def brief(rows):
    times = [time for time, _ in rows]
    return f'{times[:3]}…{times[-2:]} ({len(times)})' if len(times) > 6 else str(times)


def shown(labels):
    return '{' + ', '.join(f'{name}={value!r}' for name, value in labels)[:160] + '}'


def soon(ask, patience_s=20):
    """Asks until there is no difference; senders hold rows back for some seconds."""
    end = time.monotonic() + patience_s
    while True:
        try:
            found = ask()
        except Failed as error:
            found = str(error)
        if not found:
            return
        if time.monotonic() > end:
            raise Failed(found)
        time.sleep(0.25)


def must_equal(expected, found, what, tolerance=0.0):
    if found := difference(expected, found, tolerance):
        raise Failed(f'{what}: {found}')
