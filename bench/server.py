"""A onemap server of our own on a data folder, and the means to work with it: its API, its database, its commands."""

import json
import os
import subprocess
import time
import urllib.error
import urllib.request

PORT = int(os.environ.get('BENCH_PORT', 18473))


class Server:
    """A running `onemap serve`. `settings` are those of README.md, such as tile_cache=0."""

    def __init__(self, binary, data, log, **settings):
        self.data = data
        self.base = f'http://127.0.0.1:{PORT}'
        environment = os.environ | {'ONEMAP_DATA': data, 'ONEMAP_LISTEN': f'127.0.0.1:{PORT}', 'ONEMAP_LOG': 'warn'}
        environment |= {f'ONEMAP_{name.upper()}': str(value) for name, value in settings.items()}
        begun = time.monotonic()
        self.log = open(log, 'a')
        self.process = subprocess.Popen([binary, 'serve'], env=environment, stdin=subprocess.DEVNULL,
                                        stdout=self.log, stderr=self.log)
        self.pid = self.process.pid
        while not self.is_ready():
            if self.process.poll() is not None:
                raise RuntimeError(f'the server ended with {self.process.returncode}; see {log}')
            time.sleep(0.01)
        self.ready_seconds = time.monotonic() - begun

    def is_ready(self):
        try:
            return urllib.request.urlopen(f'{self.base}/readyz', timeout=5).status == 200
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False

    def get(self, path, key=''):
        headers = {'Authorization': f'Bearer {key}'} if key else {}
        with urllib.request.urlopen(urllib.request.Request(self.base + path, headers=headers), timeout=60) as answer:
            return json.load(answer)

    def text(self, path):
        with urllib.request.urlopen(self.base + path, timeout=60) as answer:
            return answer.read().decode()

    def index_of(self, layer, key):
        """What the server says of a layer's tile index: {} when it has none to speak of."""
        return self.get(f'/api/v1/layers/{layer}', key).get('tile_index') or {}

    def wait_for_indexes(self, key, layers, most=900):
        """{layer: its tile index}, once none is missing."""
        begun = time.monotonic()
        while True:
            found = {layer: self.index_of(layer, key) for layer in layers}
            if all(index.get('state') in (None, 'ready') for index in found.values()):
                return found
            if time.monotonic() - begun > most:
                raise RuntimeError(f'the tile indexes are not ready after {most} s: {found}')
            time.sleep(0.2)

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(30)
        self.log.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def command(binary, data, *arguments, quiet=True):
    """Runs another command of the binary on the folder; a server may run meanwhile."""
    environment = os.environ | {'ONEMAP_DATA': data, 'ONEMAP_LOG': 'warn'}
    run = subprocess.run([binary, *arguments], env=environment, stdin=subprocess.DEVNULL, text=True,
                         capture_output=quiet)
    if run.returncode != 0:
        raise RuntimeError(f'onemap {" ".join(arguments[:2])} failed: {run.stdout or ""}{run.stderr or ""}')
    return run.stdout


class Database:
    """The private PostGIS of a running server, through one psql that stays connected: a statement costs no connection."""

    END = '--end--'

    def __init__(self, data):
        pointer = os.path.join(data, 'cluster-path')
        base = open(pointer).read().strip() if os.path.exists(pointer) else data
        with open(os.path.join(base, 'pg', 'postmaster.pid')) as file:
            socket = file.read().splitlines()[4]
        self.address = ['-h', socket, '-U', 'onemap', '-d', 'onemap']
        self.psql = subprocess.Popen(
            ['psql', '-qAtX', '-v', 'ON_ERROR_STOP=1', '-F', '\t', *self.address],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def run(self, sql):
        """The rows of the statements, as lists of texts."""
        self.psql.stdin.write(f'{sql.rstrip().rstrip(";")};\n\\echo {self.END}\n')
        self.psql.stdin.flush()
        rows = []
        for line in self.psql.stdout:
            line = line.rstrip('\n')
            if line == self.END:
                return rows
            rows.append(line.split('\t'))
        raise RuntimeError('psql ended: ' + ' '.join(' '.join(row) for row in rows))

    def one(self, sql):
        return self.run(sql)[0][0]

    def close(self):
        self.psql.stdin.close()
        self.psql.wait(10)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
