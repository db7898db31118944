"""OGC API Tiles 1.0 and the Two-Dimensional Tile Matrix Set 2.0 (OGC 20-057, 17-083r4)."""

import gzip
import json
import math
import random

import mapbox_vector_tile
from osgeo import ogr

from kit import link, requirement

ogr.UseExceptions()

SETS = ["WebMercatorQuad", "WorldCRS84Quad", "CGCS2000Quad"]
REL = "http://www.opengis.net/def/rel/ogc/1.0/"
MVT = "application/vnd.mapbox-vector-tile"


@requirement("TMS 2.0", "/req/tilematrixset/json: definitions")
def definitions(run):
    listed = run.server.json("/ogc/tileMatrixSets", run.key)["tileMatrixSets"]
    run.check([s["id"] for s in listed if s["id"] in SETS] == SETS or {s["id"] for s in listed} >= set(SETS), f"listed: {[s.get('id') for s in listed]}")
    for entry in listed:
        run.check(link(entry, "self"), f"{entry['id']}: no self link")
        answer = run.server.ask(f"/ogc/tileMatrixSets/{entry['id']}", run.key)
        run.check(answer.status == 200 and answer.type == "application/json", str(answer))
        definition = answer.json()
        run.check(definition["id"] == entry["id"] and isinstance(definition["crs"], str), f"{entry['id']}: {definition.get('crs')}")
        matrices = definition["tileMatrices"]
        run.check(len(matrices) > 15, f"{entry['id']} has {len(matrices)} matrices")
        for i, matrix in enumerate(matrices):
            missing = [m for m in ("id", "scaleDenominator", "cellSize", "pointOfOrigin", "tileWidth", "tileHeight", "matrixWidth", "matrixHeight") if m not in matrix]
            run.check(not missing and isinstance(matrix["id"], str), f"{entry['id']}/{matrix.get('id')} lacks {missing}")
            if i:
                run.check(math.isclose(matrices[i - 1]["scaleDenominator"] / matrix["scaleDenominator"], 2, rel_tol=1e-9), f"{entry['id']}/{matrix['id']}: scale")
            degrees = 111319.49079327358 if definition["id"] in ("WorldCRS84Quad", "CGCS2000Quad") else 1
            run.check(math.isclose(matrix["scaleDenominator"] * 0.00028, matrix["cellSize"] * degrees, rel_tol=1e-6), f"{entry['id']}/{matrix['id']}: cellSize {matrix['cellSize']} and scale {matrix['scaleDenominator']}")
    mercator = run.server.json("/ogc/tileMatrixSets/WebMercatorQuad", run.key)
    first = mercator["tileMatrices"][0]
    run.check(math.isclose(first["scaleDenominator"], 559082264.028717, rel_tol=1e-9) and math.isclose(first["cellSize"], 156543.03392804097, rel_tol=1e-9), f"WebMercatorQuad/0: {first}")
    run.check(all(math.isclose(a, b, rel_tol=1e-9) for a, b in zip(first["pointOfOrigin"], (-20037508.342789244, 20037508.342789244))), f"origin {first['pointOfOrigin']}")
    run.check(mercator.get("uri") == "http://www.opengis.net/def/tilematrixset/OGC/1.0/WebMercatorQuad", f"uri {mercator.get('uri')}")
    run.check(mercator.get("wellKnownScaleSet") == "http://www.opengis.net/def/wkss/OGC/1.0/GoogleMapsCompatible", f"{mercator.get('wellKnownScaleSet')}")
    degrees = run.server.json("/ogc/tileMatrixSets/WorldCRS84Quad", run.key)["tileMatrices"][0]
    run.check((degrees["matrixWidth"], degrees["matrixHeight"]) == (2, 1) and math.isclose(degrees["cellSize"], 0.703125), f"WorldCRS84Quad/0: {degrees}")


