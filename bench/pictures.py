"""Compares tiles with what they stand for: sheets of pictures and a table of figures, for docs/tiles.

    python bench/pictures.py target/release/onemap [--sheets docs/tiles]

Needs numpy and Pillow, the peers' city in its database, and for the columns beside onemap's archives made by tippecanoe
(`--tippecanoe` makes them). Everything is drawn by draw.py in the same way.
"""

import argparse
import json
import os
import sqlite3
import subprocess
import time
import zlib

import numpy as np
from PIL import Image, ImageDraw

import city
import draw
import mvt
import shapes
from city import say
from load import Client, unpacked
from server import Database, Server

ZOOMS = (6, 8, 10, 12, 14)
# Where one looks: the middle of the city, longitude and latitude, and a district town for the deepest.
MIDDLE = {6: (120.25, 36.35), 8: (120.25, 36.25), 10: (120.40, 36.12), 12: (120.385, 36.08), 14: (120.385, 36.083)}
CELL, TEXT = 256, 30
INK = {'bench-building': (112, 88, 72), 'bench-poi': (196, 48, 48), 'bench-road': (40, 72, 128),
       'bench-district': (72, 72, 72), 'communities': (64, 128, 96)}
# The communities cover the whole city without gaps: filled, every gap shows.
DRAWN_AS = {'bench-building': 'areas', 'bench-poi': 'dots', 'bench-road': 'lines', 'bench-district': 'outlines',
            'communities': 'areas'}
TIPPECANOE = {
    'plain': {name: ['--drop-densest-as-needed'] for name in ('building', 'poi', 'road', 'district')},
    'tuned': {'building': ['--coalesce-smallest-as-needed'], 'poi': ['-r1', '--drop-densest-as-needed'],
              'road': ['-r1', '--coalesce-smallest-as-needed'],
              'district': ['--drop-densest-as-needed', '--detect-shared-borders']},
}


def drawn(layer, points, starts):
    """The tone of every pixel, 0 to 1. Points in pixels of the canvas."""
    if not len(points):
        return np.zeros((draw.SIZE, draw.SIZE))
    match DRAWN_AS[layer]:
        case 'areas': return draw.polygons(points, starts)
        case 'lines': return draw.lines(points, starts)
        case 'outlines': return draw.lines(points, starts, closed=True)
        case 'dots': return draw.dots(points)


class Window:
    """The square of 512 pixels that one looks at, and the tiles that it takes."""

    def __init__(self, zoom, place):
        lon, lat = place
        middle = np.array([lon / 360 + 0.5, 0.5 - np.arcsinh(np.tan(np.radians(lat))) / (2 * np.pi)]) * 2**zoom
        self.zoom = zoom
        self.corner = np.round(middle * draw.SIZE).astype(int) - draw.SIZE // 2
        first, last = self.corner // draw.SIZE, (self.corner + draw.SIZE - 1) // draw.SIZE
        self.tiles = [(x, y) for y in range(first[1], last[1] + 1) for x in range(first[0], last[0] + 1)]

    def filled(self, tile_tone):
        """The window, from the tones of its tiles."""
        tone = np.zeros((draw.SIZE, draw.SIZE))
        for x, y in self.tiles:
            left, top = np.array([x, y]) * draw.SIZE - self.corner
            x0, y0 = max(left, 0), max(top, 0)
            x1, y1 = min(left + draw.SIZE, draw.SIZE), min(top + draw.SIZE, draw.SIZE)
            tone[y0:y1, x0:x1] = tile_tone(x, y)[y0 - top:y1 - top, x0 - left:x1 - left]
        return tone


# ---- what is drawn ---------------------------------------------------------------------------------------------

def exact(layer, everything, window):
    counted = set()

    def tone(x, y):
        scale = 2**window.zoom
        margin = 4 / draw.SIZE
        box = np.array([x - margin, y - margin, x + 1 + margin, y + 1 + margin]) / scale
        near = everything.within(box)
        counted.update(near.owner.tolist())
        return drawn(layer, (near.points * scale - [x, y]) * draw.SIZE, near.starts)

    picture = window.filled(tone)
    return picture, {'features': len(counted)}


def from_tiles(layer, tile_of, window):
    """`tile_of(z, x, y)` gives a tile of this layer without compression, and its bytes with it."""
    sizes, features = [], 0

    def tone(x, y):
        nonlocal features
        tile, size = tile_of(window.zoom, x, y)
        sizes.append(size)
        parts, starts = [], [0]
        for found in mvt.decode(tile):
            features += len(found.features)
            for feature in found.features:
                wanted = 3 if feature.kind == mvt.POLYGON else 1
                for part in feature.parts:
                    if len(part) >= wanted:
                        part = np.array(part) * (draw.SIZE / found.extent)
                        # Discs stand on points one by one; a line stays one part.
                        parts.append(part)
                        starts.append(starts[-1] + len(part))
        return drawn(layer, np.concatenate(parts) if parts else np.zeros((0, 2)), np.array(starts))

    picture = window.filled(tone)
    return picture, {'features': features, 'bytes': max(sizes), 'tiles': len(sizes)}


