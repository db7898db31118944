"""A layer's exact shapes, straight from its table, for pictures that nothing has generalised."""

import os
import struct
import subprocess

import numpy as np

import city

# Metres of Web Mercator to parts of the whole side.
SIDE = 2 * city.HALF


class Shapes:
    """`points` in parts of the world's side, y down; part i from starts[i] to starts[i + 1]; `owner[i]` is its feature."""

    def __init__(self, points, starts, owner):
        self.points, self.starts, self.owner = points, starts, owner

    def features(self):
        return int(self.owner[-1]) + 1 if len(self.owner) else 0

    def corner(self):
        """Longitude and latitude of some point: where there is something to see however near one looks."""
        x, y = self.points[0]
        return (x - 0.5) * 360, np.degrees(np.arctan(np.sinh(np.pi * (1 - 2 * y))))

    def within(self, box):
        """The parts of which something may lie in a box: x0, y0, x1, y1."""
        low = np.minimum.reduceat(self.points, self.starts[:-1])
        high = np.maximum.reduceat(self.points, self.starts[:-1])
        wanted = ((high >= box[:2]) & (low <= box[2:])).all(1)
        lengths = np.diff(self.starts)
        chosen = np.repeat(wanted, lengths)
        starts = np.concatenate([[0], np.cumsum(lengths[wanted])])
        return Shapes(self.points[chosen], starts, self.owner[wanted])


def loaded(layer, database):
    """A layer's shapes; kept as a file for the next time."""
    path = os.path.join(city.FOLDER, 'pictures', f'{layer}.npz')
    if not os.path.exists(path):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        shapes = _read(layer, database)
        np.savez(path, points=shapes.points, starts=shapes.starts, owner=shapes.owner)
    with np.load(path) as kept:
        return Shapes(kept['points'], kept['starts'], kept['owner'])


def _read(layer, database):
    copy = f"""copy (select fid::bigint, st_asbinary((st_dump(st_transform(geom, 3857))).geom) from map."{layer}"
        order by fid) to stdout (format binary)"""
    data = subprocess.run(['psql', *database.address, '-qc', copy], check=True, capture_output=True).stdout
    # After the head of 19 bytes each row has the number of its fields, and each field its length.
    parts, owner, at, feature, last = [], [], 19, -1, None
    while struct.unpack_from('>h', data, at)[0] == 2:
        fid, length = struct.unpack_from('>qi', data, at + 6)
        feature += fid != last
        last = fid
        at += 18
        for part in _wkb(data, at):
            parts.append(part)
            owner.append(feature)
        at += length
    starts = np.concatenate([[0], np.cumsum([len(part) for part in parts])])
    points = np.concatenate(parts) / SIDE + 0.5
    points[:, 1] = 1 - points[:, 1]
    return Shapes(points, starts, np.array(owner))


def _wkb(data, at):
    """The parts of a simple geometry, little endian: a point, a line, or rings without their closing point."""
    kind = data[at + 1]
    if kind == 1:
        return [np.frombuffer(data, '<f8', 2, at + 5).reshape(1, 2)]
    if kind == 2:
        count = struct.unpack_from('<I', data, at + 5)[0]
        return [np.frombuffer(data, '<f8', 2 * count, at + 9).reshape(-1, 2)]
    if kind != 3:
        raise ValueError(f'geometry type {kind}')
    rings, number, at = [], struct.unpack_from('<I', data, at + 5)[0], at + 9
    for i in range(number):
        count = struct.unpack_from('<I', data, at)[0]
        ring = np.frombuffer(data, '<f8', 2 * count, at + 4).reshape(-1, 2)[:-1]
        at += 4 + 16 * count
        # With y upwards an outer ring that goes clockwise goes the other way once y points down.
        x, y = (ring - ring[0]).T
        clockwise = np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)) < 0
        rings.append(ring if clockwise == (i == 0) else ring[::-1])
    return rings
