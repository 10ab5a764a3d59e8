#!/usr/bin/env python3
"""Backups under load: kill backup and restore at random moments, damage copies, restore to moments.

  backup.py --binary ./quipu --kills 50
  backup.py --binary ./quipu --kills 10 --s3          # against moto's S3 server (pip install 'moto[server]')
  backup.py --binary ./quipu --kills 50 --archive     # old blocks in an archive, and kills while they go there

What must hold, checked against a ledger of every batch sent:
- a kill of the server or of `quipu backup create` at any moment leaves every listed backup whole (verify --deep);
- a restored backup has each batch acknowledged before its time, none sent after it, nothing torn or unknown;
- a killed restore leaves a directory that `serve` refuses by name, and the same restore run again comes to its end;
- `restore --to-time T` has each batch acknowledged by T, and none sent after it;
- a flipped byte is named by `verify --deep`, and no restore serves it;
- the database itself loses nothing by all this;
- with --archive, a kill at any moment of archiving (at random, and at each of its crash points) leaves a directory
  that verifies whole with its archive and holds each acknowledged batch; backups of it restore without the archive.
Exit status 1 where any does not.
"""
import calendar, http.client, json, os, random, shutil, subprocess, sys, threading, time
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import rig
from rig import Batch

class Ledger(rig.Ledger):
    """Notes when each batch was sent, too."""
    def __init__(self, workload): super().__init__(workload); self.sent = {}
    def take(self, proto, w): b = super().take(proto, w); self.sent[b.index] = time.time(); return b

