"""What is measured: the peers' seeded city where it is installed, otherwise the demo city; both as ordinary layers of onemap.

Everything lies in one folder outside of the checkout and is kept for the next time.
"""

import glob
import json
import math
import os
import re
import subprocess
import time

from server import Database, Server, command

FOLDER = os.environ.get('ONEMAP_BENCH_DATA', '/tmp/onemap-bench')
DATA = os.path.join(FOLDER, 'data')
SOURCES = os.path.join(FOLDER, 'sources')
# The peers' database (../shared/bench/peers_up.sh).
PEERS = os.environ.get('BENCH_PEERS', 'postgresql://postgres@127.0.0.1:55432/rig')
OWNER, GUEST = 'natural-resources', 'health'
# The demo city has a layer named poi of its own.
PREFIX = 'bench-'
# What Martin's configuration has of each table.
PEER_FIELDS = {'bench-poi': 'name,class,subclass,addr,district,rank',
               'bench-building': 'name,kind,floors,height,year,addr,district',
               'bench-road': 'name,class,lanes,oneway,maxspeed', 'bench-district': 'name,level,population'}
TITLES = {'poi': '兴趣点', 'building': '建筑物', 'road': '道路', 'district': '区划'}


def say(text):
    print(f'bench: {text}', flush=True)


def peers_have_the_city():
    tables = "select count(to_regclass('t3857.' || t)) from unnest(array['poi','building','road','district']) t"
    try:
        run = subprocess.run(['psql', PEERS, '-Atc', tables], capture_output=True, text=True, timeout=20)
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return False
    return run.stdout.strip() == '4'


def source(name):
    """A table of the peers' city as a FlatGeobuf file, made once."""
    path = os.path.join(SOURCES, f'{name}.fgb')
    if not os.path.exists(path):
        os.makedirs(SOURCES, exist_ok=True)
        part = os.path.join(SOURCES, f'{name}.part.fgb')
        say(f'{name}: from the peers\' database into {path}')
        # By a statement: of a table ogr2ogr would take the key for its own and not write it as a field.
        subprocess.run(['ogr2ogr', '-f', 'FlatGeobuf', '-lco', 'SPATIAL_INDEX=NO', '-nln', name, part,
                        f'PG:{PEERS}', '-sql', f'select * from t4326.{name}'], check=True)
        os.rename(part, path)
    return path


def loaded(binary):
    """Sees to it that the city is in the folder; what it took is kept in bench.json there."""
    note = os.path.join(DATA, 'bench.json')
    if os.path.exists(note):
        with open(note) as file:
            return json.load(file)
    with_peers = peers_have_the_city()
    # The demo city brings 82 layers, departments and keys. Alone it has to be large enough to measure.
    scale = '0.3' if with_peers else '5'
    say(f'the demo city at scale {scale} into {DATA}')
    os.makedirs(FOLDER, exist_ok=True)
    command(binary, DATA, 'demo', '--load-only', '--scale', scale)
    facts = {'city': 'bench' if with_peers else f'demo at scale {scale}', 'imports': {}}
    if with_peers:
        for name in ('district', 'road', 'building', 'poi'):
            facts['imports'][PREFIX + name] = imported(binary, name)
    with open(note, 'w') as file:
        json.dump(facts, file, indent=1)
    return facts


def imported(binary, name):
    path = source(name)
    begun = time.monotonic()
    command(binary, DATA, 'import', path, '--department', OWNER, '--layer', PREFIX + name, '--title', TITLES[name],
            '--title-en', name, '--share-class', 'conditional', '--key', 'id', '--yes')
    seconds = round(time.monotonic() - begun, 1)
    say(f'{name}: imported and published in {seconds} s')
    return {'seconds': seconds, 'source_bytes': os.path.getsize(path)}


def keys():
    with open(os.path.join(DATA, 'demo-credentials.json')) as file:
        return json.load(file)['keys']


def measured_layers(facts, server, key):
    """The layers that are measured: {'polygon': id, 'point': id, 'line': id}."""
    if facts['city'] == 'bench':
        kinds = {'polygon': 'building', 'point': 'poi', 'line': 'road', 'boundary': 'district'}
        return {kind: PREFIX + name for kind, name in kinds.items()}
    listed = server.get('/api/v1/layers', key)
    listed = [x for x in listed.get('layers', listed) if x.get('geometry') and x.get('feature_count')]
    found = {}
    for kind in ('polygon', 'point', 'line'):
        of_kind = [x for x in listed if kind in x['geometry'].lower() and x.get('access') != 'request']
        found[kind] = max(of_kind, key=lambda x: x['feature_count'])['id']
    return found


def forget_indexes(binary, facts, log):
    """Removes the measured layers' tile indexes: the next server builds them."""
    with Server(binary, DATA, log) as server, Database(DATA) as database:
        layers = measured_layers(facts, server, keys()[OWNER]).values()
        revisions = [database.one(f"select current_revision from onemap.layer where id = '{layer}'") for layer in layers]
    for revision in revisions:
        for path in glob.glob(os.path.join(DATA, 'tiles', f'{revision}*')):
            if re.fullmatch(rf'{revision}\D.*', os.path.basename(path)):
                os.remove(path)


