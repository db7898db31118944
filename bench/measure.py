"""The sections of the benchmark: each measures one kind of thing and adds rows to the report."""

import time
from urllib.parse import quote

import city
import machine
import mvt
import peers
from load import Client, each_once, in_turn, percentile, unpacked, wrk


def times(ours, peer):
    """How many times less ours is."""
    return f'{peer / ours:.1f}×' if ours else ''


class Bench:
    def __init__(self, server, database, facts, report, seconds, martin, wait=True):
        self.begun = time.monotonic()
        self.server, self.database, self.report, self.seconds, self.martin = server, database, report, seconds, martin
        self.facts = facts
        self.key, self.guest = city.keys()[city.OWNER], city.keys()[city.GUEST]
        self.layers = city.measured_layers(facts, server, self.key)
        if wait:
            self.settle()
            self.tiles = city.tile_lists(database, self.layers)
        # Martin serves the peers' tables only.
        self.martin = martin if facts['city'] == 'bench' else None
        if wait:
            server.wait_for_indexes(self.key, self.layers.values())

    def settle(self):
        """The layers as the measurements need them: the owner's, and opened to others by grants only."""
        listed = ','.join(f"'{layer}'" for layer in self.layers.values())
        self.database.run(f"""update onemap.layer set share_class = 'conditional', anonymous = false,
            department_id = '{city.OWNER}' where id in ({listed})
            and (share_class, anonymous, department_id) is distinct from ('conditional', false, '{city.OWNER}')""")
        for kind in ('polygon', 'point'):
            layer = self.layers[kind]
            fields = [f['name'] for f in self.server.get(f'/api/v1/layers/{layer}', self.key)['fields']]
            city.granted(self.database, layer, fields[1::2], city.area(self.facts))
        time.sleep(1)

    def template(self, layer):
        return f'/tiles/{layer}/{{z}}/{{x}}/{{y}}'

    def same(self, layer):
        """The template for what the peer's tiles carry: it leaves the key and some fields out."""
        fields = city.PEER_FIELDS.get(layer) if self.martin else None
        return self.template(layer) + (f'?fields={fields}' if fields else '')

    def asker(self, paths, key=None, peer=None):
        """A function that asks for the paths; by wrk, unless an answer takes so long that many would be cut off in the end."""
        base, roots = (peer.base, peer.pids) if peer else (self.server.base, [self.server.pid])
        key = '' if peer else key or self.key
        few = in_turn(base, paths[:3], key)
        ask = each_once if sum(ms for ms, *_ in few) > 10 * len(few) else wrk

        def measured():
            machine.rest(*roots)
            return ask(base, paths, self.seconds, roots, key=key)
        return measured

    def alternating(self, rounds, *asking):
        """The mean CPU and the last load of each of the askers, who take turns so that a busy machine hits all alike."""
        loads = [[ask() for ask in asking] for _ in range(rounds)]
        return [(sum(x.cpu * x.requests for x in each) / max(1, sum(x.requests for x in each)), each[-1])
                for each in zip(*loads)]

    # ---- with the cache ----------------------------------------------------------------------------------------

    def start(self):
        time.sleep(3)
        resident, own = machine.memory(self.server.pid)
        count = self.database.one('select count(*) from onemap.layer where current_revision is not null')
        self.report.add(f'start until ready, {count} layers', f'{self.server.ready_seconds:.2f} s', aim='≤ 2 s',
                        seconds=self.server.ready_seconds)
        self.report.add(f'memory at rest, {count} layers', f'{own:.0f} MiB + {resident - own:.0f} mapped',
                        peer=f'{machine.memory(self.martin.pids[0])[0]:.0f} MiB' if self.martin else '', aim='≤ 150 MiB',
                        own_mib=own, resident_mib=resident)

    def index(self):
        """Builds the measured layers' indexes anew, one after the other as the server does it."""
        waiting, begun, most = dict.fromkeys(self.layers.values()), {}, 0.0
        while any(seconds is None for seconds in waiting.values()):
            for layer, seconds in waiting.items():
                index = self.server.index_of(layer, self.key) if seconds is None else {}
                if index.get('state') == 'building':
                    begun.setdefault(layer, time.monotonic())
                elif index.get('state') == 'ready' or 'state' not in index and seconds is None:
                    waiting[layer] = time.monotonic() - begun.get(layer, self.begun)
            most = max(most, machine.memory(self.server.pid)[1])
            time.sleep(0.02)
        aims = {self.layers['polygon']: '≤ 15 s, ', self.layers['point']: '≤ 10 s, '}
        for layer, seconds in waiting.items():
            loaded, index = self.facts['imports'].get(layer, {}), self.server.index_of(layer, self.key)
            if loaded:
                self.report.add(f'{layer}: upload to published', f'{loaded["seconds"]} s', aim='≤ 60 s', **loaded)
            if not index:
                continue
            table = int(self.database.one(f"select pg_table_size('{city.table(self.database, layer)}')"))
            size, source = index.get('bytes', 0), loaded.get('source_bytes', table)
            self.report.add(f'{layer}: tile index', f'{seconds:.1f} s, {size / 2**20:.0f} MiB',
                            ratio=f'{size / source:.2f} of the file, {size / table:.2f} of the table',
                            aim=aims.get(layer, '') + '≤ 1.5 of the source', seconds=seconds, bytes=size,
                            table_bytes=table, source_bytes=source)
        self.report.add('memory while indexes are built, at most', f'{most:.0f} MiB', own_mib=most)

    def cached(self):
        martin = self.martin and peers.martin('martinc', 3112)
        for kind in ('polygon', 'point'):
            layer = self.layers[kind]
            paths = city.paths(self.same(layer), self.tiles[14])
            in_turn(self.server.base, paths, self.key)
            ours = wrk(self.server.base, paths, self.seconds, [self.server.pid], self.key, connections=16)
            peer, ratio = '', ''
            if martin:
                theirs = city.paths(martin.template(layer), self.tiles[14])
                in_turn(martin.base, theirs)
                load = wrk(martin.base, theirs, self.seconds, martin.pids, connections=16)
                peer = f'{load.rate:.0f}/s, p99 {load.p99:.1f} ms, CPU {load.cpu * 1e3:.0f} µs'
                ratio = f'{ours.rate / load.rate:.1f}× the rate'
            self.report.add(f'{layer} z14 from the cache, 16 connections',
                            f'{ours.rate:.0f}/s, p99 {ours.p99:.1f} ms, CPU {ours.cpu * 1e3:.0f} µs',
                            peer, ratio, '≥ 2×, p99 ≤ 10 ms', **vars(ours))

    def edits(self, most=20):
        """From an UPDATE's commit until a tile that was just read, and so is cached, tells the new value."""
        layer = self.layers['polygon']
        fields = self.server.get(f'/api/v1/layers/{layer}', self.key)['fields']
        field = next(f['name'] for f in fields if f['type'] == 'text')
        rows = self.database.run(f'''select fid, st_x(p), st_y(p) from (select fid, st_transform(st_pointonsurface(geom), 3857) p
            from map."{layer}" order by hashint8(fid) limit {most}) q''')
        client, waits, table = Client(self.server.base, self.key), [], city.table(self.database, layer)
        for turn, (fid, x, y) in enumerate(rows):
            path = self.template(layer).format(z=16, x=city.column(float(x), 16), y=city.row(float(y), 16))
            client.get(path)
            value = f'edit {turn} {time.time():.3f}'
            self.database.run(f"""update {table} set "{field}" = '{value}' where fid = {fid}""")
            wait = seen(client, path, int(fid), field, value)
            if wait is None:
                self.report.add(f'{layer}: an edit in SQL until it shows', 'not within 3 s', aim='≤ 200 ms')
                return
            waits.append(wait)
        self.report.add(f'{layer}: an edit in SQL until it shows ({len(waits)})',
                        f'{percentile(waits, 0.5):.0f} ms, at most {max(waits):.0f} ms', aim='≤ 200 ms', waits=waits)

    # ---- without -----------------------------------------------------------------------------------------------

    def uncached(self):
        aims = {('polygon', 14): '≥ 10×', ('point', 14): '≥ 7×', ('polygon', 12): '≥ 12×', ('point', 12): '≥ 8×',
                ('polygon', 16): '≥ 5×', ('point', 16): '≥ 5×'}
        for zoom in (12, 14, 16):
            for kind in ('polygon', 'point', 'line'):
                layer = self.layers[kind]
                asking = [self.asker(city.paths(self.same(layer), self.tiles[zoom]))]
                if self.martin:
                    theirs = city.paths(self.martin.template(layer), self.tiles[zoom])
                    asking.append(self.asker(theirs, peer=self.martin))
                (ours, load), *peer = self.alternating(2, *asking)
                said = [(f'{cpu:.2f} ms, {x.bytes / 1024:.1f} KiB', times(ours, cpu)) for cpu, x in peer] or [('', '')]
                wrong = f' {load.errors} ERRORS' if load.errors else ''
                self.report.add(f'{layer} z{zoom}, {len(self.tiles[zoom])} tiles uncached, CPU',
                                f'{ours:.3f} ms, {load.bytes / 1024:.1f} KiB{wrong}', *said[0],
                                aims.get((kind, zoom), ''), cpu_ms=ours, peer_cpu_ms=[cpu for cpu, _ in peer],
                                **vars(load))

    def low(self):
        listed = [tile for zoom in range(11) for tile in self.tiles[zoom]]
        for layer in self.layers.values():
            found = in_turn(self.server.base, city.paths(self.template(layer), listed), self.key)
            wrong = sum(status not in (200, 204) for _, _, status in found)
            slowest = max(range(len(found)), key=lambda i: found[i][0])
            peer = self.martin and self.martin_low(layer)
            self.report.add(f'{layer} z0–z10, {len(listed)} tiles uncached: p99, largest',
                            f'{percentile([ms for ms, *_ in found], 0.99):.1f} ms, '
                            f'{max(size for _, size, _ in found) / 1000:.0f} KB' + (f' {wrong} ERRORS' if wrong else ''),
                            peer or '', aim='≤ 50 ms, ≤ 500 KB', slowest=listed[slowest], answers=found)

    def martin_low(self, layer):
        """Martin's worst of a few: it may take a quarter of a minute for one."""
        few = city.paths(self.martin.template(layer), [self.tiles[zoom][0] for zoom in (6, 8, 10)])
        found = in_turn(self.martin.base, few, timeout=60)
        return f'{max(ms for ms, *_ in found):.0f} ms, {max(size for _, size, _ in found) / 1000:.0f} KB (3 tiles)'

    def grant(self):
        """The same tiles for the owner, who sees all, and for the guest, who sees half of the fields within an area."""
        for kind, zoom in (('polygon', 12), ('polygon', 14), ('point', 14)):
            layer = self.layers[kind]
            for where, listed in zip(('inside', 'at the edge'), city.inside(self.database, layer, self.tiles[zoom])):
                if not listed:
                    continue
                paths = city.paths(self.template(layer), listed)
                (opened, _), (limited, load) = self.alternating(
                    3, self.asker(paths), self.asker(paths, key=self.guest))
                wrong = f' {load.errors} ERRORS' if load.errors else ''
                self.report.add(f'{layer} z{zoom} by a grant, {len(listed)} tiles {where} of its area',
                                f'{limited:.3f} ms{wrong}', f'open {opened:.3f} ms', f'{limited / opened:.2f} of it',
                                '≤ 1.1', granted_ms=limited, open_ms=opened)

    def filter(self):
        layer = self.layers['polygon']
        fields = self.server.get(f'/api/v1/layers/{layer}', self.key)['fields']
        number = next(f['name'] for f in fields if f['type'] == 'integer' and f['name'] != 'id')
        few = self.database.one(f'select percentile_disc(0.95) within group (order by "{number}") from map."{layer}"')
        paths = city.paths(self.template(layer), self.tiles[14])
        for name, text in (('all pass', f'{number} >= 0 or {number} is null'), ('1 in 20 passes', f'{number} > {few}')):
            filtered = [f'{path}?filter={quote(text)}' for path in paths]
            status, _, _, _ = Client(self.server.base, self.key).get(filtered[0])
            if status not in (200, 204):
                self.report.add(f'{layer} z14 with filter, {name}', f'answers {status}')
                continue
            (opened, _), (cost, _) = self.alternating(2, self.asker(paths), self.asker(filtered))
            self.report.add(f'{layer} z14 with filter, {name}', f'{cost:.3f} ms', f'open {opened:.3f} ms',
                            f'{cost / opened:.2f} of it', '≤ 1.1', filtered_ms=cost, open_ms=opened)

    def items(self):
        layer = self.layers['polygon']
        boxes = [','.join(f'{x:.5f}' for x in city.box(tile)) for tile in self.tiles[14]]
        for limit in (10, 100, 1000):
            load = self.asker([f'/ogc/collections/{layer}/items?bbox={box}&limit={limit}' for box in boxes])()
            self.report.add(f'{layer} items in a box, limit {limit}, CPU', f'{load.cpu:.2f} ms', **vars(load))


def seen(client, path, fid, field, value, most=3.0):
    """Milliseconds until the tile's feature has the value, or None."""
    begun = time.perf_counter()
    while (waited := time.perf_counter() - begun) < most:
        status, headers, body, _ = client.get(path)
        layers = mvt.decode(unpacked(headers, body)) if status == 200 else []
        if any(f.id == fid and f.properties.get(field) == value for layer in layers for f in layer.features):
            return waited * 1e3
        time.sleep(0.002)
    return None
