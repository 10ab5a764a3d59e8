"""A scrape target whose every value is known: what real clients carry to us is compared with what it said."""
import http.server
import threading

HELP = {'static_requests_total': ('counter', 'Requests, with a "quote" and a \\ backslash.'),
        'static_value': ('gauge', 'Values that are hard to carry.'),
        'static_latency_seconds': ('histogram', 'A histogram with exemplars.'),
        'static_vanishing': ('gauge', 'Is there in the first scrapes only.')}
# No -0: clients written in Go leave a field out that equals 0, and so send 0.
HARD_VALUES = {'tenth': '0.1', 'third': '0.3333333333333333', 'largest': '1.7976931348623157e+308',
               'smallest': '5e-324', 'infinite': '+Inf', 'minus_infinite': '-Inf',
               'not_a_number': 'NaN', 'big_integer': '9007199254740993', 'negative': '-123456.789'}
HARD_LABEL = 'ünï → "quoted" \\ back\nslash'
VANISHES_AFTER = 6


class Target:
    """Serves on a port of its own; the n-th scrape sees the n-th page."""

    def __init__(self):
        self.scrapes = 0
        self.lock = threading.Lock()
        target = self

        class Page(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                kind, body = target.answer(self.headers.get('Accept', ''))
                self.send_response(200)
                self.send_header('Content-Type', kind)
                self.send_header('Content-Length', str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Page)
        self.address = '127.0.0.1:%d' % self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def answer(self, accept):
        """Content type and body of the next page."""
        is_open = 'application/openmetrics-text' in accept
        kind = 'application/openmetrics-text; version=1.0.0' if is_open else 'text/plain; version=0.0.4'
        return kind + '; charset=utf-8', self.page(self.count(), is_open).encode()

    def count(self):
        with self.lock:
            self.scrapes += 1
            return self.scrapes

    def page(self, count, is_open):
        lines = []
        self.family(lines, 'static_requests_total', is_open)
        label = HARD_LABEL.replace('\\', '\\\\').replace('"', '\\"').replace('\n', '\\n')
        lines.append(f'static_requests_total{{path="/"}} {count * 7}')
        lines.append(f'static_requests_total{{path="{label}"}} {count}')
        self.family(lines, 'static_value', is_open)
        lines += [f'static_value{{kind="{kind}"}} {value}' for kind, value in HARD_VALUES.items()]
        self.family(lines, 'static_latency_seconds', is_open)
        exemplar = f' # {{trace_id="{count:032x}"}} 0.05' if is_open else ''
        lines.append(f'static_latency_seconds_bucket{{le="0.1"}} {count}{exemplar}')
        lines.append(f'static_latency_seconds_bucket{{le="+Inf"}} {count * 2}')
        lines += [f'static_latency_seconds_sum {count * 1.5}', f'static_latency_seconds_count {count * 2}']
        if count <= VANISHES_AFTER:
            self.family(lines, 'static_vanishing', is_open)
            lines.append('static_vanishing 1')
        if is_open:
            lines.append('# EOF')
        return '\n'.join(lines) + '\n'

    def family(self, lines, name, is_open):
        kind, text = HELP[name]
        if is_open and kind == 'counter':
            name = name.removesuffix('_total')
        escaped = text.replace('\\', '\\\\')
        if is_open:
            escaped = escaped.replace('"', '\\"')
        lines += [f'# HELP {name} {escaped}', f'# TYPE {name} {kind}']
