#!/usr/bin/env python3
"""Asks Quipu and VictoriaMetrics the same, and shows where values differ beyond what is known to.

Both get the same rows by Prometheus' text format and are asked instant queries by Prometheus' API.
Names of metrics are left out: VictoriaMetrics keeps them where PromQL drops them.

    tools/compat/metricsql.py --quipu target/debug/quipu --victoria victoria-metrics
"""

import argparse
import json
import math
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

END = int(time.time()) // 60 * 60 - 120
A = [20, 21, 22, 23, 24, 25, 24, 23, 22, 21, 20]
H = [18, 18, 18, 18, 19, 19, 19, 19, 20, 20, 21]
C = [0, 30, 60, 90, 120, 150, 180, 10, 40, 70, 100]
SERIES = {'g{room="attic"}': A, 'g{room="hall"}': H, 'c{path="/b"}': C}

# `@` windows begin half a minute before a row, as VictoriaMetrics' windows hold both edges.
W = "[270s]"
ROLLUPS = """median_over_time mode_over_time range_over_time distinct_over_time geomean_over_time
sum2_over_time scrape_interval increases_over_time decreases_over_time ascent_over_time
descent_over_time rate_over_sum tmin_over_time tmax_over_time tfirst_over_time tlast_over_time
lag lifetime deriv_fast ideriv default_rollup mad_over_time zscore_over_time
tlast_change_over_time""".split()
QUESTIONS = (
    [f"{name}(g{W})" for name in ROLLUPS]
    + [f"{name}(g{W}, 23)" for name in (
        "count_eq_over_time count_ne_over_time count_gt_over_time count_le_over_time "
        "share_gt_over_time share_le_over_time").split()]
    + [f"duration_over_time(g{W}, 90)", f"increase_pure(c{W})",
       f'quantiles_over_time("phi", 0.25, 0.75, g{W})',
       f'count_values_over_time("v", g{W})', f'rollup(g{W})', f'rollup_candlestick(g{W})',
       f'aggr_over_time(("min_over_time", "max_over_time"), g{W})',
       "g == (20, 7)", "g default 5", "nothing default 7", "g if g{room=\"hall\"}",
       "g ifnot g{room=\"hall\"}", "share(g)", "sum2(g)", "median(g)", "mode(g)", "distinct(g)",
       "geomean(g)", "zscore(g)", "mad(g)", 'quantiles("phi", 0.2, 0.8, g)', "any(g{room=\"hall\"})",
       "sum(g, c)", "union(g, c)", "(g, c)", "topk_max(1, g)", "bottomk_last(1, g)",
       "limit_offset(1, 0, g{room=\"hall\"})", "bitmap_and(g, 20)", "bitmap_or(g, 3)",
       "bitmap_xor(g, 3)", 'label_set(g, "a", "b")', 'label_del(g, "room")' + "",
       'label_keep(c, "path")', 'label_copy(g, "room", "r")', 'label_move(g, "room", "r")',
       'label_map(g, "room", "hall", "lobby")', 'label_match(g, "room", "h.*")',
       'label_mismatch(g, "room", "h.*")', 'label_uppercase(g, "room")',
       'label_transform(g, "room", "[aeiou]", "_")', 'label_value(label_set(c, "n", "7"), "n")',
       'alias(c, "d")', "drop_common_labels(g)", "ru(g, 100)", "1Ki + 1K", "sum(g) by (room) limit 5",
       "WITH (f(x) = x + 1) f(g)", "g offset 1.5m", "running_sum(c)", "range_max(c)"]
)


def port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def lines():
    for name, values in SERIES.items():
        for index, value in enumerate(values):
            at = (END - 30 - 60 * (len(values) - 1 - index)) * 1000
            yield f"{name} {value} {at}\n"


def post(url, body):
    request = urllib.request.Request(url, data=body, headers={"Content-Type": "text/plain"})
    return urllib.request.urlopen(request, timeout=10).read()


def ask(base, question):
    arguments = urllib.parse.urlencode({"query": question, "time": END, "nocache": 1})
    try:
        body = urllib.request.urlopen(f"{base}/api/v1/query?{arguments}", timeout=10).read()
    except urllib.error.HTTPError as error:
        return "error: " + json.loads(error.read()).get("error", "")[:150]
    data = json.loads(body)["data"]
    if data["resultType"] == "scalar":
        return {(): float(data["result"][1])}
    series = {}
    for sample in data["result"]:
        labels = tuple(sorted((k, v) for k, v in sample["metric"].items() if k != "__name__"))
        series[labels] = float(sample["value"][1]) if "value" in sample else math.nan
    return series


def same(a, b):
    if isinstance(a, str) or isinstance(b, str) or a.keys() != b.keys():
        return False
    return all(math.isclose(a[k], b[k], rel_tol=1e-9, abs_tol=1e-12) for k in a)


def until_up(url):
    for _ in range(100):
        try:
            return urllib.request.urlopen(url, timeout=1).read()
        except OSError:
            time.sleep(0.2)
    raise SystemExit(f"{url} does not come up")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--quipu", default="target/debug/quipu")
    parser.add_argument("--victoria", default="victoria-metrics")
    options = parser.parse_args()
    folder = tempfile.mkdtemp()
    ports = port(), port()
    ours, theirs = (f"http://127.0.0.1:{number}" for number in ports)
    servers = [
        subprocess.Popen([options.quipu, "serve", "--listen", f"127.0.0.1:{ports[0]}",
                          "--data", os.path.join(folder, "q")],
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL),
        subprocess.Popen([options.victoria, f"-httpListenAddr=127.0.0.1:{ports[1]}",
                          f"-storageDataPath={folder}/v", "-retentionPeriod=100y",
                          "-search.latencyOffset=0s"],
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL),
    ]
    try:
        until_up(f"{ours}/-/ready")
        until_up(f"{theirs}/health")
        body = "".join(lines()).encode()
        post(f"{ours}/api/v1/import/prometheus", body)
        post(f"{theirs}/api/v1/import/prometheus", body)
        time.sleep(2)
        until_up(f"{theirs}/internal/force_flush")
        differ = 0
        for question in QUESTIONS:
            mine, other = ask(ours, question), ask(theirs, question)
            if not same(mine, other):
                differ += 1
                print(f"{question}\n  quipu    {mine}\n  victoria {other}")
        print(f"{len(QUESTIONS)} questions, {differ} differ")
    finally:
        for server in servers:
            server.terminate()
            server.wait(20)


if __name__ == "__main__":
    sys.exit(main())
