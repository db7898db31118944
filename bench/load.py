"""Asking servers: many requests at once by wrk, or one after the other with each answer's time and size."""

import http.client
import os
import subprocess
import tempfile
import threading
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlsplit

import machine

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'requests.lua')


# So many times the asked-for seconds are spent at most on one list of slow answers.
PATIENCE = 5


@dataclass
class Load:
    """What a stretch of load came to. `cpu` is milliseconds per request, of the server and its database together."""
    requests: int
    rate: float
    p50: float
    p99: float
    cpu: float
    bytes: float
    errors: int


def wrk(base, paths, seconds, roots, key='', connections=4, encoding='gzip', threads=1):
    """Asks for the paths in turn for some seconds; the CPU is that of the process trees below `roots`."""
    with tempfile.NamedTemporaryFile('w', suffix='.txt') as file:
        file.write('\n'.join(paths) + '\n')
        file.flush()
        environment = os.environ | {'BENCH_LIST': file.name, 'BENCH_KEY': key, 'BENCH_ENCODING': encoding}
        command = ['wrk', f'-t{threads}', f'-c{connections}', f'-d{seconds}s', '--timeout', '60s', '-s', SCRIPT, base]
        before = machine.cpu_seconds(*roots)
        run = subprocess.run(command, env=environment, capture_output=True, text=True)
        spent = machine.cpu_seconds(*roots) - before
    result = [line for line in run.stdout.splitlines() if line.startswith('RESULT ')]
    if not result:
        raise RuntimeError(f'wrk failed: {run.stdout}{run.stderr}')
    requests, micros, errors, p50, p99, size = map(float, result[0].split()[1:])
    n = max(requests, 1)
    return Load(int(requests), requests / micros * 1e6, p50 / 1e3, p99 / 1e3, spent * 1e3 / n, size / n, int(errors))


def each_once(base, paths, seconds, roots, key='', connections=4):
    """The same for slow answers: no request is cut off with its cost half counted. All paths once, if that does not take forever."""
    before, begun, waits, sizes, wrong = machine.cpu_seconds(*roots), time.perf_counter(), [], [], []
    with ThreadPoolExecutor(connections) as pool:
        clients = threading.local()

        def ask(path):
            if time.perf_counter() - begun > PATIENCE * seconds:
                return
            if not hasattr(clients, 'own'):
                clients.own = Client(base, key)
            status, _, body, ms = clients.own.get(path)
            waits.append(ms)
            sizes.append(len(body))
            if status not in (200, 204):
                wrong.append(status)

        while not waits or time.perf_counter() - begun < seconds:
            list(pool.map(ask, paths))
    took, spent, n = time.perf_counter() - begun, machine.cpu_seconds(*roots) - before, len(waits)
    return Load(n, n / took, percentile(waits, 0.5), percentile(waits, 0.99), spent * 1e3 / n, sum(sizes) / n, len(wrong))


class Client:
    """One connection that is kept open."""

    def __init__(self, base, key='', timeout=120):
        parts = urlsplit(base)
        self.open = lambda: http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout)
        self.connection = self.open()
        self.headers = {'Accept-Encoding': 'gzip'}
        if key:
            self.headers['Authorization'] = f'Bearer {key}'

    def get(self, path, headers=None, method='GET', body=None):
        """(status, headers, body as sent, milliseconds). A connection that the server has let go is opened anew."""
        for last in (False, True):
            begun = time.perf_counter()
            try:
                self.connection.request(method, path, body=body, headers=self.headers | (headers or {}))
                answer = self.connection.getresponse()
                sent = answer.read()
                return answer.status, answer.headers, sent, (time.perf_counter() - begun) * 1e3
            except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                self.connection.close()
                self.connection = self.open()
                if last:
                    raise

    def plain(self, path):
        """(status, the body without its compression)."""
        status, headers, sent, _ = self.get(path)
        return status, unpacked(headers, sent)


def unpacked(headers, body):
    return zlib.decompress(body, 47) if headers.get('Content-Encoding') == 'gzip' else body


def in_turn(base, paths, key='', timeout=120):
    """[(milliseconds, bytes compressed, status)] of each path, asked for once, one after the other."""
    client = Client(base, key, timeout)
    found = []
    for path in paths:
        status, headers, body, ms = client.get(path)
        packed = headers.get('Content-Encoding') == 'gzip'
        found.append((ms, len(body) if packed else len(zlib.compress(body, 6)), status))
    return found


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
