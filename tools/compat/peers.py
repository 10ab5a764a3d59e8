"""Programs of others: found on PATH, or unpacked from Debian's packages into .compat/, never installed as services."""
import functools
import glob
import os
import shutil
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
STORE = os.path.join(ROOT, '.compat')
PACKAGES = {
    'prometheus': 'prometheus', 'promtool': 'prometheus',
    'vmagent': 'victoria-metrics', 'vmalert': 'victoria-metrics',
    'curl': 'curl',
}


class Missing(Exception):
    """A client that is not here and could not be fetched. That is a fault, not a reason to skip."""


def program(name):
    """Path of the program; fetched the first time it is asked for."""
    for found in (shutil.which(name), os.path.join(STORE, 'root/usr/bin', name)):
        if found and os.path.exists(found):
            return found
    fetch(PACKAGES[name])
    found = os.path.join(STORE, 'root/usr/bin', name)
    if not os.path.exists(found):
        raise Missing(f'{name} is not in the package {PACKAGES[name]}')
    return found


@functools.cache
def fetch(package):
    """Unpacks a package without its dependencies and without running its scripts."""
    downloads = os.path.join(STORE, 'deb')
    os.makedirs(downloads, exist_ok=True)
    try:
        if not glob.glob(f'{downloads}/{package}_*.deb') and download(package, downloads):
            # An empty or old list of packages; only root may renew it.
            quiet(['apt-get', 'update'], downloads)
            if error := download(package, downloads):
                raise Missing(f'cannot fetch {package}: {error}')
        deb = glob.glob(f'{downloads}/{package}_*.deb')[0]
        if error := quiet(['dpkg', '-x', deb, os.path.join(STORE, 'root')], downloads):
            raise Missing(f'cannot unpack {package}: {error}')
    except (OSError, IndexError) as error:
        raise Missing(f'cannot fetch {package}: {error}') from error


def download(package, folder):
    return quiet(['apt-get', 'download', package], folder)


def quiet(command, folder):
    """Runs to the end; returns what it said on failure, else nothing."""
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, timeout=100)
    except subprocess.TimeoutExpired:
        return 'no answer in 100 s'
    said = (done.stderr or done.stdout).decode(errors='replace').strip()
    return '' if done.returncode == 0 else said[-300:] or f'exit {done.returncode}'


def version(path, argument='--version'):
    """The first thing that looks like a version in what the program says about itself."""
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
