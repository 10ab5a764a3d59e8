"""Parquet and Arrow, read by those who will read them: pyarrow, pandas, DuckDB.

Wants a program with the feature `parquet`. What the server says of its rows through its other doors is what the columns
must hold. Run as a script, with the libraries of PyPI on its path, it reads the files:

  columns.py FOLDER
"""
import json
import math
import os
import struct
import subprocess
import sys

SERIES, ROWS = 40, 5_000
STALE = struct.unpack('<d', struct.pack('<Q', 0x7ff0_0000_0000_0002))[0]


def series():
    """Labels and rows in ns: some labels only here and there, all kinds of floats."""
    import clients
    from target import HARD_LABEL
    for n in range(SERIES):
        labels = {'__name__': f'column_{n % 3}', 'n': str(n)}
        if n % 4 == 0:
            labels['path'] = HARD_LABEL
        begin = 1_700_000_000_000 + n
        hard = clients.HARD_FLOATS + [STALE]
        yield labels, [(begin + k * 15_000, hard[k % len(hard)] if n % 10 == 0 else n + k / 7) for k in range(ROWS)]


def parquet(command, folder):
    import shlex

    import peers
    import wire
    from native import NativeTarget
    from process import Failed, Process, free_port
    from same import soon

    port, target = free_port(), NativeTarget()
    with open(folder + '/quipu.yml', 'w') as file:
        file.write(f'''global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
- {{job_name: native, scrape_native_histograms: true, static_configs: [{{targets: ['{target.address}']}}]}}
''')
    words = [word.format(port=port, dir=folder + '/data') for word in shlex.split(command)]
    server = Process('server', [*words, '--config', folder + '/quipu.yml'], folder, port, ['/ready'])
    try:
        for labels, rows in series():
            status, answer = server.request('POST', '/api/v1/write', wire.write_request([(labels, rows)]), wire.HEADERS)
            if status // 100 != 2:
                raise Failed(f'rows are refused: {status} {answer[:200]!r}')
        soon(lambda: '' if target.scrapes > 4 else 'too few scrapes')
        quipu = [words[0], 'export', '--url', f'http://{server.address}', '--match', '{__name__=~"column_.*"}']
        for name in ('rows.parquet', 'rows.arrow'):
            run([*quipu, '-o', f'{folder}/{name}'], folder)
        run([*quipu, '--partition', 'day', '--format', 'parquet', '-o', f'{folder}/lake'], folder)
        end = str(int(target_end(server)))
        native = [words[0], 'export', '--url', f'http://{server.address}', '--match', 'native_seconds', '--end', end]
        for name in ('native.parquet', 'native.jsonl'):
            run([*native, '-o', f'{folder}/{name}'], folder)
        said = run([sys.executable, '-W', 'ignore', os.path.abspath(__file__), folder], folder,
                   {'PYTHONPATH': f'{peers.COLUMNS}:{os.path.dirname(os.path.abspath(__file__))}'})
        print('   ' + said.strip(), flush=True)
    finally:
        server.stop()
        target.close()


def target_end(server):
    """A second that is over, so that two exports see the same rows."""
    import time
    return time.time() - 1


def run(command, folder, environment=None):
    from process import Failed
    done = subprocess.run(command, cwd=folder, env={**os.environ, **(environment or {})}, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=90)
    if done.returncode != 0:
        raise Failed(f'{" ".join(command)[:120]}: {done.stderr.decode(errors="replace").strip()[-400:]}')
    return done.stdout.decode()


# -- With the libraries

def bits(value):
    return struct.pack('<d', value)


def expected_rows():
    """{(labels, ns): bits}, NaN as what came in."""
    return {(tuple(sorted(labels.items())), time * 10**6): bits(value) for labels, rows in series() for time, value in rows}


def compare(what, wanted, found):
    if wanted == found:
        return
    lost, new = sorted(set(wanted) - set(found))[:2], sorted(set(found) - set(wanted))[:2]
    other = [(at, wanted[at], found[at]) for at in wanted if at in found and wanted[at] != found[at]][:2]
    sys.exit(f'{what}: lost {lost}, new {new}, other {other}, {len(wanted)} and {len(found)} rows')


