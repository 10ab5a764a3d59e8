"""InfluxDB's own command line, and QuestDB's library, which speak line protocol."""
import os
import subprocess
import sys
import time

import peers
from extras import run, send
from process import Failed, key
from same import must_equal

DUMP = '''# DDL
CREATE DATABASE moved
# DML
# CONTEXT-DATABASE: moved
# CONTEXT-RETENTION-POLICY: autogen
'''


def shell(quipu, folder):
    """What people type and what `influx_inspect export` writes."""
    program, now = peers.program('influx'), int(time.time()) - 5
    host, port = quipu.address.split(':')
    connected = [program, '-host', host, '-port', port]
    run([*connected, '-execute', 'CREATE DATABASE typed'], folder, {}, 'influx -execute')
    shown = run([*connected, '-execute', 'SHOW DATABASES'], folder, {}, 'influx -execute')
    if 'typed' not in shown.split():
        raise Failed(f'SHOW DATABASES shows {shown!r}')
    run([*connected, '-database', 'typed', '-precision', 's', '-execute', f'INSERT cli\\ m,a=b\\ c f=1.5,n=2i {now}'], folder, {},
        'influx INSERT')
    with open(folder + '/dump', 'w') as file:
        file.write(DUMP + ''.join(f'moved,host=h{k % 3} value={k / 7!r},ok={"true" if k % 2 else "false"} {now * 10**9 - k * 10**9}\n'
                                  for k in range(5000)))
    said = run([*connected, '-import', '-path', folder + '/dump', '-precision', 'ns'], folder, {}, 'influx -import')
    if 'Processed 5000 inserts' not in said or 'Failed 0 inserts' not in said:
        raise Failed(f'influx -import: {said[-300:]}')
    done = subprocess.run([*connected, '-database', 'typed', '-execute', 'INSERT bad,a=b f='], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=30)
    if b'unable to parse' not in done.stdout:
        raise Failed(f'a line without a value: {done.stdout!r}')
    at, typed = now * 1000, {'db': 'typed', 'a': 'b c'}
    expected = {key({'__name__': 'cli m_f', **typed}): [(at, 1.5)], key({'__name__': 'cli m_n', **typed}): [(at, 2.0)]}
    for k in reversed(range(5000)):
        for field, value in (('value', k / 7), ('ok', float(k % 2))):
            labels = key({'__name__': f'moved_{field}', 'host': f'h{k % 3}', 'db': 'moved'})
            expected.setdefault(labels, []).append((at - k * 1000, value))
    must_equal(expected, quipu.rows('{db=~"typed|moved"}', at + 1000, '2h'), 'influx')


def questdb(quipu, folder):
    """Asks which versions of the protocol there are, and sends what it is told."""
    now = send('questdb', quipu, folder) * 1000
    expected = {key({'__name__': f'quest one_{field}', 'host': 'a b'}): [(now, value)]
                for field, value in (('float', 0.1), ('integer', -3.0), ('boolean', 1.0))}
    expected[key({'__name__': 'quest_many_value', 'n': '1'})] = [(now + k, k / 7) for k in range(1000)]
    must_equal(expected, quipu.rows('{__name__=~"quest.*"}', now + 2000), 'questdb')


# As in compat.py.
SHELL = [
    ('influx', 'influx, `-execute`, `-import`', 'databases made and shown, a row typed, a dump of 5,000 lines, a line '
     'refused: rows read back equal', shell, 'influx'),
]
LIBRARY = [
    ('questdb', 'Python `questdb`', 'the version of the protocol negotiated, four types of column, a flush of 1,000 rows, a '
     'row refused: rows read back equal', questdb, 'questdb'),
]
