"""A million rows of somebody's through an overlay: how fast, in how much memory, and whether anything of them is left.
`bench/overlay.py BINARY [ROWS]` loads a demo city of its own, streams rows that carry a marker through `/api/v1/overlay`, reading while it
sends, watches the server's memory, and then looks for the marker in tables, in every file of the data directory (PostgreSQL's and
its logs among them), in files without names that the server has open, and in the server's log at its finest level."""

import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time

import machine
from server import PORT, Database, Server, command

ROWS = 1_000_000
# Beside which the memory of the many is held.
FEW = 50_000
MARKER = b'kanarienvogel-7f3a'
# MiB that so many more rows may take: buffers of the allocator, not rows.
MOST_GROWTH = 48
PIECE = 1 << 16


class Watch(threading.Thread):
    """The most memory that a process had, MiB without mapped files."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.most, self.over = pid, 0.0, threading.Event()
        self.start()

    def run(self):
        while not self.over.wait(0.05):
            self.most = max(self.most, machine.memory(self.pid)[1])

    def stop(self):
        self.over.set()
        self.join()
        return self.most


def rows(count):
    """Pieces of a csv: points of the city, each row with the marker."""
    chance = random.Random(7)
    lines = ['名称,经度,纬度\n'.encode()]
    for number in range(count):
        lon, lat = 120.1 + chance.random() * 0.4, 36.0 + chance.random() * 0.3
        lines.append(b'%s-%d,%.6f,%.6f\n' % (MARKER, number, lon, lat))
        if len(lines) >= 2000:
            yield b''.join(lines)
            lines = []
    yield b''.join(lines)


def streamed(key, count):
    """Seconds, bytes and marked rows of the answer, which is read while the rows are sent."""
    connection = socket.create_connection(('127.0.0.1', PORT), timeout=600)
    head = (f'POST /api/v1/overlay?layers=districts,streets&fields.districts=name&fields.streets=name HTTP/1.1\r\n'
            f'Host: 127.0.0.1:{PORT}\r\nAuthorization: Bearer {key}\r\nContent-Type: text/csv\r\n'
            'Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n')

    def send():
        connection.sendall(head.encode())
        for piece in rows(count):
            connection.sendall(b'%x\r\n%s\r\n' % (len(piece), piece))
        connection.sendall(b'0\r\n\r\n')

    begun = time.monotonic()
    sender = threading.Thread(target=send, daemon=True)
    sender.start()
    size = found = 0
    tail = b''
    while piece := connection.recv(PIECE):
        if not size and b' 200 ' not in piece.split(b'\r\n', 1)[0]:
            raise RuntimeError(piece.decode(errors='replace'))
        size += len(piece)
        # A marker may be cut by the pieces' edge.
        found += (tail + piece).count(MARKER) - tail.count(MARKER)
        tail = piece[-len(MARKER) + 1:]
    sender.join()
    return time.monotonic() - begun, size, found


def holds(path):
    """Whether a file has the marker in it."""
    try:
        with open(path, 'rb') as file:
            tail = b''
            while piece := file.read(1 << 20):
                if MARKER in tail + piece:
                    return True
                tail = piece[-len(MARKER):]
    except OSError:
        pass  # it is gone, or no file that is read
    return False


def traces(server, data, log):
    """Where the marker is found, and how much was looked at."""
    found, looked = [], 0
    pointer = os.path.join(data, 'cluster-path')
    folders = [data] + ([open(pointer).read().strip()] if os.path.exists(pointer) else [])
    for folder in folders:
        for path, _, names in os.walk(folder):
            for name in names:
                path_of = os.path.join(path, name)
                looked += os.path.getsize(path_of) if os.path.isfile(path_of) else 0
                if holds(path_of):
                    found.append(path_of)
    for descriptor in os.listdir(f'/proc/{server.pid}/fd'):
        path = f'/proc/{server.pid}/fd/{descriptor}'
        if os.path.isfile(path) and holds(path):
            found.append(os.readlink(path))
    if holds(log):
        found.append(log)
    with Database(data) as database:
        dump = subprocess.Popen(['pg_dump', *database.address], stdout=subprocess.PIPE)
        tail = b''
        while piece := dump.stdout.read(1 << 20):
            looked += len(piece)
            if MARKER in tail + piece:
                found.append('a table')
            tail = piece[-len(MARKER):]
        if dump.wait() != 0:
            raise RuntimeError('pg_dump failed')
    return found, looked


def main():
    binary = os.path.abspath(sys.argv[1])
    count = int(sys.argv[2]) if len(sys.argv) > 2 else ROWS
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        data, log = os.path.join(folder, 'data'), os.path.join(folder, 'server.log')
        command(binary, data, 'demo', '--load-only', '--scale', '0.01')
        with open(os.path.join(data, 'demo-credentials.json')) as file:
            key = json.load(file)['keys']['health']
        with Server(binary, data, log, LOG='trace') as server:
            # The layers are prepared once, and the indexes of the demo city are not built meanwhile.
            streamed(key, 1000)
            server.wait_for_indexes(key, ['districts', 'streets', 'buildings'])
            machine.rest(server.pid)
            watch = Watch(server.pid)
            streamed(key, FEW)
            few = watch.stop()
            watch = Watch(server.pid)
            seconds, size, found = streamed(key, count)
            many = watch.stop()
            if found != count:
                raise RuntimeError(f'{found} of {count} rows came back')
            left, looked = traces(server, data, log)
        print(f'{count:,} rows in {seconds:.1f} s, {count / seconds:,.0f} rows/s; {size / 1e6:.0f} MB came back')
        print(f'memory: {few:.0f} MiB at most with {FEW:,} rows, {many:.0f} MiB with {count:,}')
        print(f'traces: {len(left)} in {looked / 1e6:,.0f} MB of tables, files and logs')
        if left or many - few > MOST_GROWTH:
            sys.exit(f'not as it should be: {left}')


if __name__ == '__main__':
    main()
