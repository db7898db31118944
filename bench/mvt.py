"""Reads vector tiles (MVT 2.1). Written against the specification alone, so that it judges encoders of any kind."""

import struct
from dataclasses import dataclass, field

POINT, LINE, POLYGON = 1, 2, 3


@dataclass
class Feature:
    id: int | None = None
    kind: int = 0
    properties: dict = field(default_factory=dict)
    # Parts as lists of (x, y) in tile units: points one part, lines one each, rings one each and not closed.
    parts: list = field(default_factory=list)


@dataclass
class Layer:
    name: str
    extent: int
    features: list


def decode(tile):
    """The layers of a tile."""
    return [_layer(value) for number, value in _fields(tile) if number == 3]


def _fields(data):
    """(number, value) of a protobuf message: integers, or bytes for everything that has a length."""
    at, end = 0, len(data)
    while at < end:
        tag, at = _varint(data, at)
        number, wire = tag >> 3, tag & 7
        if wire == 0:
            value, at = _varint(data, at)
        elif wire == 1:
            value, at = data[at:at + 8], at + 8
        elif wire == 2:
            length, at = _varint(data, at)
            value, at = data[at:at + length], at + length
        elif wire == 5:
            value, at = data[at:at + 4], at + 4
        else:
            raise ValueError(f'wire type {wire}')
        if at > end:
            raise ValueError('the message is cut off')
        yield number, value


def _varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def _packed(data):
    at, found = 0, []
    while at < len(data):
        value, at = _varint(data, at)
        found.append(value)
    return found


def _signed(value):
    return (value >> 1) ^ -(value & 1)


def _value(data):
    for number, value in _fields(data):
        match number:
            case 1: return value.decode()
            case 2: return struct.unpack('<f', value)[0]
            case 3: return struct.unpack('<d', value)[0]
            case 4: return value - (value >> 63 << 64)
            case 5: return value
            case 6: return _signed(value)
            case 7: return bool(value)


def _layer(data):
    name, extent, keys, values, raw = '', 4096, [], [], []
    for number, value in _fields(data):
        match number:
            case 1: name = value.decode()
            case 2: raw.append(value)
            case 3: keys.append(value.decode())
            case 4: values.append(_value(value))
            case 5: extent = value
    return Layer(name, extent, [_feature(data, keys, values) for data in raw])


def _feature(data, keys, values):
    feature = Feature()
    for number, value in _fields(data):
        match number:
            case 1: feature.id = value
            case 2:
                tags = _packed(value)
                feature.properties = {keys[k]: values[v] for k, v in zip(tags[::2], tags[1::2])}
            case 3: feature.kind = value
            case 4: feature.parts = _parts(_packed(value))
    if feature.kind == POINT and feature.parts:
        feature.parts = [[point for part in feature.parts for point in part]]
    return feature


def _parts(commands):
    parts, at, x, y = [], 0, 0, 0
    while at < len(commands):
        command, count = commands[at] & 7, commands[at] >> 3
        at += 1
        if command == 7:
            continue
        for _ in range(count):
            x += _signed(commands[at])
            y += _signed(commands[at + 1])
            at += 2
            if command == 1:
                parts.append([(x, y)])
            else:
                parts[-1].append((x, y))
    return parts
