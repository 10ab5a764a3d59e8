#!/usr/bin/env python3
"""Starts real clients against the real server, and says which of them work.

  compat.py                                  all clients; exit 1 if one fails
  compat.py --write docs/compatibility.md    and writes that page from what it saw
  compat.py --only prometheus,vmagent
  compat.py --leave-out-extras               clients of PyPI and npm that cannot be fetched are left out, and named
  compat.py --columns target/parquet/debug/quipu   a program with the feature `parquet`, for the clients that want one
  compat.py --server 'victoria-metrics -storageDataPath={dir} -httpListenAddr=127.0.0.1:{port}'

The server is $QUIPU_BIN, or target/debug/quipu. Clients that are not here are fetched from Debian's mirror, PyPI
and npm into .compat/. One that cannot be fetched is a failure, as is one that takes longer than its share of five minutes.
Python standard library only.
"""
import argparse
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time

import answering
import clients
import columns
import extras
import otlp
import lines
import forward
import influx_shell
import javascript
import migrations
import moving
import objects
import peers
import scraping
from process import Failed, Process, free_port

# Of all clients together, once they are fetched.
LIMIT_S = 300
CLIENT_S = 110
# Client, how it is called on the page, what was compared, the function, the program that has a version.
CLIENTS = [
    ('curl-line', 'curl, InfluxDB line protocol', 'plain and gzip, three precisions, several fields, escapes: rows '
     'read back equal', clients.curl_line_protocol, 'curl'),
    ('curl-write', 'curl, remote write 1.0', 'extreme values, -0, infinities, NaN, late rows, the same request twice: '
     'rows read back equal', clients.curl_remote_write, 'curl'),
    ('prometheus', 'Prometheus, `remote_write`', 'scrapes two targets and itself: samples, native histograms, query '
     'answers, metadata, exemplars, labels and stale markers equal to its own', clients.prometheus, 'prometheus'),
    ('prometheus-reads', 'Prometheus, `remote_read` and federation', 'streamed chunks: rows and answers equal; the newest '
     'values federated as text', answering.prometheus_above, 'prometheus'),
    ('prometheus-reads-protobuf', 'Prometheus with native histograms, the same', 'federated as protobuf',
     answering.prometheus_above_native, 'prometheus'),
    ('promtool', 'promtool, `query`', 'instant, range, series, labels: prints what it prints of a Prometheus with the '
     'same rows', clients.promtool, 'promtool'),
    ('promtool-blocks', 'promtool, `tsdb create-blocks-from`, `tsdb dump`', 'blocks imported, exported as OpenMetrics and '
     'made blocks again: every row equal', moving.blocks_again, 'promtool'),
    ('vmagent', 'vmagent, `-remoteWrite.url`', 'scrapes a target: values as the target said them, each scrape once, '
     'stale markers', clients.vmagent, 'vmagent'),
    ('vmalert', 'vmalert, `-datasource.url`, `-remoteWrite.url`', 'a recording rule asks and writes back',
     clients.vmalert, 'vmalert'),
    ('forward-vm', 'VictoriaMetrics, as a receiver', 'Quipu passes on while the receiver is away and Quipu is killed '
     'twice: every sample is there once', forward.to_victoriametrics, 'victoria-metrics'),
    ('forward-prometheus', 'Prometheus, as a receiver', 'the same, with `--web.enable-remote-write-receiver`',
     forward.to_prometheus, 'prometheus'),
    ('prometheus-pair', 'Prometheus, a pair of replicas', 'two scrape one target and write; the one that is heard is '
     'killed: no gap above the failover, no double samples', forward.pair, 'prometheus'),
    ('scraping', 'node_exporter, scraped beside Prometheus', 'one configuration for both: labels of all series, values, '
     'native histograms, relabelling, targets and metadata equal; another target: values as it said them, stale markers', scraping.scrapes,
     'prometheus-node-exporter'),
    ('influxd-lines', 'InfluxDB 1, beside Quipu', 'a corpus of good and bad lines: status, message and kept rows are '
     'the same', lines.influx_lines, 'influxd'),
    ('remote-write-2', 'remote write 2.0', 'start timestamps and native histograms, with Prometheus\' own test data',
     clients.remote_write_2, None),
]
CLIENTS += influx_shell.SHELL + migrations.CLIENTS
# May be left out where they cannot be fetched.
EXTRAS = extras.EXTRAS + influx_shell.LIBRARY + otlp.CLIENTS + javascript.CLIENTS + objects.CLIENTS + columns.CLIENTS
# They start the server themselves, with words of their own.
STARTERS = (clients.remote_write_2, scraping.scrapes, forward.to_victoriametrics, forward.to_prometheus, forward.pair,
            *javascript.STARTERS, *objects.STARTERS,
            *columns.STARTERS)
LEFT_OUT = 'left out: '


class TooLong(Exception):
    pass


def fetch(chosen):
    """All programs before the first client starts, in a time of their own; one that is missing fails its clients."""
    for program in filter(None, dict.fromkeys(client[-1] for client in chosen)):
        try:
            peers.program(program)
        except (peers.Missing, OSError) as error:
            print(f'   {error}', flush=True)


