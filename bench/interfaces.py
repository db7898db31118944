"""What a request costs through each interface and how long it takes, beside the peers that offer the same: `bench/interfaces.py BINARY`.

Items (JSON) beside MapServer, tipg and pygeoapi; WMS GetMap, WFS GetFeature and PNG tiles beside MapServer. CPU of server and PostgreSQL
together; the servers take turns. Needs the peers of ../shared/bench/peers_up.sh with their city.
"""

import argparse
import math
import os
import subprocess
import sys
import time
from collections import namedtuple

import city
import machine
from city import say
from load import in_turn, wrk
from report import Report
from server import Database, Server

RIG = os.environ.get('RIG', '/tmp/onemap-peers')
Peer = namedtuple('Peer', 'name base pids')
KINDS = {'building': ('POLYGON', 'name,kind,floors,height,year,addr,district'), 'poi': ('POINT', 'name,class,subclass,addr,district,rank')}
AIM = '≤ 1/4'


def pids(*names):
    found = []
    for name in names:
        with open(f'{RIG}/{name}') as file:
            found += [int(word) for word in file.read().split() if word.isdigit()][:1 if 'postmaster' in name else None]
    return found


def peers():
    """Those that answer."""
    known = [('MapServer', 3141, ('run/ms.pid', 'nginx.pid')), ('tipg', 3121, ('run/tipg.pid',)), ('pygeoapi', 3131, ('run/pygeoapi.pid',))]
    found = {}
    for name, port, files in known:
        peer = Peer(name, f'http://127.0.0.1:{port}', None)
        try:
            in_turn(peer.base, ['/'], timeout=5)
            found[name] = peer._replace(pids=pids('pg/postmaster.pid', *files))
        except OSError:
            say(f'{name} is not there')
    return found


def map_file():
    """A map for MapServer that draws what our default style draws: filled shapes with an outline, dots. Its path."""
    path = os.path.join(city.FOLDER, 'draw.map')
    layers = ''
    for name, (kind, fields) in KINDS.items():
        paint = 'STYLE COLOR 74 144 226 OUTLINECOLOR 40 80 140 END' if kind == 'POLYGON' else 'STYLE SYMBOL "dot" SIZE 7 COLOR 74 144 226 OUTLINECOLOR 255 255 255 END'
        layers += f'''
 LAYER NAME "{name}" TYPE {kind} STATUS ON CONNECTIONTYPE POSTGIS CONNECTION "host=127.0.0.1 port=55432 dbname=rig user=postgres"
  PROCESSING "CLOSE_CONNECTION=DEFER" DATA "geom from t3857.{name} using unique id using srid=3857" EXTENT 13247019 4163881 13525318 4509031
  PROJECTION "epsg:3857" END TEMPLATE "x" CLASS NAME "all" {paint} END
  METADATA "ows_title" "{name}" "gml_include_items" "{fields}" "gml_featureid" "id" "ows_featureid" "id" "wfs_getfeature_formatlist" "gml" END END'''
    os.makedirs(city.FOLDER, exist_ok=True)
    with open(path, 'w') as file:
        file.write(f'''MAP NAME "draw" SIZE 256 256 EXTENT 13247019 4163881 13525318 4509031 MAXSIZE 4096 IMAGETYPE "png"
 PROJECTION "epsg:3857" END
 SYMBOL NAME "dot" TYPE ELLIPSE FILLED TRUE POINTS 1 1 END END
 OUTPUTFORMAT NAME "png" DRIVER "AGG/PNG" MIMETYPE "image/png" IMAGEMODE RGBA TRANSPARENT ON END
 WEB METADATA "ows_title" "draw" "ows_enable_request" "*" "ows_onlineresource" "http://127.0.0.1:3141/ms?map={path}" "ows_srs" "EPSG:3857 EPSG:4326" END END
{layers}
END
''')
    return path


def boxes(count=100):
    """Seeded boxes of 0.02° around points of the peers' city."""
    rows = subprocess.run(['psql', city.PEERS, '-AtF', ' ', '-c', f"select st_x(geom), st_y(geom) from t4326.poi where id % 11987 < 2 order by id limit {count}"],
               capture_output=True, text=True, check=True).stdout.split('\n')
    return [(x - 0.01, y - 0.01, x + 0.01, y + 0.01) for x, y in (map(float, row.split()) for row in rows if row)]


def mercator(box):
    x = lambda lon: lon * 20037508.342789244 / 180
    y = lambda lat: math.log(math.tan(math.radians(lat) / 2 + math.pi / 4)) * 6378137
    return x(box[0]), y(box[1]), x(box[2]), y(box[3])


