#!/usr/bin/env python3
"""Reads a running onemap with the clients that others use: GDAL's OAPIF driver and OWSLib; holds what they see against each other.

    python3 tests/acceptance/clients.py http://127.0.0.1:8080 .onemap/demo-credentials.json [department ...]

Needs osgeo (apt: python3-gdal) and OWSLib (pip). With mapbox-vector-tile installed, tiles are decoded and held against the
features; with openapi-spec-validator, the two OpenAPI documents are validated. Prints what failed and "N passed, N failed".
"""

import gzip
import json
import math
import random
import sys
import urllib.error
import urllib.parse
import urllib.request

from osgeo import gdal, ogr, osr
import owslib.ogcapi
from owslib.ogcapi.features import Features

gdal.UseExceptions()
ogr.UseExceptions()
gdal.SetConfigOption("GDAL_HTTP_TIMEOUT", "60")

PASSED, FAILED = 0, []


def check(condition, what):
    global PASSED
    if condition:
        PASSED += 1
    else:
        FAILED.append(what)
        print("FAILED", what, flush=True)
    return bool(condition)


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)


class Server:
    def __init__(self, url):
        self.url = url.rstrip("/")

    def ask(self, path, key=None, method="GET", headers=None, body=None):
        url = path if path.startswith("http") else self.url + path
        request = urllib.request.Request(url, method=method, data=body)
        for name, value in (headers or {}).items():
            request.add_header(name, value)
        if key:
            request.add_header("Authorization", "Bearer " + key)
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return Answer(response.status, response.headers, response.read())
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.headers, error.read())

    def json(self, path, key=None):
        answer = self.ask(path, key)
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status} {answer.body[:300]!r}")
        return answer.json()

    def all_features(self, layer, key, query="limit=10000"):
        """Every feature, page by page along the `next` links."""
        url, features = f"/ogc/collections/{layer}/items?{query}", []
        while url:
            page = self.json(url, key)
            features += page["features"]
            url = next((link["href"] for link in page["links"] if link["rel"] == "next"), None)
        return features


# ---------------------------------------------------------------------------------------------------------------- clients


def read_with_gdal(server, key, in_url, expected):
    """GDAL lists every layer and reads all features of each, with the key as a header or in the URL."""
    address = f"OAPIF:{server.url}/ogc"
    how = "in the URL" if in_url else "as a header"
    if in_url:
        gdal.SetConfigOption("GDAL_HTTP_HEADERS", None)
        address += "?key=" + key
    else:
        gdal.SetConfigOption("GDAL_HTTP_HEADERS", "Authorization: Bearer " + key)
    source = gdal.OpenEx(address, gdal.OF_VECTOR, open_options=["PAGE_SIZE=10000"])
    names = [source.GetLayer(i).GetName() for i in range(source.GetLayerCount())]
    check(set(names) == set(expected), f"GDAL with the key {how} lists {len(names)} of {len(expected)} layers")
    for name in names:
        layer = source.GetLayerByName(name)
        count, ids, fields = 0, set(), [f.GetName() for f in layer.schema]
        for feature in layer:
            count += 1
            ids.add(feature.GetFID())
        check(count == len(ids) == expected.get(name), f"GDAL {how} reads {count} of {expected.get(name)} of {name}")
        check(all(fields) and len(set(fields)) == len(fields), f"GDAL sees odd fields of {name}: {fields}")
    gdal.SetConfigOption("GDAL_HTTP_HEADERS", None)


def read_with_owslib(server, key, in_url, expected):
    how = "in the URL" if in_url else "as a header"
    if in_url:
        # OWSLib keeps headers in a dictionary that all its clients share.
        owslib.ogcapi.REQUEST_HEADERS.pop("Authorization", None)
        client = Features(f"{server.url}/ogc/?key={key}")
    else:
        client = Features(f"{server.url}/ogc", headers={"Authorization": "Bearer " + key})
    listed = set(client.feature_collections())
    check(listed == set(expected), f"OWSLib with the key {how} lists {len(listed)} of {len(expected)} layers")
    check(client.conformance()["conformsTo"], "OWSLib reads the conformance classes")
    check(client.api()["openapi"].startswith("3.0"), "OWSLib reads the API definition")
    for name in sorted(listed):
        first = client.collection_items(name, limit=10000)
        total, page = len(first["features"]), first
        while True:
            following = [link["href"] for link in page["links"] if link["rel"] == "next"]
            if not following:
                break
            # A client that was given a URL with a key follows links as they are.
            page = server.json(following[0], None if in_url else key)
            total += len(page["features"])
        check(total == expected[name], f"OWSLib {how} reads {total} of {expected[name]} of {name}")
        if first["features"]:
            one = client.collection_item(name, first["features"][0]["id"])
            same = all(one[member] == first["features"][0][member] for member in ("id", "geometry", "properties"))
            check(same, f"OWSLib {how}: the single feature of {name} differs from the one in the list")