@requirement("Tiles", "/req/tilesets-list, /req/tileset")
def tilesets(run):
    for layer in ("cql2-places", "cql2-countries", "districts", "buildings", "roads", "poi"):
        page = run.server.json(f"/ogc/collections/{layer}/tiles", run.key)
        sets = page["tilesets"]
        run.check({s["tileMatrixSetURI"].rsplit("/", 1)[1] for s in sets if "tileMatrixSetURI" in s} >= {"WebMercatorQuad", "WorldCRS84Quad"}, f"{layer}: tilesets {[s.get('tileMatrixSetURI') for s in sets]}")
        for entry in sets:
            run.check(entry["dataType"] == "vector" and entry.get("crs") and link(entry, "self"), f"{layer}: a tileset of the list {entry}")
            answer = run.server.ask(link(entry, "self"), run.key)
            run.check(answer.status == 200 and answer.type == "application/json", str(answer))
            tileset = answer.json()
            run.check(tileset["dataType"] == "vector" and tileset["crs"], f"{layer}: {list(tileset)}")
            scheme = link(tileset, REL + "tiling-scheme")
            if run.check(scheme, f"{layer}: no tiling scheme"):
                run.check(run.server.ask(scheme, run.key).status == 200, f"{layer}: {scheme}")
            template = next((l for l in tileset["links"] if l["rel"] == "item" and l.get("type") == MVT), None)
            if run.check(template and template.get("templated") is True, f"{layer}: no template of vector tiles in {[(l['rel'], l.get('type')) for l in tileset['links']]}"):
                href = template["href"].replace("{tileMatrix}", first_matrix(run, entry)).replace("{tileRow}", "0").replace("{tileCol}", "0")
                tile = run.server.ask(href, run.key)
                run.check("{" not in href and tile.status in (200, 204) and tile.type in (MVT, ""), f"{layer}: {tile.status} for {href}")
            run.check(tileset.get("layers") and tileset["layers"][0]["id"] == layer, f"{layer}: layers {str(tileset.get('layers'))[:100]}")
            if "boundingBox" in tileset:
                box = tileset["boundingBox"]
                run.check(len(box["lowerLeft"]) == 2 and all(a <= b for a, b in zip(box["lowerLeft"], box["upperRight"])), f"{layer}: boundingBox {box}")
            limits = {l["tileMatrix"]: l for l in tileset.get("tileMatrixSetLimits", [])}
            for limit in list(limits.values())[:20]:
                run.check(limit["minTileRow"] <= limit["maxTileRow"] and limit["minTileCol"] <= limit["maxTileCol"], f"{layer}: limits {limit}")
        html = run.server.ask(f"/ogc/collections/{layer}/tiles?f=html", run.key)
        run.check(html.status == 200 and html.type == "text/html", f"{layer}: tilesets as HTML {html.status}")
    dataset = run.server.json("/ogc/tiles", run.key)
    run.check(dataset["tilesets"], "tilesets of the dataset")
    several = run.server.json("/ogc/tiles/WebMercatorQuad?collections=districts,roads", run.key)
    run.check({l["id"] for l in several["layers"]} == {"districts", "roads"}, f"layers of a tileset of two: {[l['id'] for l in several['layers']]}")


@requirement("Tiles", "/req/core/tc-op: tiles, what is outside and what is empty")
def tiles(run):
    for layer in ("cql2-places", "districts", "buildings"):
        for set in SETS:
            base, top = f"/ogc/collections/{layer}/tiles/{set}", first_matrix(run, set)
            for coordinate, wanted in [(f"{top}/0/0", (200, 204)), (f"{top}/1/0", (404,)), (f"{top}/0/2", (404,)), ("1/9/0", (404,)), ("60/0/0", (404,)), ("x/0/0", (400, 404)), ("0/-1/0", (400, 404)), ("0/0/1.5", (400, 404)), ("0/0/99999999999999999999", (400, 404))]:
                answer = run.server.ask(f"{base}/{coordinate}", run.key)
                run.check(answer.status in wanted, f"{base}/{coordinate}: {answer.status}, not {wanted}")
                run.check(answer.status < 400 or answer.type == "application/problem+json", f"{base}/{coordinate}: {answer}")
            empty = run.server.ask(f"/ogc/collections/buildings/tiles/{set}/10/0/0", run.key)
            run.check(empty.status == 204 and not empty.body, f"an empty tile of {set}: {empty.status}")
    run.problem(run.server.ask("/ogc/collections/districts/tiles/nope/0/0/0", run.key), 404)
    run.problem(run.server.ask("/ogc/collections/districts/tiles/WebMercatorQuad/0/0/0?f=gif", run.key), 400, "f")
    both = run.server.ask("/ogc/tiles/WebMercatorQuad/10/401/854?collections=districts,roads", run.key)
    run.check(both.status == 200 and set_of_layers(both) == {"districts", "roads"}, f"a tile of two collections: {both.status}")
    run.problem(run.server.ask("/ogc/tiles/WebMercatorQuad/0/0/0?collections=districts,nope", run.key), 404)


