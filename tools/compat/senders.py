"""Run beside clients.py, with the libraries of PyPI on its path: sends as their users do.

  senders.py influxdb PORT NOW        the library of InfluxDB 1
  senders.py influxdb_client PORT NOW the library of InfluxDB 2
  senders.py pushgateway PORT NOW     the library of Prometheus, as to a Pushgateway
  senders.py questdb PORT NOW         the library of QuestDB, by HTTP

NOW is in seconds. What must arrive is written down in extras.py.
"""
import datetime
import sys


def influxdb(port, now):
    """As Home Assistant and many scripts do: make a database, look for it, write dicts, gzip on."""
    from influxdb import InfluxDBClient
    from influxdb.exceptions import InfluxDBClientError

    client = InfluxDBClient('127.0.0.1', port, 'user', 'secret', 'py 1', gzip=True)
    assert client.ping(), 'no version in the answer to ping'
    client.create_database('py 1')
    assert {'name': 'py 1'} in client.get_list_database(), client.get_list_database()
    assert client.get_list_retention_policies('py 1')[0]['default'], 'no default policy'
    assert client.write_points([
        {'measurement': 'py one', 'tags': {'host': 'a b', 'odd': 'ü,=', 'empty': ''}, 'time': now * 10**9,
         'fields': {'float': 1.25, 'integer': 7, 'boolean': True, 'text': 'left out'}}])
    assert client.write_points([{'measurement': 'py_two', 'time': now * 1000 + k, 'fields': {'value': k / 3}}
                                for k in range(1000)], time_precision='ms', tags={'all': 'x'}, batch_size=300)
    assert client.write([f'py_raw,a=b v=1 {now}'], params={'db': 'py 1', 'precision': 's'}, protocol='line')
    try:
        client.write([f'py_raw,a=b v= {now}', f'py_raw,a=c v=2 {now}'], params={'db': 'py 1', 'precision': 's'},
                     protocol='line')
    except InfluxDBClientError as error:
        assert error.code == 400 and 'partial write: unable to parse' in str(error), error
    else:
        raise AssertionError('a line without a value was taken')


def influxdb_client(port, now):
    """Asks for health first; then one by one, and in batches from a thread of its own."""
    from influxdb_client import InfluxDBClient, Point, WriteOptions
    from influxdb_client.client.write_api import SYNCHRONOUS
    from influxdb_client.rest import ApiException

    client = InfluxDBClient(f'http://127.0.0.1:{port}', token='secret', org='org', enable_gzip=True)
    assert client.ping() and client.version() != 'unknown', 'no answer to ping'
    assert client.health().status == 'pass' and client.ready().status == 'ready'
    write = client.write_api(write_options=SYNCHRONOUS)
    write.write('bucket', record=[
        Point('v2 one').tag('host', 'a b').field('float', 0.1).field('integer', -3).field('boolean', False)
        .time(now, 's'),
        Point('v2 one').tag('host', 'c').field('float', 2.5).time(now * 1000 + 5, 'ms')])
    try:
        write.write('bucket', record=f'v2_bad v=\nv2_good v=1 {now * 10**9}')
    except ApiException as error:
        assert error.status == 400 and '"line":1' in error.body, error
    else:
        raise AssertionError('a line without a value was taken')
    with client.write_api(write_options=WriteOptions(batch_size=300, flush_interval=100)) as batches:
        for k in range(1000):
            batches.write('bucket', record=Point('v2_batch').field('value', k / 7).time(now * 1000 - k, 'ms'),
                          write_precision='ms')
    for host in ('x', 'y'):
        write.write('deleted', record=[Point('v2 gone').tag('host', host).field('value', k).time(now + k, 's')
                                       for k in range(3)])
    begin, end = (datetime.datetime.fromtimestamp(now + k, datetime.timezone.utc) for k in range(2))
    client.delete_api().delete(begin, end, '_measurement="v2 gone" AND host="x"', bucket='deleted', org='org')
    try:
        client.delete_api().delete(begin, end, '', bucket='absent', org='org')
    except ApiException as error:
        assert error.status == 404, error
    else:
        raise AssertionError('rows of a bucket that is not there were deleted')


def pushgateway(port, _):
    """Pushes, adds, replaces and deletes groups; labels with slashes and without text go as base64."""
    from urllib.error import HTTPError

    from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
    from prometheus_client import delete_from_gateway, push_to_gateway, pushadd_to_gateway

    gateway = f'127.0.0.1:{port}'
    registry = CollectorRegistry()
    Gauge('pg_last_success_seconds', 'When it went well.', registry=registry).set(1.5)
    Counter('pg_files', 'Files.', ['kind'], registry=registry).labels('a "b"\n').inc(3)
    histogram = Histogram('pg_seconds', 'How long.', registry=registry, buckets=(1, 5))
    histogram.observe(0.5)
    histogram.observe(7)
    push_to_gateway(gateway, job='batch', registry=registry)
    push_to_gateway(gateway, job='a/b', grouping_key={'path': '/var/tmp', 'instance': ''}, registry=registry)
    other = CollectorRegistry()
    Gauge('pg_added', 'Another.', registry=other).set(4)
    pushadd_to_gateway(gateway, job='batch', registry=other)
    push_to_gateway(gateway, job='gone', registry=registry)
    delete_from_gateway(gateway, job='gone')
    push_to_gateway(gateway, job='less', registry=registry)
    push_to_gateway(gateway, job='less', registry=other)
    bad = CollectorRegistry()
    Gauge('pg_bad', 'x', registry=bad).set(1)
    try:
        push_to_gateway(gateway, job='x', grouping_key={'__name__': 'y'}, registry=bad)
    except HTTPError as error:
        assert error.code == 400, error
    else:
        raise AssertionError('a label of the system was taken')


def questdb(port, now):
    """Rows by HTTP; times of microseconds and of nanoseconds."""
    from questdb import QuestDBError, Sender, TimestampMicros, TimestampNanos

    with Sender.from_conf(f'http::addr=127.0.0.1:{port};') as sender:
        sender.row('quest one', symbols={'host': 'a b'}, at=TimestampNanos(now * 10**9),
                   columns={'float': 0.1, 'integer': -3, 'boolean': True, 'text': 'left out'})
        sender.flush()
        for k in range(1000):
            sender.row('quest_many', symbols={'n': '1'}, columns={'value': k / 7},
                       at=TimestampMicros(now * 10**6 + k * 1000))
    try:
        with Sender.from_conf(f'http::addr=127.0.0.1:{port};retry_timeout=0;') as sender:
            sender.row('quest_bad', columns={'value': 1.0}, at=TimestampNanos(9 * 10**18))
    except QuestDBError as error:
        assert '400' in str(error) or 'partial write' in str(error), error
    else:
        raise AssertionError('a row of the year 2255 was taken')


if __name__ == '__main__':
    SENDERS = {'influxdb': influxdb, 'influxdb_client': influxdb_client, 'pushgateway': pushgateway, 'questdb': questdb}
    SENDERS[sys.argv[1]](int(sys.argv[2]), int(sys.argv[3]))