# ------------------------------------------------------------------------------------------------------------- documents

CONFORMANCE = {
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/html",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/oas30",
    "http://www.opengis.net/spec/ogcapi-features-2/1.0/conf/crs",
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/mvt",
}


def documents(server, key):
    landing = server.json("/ogc", key)
    for rel in ["self", "alternate", "service-desc", "service-doc", "conformance", "data"]:
        links = [link for link in landing["links"] if link["rel"] == rel]
        if check(links, f"the landing page has no {rel} link"):
            answer = server.ask(links[0]["href"], key)
            kind = answer.headers.get("Content-Type", "").split(";")[0]
            check(answer.status == 200, f"{rel} answers {answer.status}")
            check(kind == links[0]["type"].split(";")[0], f"{rel} is {kind}, not {links[0]['type']}")
    declared = set(server.json("/ogc/conformance", key)["conformsTo"])
    check(CONFORMANCE <= declared, f"not declared: {CONFORMANCE - declared}")
    for path in ["/ogc/api", "/api/openapi.json"]:
        document = server.json(path, key)
        check(document["openapi"] == "3.0.3", f"{path} is OpenAPI {document['openapi']}")
        try:
            from openapi_spec_validator import validate

            validate(document)
            check(True, path)
        except ImportError:
            pass
        except Exception as error:  # the validator's own, of many kinds
            check(False, f"{path} is invalid: {str(error)[:300]}")
        every_path(server, key, path, document)


def every_path(server, key, where, document):
    """Whatever a document names answers: not with `no such address`, and never with a fault of ours."""
    examples = {"tileMatrixSetId": "WebMercatorQuad", "tileMatrix": "0", "tileRow": "0", "tileCol": "0", "featureId": "1"}
    examples |= {"z": "0", "x": "0", "y": "0", "layer": "districts", "style": "base.json", "set": "WebMercatorQuad"}
    base = document["servers"][0]["url"]
    for path, operations in document["paths"].items():
        for method in operations:
            if method not in ("get", "head", "options"):
                continue
            # TileJSON's address ends in .json, which a template of OpenAPI cannot say inside of one segment.
            filled = path + ".json" if path == "/tiles/{layer}" else path
            for part in path.split("/"):
                if part.startswith("{"):
                    filled = filled.replace(part, examples.get(part[1:-1], "x"))
            if filled.endswith("/events") or (where == "/ogc/api" and "/items/" in filled and "featureId" not in path):
                continue
            answer = server.ask(base + filled, key, method.upper())
            said = answer.body.decode("utf-8", "replace")
            missing = answer.status == 404 and ("没有这个地址" in said or "nothing at this address" in said)
            check(answer.status < 500 and not missing, f"{where}: {method} {filled} answers {answer.status}")
            if where == "/ogc/api" and "{featureId}" not in path:
                check(answer.status in (200, 204), f"{where}: {method} {filled} answers {answer.status} {said[:200]}")


def links_carry_the_key(server, key):
    """Whoever opened an address with `?key=` must be able to open what stands in the answer, as it stands."""
    paths = ["/ogc", "/ogc/collections", "/ogc/collections/roads", "/ogc/collections/roads/items?limit=2",
             "/ogc/collections/roads/items/1", "/ogc/collections/roads/tiles", "/ogc/collections/roads/tiles/WebMercatorQuad",
             "/ogc/tiles", "/ogc/tiles/WebMercatorQuad?collections=roads,buildings", "/ogc/tileMatrixSets",
             "/tiles/buildings.json", "/styles/buildings.json"]
    for path in paths:
        for name in ["key", "tk"]:
            address = path + ("&" if "?" in path else "?") + urllib.parse.urlencode({name: key})
            document = server.json(address)
            without = [url for url in addresses(document) if url.startswith(server.url) and f"{name}={key}" not in url]
            check(not without, f"{path}: links without the {name} that was given in the URL: {without[:3]}")
        plain = json.dumps(server.json(path, key))
        check(key not in plain, f"{path}: a key from a header stands in the answer")
    style = server.json(f"/styles/buildings.json?key={key}")
    for source in style["sources"].values():
        tilejson = server.json(source["url"])
        tile = tilejson["tiles"][0].format(z=10, x=854, y=401)
        check(server.ask(tile).status in (200, 204), f"a tile found through a style with ?key= does not answer: {tile}")


def addresses(value, name=""):
    if isinstance(value, dict):
        for member, inner in value.items():
            yield from addresses(inner, member)
    elif isinstance(value, list):
        for inner in value:
            yield from addresses(inner, name)
    elif isinstance(value, str) and name in ("href", "url", "tiles"):
        yield value