def onemap(server, key):
    client = Client(server.base, key)

    def tile_of(layer):
        def read(z, x, y):
            status, headers, body, _ = client.get(f'/tiles/{layer}/{z}/{x}/{y}')
            if status == 204:
                return b'', 0
            if status != 200:
                raise RuntimeError(f'{layer} {z}/{x}/{y}: {status}')
            return unpacked(headers, body), len(body)
        return read
    return tile_of


def archive(layer, variant):
    """Tiles of an archive of tippecanoe's, or None."""
    path = os.path.join(city.FOLDER, 'tippecanoe', f'{layer.removeprefix(city.PREFIX)}-{variant}.mbtiles')
    if not os.path.exists(path):
        return None
    database = sqlite3.connect(path)

    def read(z, x, y):
        row = database.execute('select tile_data from tiles where zoom_level = ? and tile_column = ? and tile_row = ?',
                               (z, x, 2**z - 1 - y)).fetchone()
        return (zlib.decompress(row[0], 47), len(row[0])) if row else (b'', 0)
    return read


def make_archives(program):
    folder = os.path.join(city.FOLDER, 'tippecanoe')
    os.makedirs(folder, exist_ok=True)
    for variant, by_layer in TIPPECANOE.items():
        for layer, options in by_layer.items():
            path = os.path.join(folder, f'{layer}-{variant}.mbtiles')
            if os.path.exists(path):
                continue
            begun = time.monotonic()
            part = os.path.join(folder, 'part.mbtiles')
            subprocess.run([program, '-q', '-f', '-o', part, '-z14', *options, '-l', layer, city.source(layer)], check=True)
            os.rename(part, path)
            say(f'tippecanoe {variant}, {layer}: {time.monotonic() - begun:.0f} s')


# ---- how near it comes -----------------------------------------------------------------------------------------

def blocks(tone, side=8):
    n = draw.SIZE // side
    return tone.reshape(n, side, n, side).swapaxes(1, 2).reshape(n * n, side * side)


def compared(true, tone):
    """Ink against the true ink; what differs, by pixel and by block of 8, as a share of the true ink; likeness of structure."""
    ink = true.sum()
    if not ink:
        return {}
    a, b = blocks(true), blocks(tone)
    some = (a.max(1) > 0) | (b.max(1) > 0)
    a, b = a[some], b[some]
    mean_a, mean_b = a.mean(1), b.mean(1)
    covariance = (a * b).mean(1) - mean_a * mean_b
    c1, c2 = 0.01**2, 0.03**2
    likeness = ((2 * mean_a * mean_b + c1) * (2 * covariance + c2)
                / ((mean_a**2 + mean_b**2 + c1) * (a.var(1) + b.var(1) + c2)))
    return {'ink': tone.sum() / ink, 'pixels': np.abs(true - tone).sum() / ink,
            'blocks': np.abs(a.sum(1) - b.sum(1)).sum() / ink, 'ssim': likeness.mean()}


# ---- the sheets ------------------------------------------------------------------------------------------------

def picture(tone, ink):
    """The middle of the window in the layer's colour."""
    edge = (draw.SIZE - CELL) // 2
    tone = tone[edge:edge + CELL, edge:edge + CELL, None]
    return Image.fromarray((255 - (255 - np.array(ink)) * tone).round().astype(np.uint8))


def difference(true, tone):
    """Red where a tile draws too much, blue where too little."""
    edge = (draw.SIZE - CELL) // 2
    more = (tone - true)[edge:edge + CELL, edge:edge + CELL]
    white = np.full((CELL, CELL, 3), 255.0)
    white[..., 1] -= 255 * np.abs(more)
    white[..., 2] -= 255 * np.clip(more, 0, 1)
    white[..., 0] -= 255 * np.clip(-more, 0, 1)
    return Image.fromarray(white.round().astype(np.uint8))


