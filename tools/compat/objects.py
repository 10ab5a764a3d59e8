"""moto's S3 server: a backup goes there and comes back whole. Python standard library only."""
import os
import shlex
import subprocess

import peers
import wire
from clients import HARD_FLOATS, now_ms
from process import Failed, Process, free_port, key
from same import must_equal
from target import HARD_LABEL

# moto wants requests that are signed, and looks no further.
SIGNED = {'Authorization': 'AWS4-HMAC-SHA256 Credential=k/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, '
                           'Signature=0'}
SERIES, ROWS = 20, 500


def backup(command, folder):
    """Two backups of a server that goes on, each restored: the rows of its moment, to the bit."""
    moto_port, port, place = free_port(), free_port(), 's3://compat/quipu'
    os.environ['PYTHONPATH'] = peers.PYTHON
    moto = Process('moto', [peers.program('moto'), '-H', '127.0.0.1', '-p', str(moto_port)], folder, moto_port, [])
    del os.environ['PYTHONPATH']
    store = {'AWS_ACCESS_KEY_ID': 'k', 'AWS_SECRET_ACCESS_KEY': 's', 'AWS_REGION': 'us-east-1',
             'AWS_ENDPOINT_URL': f'http://{moto.address}', 'AWS_ALLOW_HTTP': 'true'}
    os.environ.update(store)
    words = [word.format(port=port, dir=folder + '/data') for word in shlex.split(command)]
    quipu = None
    try:
        if (status := moto.request('PUT', '/compat', None, SIGNED)[0]) != 200:
            raise Failed(f'moto answers {status} to a new bucket')
        quipu = Process('server', [*words, '--backup-to', place], folder, port, ['/ready'])
        begin, expected, names = now_ms() - 3_600_000, {}, []
        for part in range(2):
            expected = {**expected, **write(quipu, part, begin)}
            names.append((verb(folder, 'backup', 'create', '--url', f'http://{quipu.address}', '--to', place).split()[0],
                          expected))
        listed = verb(folder, 'backup', 'list', '--from', place)
        if any(name not in listed for name, _ in names):
            raise Failed(f'{names} are not all in the list {listed!r}')
        verb(folder, 'backup', 'verify', '--from', place, '--deep')
        stored = keys_in(moto)
        if not stored:
            raise Failed('nothing is in the bucket')
        for name, rows in names:
            restored(words, folder, place, name, rows, begin)
        print(f'   {2 * SERIES * ROWS} samples came back from {stored} objects', flush=True)
    finally:
        for name in store:
            del os.environ[name]
        for process in filter(None, (quipu, moto)):
            process.stop()


def write(quipu, part, begin):
    """A part of the rows; what it adds."""
    series = []
    for n in range(SERIES):
        labels = {'__name__': 'backed_up', 'part': str(part), 'n': str(n), 'path': HARD_LABEL}
        values = [HARD_FLOATS[k % len(HARD_FLOATS)] if n == 0 else n + k / 7 for k in range(ROWS)]
        series.append((labels, [(begin + k * 1000, value) for k, value in enumerate(values)]))
    status, answer = quipu.request('POST', '/api/v1/write', wire.write_request(series), wire.HEADERS)
    if status // 100 != 2:
        raise Failed(f'rows are refused: {status} {answer[:200]!r}')
    return {key(labels): rows for labels, rows in series}


def verb(folder, *words):
    done = subprocess.run([peers.quipu(), *words], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    if done.returncode != 0:
        raise Failed(f'quipu {" ".join(words)}: {done.stderr.decode(errors="replace").strip()[-400:]}')
    return done.stdout.decode()


def keys_in(moto):
    return moto.request('GET', '/compat?list-type=2', None, SIGNED)[1].count(b'<Key>')


def restored(words, folder, place, name, rows, begin):
    """Restores a backup into a directory of its own and asks a server there."""
    data, port = f'{folder}/{name}', free_port()
    verb(folder, 'restore', '--from', place, '--backup', name, '--data', data)
    words = [data if word == folder + '/data' else word for word in words]
    words[words.index('--listen') + 1] = f'127.0.0.1:{port}'
    server = Process('restored', words, folder, port, ['/ready'])
    try:
        must_equal(rows, server.rows('backed_up', begin + ROWS * 1000, '1h'), f'backup {name}')
    finally:
        server.stop()


# As in compat.py.
CLIENTS = [
    ('moto', 'moto\'s S3 server, `quipu backup`, `quipu restore`', 'two backups of a server that goes on, listed, verified '
     'and restored: the rows of each moment, to the bit', backup, 'moto'),
]
STARTERS = (backup,)