# -------------------------------------------------------------------------------------------------------------- features


def bare_geometry(feature):
    return ogr.CreateGeometryFromJson(json.dumps(feature["geometry"])) if feature["geometry"] else None


def system(code):
    reference = osr.SpatialReference()
    reference.ImportFromEPSG(code)
    reference.SetAxisMappingStrategy(osr.OAMS_AUTHORITY_COMPLIANT)
    return reference


def crs84():
    reference = osr.SpatialReference()
    reference.ImportFromEPSG(4326)
    reference.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
    return reference


def reference_systems(server, key, layer):
    """`crs=` and `bbox-crs=` against PROJ, axis order included."""
    features = server.all_features(layer, key)
    chosen = random.Random(7).sample(features, min(5, len(features)))
    for uri in server.json(f"/ogc/collections/{layer}", key)["crs"]:
        code = None if uri.endswith("CRS84") else int(uri.rsplit("/", 1)[1])
        target = crs84() if code is None else system(code)
        transform = osr.CoordinateTransformation(crs84(), target)
        encoded = urllib.parse.quote(uri, safe="")
        for feature in chosen:
            answer = server.ask(f"/ogc/collections/{layer}/items/{feature['id']}?crs={encoded}", key)
            check(answer.headers.get("Content-Crs") == f"<{uri}>", f"{layer}: Content-Crs {answer.headers.get('Content-Crs')}")
            expected = bare_geometry(feature)
            expected.Transform(transform)
            given = bare_geometry(answer.json())
            tolerance = 0.01 if code == 3857 else 1e-8
            apart = max(abs(a - b) for a, b in zip(expected.GetEnvelope(), given.GetEnvelope()))
            check(apart <= tolerance, f"{layer} in {uri}: feature {feature['id']} is off by {apart}")
            west, east, south, north = expected.GetEnvelope()
            grown = 1.0 if code == 3857 else 1e-5
            box = f"{west - grown},{south - grown},{east + grown},{north + grown}"
            found = server.all_features(layer, key, f"limit=10000&bbox={box}&bbox-crs={encoded}")
            by_box = {f["id"] for f in found}
            check(feature["id"] in by_box, f"{layer}: bbox in {uri} does not find {feature['id']}")
            check(by_box == intersecting(features, feature, code), f"{layer}: bbox around {feature['id']} in {uri} differs")


def intersecting(features, around, code):
    """The ids of what meets the feature's box, grown as above, by GEOS."""
    west, east, south, north = bare_geometry(around).GetEnvelope()
    if code == 3857:
        to, back = (osr.CoordinateTransformation(a, b) for a, b in ((crs84(), system(3857)), (system(3857), crs84())))
        low, high = to.TransformPoint(west, south), to.TransformPoint(east, north)
        west, south, _ = back.TransformPoint(low[0] - 1, low[1] - 1)
        east, north, _ = back.TransformPoint(high[0] + 1, high[1] + 1)
    else:
        west, south, east, north = west - 1e-5, south - 1e-5, east + 1e-5, north + 1e-5
    box = ogr.CreateGeometryFromWkt(
        f"POLYGON(({west} {south},{east} {south},{east} {north},{west} {north},{west} {south}))")
    return {f["id"] for f in features if (g := bare_geometry(f)) and g.Intersects(box)}


def boxes(server, key, layer):
    everything = {f["id"] for f in server.all_features(layer, key)}
    count = lambda query: {f["id"] for f in server.all_features(layer, key, "limit=10000&" + query)}
    mercator = "bbox-crs=http://www.opengis.net/def/crs/EPSG/0/3857"
    check(count("bbox=-180,-90,180,90") == everything, f"{layer}: the world's box leaves something out")
    check(count("bbox=-180,-90,-100,180,90,9000") == everything, f"{layer}: a box of six numbers leaves something out")
    check(count("bbox=100,-90,-100,90") == everything, f"{layer}: a box over the antimeridian leaves something out")
    check(count("bbox=-100,-90,100,90") == set(), f"{layer}: the other half of the world is not empty")
    check(count("bbox=170,-90,-170,90") == set(), f"{layer}: a narrow box over the antimeridian is not empty")
    check(count("bbox=-1e9,-1e9,1e9,1e9&" + mercator) == everything, f"{layer}: a huge box in metres leaves something out")
    for bad in ["1,2,3", "1,2,3,x", "1,2,3,NaN", "0,10,1,5", "1,2,3,4,5", "", "181,0,182,1", "1e999,0,1,1"]:
        answer = server.ask(f"/ogc/collections/{layer}/items?bbox={bad}", key)
        check(answer.status == 400, f"bbox={bad} answers {answer.status}")