def first_matrix(run, entry):
    return run.server.json(f"/ogc/tileMatrixSets/{entry['tileMatrixSetURI'].rsplit('/', 1)[1] if isinstance(entry, dict) else entry}", run.key)["tileMatrices"][0]["id"]


def set_of_layers(answer):
    return set(mapbox_vector_tile.decode(answer.body))


@requirement("Tiles", "rows and columns as the standard counts them; the same bytes under both addresses")
def addresses(run):
    for z, x, y in ((8, 213, 100), (10, 854, 401), (11, 1708, 803)):
        ogc = run.server.ask(f"/ogc/collections/districts/tiles/WebMercatorQuad/{z}/{y}/{x}", run.key)
        web = run.server.ask(f"/tiles/districts/{z}/{x}/{y}", run.key)
        run.check(ogc.status == web.status and ogc.body == web.body, f"{z}/{x}/{y} differs: {ogc.status} {len(ogc.body)}, {web.status} {len(web.body)}")


@requirement("Tiles", "geometry in tiles is where it is in items, in each tile matrix set")
def positions(run):
    """A point's pixel, reckoned from its longitude and latitude by each set's definition."""
    features = {f["id"]: f for f in run.server.features("cql2-places", run.key)}
    r = random.Random(8)
    for set in SETS:
        definition = run.server.json(f"/ogc/tileMatrixSets/{set}", run.key)
        for feature in r.sample(sorted(features.values(), key=lambda f: f["id"]), 12):
            lon, lat = feature["geometry"]["coordinates"]
            matrix = definition["tileMatrices"][6]
            x, y = (lon, lat) if set != "WebMercatorQuad" else (lon * 20037508.342789244 / 180, math.log(math.tan(math.radians(lat) / 2 + math.pi / 4)) * 6378137)
            origin = matrix["pointOfOrigin"]
            left, top = origin if set == "WebMercatorQuad" else (-180, 90)
            span = matrix["cellSize"] * matrix["tileWidth"]
            column, row = int((x - left) / span), int((top - y) / span)
            answer = run.server.ask(f"/ogc/collections/cql2-places/tiles/{set}/{matrix['id']}/{row}/{column}", run.key)
            if not run.check(answer.status == 200, f"{set} {matrix['id']}/{row}/{column} of {feature['id']}: {answer.status}"):
                continue
            layer = mapbox_vector_tile.decode(answer.body, default_options={"y_coord_down": True})["cql2-places"]
            drawn = next((f for f in layer["features"] if f["id"] == feature["id"]), None)
            if not run.check(drawn, f"{set}: {feature['id']} is not in its tile"):
                continue
            px, py = drawn["geometry"]["coordinates"]
            wx, wy = ((x - left) / span - column) * layer["extent"], ((top - y) / span - row) * layer["extent"]
            run.check(abs(px - wx) <= 1.5 and abs(py - wy) <= 1.5, f"{set}: {feature['id']} is at {px},{py}, not {wx:.1f},{wy:.1f}")
            values = {k: v for k, v in feature["properties"].items() if v is not None}
            run.check(drawn["properties"].keys() == values.keys(), f"{set}: {feature['id']} has {set_difference(drawn['properties'], values)}")


def set_difference(a, b):
    return set(a) ^ set(b)


@requirement("Tiles", "TileJSON 3.0")
def tilejson(run):
    for layer in ("cql2-places", "districts", "districts,roads"):
        document = run.server.json(f"/tiles/{layer}.json", run.key)
        run.check(document["tilejson"] == "3.0.0" and document["tiles"] and document["vector_layers"], f"{layer}: {list(document)}")
        run.check({l["id"] for l in document["vector_layers"]} == set(layer.split(",")), f"{layer}: {document['vector_layers']}")
        run.check(0 <= document["minzoom"] <= document["maxzoom"] <= 24, f"{layer}: zooms")
        tile = run.server.ask(document["tiles"][0].replace("{z}", "0").replace("{x}", "0").replace("{y}", "0"), run.key)
        run.check(tile.status in (200, 204), f"{layer}: {tile}")


