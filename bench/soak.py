"""Hours in minutes: tile reads, edits in SQL, publications and rollbacks at once; what may not happen is looked for all the while.

    python3 bench/soak.py target/release/onemap [--minutes 60] [--readers 4]

- No answer but 200, 204 and 304, and every tile can be read; a guest never meets a field that its grant hides.
- An edit that was committed SECOND ago shows in every tile asked for since; a value that was seen never goes back to an older one.
- What was inserted appears and what was deleted is gone within a second, and stays so.
- After a publication tiles are the new revision's; no tile is of two revisions.
- The server's memory, mapped files apart, does not grow.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from urllib.parse import quote

import city
import machine
import mvt
from city import say
from load import Client, percentile, unpacked
from server import Database, Server, command

# Seconds after which nothing may be stale.
SECOND = 1.0
WATCHED = 60
PUBLISHED = 'soak'


class Soak:
    def __init__(self, server, facts, asked):
        self.server, self.asked, self.keys = server, asked, city.keys()
        self.stop = threading.Event()
        self.lock = threading.Lock()
        self.counts, self.wrong, self.waits = Counter(), [], []
        # What an earlier run has left behind is no number of this one.
        self.mark = f'soak {int(time.time())} '
        with Database(city.DATA) as database:
            layers = city.measured_layers(facts, server, self.keys[city.OWNER])
            self.edited, self.others = layers['polygon'], [layers['point'], layers['line']]
            self.tiles = city.tile_lists(database, layers)
            fields = server.get(f'/api/v1/layers/{self.edited}', self.keys[city.OWNER])['fields']
            self.field = next(f['name'] for f in fields if f['type'] == 'text')
            self.number = next(f['name'] for f in fields if f['type'] == 'integer' and f['name'] != 'id')
            city.granted(database, self.edited, [f['name'] for f in fields][1::2], city.area(facts))
            shown = database.run(f"""select unnest(fields) from onemap.access_grant where layer_id = '{self.edited}'
                and department_id = '{city.GUEST}'""")
            self.shown = {row[0] for row in shown}
            rows = database.run(f'''select fid, st_x(p), st_y(p) from (select fid, st_transform(st_pointonsurface(geom), 3857) p
                from map."{self.edited}" order by hashint8(fid) limit {WATCHED}) q''')
        at = [(int(fid), city.column(float(x), 16), city.row(float(y), 16)) for fid, x, y in rows]
        self.watched = {fid: f'/tiles/{self.edited}/16/{x}/{y}' for fid, x, y in at}
        # fid → [(moment of the commit, number)], the newest last.
        self.commits = {fid: [] for fid in self.watched}

    def fail(self, text):
        with self.lock:
            self.wrong.append(f'{time.strftime("%H:%M:%S")} {text}')
            if len(self.wrong) <= 20:
                say(f'WRONG {text}')

    def count(self, what, more=1):
        with self.lock:
            self.counts[what] += more

    def tile(self, client, path, what):
        """The layers of a tile; None when there is no answer to judge."""
        status, headers, body, ms = client.get(path)
        self.count(what)
        with self.lock:
            self.waits.append(ms)
        if status not in (200, 204):
            self.fail(f'{path} answers {status}: {body[:200]!r}')
            return None
        try:
            return mvt.decode(unpacked(headers, body)) if status == 200 else []
        except (ValueError, IndexError, KeyError) as e:
            self.fail(f'{path} cannot be read: {e!r}')
            return None

    # ---- what goes on at once ----------------------------------------------------------------------------------

    def read(self, turn):
        """Random tiles of random kinds; one in ten is looked into."""
        chance = random.Random(turn)
        owner, guest = (Client(self.server.base, self.keys[who]) for who in (city.OWNER, city.GUEST))
        has_filter = owner.get(f'/tiles/{self.edited}/16/0/0?filter={self.number}%3E1')[0] in (200, 204)
        kinds = ['open', 'open', 'guest', 'several'] + ['filter'] * has_filter
        while not self.stop.is_set():
            z, x, y = chance.choice(self.tiles[chance.choice([6, 8, 10, 12, 14, 14, 14, 16, 16, 16])])
            kind = chance.choice(kinds)
            layer, client, query = chance.choice([self.edited, *self.others]), owner, ''
            if kind == 'guest':
                layer, client = self.edited, guest
            elif kind == 'filter':
                layer, query = self.edited, '?filter=' + quote(f'{self.number} > {chance.randrange(30)}')
            elif kind == 'several':
                layer = f'{self.edited},{self.others[0]}'
            path = f'/tiles/{layer}/{z}/{x}/{y}{query}'
            if kind != 'guest' and chance.random() > 0.1:
                status, _, body, ms = client.get(path)
                self.count(f'tiles, {kind}')
                with self.lock:
                    self.waits.append(ms)
                if status not in (200, 204, 304):
                    self.fail(f'{path} answers {status}: {body[:200]!r}')
                continue
            layers = self.tile(client, path, f'tiles, {kind}') or []
            if kind == 'guest' and any(f.properties.keys() - self.shown for one in layers for f in one.features):
                self.fail(f'{path} shows the guest a hidden field')

    def edit(self):
        chance = random.Random(1)
        with Database(city.DATA) as database:
            number = 0
            while not self.stop.wait(0.05):
                number += 1
                fid = chance.choice(list(self.watched))
                database.run(f"""update map."{self.edited}" set "{self.field}" = '{self.mark}{number}' where fid = {fid}""")
                with self.lock:
                    self.commits[fid].append((time.monotonic(), number))
                self.count('edits')

    def watch(self, turn):
        """Reads edited features back."""
        chance, client, seen = random.Random(100 + turn), Client(self.server.base, self.keys[city.OWNER]), {}
        while not self.stop.is_set():
            fid = chance.choice(list(self.watched))
            asked = time.monotonic()
            layers = self.tile(client, self.watched[fid], 'tiles, watched')
            if layers is None:
                continue
            found = [f for one in layers for f in one.features if f.id == fid]
            if not found:
                self.fail(f'{self.watched[fid]} lacks feature {fid}')
                continue
            value = str(found[0].properties.get(self.field, ''))
            number = int(value.removeprefix(self.mark)) if value.startswith(self.mark) else 0
            with self.lock:
                due = max((n for at, n in self.commits[fid] if at < asked - SECOND), default=0)
            if number < due:
                self.fail(f'feature {fid} shows {number}, but {due} was committed more than {SECOND} s before')
            if number < seen.get(fid, 0):
                self.fail(f'feature {fid} went back from {seen[fid]} to {number}')
            seen[fid] = number
            time.sleep(0.005)

    def come_and_go(self):
        """A feature is inserted, seen, deleted, not seen."""
        chance, client = random.Random(7), Client(self.server.base, self.keys[city.OWNER])
        with Database(city.DATA) as database:
            while not self.stop.wait(0.5):
                fid = chance.choice(list(self.watched))
                path, name = self.watched[fid], f'guest {time.time():.3f}'
                try:
                    new = database.one(f'''insert into map."{self.edited}" ("{self.field}", geom)
                        select '{name}', geom from map."{self.edited}" where fid = {fid} returning fid''')
                except RuntimeError as e:
                    self.fail(f'cannot insert: {e}')
                    return
                self.wait_for(client, path, int(new), True)
                database.run(f'delete from map."{self.edited}" where fid = {new}')
                self.wait_for(client, path, int(new), False)
                self.count('inserts and deletes', 2)

    def wait_for(self, client, path, fid, there):
        """Until the feature is there, or gone, in the tile; then it stays so."""
        begun, since = time.monotonic(), None
        while time.monotonic() - begun < SECOND + 0.2 and not self.stop.is_set():
            asked = time.monotonic()
            layers = self.tile(client, path, 'tiles, come and go')
            if layers is None:
                return
            right = any(f.id == fid for one in layers for f in one.features) == there
            if right:
                since = since or asked
                if asked - since > 0.1:
                    return
            elif since:
                self.fail(f'feature {fid} was {"there" if there else "gone"} in {path} and is no longer so')
                return
            time.sleep(0.01)
        if not since and not self.stop.is_set():
            self.fail(f'feature {fid} is not {"there" if there else "gone"} in {path} after {SECOND} s')

    def publish(self):
        """The two revisions of a layer, in turn."""
        client = self.signed_in()
        revision = self.server.get(f'/api/v1/layers/{PUBLISHED}', self.keys[city.OWNER])['current_revision']
        reader = Client(self.server.base, self.keys[city.OWNER])
        paths = [f'/tiles/{PUBLISHED}/{z}/{x}/{y}' for z in (8, 10) for _, x, y in self.tiles[z]]
        while not self.stop.wait(self.asked.publish):
            revision = 3 - revision
            body = json.dumps({'revision': revision})
            status, _, answer, _ = client.get(f'/api/v1/layers/{PUBLISHED}/rollback', {'Content-Type': 'application/json'},
                                              'POST', body)
            done = time.monotonic()
            self.count('publications')
            if status != 200:
                self.fail(f'publishing revision {revision} answers {status}: {answer[:300]!r}')
                continue
            while time.monotonic() - done < min(self.asked.publish, 5) and not self.stop.is_set():
                asked = time.monotonic()
                path = random.choice(paths)
                layers = self.tile(reader, path, 'tiles, published')
                found = {f.properties.get('state') for one in layers or [] for f in one.features}
                if len(found) > 1:
                    self.fail(f'{path} is of two revisions: {found}')
                if asked - done > SECOND and found - {f'state {revision}'}:
                    self.fail(f'{path} shows {found} after revision {revision} was published')

    def signed_in(self):
        """A client with the session of a publisher who is made for this run."""
        name = f'soak-{int(time.time())}'
        printed = command(self.asked.binary, city.DATA, 'admin', 'create-user', name, '--department', city.OWNER,
                          '--role', 'publisher')
        client = Client(self.server.base)
        status, headers, body, _ = client.get('/api/v1/session', {'Content-Type': 'application/json'}, 'POST',
                                              json.dumps({'user': name, 'password': printed.split()[-1]}))
        if status not in (200, 201):
            raise RuntimeError(f'signing in answers {status}: {body[:300]!r}')
        client.headers['Cookie'] = headers['Set-Cookie'].split(';')[0]
        return client

    # ---- the run -----------------------------------------------------------------------------------------------

    def guarded(self, work, *arguments):
        try:
            work(*arguments)
        except Exception as e:
            if not self.stop.is_set():
                self.fail(f'{work.__name__} ended: {e!r}')

    def run(self):
        work = [(self.read, i) for i in range(self.asked.readers)] + [(self.watch, 0), (self.watch, 1), (self.edit,),
                                                                    (self.come_and_go,), (self.publish,)]
        threads = [threading.Thread(target=self.guarded, args=one, daemon=True) for one in work]
        begun, sizes = time.monotonic(), []
        for thread in threads:
            thread.start()
        while (left := self.asked.minutes * 60 - (time.monotonic() - begun)) > 0:
            time.sleep(min(5, left))
            sizes.append((time.monotonic() - begun, machine.memory(self.server.pid)))
            if self.server.process.poll() is not None:
                self.fail('the server ended')
                break
            if len(sizes) % 6 == 0:
                resident, own = sizes[-1][1]
                say(f'{sizes[-1][0] / 60:.1f} min: {sum(self.counts.values())} done, {len(self.wrong)} wrong, '
                    f'{own:.0f} MiB own, {resident:.0f} with mapped files')
        self.stop.set()
        for thread in threads:
            thread.join(10)
        return [own for _, (_, own) in sizes]


def two_revisions(binary):
    """The layer that is published to and fro: districts whose field `state` tells the revision."""
    if os.path.exists(os.path.join(city.DATA, 'soak.done')):
        return
    for number in (1, 2):
        path = os.path.join(city.SOURCES, f'soak-{number}.fgb')
        if not os.path.exists(path):
            subprocess.run(['ogr2ogr', '-f', 'FlatGeobuf', '-nln', 'soak', '-dialect', 'sqlite', '-sql',
                            f"select *, 'state {number}' as state from district", path, city.source('district')], check=True)
        command(binary, city.DATA, 'import', path, '--department', city.OWNER, '--layer', PUBLISHED, '--title', '版本',
                '--title-en', 'soak', '--share-class', 'conditional', '--key', 'id', '--yes')
    open(os.path.join(city.DATA, 'soak.done'), 'w').close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('binary')
    parser.add_argument('--minutes', type=float, default=60)
    parser.add_argument('--readers', type=int, default=4)
    parser.add_argument('--publish', type=float, default=10, help='seconds between publications (default 10)')
    asked = parser.parse_args()
    asked.binary = os.path.abspath(asked.binary)
    facts = city.loaded(asked.binary)
    if facts['city'] != 'bench':
        parser.error('the soak needs the peers\' city in the folder')
    two_revisions(asked.binary)
    log = os.path.join(city.FOLDER, 'soak.log')
    # A cache that is soon full: what grows after that should not.
    with Server(asked.binary, city.DATA, log, tile_cache=64) as server:
        soak = Soak(server, facts, asked)
        server.wait_for_indexes(soak.keys[city.OWNER], [soak.edited, *soak.others, PUBLISHED])
        sizes = soak.run()
    third = max(1, len(sizes) // 3)
    early, late = sum(sizes[third:2 * third]) / third, sum(sizes[-third:]) / third
    say(', '.join(f'{name} {number}' for name, number in sorted(soak.counts.items())))
    say(f'latency p50 {percentile(soak.waits, 0.5):.1f} ms, p99 {percentile(soak.waits, 0.99):.1f} ms')
    say(f'memory without mapped files: first {sizes[0]:.0f}, second third {early:.0f}, last third {late:.0f} MiB')
    if late > early * 1.1 + 10:
        soak.fail(f'memory grew from {early:.0f} to {late:.0f} MiB')
    for line in soak.wrong[:50]:
        print('  ' + line)
    say(f'{len(soak.wrong)} wrong')
    sys.exit(1 if soak.wrong else 0)


if __name__ == '__main__':
    main()