def filters(server, key, layer):
    features = server.all_features(layer, key)
    sample = random.Random(3).choice(features)
    for field, value in sample["properties"].items():
        if value is None:
            continue
        text = {True: "true", False: "false"}.get(value, value) if isinstance(value, bool) else value
        query = urllib.parse.urlencode({field: text, "limit": 10000})
        found = {f["id"] for f in server.all_features(layer, key, query)}
        expected = {f["id"] for f in features if f["properties"][field] == value}
        check(found == expected, f"{layer}: {field}={text} gives {len(found)} of {len(expected)}")
    for size in (1, 7, 1000):
        if len(features) / size > 400:
            continue
        ids = [f["id"] for f in server.all_features(layer, key, f"limit={size}")]
        check(ids == [f["id"] for f in features], f"{layer}: pages of {size} are not the whole, or not in order")


def tiles_agree(server, key, layer, zoom):
    """Each feature of a tile is one of `items` in the tile's box, with the same values, and the other way round."""
    try:
        import mapbox_vector_tile
    except ImportError:
        return
    features = [f for f in server.all_features(layer, key) if f["geometry"]]
    if not features:
        return
    chosen = random.Random(zoom).sample(features, min(3, len(features)))
    for feature in chosen:
        west, east, south, north = bare_geometry(feature).GetEnvelope()
        x, y = tile_of((west + east) / 2, (south + north) / 2, zoom)
        answer = server.ask(f"/tiles/{layer}/{zoom}/{x}/{y}", key)
        box = tile_box(zoom, x, y)
        query = "limit=10000&bbox=" + ",".join(map(str, box))
        within = [f for f in server.all_features(layer, key, query) if f["geometry"]]
        if answer.status == 204:
            check(not [f for f in within if f["geometry"]["type"].endswith("Point")], f"{layer} {zoom}/{x}/{y} is empty")
            continue
        decoded = mapbox_vector_tile.decode(answer.body)
        check(set(decoded) == {layer}, f"{layer} {zoom}/{x}/{y} holds layers {set(decoded)}")
        in_tile = {f["id"]: f["properties"] for f in decoded[layer]["features"]}
        check(len(in_tile) == len(decoded[layer]["features"]), f"{layer} {zoom}/{x}/{y} holds a feature twice")
        # The tile has a margin of 64 of 4096 units; what is smaller than a unit may vanish unless it is a point.
        margin = tile_box(zoom, x, y, 66 / 4096)
        wide = {f["id"] for f in server.all_features(layer, key, "limit=10000&bbox=" + ",".join(map(str, margin)))}
        check(set(in_tile) <= wide, f"{layer} {zoom}/{x}/{y}: {len(set(in_tile) - wide)} features are none of `items`")
        for f in within:
            envelope = bare_geometry(f).GetEnvelope()
            unit = (box[2] - box[0]) / 4096
            big = f["geometry"]["type"].endswith("Point") or max(envelope[1] - envelope[0], envelope[3] - envelope[2]) > 2 * unit
            inner = ogr.CreateGeometryFromWkt("POLYGON((%f %f,%f %f,%f %f,%f %f,%f %f))" % (
                box[0] + unit, box[1] + unit, box[2] - unit, box[1] + unit, box[2] - unit, box[3] - unit,
                box[0] + unit, box[3] - unit, box[0] + unit, box[1] + unit))
            if big and bare_geometry(f).Intersects(inner):
                if check(f["id"] in in_tile, f"{layer} {zoom}/{x}/{y} lacks feature {f['id']}"):
                    values = {k: v for k, v in f["properties"].items() if v is not None}
                    check(same_values(in_tile[f["id"]], values), f"{layer} {zoom}/{x}/{y} says other of {f['id']}")


def same_values(a, b):
    close = lambda x, y: x == y or (isinstance(x, float) and math.isclose(x, y, rel_tol=1e-9))
    return a.keys() == b.keys() and all(close(a[k], b[k]) for k in a)


def tile_of(lon, lat, zoom):
    n = 2 ** zoom
    return int((lon + 180) / 360 * n), int((1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * n)


def tile_box(zoom, x, y, margin=0.0):
    n = 2 ** zoom
    lon = lambda x: x / n * 360 - 180
    lat = lambda y: math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * y / n))))
    return lon(x - margin), lat(y + 1 + margin), lon(x + 1 + margin), lat(y - margin)