def requests(places, drawing):
    """{work: {server: [paths]}}"""
    joined = [','.join(f'{n:.5f}' for n in box) for box in places]
    metres = [','.join(f'{n:.2f}' for n in mercator(box)) for box in places]
    work = {}
    for name in KINDS:
        for limit in (10, 100, 1000):
            work[f'{name}: items in a box, limit {limit}'] = {
                'onemap': [f'/ogc/collections/bench-{name}/items?bbox={b}&limit={limit}' for b in joined],
                'MapServer': [f'/ms/bench/ogcapi/collections/{name}/items?f=json&bbox={b}&limit={limit}' for b in joined],
                'tipg': [f'/collections/t4326.{name}/items?f=geojson&bbox={b}&limit={limit}' for b in joined],
                'pygeoapi': [f'/collections/{name}/items?f=json&bbox={b}&limit={limit}' for b in joined]}
        picture = 'service=WMS&version=1.3.0&request=GetMap&crs=EPSG:3857&width=512&height=512&format=image/png&transparent=true&styles='
        work[f'{name}: WMS GetMap 512 × 512'] = {'onemap': [f'/ogc/wms?{picture}&layers=bench-{name}&bbox={b}' for b in metres],
                                                 'MapServer': [f'/ms?map={drawing}&{picture}&layers={name}&bbox={b}' for b in metres]}
        features = 'service=WFS&version=2.0.0&request=GetFeature&count=100'
        work[f'{name}: WFS GetFeature, 100'] = {'onemap': [f'/ogc/wfs?{features}&typeNames=bench-{name}&bbox={b},urn:ogc:def:crs:OGC:1.3:CRS84' for b in joined],
                                                'MapServer': [f'/ms?map={drawing}&{features}&typeNames={name}&bbox={b},EPSG:3857' for b in metres]}
        cells = [tile(box, 15) for box in places]
        work[f'{name}: PNG tile z15'] = {
            'onemap': [f'/ogc/wmts?service=WMTS&request=GetTile&version=1.0.0&layer=bench-{name}&style=default&tilematrixset=WebMercatorQuad&tilematrix=15&tilerow={y}&tilecol={x}&format=image/png' for x, y in cells],
            'MapServer': [f'/ms?map={drawing}&mode=tile&tilemode=gmap&tile={x}+{y}+15&layers={name}&map.imagetype=png' for x, y in cells]}
    return work


def tile(box, z):
    lon, lat = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return int((lon + 180) / 360 * 2 ** z), int((1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * 2 ** z)


def measured(server, paths, seconds, key):
    """CPU per request; nothing when it does not answer these."""
    first = in_turn(server.base, paths[:5], key)
    if any(status != 200 for _, _, status in first):
        say(f'{server.name} answers {[status for _, _, status in first]} to {paths[0][:110]}')
        return None
    machine.rest(*server.pids)
    return wrk(server.base, paths, seconds, server.pids, key=key)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('binary')
    parser.add_argument('--seconds', type=int, default=3)
    parser.add_argument('--rounds', type=int, default=2)
    parser.add_argument('--only', default='', help='a part of the name of the work')
    asked = parser.parse_args()
    asked.binary = os.path.abspath(asked.binary)
    city.loaded(asked.binary)
    beside, drawing = peers(), map_file()
    report = Report(machine.conditions() | {'peers': ', '.join(beside) or 'none'})
    say(f'load before {machine.load():.2f}')
    with Server(asked.binary, city.DATA, os.path.join(city.FOLDER, 'server.log'), tile_cache=0, picture_cache=0) as server, Database(city.DATA):
        key = city.keys()[city.OWNER]
        server.wait_for_indexes(key, ['bench-building', 'bench-poi'])
        ours = Peer('onemap', server.base, [server.pid])
        for work, paths in requests(boxes(), drawing).items():
            if asked.only not in work:
                continue
            costs = {}
            for _ in range(asked.rounds):
                for who in [ours, *(beside[n] for n in paths if n in beside)]:
                    found = measured(who, paths[who.name], asked.seconds, key if who is ours else '')
                    if found and not found.errors:
                        costs.setdefault(who.name, []).append((found.cpu, found.p50, found.p99))
            # CPU, p50 and p99, each the mean of the rounds.
            mean = {name: [sum(figures) / len(figures) for figures in zip(*each)] for name, each in costs.items()}
            if 'onemap' not in mean:
                continue
            own, others = mean['onemap'], {name: figures for name, figures in mean.items() if name != 'onemap'}
            best = min((cpu for cpu, _, _ in others.values()), default=None)
            report.add(f'{work}, CPU', f'{own[0]:.2f} ms', ' · '.join(f'{n} {cpu:.1f}' for n, (cpu, _, _) in others.items()),
                       f'{best / own[0]:.1f}×' if best else '', AIM, onemap=own[0], **{n: cpu for n, (cpu, _, _) in others.items()})
            report.add(f'{work}, p50 / p99', f'{own[1]:.1f} / {own[2]:.1f} ms', ' · '.join(f'{n} {p50:.1f} / {p99:.1f}' for n, (_, p50, p99) in others.items()),
                       **{n: {'p50': p50, 'p99': p99} for n, (_, p50, p99) in mean.items()})
    report.conditions['load after'] = round(machine.load(), 2)
    target = os.path.join(city.FOLDER, time.strftime('interfaces-%Y%m%d-%H%M%S'))
    report.write(f'{target}.md', f'{target}.json')
    say(f'load after {machine.load():.2f}; written to {target}.md')


if __name__ == '__main__':
    sys.exit(main())