@requirement("Tiles", "codings and other formats")
def formats(run):
    path = "/tiles/districts/8/213/100"
    plain = run.server.ask(path, run.key)
    packed = run.server.ask(path, run.key, headers={"Accept-Encoding": "gzip"})
    run.check(packed.headers["content-encoding"] == "gzip" and gzip.decompress(packed.body) == plain.body, "gzip")
    run.check(plain.type == MVT, plain.type)
    for f in ("mvt", "mlt", "png"):
        answer = run.server.ask(f"/ogc/collections/districts/tiles/WebMercatorQuad/8/100/213?f={f}", run.key)
        if f == "png" and answer.status in (400, 404):
            continue
        run.check(answer.status == 200, f"f={f}: {answer}")
        if f == "png":
            run.check(answer.body.startswith(b"\x89PNG") and answer.type == "image/png", f"f=png is {answer.type}")


@requirement("Agreement", "features of a tile are those of items in its box, with the same values, and the other way round")
def agreement(run):
    for layer in ("districts", "roads", "poi", "nursing-homes"):
        for zoom in (14, 15, 16):
            tiles_agree(run, layer, zoom)


def tiles_agree(run, layer, zoom):
    features = [f for f in run.server.features(layer, run.key) if f["geometry"]]
    if not features:
        return
    chosen = random.Random(zoom).sample(features, min(3, len(features)))
    for feature in chosen:
        west, east, south, north = bare_geometry(feature).GetEnvelope()
        x, y = tile_of((west + east) / 2, (south + north) / 2, zoom)
        answer = run.server.ask(f"/tiles/{layer}/{zoom}/{x}/{y}", run.key)
        box = tile_box(zoom, x, y)
        within = [f for f in run.server.features(layer, run.key, "bbox=" + ",".join(map(str, box))) if f["geometry"]]
        if answer.status == 204:
            run.check(not [f for f in within if f["geometry"]["type"].endswith("Point")], f"{layer} {zoom}/{x}/{y} is empty")
            continue
        decoded = mapbox_vector_tile.decode(answer.body)
        run.check(set(decoded) == {layer}, f"{layer} {zoom}/{x}/{y} holds layers {set(decoded)}")
        in_tile = {f["id"]: f["properties"] for f in decoded[layer]["features"]}
        run.check(len(in_tile) == len(decoded[layer]["features"]), f"{layer} {zoom}/{x}/{y} holds a feature twice")
        # The tile has a margin of 64 of 4096 units; what is smaller than a unit may vanish unless it is a point.
        margin = tile_box(zoom, x, y, 66 / 4096)
        wide = {f["id"] for f in run.server.features(layer, run.key, "bbox=" + ",".join(map(str, margin)))}
        run.check(set(in_tile) <= wide, f"{layer} {zoom}/{x}/{y}: {len(set(in_tile) - wide)} features are none of `items`")
        for f in within:
            envelope = bare_geometry(f).GetEnvelope()
            unit = (box[2] - box[0]) / 4096
            big = f["geometry"]["type"].endswith("Point") or max(envelope[1] - envelope[0], envelope[3] - envelope[2]) > 2 * unit
            inner = ogr.CreateGeometryFromWkt("POLYGON((%f %f,%f %f,%f %f,%f %f,%f %f))" % (
                box[0] + unit, box[1] + unit, box[2] - unit, box[1] + unit, box[2] - unit, box[3] - unit,
                box[0] + unit, box[3] - unit, box[0] + unit, box[1] + unit))
            if big and bare_geometry(f).Intersects(inner):
                if run.check(f["id"] in in_tile, f"{layer} {zoom}/{x}/{y} lacks feature {f['id']}"):
                    values = {k: v for k, v in f["properties"].items() if v is not None}
                    run.check(same_values(in_tile[f["id"]], values), f"{layer} {zoom}/{x}/{y} says other of {f['id']}")


def same_values(a, b):
    close = lambda x, y: x == y or (isinstance(x, float) and math.isclose(x, y, rel_tol=1e-9))
    return a.keys() == b.keys() and all(close(a[k], b[k]) for k in a)


def bare_geometry(feature):
    return ogr.CreateGeometryFromJson(json.dumps(feature["geometry"])) if feature["geometry"] else None


def tile_of(lon, lat, zoom):
    n = 2 ** zoom
    return int((lon + 180) / 360 * n), int((1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * n)


def tile_box(zoom, x, y, margin=0.0):
    n = 2 ** zoom
    lon = lambda x: x / n * 360 - 180
    lat = lambda y: math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * y / n))))
    return lon(x - margin), lat(y + 1 + margin), lon(x + 1 + margin), lat(y - margin)