def tiles_as_bytes(server, key):
    plain = server.ask("/tiles/buildings,roads/10/854/401", key, headers={"Accept-Encoding": "identity"})
    packed = server.ask("/tiles/buildings,roads/10/854/401", key, headers={"Accept-Encoding": "gzip"})
    check(plain.status == packed.status == 200, "the tile of the city's centre answers")
    check(plain.headers.get("Content-Encoding") is None, "a tile is compressed although the caller takes no compression")
    check(packed.headers.get("Content-Encoding") == "gzip", "a tile is not compressed for a caller that takes gzip")
    check(gzip.decompress(packed.body) == plain.body, "the compressed tile is another one")
    check(packed.headers.get("Content-Type") == "application/vnd.mapbox-vector-tile", "a tile's content type")
    check(server.ask("/tiles/buildings/14/0/0", key).status == 204, "an empty tile is a 204")
    for outside in ["25/0/0", "3/8/0", "0/0/1", "99999999999/0/0", "4/99999999999/0"]:
        check(server.ask(f"/tiles/buildings/{outside}", key).status == 404, f"tile {outside} is outside")
    for bad in ["x/0/0", "-1/0/0", "1.0/0/0", "3/+1/0"]:
        check(server.ask(f"/tiles/buildings/{bad}", key).status == 400, f"tile {bad} is malformed")
    etag = packed.headers.get("ETag")
    again = server.ask("/tiles/buildings,roads/10/854/401", key, headers={"If-None-Match": etag})
    check(again.status == 304 and not again.body, "a tile that did not change is a 304")
    try:
        import mapbox_vector_tile
    except ImportError:
        return
    both = mapbox_vector_tile.decode(plain.body)
    check(set(both) == {"buildings", "roads"}, f"a tile of two layers holds {set(both)}")
    name = sorted({n for f in both["roads"]["features"] for n in f["properties"]})[0]
    few = mapbox_vector_tile.decode(server.ask(f"/tiles/roads/10/854/401?fields={name}", key, headers={"Accept-Encoding": "identity"}).body)
    check({n for f in few["roads"]["features"] for n in f["properties"]} == {name}, "fields= leaves other fields in")


# ------------------------------------------------------------------------------------------------------------------ HTTP