def on_alarm(*_):
    raise TooLong


def run_client(client, command, folder):
    """What is wrong, or nothing."""
    _, title, _, function, program = client
    os.makedirs(folder)
    signal.alarm(CLIENT_S)
    server = None
    try:
        if program:
            peers.program(program)
        if function in STARTERS:
            function(command, folder)
            return ''
        server = start(command, folder)
        function(server, folder)
        return ''
    except (Failed, peers.Missing, OSError, ValueError, KeyError, subprocess.SubprocessError) as error:
        return f'{type(error).__name__}: {error}' if not isinstance(error, (Failed, peers.Missing)) else str(error)
    except TooLong:
        return f'{title}: no end in sight after {CLIENT_S} s'
    finally:
        signal.alarm(0)
        if server:
            server.stop()


def start(command, folder):
    port = free_port()
    words = [word.format(port=port, dir=folder + '/data') for word in shlex.split(command)]
    os.makedirs(folder + '/data', exist_ok=True)
    return Process('server', words, folder, port, ['/ready', '/-/ready', '/health'])


def columns_command(arguments):
    """The server with the feature, or nothing."""
    binary = os.path.abspath(arguments.columns)
    return f'{shlex.quote(binary)} serve --data {{dir}} --listen 127.0.0.1:{{port}}' if os.path.exists(binary) else ''


def absent(client):
    """Why an extra client cannot run, or nothing."""
    try:
        peers.program(client[-1])
    except peers.Missing as error:
        return f'{LEFT_OUT}{error}'
    return ''


def is_left_out(problem):
    return problem.startswith(LEFT_OUT)


def version(program):
    if program is None:
        return '–'
    try:
        return peers.version(program)
    except (peers.Missing, OSError, subprocess.SubprocessError):
        return 'not here'


def page(results):
    lines = ['# Compatibility', '',
             'Written by `make compat`, which starts unmodified clients against Quipu, reads back what they wrote, and '
             'compares it.', 'Do not edit this page: run it again.', '',
             '| client | version | what was compared | result |', '| --- | --- | --- | --- |']
    for (_, title, what, _, program), problem in results:
        said = ' '.join(problem.split()).replace('|', '\\|')[:200]
        result = 'works' if not problem else said if is_left_out(problem) else 'fails: ' + said
        lines.append(f'| {title} | {version(program)} | {what} | {result} |')
    lines += ['', 'Values and times are compared to the last bit; answers of PromQL, where Prometheus 2 and 3 sum '
              'differently, to twelve digits.']
    return '\n'.join(lines) + '\n'


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    binary = os.environ.get('QUIPU_BIN', os.path.join(peers.ROOT, 'target/debug/quipu'))
    default = f'{shlex.quote(os.path.abspath(binary))} serve --data {{dir}} --listen 127.0.0.1:{{port}}'
    parser.add_argument('--server', default=default, help='command with {port} and {dir}')
    parser.add_argument('--columns', default=os.path.join(peers.ROOT, 'target/parquet/debug/quipu'),
                        help='a program with the feature `parquet`')
    parser.add_argument('--only', default='', help='clients, separated by commas')
    parser.add_argument('--write', help='the page to write')
    parser.add_argument('--leave-out-extras', action='store_true', help='where PyPI or npm cannot be reached')
    arguments = parser.parse_args()
    only = [name for name in arguments.only.split(',') if name]
    known = CLIENTS + EXTRAS
    if unknown := set(only) - {client[0] for client in known}:
        parser.error(f'no such client: {", ".join(unknown)}')
    signal.signal(signal.SIGALRM, on_alarm)
    chosen = [client for client in known if not only or client[0] in only]
    fetch([client for client in chosen if client not in columns.CLIENTS or columns_command(arguments)])
    begun, results = time.monotonic(), []
    with tempfile.TemporaryDirectory() as scratch:
        for client in chosen:
            started = time.monotonic()
            if started - begun > LIMIT_S:
                problem = f'not run: {LIMIT_S} s were spent on the others'
            elif client in EXTRAS and arguments.leave_out_extras and (why := absent(client)):
                problem = why
            elif client in columns.CLIENTS:
                with_feature = columns_command(arguments)
                problem = run_client(client, with_feature, os.path.join(scratch, client[0])) if with_feature \
                    else f'{LEFT_OUT}there is no program with the feature `parquet`'
            else:
                problem = run_client(client, arguments.server, os.path.join(scratch, client[0]))
            results.append((client, problem))
            took = time.monotonic() - started
            word = 'works' if not problem else '-----' if is_left_out(problem) else 'FAILS'
            print(f'{word} {client[0]} ({took:.1f} s) {problem}', flush=True)
    if arguments.write and not only:
        with open(arguments.write, 'w') as file:
            file.write(page(results))
    works = sum(not problem for _, problem in results)
    left_out = sum(is_left_out(problem) for _, problem in results)
    print(f'compat: {works} of {len(results)} clients work, {left_out} left out, {time.monotonic() - begun:.0f} s')
    return 0 if works + left_out == len(results) else 1


if __name__ == '__main__':
    sys.exit(main())
