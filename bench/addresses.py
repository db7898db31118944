"""Address matching at the size of a city: millions of doors indexed, millions of people's addresses matched to them.
`bench/addresses.py BINARY [DOORS] [ROWS]` takes real door plates from `../shared/data` (where they are not there it says so and ends; the
plates of further cities are made from them under other names until there are enough), publishes them as a layer, and times the index, a job
over a table of addresses as people write them, and single searches over HTTP. Needs `zstd` and 10 GB."""

import csv
import http.client
import io
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from urllib.parse import quote

import machine
from load import percentile
from server import PORT, Server, command

DOORS, ROWS = 9_300_000, 6_710_000
SOURCES = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'shared', 'data')
# The files, their city, and the one that they stand for the second time.
PLATES = [('doorplates-load/65', '新北市', '海北市'), ('doorplates-load/64', '高雄市', '海雄市'),
          ('doorplates-load/66', '臺中市', '海中市'), ('doorplates-taipei/taipei_doorplates_70', '臺北市', '海东市')]
WIDE = str.maketrans('0123456789', '０１２３４５６７８９')
ORIGIN = f'http://127.0.0.1:{PORT}'
SEARCHES = 2000


def plates():
    """Address, longitude, latitude."""
    for second in (False, True):
        for path, city, other in PLATES:
            process = subprocess.Popen(['zstd', '-dc', '--long=27', os.path.join(SOURCES, f'{path}.csv.zst')],
                                       stdout=subprocess.PIPE)
            for row in csv.DictReader(io.TextIOWrapper(process.stdout, encoding='utf-8')):
                lon, address = float(row['X']), row['FULL_ADDR']
                yield (address.replace(city, other, 1), lon + 3, row['Y']) if second else (address, lon, row['Y'])


def as_written(address, chance):
    """As somebody may write it."""
    kind = chance.random()
    if kind < 0.1:
        return address.translate(WIDE)
    if kind < 0.2:
        return address.replace('號', '号')
    if kind < 0.3:
        return address[3:]
    return f'{address}(王先生收)' if kind < 0.35 else address


def write(folder, doors, rows):
    """The two tables; a sample of the addresses for single searches."""
    chance, asked, sample = random.Random(7), 0, []
    paths = os.path.join(folder, 'doors.csv'), os.path.join(folder, 'people.csv')
    with open(paths[0], 'w', encoding='utf-8', newline='') as base, open(paths[1], 'w', encoding='utf-8', newline='') as people:
        base, people = csv.writer(base), csv.writer(people)
        base.writerow(['id', 'address', 'lon', 'lat'])
        people.writerow(['编号', '住址'])
        for number, (address, lon, lat) in enumerate(plates(), 1):
            if number > doors:
                break
            base.writerow([number, address, f'{lon:.6f}', lat])
            while asked * doors < number * rows:
                asked += 1
                text = as_written(address, chance)
                people.writerow([asked, text])
                if asked % (rows // SEARCHES or 1) == 0:
                    sample.append(text)
    return *paths, sample


class Person:
    """The example's user, signed in."""

    def __init__(self, data):
        with open(os.path.join(data, 'demo-credentials.json')) as file:
            account = json.load(file)['example']
        self.connection = http.client.HTTPConnection('127.0.0.1', PORT, timeout=60)
        self.cookie = ''
        self.cookie = self.ask('POST', '/api/v1/session', account)[1]['set-cookie'].split(';')[0]

    def ask(self, method, path, body=None):
        headers = {'origin': ORIGIN, 'cookie': self.cookie, 'content-type': 'application/json'}
        self.connection.request(method, path, body and json.dumps(body), headers)
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status >= 400:
            raise RuntimeError(f'{method} {path}: {answer.status} {text.decode()}')
        return json.loads(text), answer.headers

    def send(self, path):
        """A table by a form; a program that streams it."""
        command = ['curl', '-sf', '-b', self.cookie, '-H', f'origin: {ORIGIN}', '-F', f'data=@{path}', f'{ORIGIN}/address/jobs']
        return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)['id']


def wait_for_index(server, doors):
    begun = time.monotonic()
    while True:
        metrics = server.text('/metrics')
        rows = [line for line in metrics.splitlines() if line.startswith('onemap_address_index_rows ')]
        if rows and float(rows[0].split()[1]) >= doors:
            return time.monotonic() - begun
        time.sleep(0.5)


def job(server, person, path):
    """Seconds, the job as it ended, and the most memory meanwhile (MiB without mapped files)."""
    draft, most = person.send(path), 0
    begun = time.monotonic()
    person.ask('POST', f'/address/jobs/{draft}/start', {'columns': ['住址'], 'sources': ['doors']})
    while True:
        state = person.ask('GET', f'/address/jobs/{draft}')[0]
        most = max(most, machine.memory(server.pid)[1])
        if state['state'] not in ('queued', 'running'):
            return time.monotonic() - begun, state, most
        time.sleep(1)


def searched(person, texts):
    waits = []
    for text in texts:
        begun = time.perf_counter()
        person.ask('GET', f'/address/search?q={quote(text)}')
        waits.append((time.perf_counter() - begun) * 1e3)
    return percentile(waits, 0.5), percentile(waits, 0.95)


def main():
    binary = os.path.abspath(sys.argv[1])
    doors, rows = (int(sys.argv[at]) if len(sys.argv) > at else default for at, default in ((2, DOORS), (3, ROWS)))
    if not all(os.path.exists(os.path.join(SOURCES, f'{path}.csv.zst')) for path, _, _ in PLATES):
        print('addresses: left out, there are no door plates in ../shared/data')
        return
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        data = os.path.join(folder, 'data')
        base, people, sample = write(folder, doors, rows)
        command(binary, data, 'demo', '--load-only', '--scale', '0.01')
        begun = time.monotonic()
        command(binary, data, 'import', '--department', 'civil-affairs', '--layer', 'doors', '--share-class', 'unconditional',
                '--crs', '4490', '--address', '--yes', base)
        print(f'import: {doors:,} doors in {time.monotonic() - begun:.0f} s', flush=True)
        with Server(binary, data, os.path.join(folder, 'server.log')) as server:
            seconds = wait_for_index(server, doors)
            size = max(entry.stat().st_size for entry in os.scandir(os.path.join(data, 'address')) if entry.is_file())
            print(f'index: {seconds:.1f} s, {size / 2**20:.0f} MiB', flush=True)
            person = Person(data)
            machine.rest(server.pid)
            p50, p95 = searched(person, sample)
            print(f'search: p50 {p50:.2f} ms, p95 {p95:.2f} ms of {len(sample):,}', flush=True)
            seconds, state, most = job(server, person, people)
            bands = ', '.join(f'{name} {count:,}' for name, count in state['bands'].items())
            print(f'job: {rows:,} rows in {seconds:.0f} s, {rows / seconds:,.0f} rows/s; {most:.0f} MiB at most; {bands}')
            if state['state'] != 'succeeded':
                sys.exit(f'the job {state["state"]}')


if __name__ == '__main__':
    main()
