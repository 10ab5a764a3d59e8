"""Blocks that promtool makes, imported, exported as OpenMetrics, and made blocks by promtool again: equal row by row.

Python standard library only.
"""
import os
import subprocess

import peers
from process import Failed

SERIES, ROWS, START_S = 12, 400, 1_700_000_000


def blocks_again(_, folder):
    binary = peers.quipu()
    names = ('rows.om', 'theirs', 'imported', 'again.om', 'again')
    path = {name: os.path.join(folder, name) for name in names}
    with open(path['rows.om'], 'w', encoding='utf-8') as out:
        out.write(text())
    make_blocks(path['rows.om'], path['theirs'], folder)
    for _ in range(2):
        run([binary, 'import', 'prometheus', path['theirs'], '--data', path['imported']], folder)
    run([binary, 'export', '--data', path['imported'], '--format', 'openmetrics', '-o', path['again.om']], folder)
    make_blocks(path['again.om'], path['again'], folder)
    first, second = dump(path['theirs'], folder), dump(path['again'], folder)
    if len(first) != SERIES * ROWS:
        raise Failed(f'promtool sees {len(first)} rows, not {SERIES * ROWS}')
    if first != second:
        lost, new = sorted(set(first) - set(second))[:3], sorted(set(second) - set(first))[:3]
        raise Failed(f'rows differ: lost {lost}, new {new}')


def text():
    """Counters, decimals and floats of all bits; labels that need escapes."""
    lines = ['# TYPE moving gauge']
    for series in range(SERIES):
        for row in range(ROWS):
            value = [row * row % 977 + series, row / 8 - series, f'{row * 0.37 + series:.2f}', (row + 1) / (series + 7),
                     ['NaN', '+Inf', '-Inf', '-0', '5e-324', '1.7976931348623157e+308'][row % 6]][series % 5]
            labels = f'series="{series}",odd="a \\"b\\" \\\\ ü"'
            lines.append(f'moving{{{labels}}} {value} {START_S + row * 15 + series % 4}')
    return '\n'.join([*lines, '# EOF', ''])


def run(command, folder):
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    if done.returncode != 0:
        raise Failed(f'{" ".join(command)}: {done.stderr.decode(errors="replace").strip()[-400:]}')
    return done.stdout.decode()


def make_blocks(source, target, folder):
    # promtool dumps a directory only if it has a log, be it empty.
    os.makedirs(os.path.join(target, 'wal'))
    run([peers.program('promtool'), 'tsdb', 'create-blocks-from', 'openmetrics', source, target], folder)


def dump(directory, folder):
    return sorted(run([peers.program('promtool'), 'tsdb', 'dump', directory], folder).splitlines())