def of_table(table):
    """Rows of a table of Arrow, bit for bit."""
    import pyarrow
    labels = [name for name in table.column_names if name not in ('time', 'value', 'histogram')]
    columns = [table.column(name).cast(pyarrow.string()).to_pylist() for name in labels]
    times = table.column('time').cast(pyarrow.int64()).to_pylist()
    values = table.column('value').combine_chunks().to_numpy(zero_copy_only=False)
    rows = {}
    for index, (time, value) in enumerate(zip(times, values)):
        own = tuple(sorted((name, column[index]) for name, column in zip(labels, columns) if column[index] is not None))
        rows[own, time] = value.tobytes()
    return rows


def main(folder):
    import duckdb
    import pandas
    import pyarrow.dataset
    import pyarrow.ipc
    import pyarrow.parquet

    wanted = expected_rows()
    compare('pyarrow, Parquet', wanted, of_table(pyarrow.parquet.read_table(folder + '/rows.parquet')))
    with pyarrow.ipc.open_stream(folder + '/rows.arrow') as stream:
        compare('pyarrow, Arrow', wanted, of_table(stream.read_all()))
    lake = pyarrow.dataset.dataset(folder + '/lake', partitioning='hive').to_table()
    compare('pyarrow, a day a file', wanted, of_table(lake.drop_columns(['day'])))

    frame = pandas.read_parquet(folder + '/rows.parquet')
    labels = [name for name in frame.columns if name not in ('time', 'value', 'histogram')]
    found = {}
    for row in frame.itertuples(index=False, name=None):
        row = dict(zip(frame.columns, row))
        own = tuple(sorted((name, row[name]) for name in labels if isinstance(row[name], str)))
        found[own, row['time'].value] = row['value']
    nan = {at: float('nan') if math.isnan(value) else value for at, value in found.items()}
    floats = {at: struct.unpack('<d', value)[0] for at, value in wanted.items()}
    compare('pandas', {at: repr(value) for at, value in floats.items()}, {at: repr(value) for at, value in nan.items()})

    # As people ask it: a group, and all rows.
    asked = duckdb.sql(f"select __name__, n, count(*), min(time), max(time), sum(epoch_ns(time)) from "
                       f"'{folder}/rows.parquet' group by all").fetchall()
    counts = {(name, n): (count, int(total)) for name, n, count, _, _, total in asked}
    own = {}
    for labels, time in wanted:
        one = own.setdefault((dict(labels)['__name__'], dict(labels)['n']), [0, 0])
        one[0] += 1
        one[1] += time
    compare('duckdb, groups', {at: tuple(one) for at, one in own.items()}, counts)
    rows = duckdb.sql(f"select __name__, n, path, epoch_ns(time), value from '{folder}/rows.parquet'").fetchall()
    found = {}
    for name, n, path, time, value in rows:
        labels = {'__name__': name, 'n': n, **({'path': path} if path is not None else {})}
        found[tuple(sorted(labels.items())), time] = repr(value)
    compare('duckdb', {at: repr(value) for at, value in floats.items()}, found)

    told = {}
    with open(folder + '/native.jsonl') as file:
        for line in map(json.loads, file):
            own = tuple(sorted(line['metric'].items()))
            told.update({(own, time * 10**6): text for time, text in zip(line['timestamps'], line['histograms'])})
    table = pyarrow.parquet.read_table(folder + '/native.parquet')
    texts = table.column('histogram').to_pylist()
    times = table.column('time').cast(pyarrow.int64()).to_pylist()
    labels = [name for name in table.column_names if name not in ('time', 'value', 'histogram')]
    found = {}
    for index, text in enumerate(texts):
        own = tuple(sorted((name, table.column(name)[index].as_py()) for name in labels))
        if text is not None:
            found[own, times[index]] = json.loads(text)
    if not told:
        sys.exit('there are no native histograms')
    compare('native histograms', told, found)
    print(f'{len(wanted)} samples and {len(told)} native histograms are equal in pyarrow, pandas and DuckDB')


# As in compat.py; the program with the feature is another one.
CLIENTS = [
    ('parquet', 'pyarrow, pandas and DuckDB, `quipu export`', 'Parquet, Arrow and a day a file, read back: every sample equal '
     'to the bit, native histograms as JSON', parquet, 'duckdb'),
]
STARTERS = (parquet,)

if __name__ == '__main__':
    main(sys.argv[1])