# ---- tiles -----------------------------------------------------------------------------------------------------

# How many different tiles of a zoom are asked for; where there are more features, more is asked, as people do.
TILES = {12: 60, 14: 150, 16: 300}


def table(database, layer):
    """The table of a layer's published revision."""
    return database.one(f"""select 'data.' || quote_ident(table_name) from onemap.revision r
        join onemap.layer l on l.current_revision = r.id where l.id = '{layer}'""")


def tiles(database, by, within, zoom, most):
    """Tiles with features of both layers, in an order that is random, dense ones first, and the same each time."""
    number = 'id' if by.startswith(PREFIX) else 'fid'
    rows = database.run(f'''
        with placed as (
            select st_transform(st_centroid(geom), 3857) as at, row_number() over (order by hashint4({number}::int)) as turn
            from map."{by}" where geom is not null),
        tile as (
            select floor((st_x(at) / 40075016.685578488 + 0.5) * (1 << {zoom}))::int as x,
                   floor((0.5 - st_y(at) / 40075016.685578488) * (1 << {zoom}))::int as y, min(turn) as turn
            from placed group by 1, 2)
        select x, y from tile
        where exists (select from map."{within}" w where w.geom && st_transform(st_tileenvelope({zoom}, x, y), 4490))
        order by turn limit {most}''')
    return [(zoom, int(x), int(y)) for x, y in rows]


def tile_lists(database, layers):
    """{zoom: tiles}, made once: twelve and deeper a sample, from zero to ten all that hold anything."""
    path = os.path.join(DATA, 'tiles.json')
    if not os.path.exists(path):
        say('choosing tiles')
        # Now, and not in the midst of a measurement.
        for layer in layers.values():
            database.run(f'vacuum analyze {table(database, layer)}')
        by, within = layers['point'], layers['polygon']
        lists = {zoom: tiles(database, by, within, zoom, most) for zoom, most in TILES.items()}
        lists[10] = tiles(database, by, within, 10, 10_000)
        for zoom in range(9, -1, -1):
            lists[zoom] = sorted({(zoom, x // 2, y // 2) for _, x, y in lists[zoom + 1]})
        with open(path, 'w') as file:
            json.dump(lists, file)
    with open(path) as file:
        return {int(zoom): [tuple(tile) for tile in found] for zoom, found in json.load(file).items()}


def paths(template, listed):
    return [template.replace('{z}', str(z)).replace('{x}', str(x)).replace('{y}', str(y)) for z, x, y in listed]


# Half of the equator in Web Mercator's metres.
HALF = 20037508.342789244


def column(x, zoom):
    return int((x / HALF + 1) / 2 * 2**zoom)


def row(y, zoom):
    return int((1 - y / HALF) / 2 * 2**zoom)


def box(tile, side=0.02):
    """A box of some kilometres around the middle of a tile: west, south, east, north."""
    zoom, x, y = tile
    lon = (x + 0.5) / 2**zoom * 360 - 180
    lat = math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * (y + 0.5) / 2**zoom))))
    return lon - side / 2, lat - side / 2, lon + side / 2, lat + side / 2


# ---- a grant ---------------------------------------------------------------------------------------------------

def granted(database, layer, fields, areas):
    """Lets the guest read some fields of a layer within an area (an SQL expression): once."""
    there = f"select count(*) from onemap.access_grant where layer_id = '{layer}' and department_id = '{GUEST}'"
    if database.one(there) == '0':
        listed = '{' + ','.join(fields) + '}'
        database.run(f"""insert into onemap.access_grant (layer_id, department_id, fields, area, purpose, granted_by)
            select '{layer}', '{GUEST}', '{listed}', ({areas}), 'bench', 'bench'""")


def area(facts):
    """Where the guest may read: five districts, whose edge has tens of thousands of corners, or three of the demo's."""
    which = f'map."{PREFIX}district" where id <= 5' if facts['city'] == 'bench' else 'map.districts where fid <= 3'
    return f'select st_multi(st_collectionextract(st_union(st_makevalid(geom)), 3)) from {which}'


def inside(database, layer, listed):
    """Of the tiles those within the grant's area, and those that its edge runs through."""
    values = ','.join(f'({z},{x},{y})' for z, x, y in listed)
    rows = database.run(f"""
        with tile as (select z, x, y, st_transform(st_tileenvelope(z, x, y), 4490) as t from (values {values}) v (z, x, y))
        select z, x, y, st_contains(g.area, t)::int from tile, onemap.access_grant g
        where g.layer_id = '{layer}' and g.department_id = '{GUEST}' and st_intersects(g.area, t)""")
    return [[tuple(map(int, row[:3])) for row in rows if row[3] == flag] for flag in '10']
