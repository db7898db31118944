"""Invented features with the fields that the CQL2 standard's examples speak of, so that each example can be asked of a server."""

import datetime
import random
import re

import shapely.geometry

from oracle import Oracle, Unsupported, instant

TEXTS = {"city": ["Toronto", "Ottawa", None], "name": ["Smith", "Smithson", "foobar", "FOO%", "Jones", None], "cityName": ["Toronto", "Tokyo", "Paris", None],
         "road_class": ["Οδος", "οδος", "ΟΔΟΣ", "Straße", "STRASSE", "strasse", None], "etat_vol": ["débárquér", "debarquer", "embarqué", None],
         "landsat:scene_id": ["LC82030282019133LGN00", "X", None], "eo:instrument": ["OLI_TIRS", "TIRS", None], "beamMode": ["ScanSAR Narrow", "Fine"],
         "swathDirection": ["ascending", "descending"], "polarization": ["HH+VV+HV+VH", "HH"], "owner": ["Mike Jones", "mike", "Beyoncé", "Beyonce", "SOMEBODY ELSE", None],
         "material": ["brick", "red brick", "brick and wood", "wood", None], "geophys:SURVEY_NAME": ["South Calcutta Survey", "calcutta", "Delhi", None],
         "id": ["fa7e1920-9107-422d-a3db-c468cbc5d6df", "other"], "landsat:wrs_path_text": ["153"]}
NUMBERS = {"depth": [50.0, 100.0, 120.5, 150.0, 151.0, None], "category": [1, 2, 5, 9, None], "balance": [10.0, 150.0, 200.5, None],
           "eo:cloud_cover": [0.05, 0.1, 0.15, 0.2, 0.3, None], "landsat:wrs_row": [28, 29], "landsat:wrs_path": [203, 204], "floors": [1, 3, 4, 5, 6, 20, None],
           "taxes": [100.0, 500.0, 501.0, None], "value": [1.0, 2.0, 9.5, 10.0, 15.0, 20.0, 22.1, -36.0, None], "foo": [0.0, 1.0, 2.0, 3.0, 5.0, None],
           "bar": [0.0, 6.1234, None], "x": [1.0, 6.0, None], "vehicle_height": [3.0, 4.5], "bridge_clearance": [4.0, 5.0, None]}
FLAGS = {"swimming_pool": [True, False, None]}
DAYS = {"built": ["2010-01-01", "2012-06-05", "2014-12-31", "2016-03-01", None], "updated": ["1960-05-05", "1970-01-01", "2020-02-02", None]}
MOMENTS = {"updated_at": ["1851-04-29T00:00:00Z", "2009-05-05T00:00:00Z", "2012-08-10T05:30:00Z", "2013-01-01T00:00:00Z", None],
           "event_time": ["1969-07-16T05:32:00Z", "1969-07-20T20:17:40Z", "1970-01-01T00:00:00Z", None],
           "touchdown": ["1969-07-20T20:17:40Z", None], "liftOff": ["1969-07-21T17:54:00Z", "1969-07-30T00:00:00Z"],
           "starts_at": ["1991-10-07T08:21:06.393Z", "2000-02-02T00:00:00Z", "2006-01-01T00:00:00Z", "2017-06-10T08:00:00Z", None],
           "ends_at": ["1992-01-01T00:00:00Z", "2004-01-01T00:00:00Z", "2010-02-10T05:29:20.073Z", "2017-06-11T10:00:00Z", None]}
FIELDS = [*TEXTS, *NUMBERS, *FLAGS, *DAYS, *MOMENTS]
GEOMETRIES = {"geometry", "footprint", "location", "road", "geom"}
# Fields that are lists, and functions, that no server has: these examples must be refused.
ABSENT = {"avg(windSpeed)", "windSpeed", "layer:ids", "values"}


def rows():
    r = random.Random(11)
    made = {}
    for number in range(1, 121):
        properties = {}
        for kind, fields in (("text", TEXTS), ("number", NUMBERS), ("flag", FLAGS), ("day", DAYS), ("moment", MOMENTS)):
            for field, values in fields.items():
                value = r.choice(values)
                if value is not None and kind == "day":
                    value = datetime.date.fromisoformat(value)
                if value is not None and kind == "moment":
                    value = instant(value)
                properties[field] = value
        x, y = r.choice([(36.319836, 32.288087), (-117.95, 33.9), (0.0, 0.0), (-77.06, 38.9), (43.73, -79.295), (r.uniform(-170, 170), r.uniform(-80, 80))])
        made[number] = {"geometry": shapely.geometry.Point(round(x, 6), round(y, 6)), "properties": properties}
    return made


def write(path):
    """The features as a GeoPackage: a file that says which field is a date."""
    from osgeo import ogr, osr

    kinds = {**dict.fromkeys(TEXTS, ogr.OFTString), **dict.fromkeys(FLAGS, ogr.OFTInteger), **dict.fromkeys(DAYS, ogr.OFTDate),
             **dict.fromkeys(MOMENTS, ogr.OFTDateTime)}
    system = osr.SpatialReference()
    system.ImportFromEPSG(4326)
    source = ogr.GetDriverByName("GPKG").CreateDataSource(path)
    layer = source.CreateLayer("examples", system, ogr.wkbPoint)
    for field in FIELDS:
        whole = field in NUMBERS and all(isinstance(v, int) or v is None for v in NUMBERS[field])
        definition = ogr.FieldDefn(field, kinds.get(field, ogr.OFTInteger64 if whole else ogr.OFTReal))
        if field in FLAGS:
            definition.SetSubType(ogr.OFSTBoolean)
        layer.CreateField(definition)
    for number, row in rows().items():
        feature = ogr.Feature(layer.GetLayerDefn())
        feature.SetFID(number)
        for name, value in row["properties"].items():
            if value is not None:
                feature.SetField(name, value.isoformat().replace("+00:00", "Z") if hasattr(value, "isoformat") else value)
        feature.SetGeometry(ogr.CreateGeometryFromWkt(row["geometry"].wkt))
        layer.CreateFeature(feature)


def renamed(node, said, geometry):
    if isinstance(node, list):
        return [renamed(part, said, geometry) for part in node]
    if isinstance(node, dict):
        if "property" in node:
            name = node["property"]
            return {"property": geometry if name in GEOMETRIES else said.get(name, name)}
        return {key: value if key in ("coordinates", "type") else renamed(value, said, geometry) for key, value in node.items()}
    return node


def renamed_text(filter, said, geometry):
    parts = re.split(r"('(?:[^']|'')*')", filter)
    names = sorted([*said, *GEOMETRIES], key=len, reverse=True)
    spelt = re.compile(r'(?<![\w:])"?(' + "|".join(map(re.escape, names)) + r')"?(?![\w:])(?!\s*\()')
    replace = lambda match: f'"{geometry if match[1] in GEOMETRIES else said[match[1]]}"'
    return "".join(part if i % 2 else spelt.sub(replace, part) for i, part in enumerate(parts))


def expected(node, rows):
    """The ids that the example is true of; nothing where a server has to refuse it."""
    # The geometry fields of the examples are the one geometry of ours; an interval may mix days and moments.
    node = renamed(node, {}, "geometry")
    oracle = Oracle({})
    try:
        if not isinstance(node, dict) or node.get("op") == "avg":
            return None
        return oracle.ids(rows, node)
    except (Unsupported, TypeError, AttributeError):
        return None

