"""The data set of the CQL2 standard's tests, read from the GeoPackage itself and not through the server."""

import datetime
import sqlite3
import struct

import shapely

SETS = {"cql2-countries": "ne_110m_admin_0_countries", "cql2-places": "ne_110m_populated_places_simple",
        "cql2-rivers": "ne_110m_rivers_lake_centerlines"}


class Table:
    """Features by fid: a geometry, and properties in Python's types."""

    def __init__(self, path, name):
        database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        columns = list(database.execute(f'pragma table_info("{name}")'))
        self.types = {}
        names = [column[1] for column in columns]
        self.rows = {}
        for row in database.execute(f'select * from "{name}"'):
            record = dict(zip(names, row))
            geometry = geopackage_geometry(record.pop("geom"))
            fid = record.pop("fid")
            properties = {}
            for column in columns:
                if column[1] in record:
                    kind = kind_of(column[2])
                    self.types[column[1].lower()] = kind
                    properties[column[1].lower()] = value_of(kind, record[column[1]])
            self.rows[fid] = {"geometry": geometry, "properties": properties}


def kind_of(declared):
    declared = declared.upper()
    if declared.startswith("TEXT"):
        return "text"
    if declared in ("DATE", "DATETIME", "BOOLEAN"):
        return declared.lower()
    return "number"


def value_of(kind, value):
    if value is None:
        return None
    if kind == "boolean":
        return bool(value)
    if kind == "date":
        return datetime.date.fromisoformat(value)
    if kind == "datetime":
        at = datetime.datetime.fromisoformat(value.replace("Z", "+00:00"))
        return at if at.tzinfo else at.replace(tzinfo=datetime.timezone.utc)
    return value


def geopackage_geometry(blob):
    if blob is None:
        return None
    flags = blob[3]
    envelope = (0, 32, 48, 48, 64)[(flags >> 1) & 7]
    assert blob[:2] == b"GP" and struct.calcsize("<d") == 8
    return shapely.from_wkb(blob[8 + envelope:])
