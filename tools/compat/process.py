"""Processes under test: started on loopback, ready or named as dead, ended by their id."""
import atexit
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from urllib.parse import urlencode

RUNNING = []


class Failed(Exception):
    """What a client saw was not what it should have seen."""


def stop_all():
    for process in RUNNING:
        process.stop()


atexit.register(stop_all)
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


def free_port():
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        return free.getsockname()[1]


class Process:
    """A program, its log, and the address it serves on."""

    def __init__(self, name, command, folder, port, ready_paths):
        self.name, self.address, self.port = name, f'127.0.0.1:{port}', port
        self.log = os.path.join(folder, f'{name}.log')
        with open(self.log, 'ab') as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
        RUNNING.append(self)
        self.wait_ready(ready_paths)

    def wait_ready(self, paths, patience_s=20):
        end = time.monotonic() + patience_s
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise Failed(f'{self.name} ended with {self.process.returncode}: {self.tail()}')
            try:
                # Who answers no GET is ready when it listens.
                socket.create_connection(('127.0.0.1', self.port), 1).close()
                if not paths:
                    return
            except OSError:
                time.sleep(0.02)
                continue
            for path in paths:
                try:
                    if self.request('GET', path)[0] // 100 == 2:
                        return
                except OSError:
                    time.sleep(0.02)
        raise Failed(f'{self.name} is not ready after {patience_s} s: {self.tail()}')

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def tail(self):
        with open(self.log, errors='replace') as log:
            return log.read()[-400:].strip()

    def request(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection(self.address, timeout=20)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read()
        except http.client.HTTPException as error:
            raise OSError(error) from error
        finally:
            connection.close()

    def ask(self, path, **parameters):
        """`data` of an answer of Prometheus' API."""
        status, body = self.request('GET', f'/api/v1/{path}?' + urlencode(parameters, doseq=True))
        if status != 200:
            raise Failed(f'{self.name} answers {status} to {path} {parameters}: {body[:200]!r}')
        return json.loads(body)['data']

    def rows(self, selector, at_ms, window='5m'):
        """Raw samples, {labels: [(ms, value)]}, of the window that ends at `at_ms`."""
        result = self.ask('query', query=f'{selector}[{window}]', time=seconds(at_ms))['result']
        return {key(series['metric']): points(series.get('values', [])) + histograms(series) for series in result}

    def values(self, query, at_ms):
        """An instant vector as {labels: value}."""
        result = self.ask('query', query=query, time=seconds(at_ms))['result']
        return {key(series['metric']): float(series['value'][1]) for series in result}

    def matrix(self, query, start_ms, end_ms, step_s):
        result = self.ask('query_range', query=query, start=seconds(start_ms), end=seconds(end_ms), step=step_s)
        return {key(series['metric']): points(series.get('values', [])) + histograms(series)
                for series in result['result']}


def seconds(millis):
    return f'{millis // 1000}.{millis % 1000:03d}'


def key(labels):
    return tuple(sorted(labels.items()))


def points(values):
    return [(round(float(time) * 1000), float(value)) for time, value in values]


def histograms(series):
    """Native histograms as (ms, count, sum and buckets, all as numbers).

    Bounds are not sent: each server works them out of schema and index, and the table that Prometheus has for it is one
    bit off at times (2^(3/32) is 1.0671404006768237, not …235). They are compared to 14 digits, all else exactly.
    """
    return [(round(float(time) * 1000), [float(it['count']), float(it['sum'])]
             + [number for bucket in it.get('buckets', []) for number in numbers(*bucket)])
            for time, it in series.get('histograms', [])]


def numbers(ends, low, high, count):
    return [float(ends), *(float(f'{float(bound):.14g}') for bound in (low, high)), float(count)]
