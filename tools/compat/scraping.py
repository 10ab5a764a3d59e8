"""Quipu scrapes: the same targets as a Prometheus beside it, with one configuration; what both hold is compared."""
import os
import shlex

import peers
from clients import SCRAPES, now_ms, vmagent_difference
from process import Failed, Process, free_port
from same import soon
from target import Target

# What `node_exporter` shows in every scrape alike: the values must be equal too.
STEADY = ['node_exporter_build_info', 'node_uname_info', 'node_memory_MemTotal_bytes', 'node_boot_time_seconds']
# Parts of a target that depend on when and from where it was scraped, or that Prometheus 2 does not show.
MOVING = ['lastScrape', 'lastScrapeDuration', 'globalUrl']


def config(folder, node, quipu, target):
    """The jobs; the last is Quipu's alone, since each of its scrapes counts."""
    common = f'''global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
  - job_name: node
    static_configs: [{{targets: ['{node}'], labels: {{job: own, zone: z}}}}]
    relabel_configs:
      - {{source_labels: [__address__], regex: '(.*):(.*)', target_label: port, replacement: '${{2}}'}}
      - {{source_labels: [__address__], modulus: 8, target_label: shard, action: hashmod}}
    metric_relabel_configs:
      - {{source_labels: [__name__], regex: '(go|promhttp)_.*', action: drop}}
      - {{regex: 'mode|cpu', action: labelmap, replacement: 'of_$0'}}
  - job_name: quipu
    honor_labels: true
    static_configs: [{{targets: ['{quipu}']}}]
  - job_name: dropped
    static_configs: [{{targets: ['{node}']}}]
    relabel_configs: [{{source_labels: [__address__], action: drop}}]
  - job_name: down
    static_configs: [{{targets: ['127.0.0.1:1']}}]
'''
    paths = []
    for name, more in [('both', ''), ('quipu', f"  - job_name: vmagent\n    static_configs: [{{targets: ['{target}']}}]\n")]:
        paths.append(os.path.join(folder, name + '.yml'))
        with open(paths[-1], 'w') as file:
            file.write(common + more)
    return paths


def scrapes(command, folder):
    """node_exporter, Quipu itself and a target whose every page is known, beside a Prometheus."""
    node_port, port, peer_port = free_port(), free_port(), free_port()
    target, running, begun = Target(), [], now_ms()
    try:
        node = Process('node_exporter', [
            peers.program('prometheus-node-exporter'), f'--web.listen-address=127.0.0.1:{node_port}'],
            folder, node_port, ['/'])
        running.append(node)
        both, own = config(folder, node.address, f'127.0.0.1:{port}', target.address)
        words = [word.format(port=port, dir=folder + '/data') for word in shlex.split(command)]
        quipu = Process('server', [*words, '--scrape-config', own], folder, port, ['/ready', '/-/ready', '/health'])
        running.append(quipu)
        peer = Process('prometheus', [
            peers.program('prometheus'), '--config.file=' + both, '--storage.tsdb.path=' + folder + '/prometheus',
            f'--web.listen-address=127.0.0.1:{peer_port}'], folder, peer_port, ['/-/ready'])
        running.append(peer)
        soon(lambda: vmagent_difference(quipu, target, begun), 40)
        soon(lambda: holdings_difference(quipu, peer), 20)
        soon(lambda: targets_difference(quipu, peer), 20)
        metadata_difference(quipu, peer)
    finally:
        for process in reversed(running):
            process.stop()
        target.close()


def holdings_difference(quipu, peer):
    """Names and labels of all series of what both scrape, and values that do not move."""
    at, total = now_ms(), 0
    for job in ['own', 'quipu', 'down']:
        # What the servers say of themselves while they are asked comes and goes.
        query = f'group by (__name__, instance, zone, port, shard, device, of_mode, of_cpu, mode, cpu, fstype, mountpoint) ' \
                f'({{job="{job}",__name__!~"node_scrape_collector.*|node_network.*|node_filesystem.*|quipu_http.*"}})'
        mine, theirs = set(quipu.values(query, at)), set(peer.values(query, at))
        if not theirs or mine != theirs:
            return f'job {job}: only Quipu has {sorted(mine - theirs)[:2]}, only Prometheus {sorted(theirs - mine)[:2]}'
        total += len(mine)
    for name in STEADY:
        query = f'{name}{{job="own"}}'
        if quipu.values(query, at) != peer.values(query, at):
            return f'{name}: {quipu.values(query, at)}, expected {peer.values(query, at)}'
    for name in ['scrape_samples_scraped', 'scrape_samples_post_metric_relabeling', 'up']:
        query = f'{name}{{job=~"own|down"}}'
        if quipu.values(query, at) != peer.values(query, at):
            return f'{name}: {quipu.values(query, at)}, expected {peer.values(query, at)}'
    print(f'   {total} series have the labels that Prometheus gives them, {SCRAPES} scrapes are as the target said',
          flush=True)
    return ''


def targets_difference(quipu, peer):
    """/api/v1/targets, part by part."""
    def shown(server):
        data = server.ask('targets')
        active = {it['scrapeUrl']: {k: v for k, v in it.items() if k not in MOVING} for it in data['activeTargets']
                  if it['scrapePool'] != 'vmagent'}
        for it in active.values():
            # The texts are each server's own.
            it['lastError'] = bool(it['lastError'])
            # Prometheus 2.42 writes what its rules made over labels that it found.
            it['discoveredLabels'] = {k: v for k, v in it['discoveredLabels'].items() if k == 'job' or k[:2] == '__'}
        return active, [it['discoveredLabels'] for it in data['droppedTargets']]
    (mine, dropped), (theirs, expected) = shown(quipu), shown(peer)
    for url in mine.keys() | theirs.keys():
        if mine.get(url) != theirs.get(url):
            return f'target {url} is {mine.get(url)}, expected {theirs.get(url)}'
    return '' if dropped == expected else f'dropped are {dropped}, expected {expected}'


def metadata_difference(quipu, peer):
    wanted = dict(match_target='{job="own"}', metric='node_load1')
    mine, theirs = quipu.ask('targets/metadata', **wanted), peer.ask('targets/metadata', **wanted)
    if mine != theirs:
        raise Failed(f'metadata is {mine}, expected {theirs}')