def sheet(layer, rows, columns, path):
    """`rows` is [(zoom, {column: (picture, text)})]."""
    gap, head = 6, 22
    image = Image.new('RGB', (len(columns) * (CELL + gap) + gap, head + len(rows) * (CELL + TEXT + gap)), 'white')
    pen = ImageDraw.Draw(image)
    for i, column in enumerate(columns):
        pen.text((gap + i * (CELL + gap), 5), f'{layer}: {column}', fill='black')
        for j, (zoom, cells) in enumerate(rows):
            if column not in cells:
                continue
            shown, text = cells[column]
            at = (gap + i * (CELL + gap), head + j * (CELL + TEXT + gap))
            image.paste(shown, at)
            pen.rectangle([at[0] - 1, at[1] - 1, at[0] + CELL, at[1] + CELL], outline=(200, 200, 200))
            pen.multiline_text((at[0], at[1] + CELL + 2), f'z{zoom} {text}', fill='black', spacing=1)
    image.save(path, quality=70, method=6)


def said(figures):
    parts = [f'{figures["features"]:,} features']
    if 'bytes' in figures:
        parts.append(f'{figures["bytes"] / 1000:.0f} KB')
    text = ' · '.join(parts)
    if 'ink' in figures:
        text += f'\nink {figures["ink"]:.2f} · off {figures["pixels"]:.2f}, by 8 px {figures["blocks"]:.2f} · SSIM {figures["ssim"]:.2f}'
    return text


def compare(layer, everything, tile_of, zooms):
    """The sheet's rows and the figures of one layer."""
    rows, figures = [], []
    sources = {'onemap': tile_of(layer), 'tippecanoe plain': archive(layer, 'plain'),
               'tippecanoe tuned': archive(layer, 'tuned')}
    for zoom in zooms:
        begun = time.monotonic()
        place = everything.corner() if DRAWN_AS[layer] == 'outlines' and zoom > 11 else MIDDLE[zoom]
        window = Window(zoom, place)
        true, facts = exact(layer, everything, window)
        cells = {'exact': (picture(true, INK[layer]), said(facts))}
        figures.append({'layer': layer, 'zoom': zoom, 'by': 'exact', **facts})
        for name, read in sources.items():
            if read is None:
                continue
            tone, facts = from_tiles(layer, read, window)
            facts |= compared(true, tone)
            cells[name] = (picture(tone, INK[layer]), said(facts))
            figures.append({'layer': layer, 'zoom': zoom, 'by': name, **facts})
            if name == 'onemap':
                cells['onemap, too much / too little'] = (difference(true, tone), 'red / blue')
        rows.append((zoom, cells))
        say(f'{layer} z{zoom}: {time.monotonic() - begun:.1f} s')
    return rows, figures


def table(figures):
    lines = ['| layer | zoom | by | features | largest tile, KB | ink | off by pixel | off by 8 px | SSIM |',
             '| --- | --- | --- | --- | --- | --- | --- | --- | --- |']
    for f in figures:
        known = [f'{f[name]:.3f}' if name in f else '' for name in ('ink', 'pixels', 'blocks', 'ssim')]
        size = f'{f["bytes"] / 1000:.1f}' if 'bytes' in f else ''
        lines.append(f'| {f["layer"]} | {f["zoom"]} | {f["by"]} | {f["features"]:,} | {size} | ' + ' | '.join(known) + ' |')
    return '\n'.join(lines) + '\n'


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('binary')
    parser.add_argument('--sheets', default=os.path.join(city.FOLDER, 'pictures'), help='where sheets and table go')
    parser.add_argument('--layers', default=','.join(INK))
    parser.add_argument('--zooms', default=','.join(map(str, ZOOMS)))
    parser.add_argument('--tippecanoe', metavar='PROGRAM', help='make its archives first (minutes)')
    asked = parser.parse_args()
    if asked.tippecanoe:
        make_archives(asked.tippecanoe)
    facts = city.loaded(asked.binary)
    if facts['city'] != 'bench':
        parser.error('the pictures need the peers\' city in the folder')
    os.makedirs(asked.sheets, exist_ok=True)
    figures = []
    columns = ['exact', 'onemap', 'onemap, too much / too little', 'tippecanoe plain', 'tippecanoe tuned']
    log = os.path.join(city.FOLDER, 'server.log')
    with Server(asked.binary, city.DATA, log) as server, Database(city.DATA) as database:
        # Its demo key reads every layer that is drawn.
        key = city.keys()[city.OWNER]
        server.wait_for_indexes(key, asked.layers.split(','))
        tile_of = onemap(server, key)
        for layer in asked.layers.split(','):
            rows, found = compare(layer, shapes.loaded(layer, database), tile_of,
                                  [int(z) for z in asked.zooms.split(',')])
            sheet(layer, rows, columns, os.path.join(asked.sheets, f'{layer}.webp'))
            figures += found
    with open(os.path.join(asked.sheets, 'figures.md'), 'w') as file:
        file.write(table(figures))
    with open(os.path.join(asked.sheets, 'figures.json'), 'w') as file:
        json.dump(figures, file, indent=1)
    print(table(figures))


if __name__ == '__main__':
    main()