class Run:
    def __init__(self, a):
        self.a, self.seed = a, a.seed if a.seed is not None else random.randrange(1 << 30); self.rnd = random.Random(self.seed)
        self.problems, self.counts = [], dict(backups=0, backup_kills=0, restore_kills=0, archive_kills=0, archived_blocks=0, restores=0, moments=0, flips=0, refused=0, resumed=0)
        self.place = os.path.abspath(os.path.join(a.data, 'backups')); self.moto = None
        shutil.rmtree(a.data, ignore_errors=True); os.makedirs(a.data)
        if a.s3: self.start_s3()
        a.extra = f'{a.extra or ""} --flush-rows 4000 --backup-to {self.place} --backup-log-every 200ms'; start = None
        if a.archive:                    # rows of some days, so that there are blocks that are old; the environment tells the commands
            os.environ['QUIPU_ARCHIVE_TO'] = 's3://torture/archive' if a.s3 else os.path.abspath(os.path.join(a.data, 'archive'))
            a.extra += ' --archive-after 1h --archive-cache 1MiB'; a.step_ms = 600_000; start = (int(time.time()) - 600 * 86400) * 1000
        self.t = rig.target_of(a); self.t.wipe()
        self.L = Ledger(rig.Workload(self.seed, a.series, a.points, a.step_ms, start, extreme=True))
    def start_s3(self):
        port = rig.free_port()
        self.moto = subprocess.Popen(['moto_server', '-H', '127.0.0.1', '-p', str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=rig.die_with_parent)
        os.environ.update(AWS_ACCESS_KEY_ID='k', AWS_SECRET_ACCESS_KEY='s', AWS_REGION='us-east-1', AWS_ENDPOINT_URL=f'http://127.0.0.1:{port}', AWS_ALLOW_HTTP='true')
        sign = {'Authorization': 'AWS4-HMAC-SHA256 Credential=k/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0'}
        for _ in range(200):
            try:
                c = http.client.HTTPConnection('127.0.0.1', port, timeout=10); c.request('PUT', '/torture', headers=sign)
                if c.getresponse().status == 200: break
            except OSError: pass
            time.sleep(0.1)
        else: sys.exit('moto_server does not answer')
        self.place = 's3://torture/run'
    def wrong(self, text): self.problems.append(text); print('WRONG:', text, flush=True)
    def quipu(self, *words, timeout=300):
        p = subprocess.run([self.t.binary, *words], capture_output=True, text=True, timeout=timeout, preexec_fn=rig.die_with_parent)
        return p.returncode, p.stdout, p.stderr[-1500:]
    def ids(self):
        code, out, err = self.quipu('backup', 'list', '--from', self.place, '--format', 'json')
        if code != 0: self.wrong(f'list: {err}'); return []
        return [r['id'] for r in json.loads(out)]
    def verified(self, when):
        code, out, err = self.quipu('backup', 'verify', '--from', self.place, '--deep')
        if code != 0 and 'has no backup' not in err: self.wrong(f'{when}: verify: {out} {err}')
    def write(self, seconds, during=None):
        """Writers for a while; `during` runs beside them."""
        self.L.align(); stop = threading.Event()
        th = rig.writers(self.t, self.L, rig.protos_of(self.t, self.a.writers), stop, pause=self.a.pause, lag_ms=max(120_000, 20 * self.a.points * self.a.step_ms))
        time.sleep(seconds / 2)
        if during: during()
        if self.t.alive(): time.sleep(seconds / 2)
        stop.set(); [x.join(40) for x in th]
    def ask(self):
        try: return self.t.request('POST', '/api/v1/admin/backup', timeout=60, new=True)
        except (OSError, http.client.HTTPException) as e: return 0, repr(e).encode()
    # ------------------------------------------------------------ what a restored directory holds
    def compare(self, data, moment, when):
        """moment: seconds since 1970; one ms is given, as names and words have no finer time."""
        t = rig.Target(data, None, self.a.binary)
        try: t.start()
        except rig.NotStarted as e: self.wrong(f'{when}: {e}'); return
        L = self.L; need = [b for b in L.batches if b.acked and b.at <= moment]; never = [b for b in L.batches if L.sent[b.index] > moment + 0.002]
        r = rig.check(t, L, need) if need else dict(lost=0, wrong=0, duplicated=0)
        n = rig.check(t, L, never) if never else dict(acked=0, lost=0, unacked_present=0)
        f = rig.check(t, L)
        if r['lost'] or r['wrong'] or r['duplicated']: self.wrong(f'{when}: {r}')
        if n['acked'] - n['lost'] or n['unacked_present']: self.wrong(f'{when}: later rows: {n}')
        if f['unknown'] or f['torn_acked'] or f['torn_unacked']: self.wrong(f'{when}: {f}')
        t.stop(); shutil.rmtree(data, ignore_errors=True); self.counts['restores'] += 1
    def moment_of(self, ident): return calendar.timegm(time.strptime(ident[:15], '%Y%m%dT%H%M%S')) + int(ident[15:18]) / 1000
    def fresh(self): d = os.path.abspath(os.path.join(self.a.data, 'restored')); shutil.rmtree(d, ignore_errors=True); return d
    def restore(self, ident, when):
        d = self.fresh(); code, out, err = self.quipu('restore', '--from', self.place, '--backup', ident, '--data', d)
        if code != 0: self.wrong(f'{when}: restore of {ident}: {err}'); return
        self.compare(d, self.moment_of(ident), when)
    # ------------------------------------------------------------ the rounds
    def kill_backup(self, number):
        self.t.start(); delay = 10 ** self.rnd.uniform(-3.3, -0.3)
        if self.rnd.random() < 0.5:      # the server, while it backs itself up under load
            def kill():
                th = threading.Thread(target=self.ask); th.start(); time.sleep(delay); self.t.kill(); th.join(60)
            self.write(self.a.run, kill); how = 'server'
        else:                            # the command, on a directory without a server
            self.write(self.a.run); self.t.kill(); how = 'command'
            p = subprocess.Popen([self.t.binary, 'backup', 'create', '--data', self.t.data, '--to', self.place], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=rig.die_with_parent)
            time.sleep(delay); p.kill(); p.wait()
        self.counts['backup_kills'] += 1; when = f'backup kill {number} ({how}, {delay:.4f} s)'
        self.verified(when); ids = self.ids()
        if not ids: return self.wrong(f'{when}: no backup is left')
        if number % 3 == 0: self.restore(ids[-1], when)
    def archived(self):
        try: lines = self.t.request('GET', '/metrics', timeout=10, new=True)[1].decode().splitlines()
        except (OSError, http.client.HTTPException): return 0
        return sum(int(float(l.split()[1])) for l in lines if l.startswith('quipu_archive_blocks '))
    def kill_archive(self, number):
        point = (None, 'archive-piece', 'archive-uploaded', 'archive-listed')[number % 4]
        self.t.start(env={'QUIPU_CRASH_AT': point} if point else None)
        if number % 3 == 0:              # late rows beside archived blocks: they are written anew, and archived anew
            self.L.align(); w = self.L.workload; late = max(0, (self.L.next.get(0, 0) - 300) // w.points * w.points); seen = {b.first for b in self.L.batches if b.w == 9}
            if late not in seen:
                b = Batch('lp', 9, late); b.index = len(self.L.batches); self.L.batches.append(b); self.L.sent[b.index] = time.time()
                b.status, _ = self.t.write('lp', w.body('lp', 9, late)); b.acked = b.status // 100 == 2; b.at = time.time()
        self.write(self.a.run / 2); delay = self.rnd.uniform(0, 4.5) if not point else 4.5
        self.t.flush(('/api/v1/admin/flush',)); end = time.time() + delay
        while time.time() < end and self.t.alive(): time.sleep(0.01)
        self.t.kill(); self.counts['archive_kills'] += 1; when = f'archive kill {number} ({point or f"{delay:.3f} s"})'
        v, out = rig.verify(self.t)
        if v is False: self.wrong(f'{when}: verify: {out}')
        if number % 5 == 4:
            self.t.start(); f = rig.check(self.t, self.L); self.t.kill()
            if f['lost'] or f['wrong'] or f['duplicated'] or f['unknown'] or f['torn_acked']: self.wrong(f'{when}: {f}')
    def archive_all(self):
        """In peace: all that is due goes, and every row is there."""
        self.t.start(); self.t.flush(('/api/v1/admin/flush',)); before, end = -1, time.time() + 60
        while time.time() < end and self.archived() != before: before = self.archived(); time.sleep(4)
        self.counts['archived_blocks'] = before; f = rig.check(self.t, self.L)
        if f['lost'] or f['wrong'] or f['duplicated'] or f['unknown'] or f['torn_acked']: self.wrong(f'archived: {f}')
        if not before: self.wrong('no block came to the archive')
        here = [x for _, _, fs in os.walk(os.path.join(self.t.data, 't0')) for x in fs if x.endswith('.block')]
        if len(here) > 2: self.wrong(f'blocks are here still: {here}')
        self.t.kill()
    def kill_restore(self, number, ids):
        ident = self.rnd.choice(ids[-3:]); d = self.fresh(); words = ['restore', '--from', self.place, '--data', d]
        moment = self.moment_of(ident) if number % 2 else self.last
        words += ['--backup', ident] if number % 2 else ['--to-time', f'{self.last:.3f}']
        p = subprocess.Popen([self.t.binary, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=rig.die_with_parent)
        delay = 10 ** self.rnd.uniform(-3, -0.2); time.sleep(delay); p.kill(); done = p.wait() == 0
        self.counts['restore_kills'] += 1; when = f'restore kill {number} ({delay:.4f} s)'
        marked = os.path.exists(os.path.join(d, 'RESTORE-IS-NOT-DONE'))
        if marked:
            code, out, err = self.quipu('serve', '--data', d, '--listen', '127.0.0.1:0', timeout=20)
            if code == 0 or 'restore' not in err: self.wrong(f'{when}: served: {err}')
            self.counts['refused'] += 1
        if not done and (marked or not os.path.isdir(d) or set(os.listdir(d)) <= {'LOCK', 'RESTORE-IS-NOT-DONE.tmp'}):
            code, out, err = self.quipu(*words)
            if code != 0: return self.wrong(f'{when}: again: {err}')
            self.counts['resumed'] += 1
        self.compare(d, moment, when)
    def to_moments(self, count):
        first = self.moment_of(self.ids()[0])
        for number in range(count):
            moment = self.rnd.uniform(first + 0.01, self.last); moment = int(moment * 1000) / 1000; d = self.fresh()
            code, out, err = self.quipu('restore', '--from', self.place, '--data', d, '--to-time', f'{moment:.3f}')
            self.counts['moments'] += 1
            if code != 0: self.wrong(f'to {moment:.3f}: {err}'); continue
            self.compare(d, moment, f'to {moment:.3f}')
    def flip(self, number):
        ids = self.ids(); copy = self.place + '-copy'; shutil.rmtree(copy, ignore_errors=True); shutil.copytree(self.place, copy)
        files = [os.path.join(p, f) for folder in ('objects', 'backups') for p, _, fs in os.walk(os.path.join(copy, folder)) for f in fs]
        path = self.rnd.choice(files); at = self.rnd.randrange(os.path.getsize(path)); self.counts['flips'] += 1
        with open(path, 'r+b') as f: f.seek(at); b = f.read(1); f.seek(at); f.write(bytes([b[0] ^ 1 << self.rnd.randrange(8)]))
        name = os.path.basename(path); code, out, err = self.quipu('backup', 'verify', '--from', copy, '--deep')
        # A piece that no backup names is left over from a kill: nobody reads it.
        named = any(name in open(os.path.join(self.place, 'backups', i + '.backup')).read() for i in ids) or path.endswith('.backup')
        if named and (code == 0 or name.split('.')[0] not in out + err): self.wrong(f'flip of {path} at {at}: verify: {out} {err}')
        ident = self.rnd.choice(ids); d = self.fresh()
        code, out, err = self.quipu('restore', '--from', copy, '--backup', ident, '--data', d)
        if code == 0: self.compare(d, self.moment_of(ident), f'flip of {path}')
        elif name not in err: self.wrong(f'flip of {path} at {at}: refused without its name: {err}')
    def all(self):
        a = self.a; self.t.start(); self.write(a.run)
        status, body = self.ask()
        if status != 200: self.wrong(f'first backup: {status} {body[:300]}')
        self.counts['backups'] += 1; self.t.stop()
        for number in range(a.kills): self.kill_backup(number)
        for number in range(a.kills if a.archive else 0): self.kill_archive(number)
        if a.archive: self.archive_all()
        self.t.start(); self.write(a.run, self.ask); self.last = int(time.time() * 1000) / 1000 + 0.001
        if not self.t.stop(): self.wrong('the server did not end when asked')
        ids = self.ids(); self.verified('after all'); self.restore(ids[-1], 'the last')
        for number in range(a.kills): self.kill_restore(number, ids)
        self.to_moments(a.moments)
        if not a.s3:
            for number in range(a.flips): self.flip(number)
        code, out, err = self.quipu('backup', 'prune', '--from', self.place, '--keep-last', '2')
        if code != 0 and 'is in use' not in err: self.wrong(f'prune: {err}')
        self.verified('after prune'); ids = self.ids(); self.restore(ids[-1], 'after prune')
        self.t.start(); f = rig.check(self.t, self.L)
        if f['lost'] or f['wrong'] or f['duplicated'] or f['unknown'] or f['torn_acked']: self.wrong(f'the database: {f}')
        self.t.stop(); v, out = rig.verify(self.t)
        if v is False: self.wrong(f'verify of the database: {out}')
        if self.moto: self.moto.kill(); self.moto.wait()
        rig.finish(a, dict(test='backup', place='s3' if a.s3 else 'directory', seed=self.seed, acked_samples=self.L.acked_samples(), **self.counts, left=len(ids), problems=self.problems), not self.problems)

def main():
    p = rig.arguments(__doc__, 'torture-backup')
    p.add_argument('--kills', type=int, default=50, help='of backup, and as many of restore'); p.add_argument('--moments', type=int, default=20); p.add_argument('--flips', type=int, default=20)
    p.add_argument('--writers', type=int, default=3); p.add_argument('--series', type=int, default=10); p.add_argument('--points', type=int, default=5); p.add_argument('--step-ms', type=int, default=200)
    p.add_argument('--run', type=float, default=0.6, help='seconds of writing a round'); p.add_argument('--pause', type=float, default=0.01, help='seconds between batches of a writer'); p.add_argument('--s3', action='store_true'); p.add_argument('--archive', action='store_true', help='old blocks go to an archive, which is killed too')
    Run(p.parse_args()).all()
main()
