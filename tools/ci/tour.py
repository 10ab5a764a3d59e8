#!/usr/bin/env python3
"""Runs the tour of README.md against a server of its own, so that the page stays true.

  tour.py --binary target/debug/quipu README.md

Between `<!-- tour: start -->` and `<!-- tour: end -->` each block marked `sh` is run by bash and must exit 0. The block
that follows it directly, if marked `json` or `text`, is what it prints; `…` stands for anything on a line. A block is
asked again for some seconds until it prints that: the machine's metrics come with the first collection.
`<!-- tour: restart -->` stops the server as Ctrl-C does and starts it on the same data, `<!-- tour: stop -->` stops it.
Addresses and paths of the page are replaced by those of this run. Python standard library only.
"""
import argparse
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

PAGE_ADDRESS, PAGE_DATA, PAGE_BINARY = '127.0.0.1:7847', './quipu-data', './target/debug/quipu'
PATIENCE_S = 30


class Server:
    """Quipu as the page starts it, on a port and a folder of its own."""

    def __init__(self, binary, folder):
        self.binary, self.data = os.path.abspath(binary), os.path.join(folder, 'data')
        self.log = os.path.join(folder, 'log')
        with socket.socket() as free:
            free.bind(('127.0.0.1', 0))
            self.address = f'127.0.0.1:{free.getsockname()[1]}'
        self.process = None

    def start(self):
        command = [self.binary, 'serve', '--collect', '--data', self.data, '--listen', self.address]
        with open(self.log, 'ab') as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise SystemExit(f'tour: the server ended with {self.process.returncode}:\n{self.tail()}')
            try:
                with urllib.request.urlopen(f'http://{self.address}/ready', timeout=2):
                    return
            except OSError:
                time.sleep(0.05)
        raise SystemExit(f'tour: the server was not ready in {PATIENCE_S} s:\n{self.tail()}')

    def stop(self):
        """As Ctrl-C does; a server that does not end by itself within the patience has failed."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGINT)
        try:
            status = self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise SystemExit('tour: the server did not stop on Ctrl-C') from None
        self.process = None
        if status != 0:
            raise SystemExit(f'tour: the server stopped with {status}:\n{self.tail()}')

    def tail(self):
        with open(self.log, errors='replace') as log:
            return log.read()[-2000:]

    def fitted(self, text):
        """The page's text with this run's address and paths."""
        for page, ours in ((PAGE_ADDRESS, self.address), (PAGE_DATA, self.data), (PAGE_BINARY, self.binary)):
            text = text.replace(page, ours)
        return text


def steps_of(page):
    """The tour's steps in order: ('sh', text, expected or None) or ('restart'|'stop', '', None)."""
    match = re.search(r'<!-- tour: start -->(.*?)<!-- tour: end -->', page, re.DOTALL)
    if not match:
        raise SystemExit('tour: the page has no <!-- tour: start --> … <!-- tour: end -->')
    steps, expects = [], False
    pattern = r'<!-- tour: (\w+) -->|^```(\w*)\n(.*?)^```$|(\S)'
    for mark, kind, text, other in re.findall(pattern, match[1], re.DOTALL | re.MULTILINE):
        if mark:
            steps.append((mark, '', None))
        elif kind in ('json', 'text') and expects:
            steps[-1] = ('sh', steps[-1][1], text)
        elif kind == 'sh':
            steps.append(('sh', text, None))
        expects = kind == 'sh' and not other
    return steps


def matches(expected, printed):
    """Whether each line is as the page has it, where `…` is anything."""
    lines = [re.escape(line.strip()).replace('…', '.*') for line in expected.strip().splitlines()]
    found = [line.strip() for line in printed.strip().splitlines()]
    rest = lines[-1:] == ['.*']  # a last line of … alone: and so on
    if rest:
        lines, found = lines[:-1], found[:len(lines) - 1]
    return len(lines) == len(found) and all(re.fullmatch(a, b) for a, b in zip(lines, found))


def run(text, address):
    environment = dict(os.environ, QUIPU_URL=f'http://{address}')
    done = subprocess.run(['bash', '-euo', 'pipefail', '-c', text], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=60, env=environment)
    return done.returncode, done.stdout.decode(errors='replace')


def ask(server, text, expected):
    end = time.monotonic() + PATIENCE_S
    while True:
        status, printed = run(server.fitted(text), server.address)
        if status == 0 and (expected is None or matches(server.fitted(expected), printed)):
            return
        if expected is None or time.monotonic() > end:
            wanted = '' if expected is None else f'\n-- the page says:\n{expected}'
            raise SystemExit(f'tour: exit {status}:\n{text}-- printed:\n{printed}{wanted}\n-- log:\n{server.tail()}')
        time.sleep(1)


def tour(server, steps):
    server.start()
    for kind, text, expected in steps:
        if kind == 'sh':
            ask(server, text, expected)
        elif kind == 'restart':
            server.stop()
            server.start()
        elif kind == 'stop':
            server.stop()
        else:
            raise SystemExit(f'tour: unknown mark {kind}')


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--binary', default='target/debug/quipu')
    parser.add_argument('page')
    arguments = parser.parse_args()
    with open(arguments.page, encoding='utf-8') as file:
        steps = steps_of(file.read())
    if not any(kind == 'sh' for kind, _, _ in steps):
        raise SystemExit('tour: the page shows no command')
    with tempfile.TemporaryDirectory() as folder:
        server = Server(arguments.binary, folder)
        try:
            tour(server, steps)
        finally:
            if server.process and server.process.poll() is None:
                server.process.kill()
                server.process.wait()
    print(f'tour: {sum(kind == "sh" for kind, _, _ in steps)} commands do what the page says')


if __name__ == '__main__':
    sys.exit(main())