def habits(server, key):
    items = "/ogc/collections/districts/items"
    bad = [items + "?nonsense=1", items + "?limit=0", items + "?limit=-5", items + "?limit=99999999999999999999", items + "?limit=1.5",
           items + "?f=xml", items + "?crs=EPSG:9999", items + "?datetime=yesterday", items + "?datetime=2026-02-30", items + "?name=%00",
           items + "?name=a%ff", items + "?limit=1&limit=2", "/ogc/collections/%ff%fe", "/ogc?x=1", "/api/v1/layers?q=%00",
           "/api/v1/identify", "/api/v1/identify?lon=NaN&lat=1", "/api/v1/identify?lon=1e400&lat=1", "/tiles/districts/1/1/x"]
    for path in bad:
        for language, has in [("zh-CN", lambda s: any("\u4e00" <= c <= "\u9fff" for c in s)), ("en", str.isascii)]:
            answer = server.ask(path, key, headers={"Accept-Language": language})
            if not check(answer.status == 400, f"{path} answers {answer.status}"):
                continue
            check(answer.headers.get("Content-Type") == "application/problem+json", f"{path}: no problem document")
            problem = answer.json()
            for member in ["type", "title", "status", "detail", "hint", "request_id"]:
                check(problem.get(member), f"{path}: the problem has no {member}")
            check(has(problem["title"]) and has(problem["hint"]), f"{path}: not in {language}: {problem['title']} {problem['hint']}")
    for id in ["1e3", "9223372036854775808", "-1", "+1", "01", "1.0", "x", "1%00", "%20"]:
        check(server.ask(f"{items}/{id}", key).status == 404, f"feature {id} is none")
    for method in ["POST", "PUT", "PATCH", "DELETE"]:
        answer = server.ask(items, key, method, body=b"{}")
        check(answer.status == 405 and "GET" in answer.headers.get("Allow", ""), f"{method} answers {answer.status}")
    for body in [b"", b"{", b"\xff\xfe", b"[" * 200000, b'{"user":"a\\u0000","password":"x"}', b'{"user":1,"password":2}', b"null"]:
        answer = server.ask("/api/v1/session", None, "POST", {"Content-Type": "application/json"}, body)
        check(answer.status == 400, f"the body {body[:30]!r} answers {answer.status}")
    for path in ["/ogc", "/ogc/collections", items, items + "/1", "/tiles/districts.json", "/tiles/districts/8/213/100", "/ogc/api", "/styles/districts.json"]:
        get, head = server.ask(path, key), server.ask(path, key, "HEAD")
        check(head.status == get.status and not head.body, f"HEAD {path} answers {head.status}")
        check(head.headers.get("Content-Type") == get.headers.get("Content-Type"), f"HEAD {path}: another content type")
        check("Authorization" in get.headers.get("Vary", ""), f"{path}: Vary {get.headers.get('Vary')}")
        etag = get.headers.get("ETag")
        if etag:
            same = server.ask(path, key, headers={"If-None-Match": etag})
            check(same.status == 304 and same.headers.get("ETag") == etag, f"{path}: the ETag gives {same.status}")
            check(server.ask(path, key, headers={"If-None-Match": '"x"'}).status == 200, f"{path}: another ETag gives no body")
    page = server.ask("/ogc", key, headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    check(page.headers.get("Content-Type", "").startswith("text/html"), "a browser gets HTML")
    for path in ["/ogc", "/ogc/conformance", "/ogc/collections", "/ogc/collections/roads", items, items + "/1", "/ogc/tiles", "/ogc/api",
                 "/ogc/collections/roads/tiles", "/ogc/collections/roads/tiles/WebMercatorQuad", "/ogc/tileMatrixSets"]:
        answer = server.ask(path + "?f=html", key)
        check(answer.status == 200 and answer.body.startswith(b"<!doctype html>"), f"{path}?f=html is no HTML")
    packed = server.ask("/ogc/collections", key, headers={"Accept-Encoding": "gzip"})
    check(packed.headers.get("Content-Encoding") == "gzip" and gzip.decompress(packed.body)[:1] == b"{", "gzip")
    preflight = server.ask(items, None, "OPTIONS", {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "GET",
                                                    "Access-Control-Request-Headers": "authorization"})
    check(preflight.status in (200, 204) and "GET" in preflight.headers.get("Access-Control-Allow-Methods", ""), "the preflight")
    tus = server.ask("/api/v1/uploads", None, "OPTIONS")
    check(tus.headers.get("Tus-Version") == "1.0.0", "OPTIONS on the uploads says what is spoken of tus")
    far = server.ask(items + "?name=" + "a" * 100000, key)
    check(far.status in (400, 414), f"an over-long address answers {far.status}")


# ---------------------------------------------------------------------------------------------------------------- access


def sharing(server, keys, layers):
    """What is not shared does not exist for others, at any route; what is conditional may be requested, not read."""
    departments = sorted(keys)
    seen = {d: {l["id"]: l for l in server.json("/api/v1/layers", keys[d])["layers"]} for d in departments}
    open_to_all = {l["id"] for l in server.json("/api/v1/layers")["layers"]}
    for id, (owner, share_class) in sorted(layers.items()):
        for department in departments:
            layer = seen[department].get(id)
            if owner == department:
                expected, access = 200, ("read", "edit")
            elif share_class == "unconditional":
                expected, access = 200, ("read",)
            elif share_class == "conditional":
                access = ("read", "request")
                expected = 200 if layer and layer["access"] == "read" else 403
            else:
                expected, access = 404, (None,)
            check((layer or {}).get("access") in access, f"{id} in the catalogue of {department}: {layer and layer['access']}")
            for path in (f"/ogc/collections/{id}", f"/tiles/{id}.json"):
                answer = server.ask(path, keys[department])
                check(answer.status == expected, f"{path} for {department} answers {answer.status}, not {expected}")
        if id not in open_to_all:
            for path in data_routes(id):
                answer = server.ask(path)
                check(answer.status in (401, 404), f"{path} for nobody in particular answers {answer.status}")
    hidden = [(id, owner) for id, (owner, share_class) in layers.items() if share_class == "not_shared"]
    for id, owner in hidden:
        other = next(d for d in departments if d != owner)
        for path in data_routes(id) + [f"/ogc/tiles/WebMercatorQuad?collections={id}", f"/api/v1/identify?lon=120.38&lat=36.07&layers={id}"]:
            there, nowhere = server.ask(path, keys[other]), server.ask(path.replace(id, "no-such-layer-x"), keys[other])
            check(there.status == nowhere.status == 404, f"{path} for {other} answers {there.status}")
            same = lambda a: {k: v for k, v in a.json().items() if k not in ("request_id", "instance")}
            check(same(there) == same(nowhere), f"{path}: what is hidden is told from what does not exist")
        for method, path in changes(id):
            answer = server.ask(path, keys[other], method, body=b"{}")
            check(answer.status in (403, 404, 405), f"{method} {path} for {other} answers {answer.status}")
            nowhere = server.ask(path.replace(id, "no-such-layer-x"), keys[other], method, body=b"{}")
            check(answer.status == nowhere.status, f"{method} {path}: {answer.status} here, {nowhere.status} where nothing is")
        mine = server.ask(f"/ogc/collections/{id}/items?limit=1", keys[owner])
        check(mine.status == 200, f"{id} for its owner answers {mine.status}")
    # A key stands in web pages: it manages nothing, not even its own department's layers.
    own = next(id for id, (owner, _) in layers.items() if owner == departments[0])
    for method, path in changes(own) + [("GET", "/api/v1/keys"), ("POST", "/api/v1/keys"), ("GET", "/api/v1/uploads"),
                                        ("POST", "/api/v1/uploads"), ("POST", "/api/v1/layers"), ("GET", "/api/v1/jobs")]:
        answer = server.ask(path, keys[departments[0]], method, body=b"{}" if method != "GET" else None)
        check(answer.status in (403, 405), f"{method} {path} with a key answers {answer.status}")


def data_routes(id):
    return [f"/ogc/collections/{id}", f"/ogc/collections/{id}/items", f"/ogc/collections/{id}/items/1", f"/ogc/collections/{id}/tiles",
            f"/ogc/collections/{id}/tiles/WebMercatorQuad", f"/ogc/collections/{id}/tiles/WebMercatorQuad/0/0/0",
            f"/ogc/collections/{id}/items?nonsense=1", f"/tiles/{id}.json", f"/tiles/{id}/0/0/0", f"/tiles/districts,{id}/0/0/0",
            f"/styles/{id}.json", f"/api/v1/layers/{id}", f"/api/v1/layers/{id}/legend", f"/api/v1/layers/{id}/revisions",
            f"/api/v1/layers/{id}/revisions/1/preview"]


def changes(id):
    return [("PATCH", f"/api/v1/layers/{id}"), ("POST", f"/api/v1/layers/{id}/rollback"), ("DELETE", f"/api/v1/layers/{id}/revisions/1"),
            ("POST", f"/api/v1/layers/{id}/revisions/1/publish"), ("POST", f"/ogc/collections/{id}/items"),
            ("DELETE", f"/ogc/collections/{id}/items/1")]


def grants(server, keys, layers):
    """A grant on a part: nothing that a grantee is given shows the rest."""
    for department, key in sorted(keys.items()):
        for layer in server.json("/api/v1/layers", key)["layers"]:
            id = layer["id"]
            if layer["access"] != "read" or layer["department"] == department or layer["share_class"] != "conditional":
                continue
            owner = keys[layers[id][0]]
            whole = {f["id"]: f for f in server.all_features(id, owner)}
            part = {f["id"]: f for f in server.all_features(id, key)}
            check(part and set(part) <= set(whole), f"{department}'s part of {id}: {len(part)} of {len(whole)}")
            fields = server.json(f"/api/v1/layers/{id}", key)["fields"]
            readable = {f["name"] for f in fields if f["readable"]}
            hidden = {f["name"] for f in fields if not f["readable"]}
            if layer["partial"]:
                check(layer["feature_count"] is None and layer["bbox"] is None, f"{id}: figures of the whole for {department}")
                collection = server.json(f"/ogc/collections/{id}", key)
                check("extent" not in collection, f"{id}: the whole extent for {department}")
                tilejson = server.json(f"/tiles/{id}.json", key)
                check("bounds" not in tilejson, f"{id}: the whole bounds for {department}")
                first = server.json(f"/ogc/collections/{id}/items?limit=1", key)
                check(first.get("numberMatched", len(part)) == len(part), f"{id}: the whole count for {department}")
            for feature in part.values():
                if set(feature["properties"]) != readable:
                    check(False, f"{id} shows {department} {set(feature['properties'])}")
                    break
            shown = json.dumps([server.json(p, key) for p in (f"/tiles/{id}.json", f"/styles/{id}.json", f"/ogc/collections/{id}", f"/api/v1/layers/{id}/legend")])
            for name in hidden:
                check(f'"{name}"' not in shown, f"{id}: the metadata name the hidden field {name} to {department}")
                check(server.ask(f"/ogc/collections/{id}/items?{urllib.parse.quote(name)}=1", key).status == 400, f"{id}: filter by hidden {name}")
                check(server.ask(f"/tiles/{id}/0/0/0?fields={urllib.parse.quote(name)}", key).status == 400, f"{id}: tile with hidden {name}")
            api = json.dumps(server.json("/ogc/api", key)["paths"].get(f"/collections/{id}/items", {}))
            check(not [n for n in hidden if f'"name": "{n}"' in api], f"{id}: the API definition names hidden fields to {department}")
            outside = [f for f in whole.values() if f["id"] not in part]
            for feature in random.Random(1).sample(outside, min(5, len(outside))):
                check(server.ask(f"/ogc/collections/{id}/items/{feature['id']}", key).status == 404, f"{id}/{feature['id']} shown to {department}")
            same_through_boxes_tiles_and_identify(server, key, department, id, whole, part, readable)


def same_through_boxes_tiles_and_identify(server, key, department, id, whole, part, readable):
    geometries = {i: bare_geometry(f) for i, f in part.items() if f["geometry"]}
    # Points on what was cut off, and in rows that were left out, must find nothing that is not there in the part.
    probes = random.Random(2).sample(sorted(whole), min(25, len(whole)))
    cut = [i for i in part if part[i]["geometry"] != whole[i]["geometry"]][:25]
    for i in probes + cut:
        geometry = bare_geometry(whole[i])
        rest = geometry.Difference(geometries[i].Buffer(1e-7)) if i in geometries and i in cut else geometry
        if rest is None or rest.IsEmpty():
            continue
        point = rest.PointOnSurface() if rest.GetDimension() == 2 else ogr.CreateGeometryFromWkt("POINT(%r %r)" % first_vertex(rest))
        lon, lat = point.GetX(), point.GetY()
        box = ogr.CreateGeometryFromWkt("POLYGON((%r %r,%r %r,%r %r,%r %r,%r %r))" % (
            lon - 1e-9, lat - 1e-9, lon + 1e-9, lat - 1e-9, lon + 1e-9, lat + 1e-9, lon - 1e-9, lat + 1e-9, lon - 1e-9, lat - 1e-9))
        expected = {j for j, g in geometries.items() if g.Intersects(box)}
        found = {f["id"] for f in server.all_features(id, key, f"limit=10000&bbox={lon - 1e-9},{lat - 1e-9},{lon + 1e-9},{lat + 1e-9}")}
        check(found <= expected, f"{id}: a box outside of {department}'s part finds {found - expected}")
        answer = server.json(f"/api/v1/identify?lon={lon}&lat={lat}&tolerance=0&layers={id}", key)
        told = [f for r in answer["results"] for f in r["features"]]
        check({f["id"] for f in told} <= set(part), f"{id}: identify shows {department} what it may not see")
        near = {j for j, g in geometries.items() if g.Intersects(point.Buffer(1e-6))}
        check({f["id"] for f in told} <= near, f"{id}: identify tells {department} of what was cut off: {[f['id'] for f in told]}")
        check(all(set(f["properties"]) <= readable for f in told), f"{id}: identify shows {department} hidden fields")
        try:
            import mapbox_vector_tile
        except ImportError:
            continue
        x, y = tile_of(lon, lat, 15)
        tile = server.ask(f"/tiles/{id}/15/{x}/{y}", key)
        if tile.status == 200:
            decoded = mapbox_vector_tile.decode(tile.body)
            for feature in decoded[id]["features"]:
                good = feature["id"] in part and set(feature["properties"]) <= readable
                if not good:
                    check(False, f"{id}: tile 15/{x}/{y} shows {department} feature {feature['id']} {set(feature['properties'])}")
                    break
            else:
                check(True, "")


def first_vertex(geometry):
    while geometry.GetGeometryCount():
        geometry = geometry.GetGeometryRef(0)
    middle = geometry.GetPointCount() // 2
    return geometry.GetX(middle), geometry.GetY(middle)


def main(url, credentials, departments):
    server = Server(url)
    keys = json.load(open(credentials, encoding="utf-8"))["keys"]
    layers = {}
    for key in keys.values():
        for layer in server.json("/api/v1/layers", key)["layers"]:
            layers[layer["id"]] = (layer["department"], layer["share_class"])
    for department in departments or ["big-data", "health"]:
        key = keys[department]
        expected = {}
        for collection in server.json("/ogc/collections", key)["collections"]:
            page = server.json(f"/ogc/collections/{collection['id']}/items?limit=10000", key)
            more = any(link["rel"] == "next" for link in page["links"])
            expected[collection["id"]] = page.get("numberMatched") if more else len(page["features"])
            if expected[collection["id"]] is None:
                expected[collection["id"]] = len(server.all_features(collection["id"], key))
        for in_url in (False, True):
            read_with_gdal(server, key, in_url, expected)
            read_with_owslib(server, key, in_url, expected)
    key = keys["big-data"]
    documents(server, key)
    links_carry_the_key(server, key)
    for layer in ["districts", "roads", "clinics", "produce-markets"]:
        reference_systems(server, key, layer)
        boxes(server, key, layer)
    for layer in ["hospitals", "bus-stops", "roads", "shelters", "city-boundary"]:
        filters(server, key, layer)
    for collection in server.json("/ogc/collections", key)["collections"]:
        for zoom in (14, 15, 16):
            tiles_agree(server, key, collection["id"], zoom)
    tiles_as_bytes(server, key)
    habits(server, key)
    sharing(server, keys, layers)
    grants(server, keys, layers)
    print(f"{PASSED} passed, {len(FAILED)} failed")
    return 1 if FAILED else 0


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
