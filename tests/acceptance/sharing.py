"""Who may see what: sharing rules and grants through every way there is, and keys that travel in addresses."""

import json
import random
import urllib.parse

import mapbox_vector_tile
from osgeo import ogr

from kit import requirement
from tiling import bare_geometry, tile_of

ogr.UseExceptions()


def layers_of(run):
    """{layer: (its department, its share class)}, as the departments together see them."""
    return {layer["id"]: (layer["department"], layer["share_class"])
            for key in run.keys.values() for layer in run.server.json("/api/v1/layers", key)["layers"]}


@requirement("Sharing", "what is not shared does not exist for others; what is conditional may be requested, not read")
def sharing(run):
    keys, layers = run.keys, layers_of(run)
    departments = sorted(keys)
    seen = {d: {l["id"]: l for l in run.server.json("/api/v1/layers", keys[d])["layers"]} for d in departments}
    open_to_all = {l["id"] for l in run.server.json("/api/v1/layers")["layers"]}
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
            run.check((layer or {}).get("access") in access, f"{id} in the catalogue of {department}: {layer and layer['access']}")
            for path in (f"/ogc/collections/{id}", f"/tiles/{id}.json"):
                answer = run.server.ask(path, keys[department])
                run.check(answer.status == expected, f"{path} for {department} answers {answer.status}, not {expected}")
        if id not in open_to_all:
            for path in data_routes(id):
                answer = run.server.ask(path)
                run.check(answer.status in (401, 404), f"{path} for nobody in particular answers {answer.status}")
    hidden = [(id, owner) for id, (owner, share_class) in layers.items() if share_class == "not_shared"]
    for id, owner in hidden:
        other = next(d for d in departments if d != owner)
        for path in data_routes(id) + [f"/ogc/tiles/WebMercatorQuad?collections={id}", f"/api/v1/identify?lon=120.38&lat=36.07&layers={id}"]:
            there, nowhere = run.server.ask(path, keys[other]), run.server.ask(path.replace(id, "no-such-layer-x"), keys[other])
            run.check(there.status == nowhere.status == 404, f"{path} for {other} answers {there.status}")
            same = lambda a: {k: v for k, v in a.json().items() if k not in ("request_id", "instance")}
            run.check(same(there) == same(nowhere), f"{path}: what is hidden is told from what does not exist")
        for method, path in changes(id):
            answer = run.server.ask(path, keys[other], method, body=b"{}")
            run.check(answer.status in (403, 404, 405), f"{method} {path} for {other} answers {answer.status}")
            nowhere = run.server.ask(path.replace(id, "no-such-layer-x"), keys[other], method, body=b"{}")
            run.check(answer.status == nowhere.status, f"{method} {path}: {answer.status} here, {nowhere.status} where nothing is")
        mine = run.server.ask(f"/ogc/collections/{id}/items?limit=1", keys[owner])
        run.check(mine.status == 200, f"{id} for its owner answers {mine.status}")
    # A key stands in web pages: it manages nothing, not even its own department's layers.
    own = next(id for id, (owner, _) in layers.items() if owner == departments[0])
    for method, path in changes(own) + [("GET", "/api/v1/keys"), ("POST", "/api/v1/keys"), ("GET", "/api/v1/uploads"),
                                        ("POST", "/api/v1/uploads"), ("POST", "/api/v1/layers"), ("GET", "/api/v1/jobs")]:
        answer = run.server.ask(path, keys[departments[0]], method, body=b"{}" if method != "GET" else None)
        run.check(answer.status in (403, 405), f"{method} {path} with a key answers {answer.status}")


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


@requirement("Sharing", "a grant on a part: nothing that a grantee is given shows the rest")
def grants(run):
    keys, layers = run.keys, layers_of(run)
    for department, key in sorted(keys.items()):
        for layer in run.server.json("/api/v1/layers", key)["layers"]:
            id = layer["id"]
            if layer["access"] != "read" or layer["department"] == department or layer["share_class"] != "conditional":
                continue
            owner = keys[layers[id][0]]
            whole = {f["id"]: f for f in run.server.features(id, owner)}
            part = {f["id"]: f for f in run.server.features(id, key)}
            run.check(part and set(part) <= set(whole), f"{department}'s part of {id}: {len(part)} of {len(whole)}")
            fields = run.server.json(f"/api/v1/layers/{id}", key)["fields"]
            readable = {f["name"] for f in fields if f["readable"]}
            hidden = {f["name"] for f in fields if not f["readable"]}
            if layer["partial"]:
                run.check(layer["feature_count"] is None and layer["bbox"] is None, f"{id}: figures of the whole for {department}")
                collection = run.server.json(f"/ogc/collections/{id}", key)
                run.check("extent" not in collection, f"{id}: the whole extent for {department}")
                tilejson = run.server.json(f"/tiles/{id}.json", key)
                run.check("bounds" not in tilejson, f"{id}: the whole bounds for {department}")
                first = run.server.json(f"/ogc/collections/{id}/items?limit=1", key)
                run.check(first.get("numberMatched", len(part)) == len(part), f"{id}: the whole count for {department}")
            for feature in part.values():
                if set(feature["properties"]) != readable:
                    run.check(False, f"{id} shows {department} {set(feature['properties'])}")
                    break
            shown = json.dumps([run.server.json(p, key) for p in (f"/tiles/{id}.json", f"/styles/{id}.json", f"/ogc/collections/{id}", f"/api/v1/layers/{id}/legend")])
            for name in hidden:
                run.check(f'"{name}"' not in shown, f"{id}: the metadata name the hidden field {name} to {department}")
                run.check(run.server.ask(f"/ogc/collections/{id}/items?{urllib.parse.quote(name)}=1", key).status == 400, f"{id}: filter by hidden {name}")
                run.check(run.server.ask(f"/tiles/{id}/0/0/0?fields={urllib.parse.quote(name)}", key).status == 400, f"{id}: tile with hidden {name}")
            api = json.dumps(run.server.json("/ogc/api", key)["paths"].get(f"/collections/{id}/items", {}))
            run.check(not [n for n in hidden if f'"name": "{n}"' in api], f"{id}: the API definition names hidden fields to {department}")
            outside = [f for f in whole.values() if f["id"] not in part]
            for feature in random.Random(1).sample(outside, min(5, len(outside))):
                run.check(run.server.ask(f"/ogc/collections/{id}/items/{feature['id']}", key).status == 404, f"{id}/{feature['id']} shown to {department}")
            same_through_boxes_tiles_and_identify(run, key, department, id, whole, part, readable)


def same_through_boxes_tiles_and_identify(run, key, department, id, whole, part, readable):
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
        found = {f["id"] for f in run.server.features(id, key, f"bbox={lon - 1e-9},{lat - 1e-9},{lon + 1e-9},{lat + 1e-9}")}
        run.check(found <= expected, f"{id}: a box outside of {department}'s part finds {found - expected}")
        answer = run.server.json(f"/api/v1/identify?lon={lon}&lat={lat}&tolerance=0&layers={id}", key)
        told = [f for r in answer["results"] for f in r["features"]]
        run.check({f["id"] for f in told} <= set(part), f"{id}: identify shows {department} what it may not see")
        near = {j for j, g in geometries.items() if g.Intersects(point.Buffer(1e-6))}
        run.check({f["id"] for f in told} <= near, f"{id}: identify tells {department} of what was cut off: {[f['id'] for f in told]}")
        run.check(all(set(f["properties"]) <= readable for f in told), f"{id}: identify shows {department} hidden fields")
        x, y = tile_of(lon, lat, 15)
        tile = run.server.ask(f"/tiles/{id}/15/{x}/{y}", key)
        if tile.status == 200:
            decoded = mapbox_vector_tile.decode(tile.body)
            for feature in decoded[id]["features"]:
                good = feature["id"] in part and set(feature["properties"]) <= readable
                if not good:
                    run.check(False, f"{id}: tile 15/{x}/{y} shows {department} feature {feature['id']} {set(feature['properties'])}")
                    break
            else:
                run.check(True, f"{id}: tile 15/{x}/{y} for {department}")


def first_vertex(geometry):
    while geometry.GetGeometryCount():
        geometry = geometry.GetGeometryRef(0)
    middle = geometry.GetPointCount() // 2
    return geometry.GetX(middle), geometry.GetY(middle)


@requirement("Sharing", "links carry the key that was given in the address, and no other")
def links_carry_the_key(run):
    """Whoever opened an address with `?key=` must be able to open what stands in the answer, as it stands."""
    key = run.key
    paths = ["/ogc", "/ogc/collections", "/ogc/collections/roads", "/ogc/collections/roads/items?limit=2",
             "/ogc/collections/roads/items/1", "/ogc/collections/roads/tiles", "/ogc/collections/roads/tiles/WebMercatorQuad",
             "/ogc/tiles", "/ogc/tiles/WebMercatorQuad?collections=roads,buildings", "/ogc/tileMatrixSets",
             "/tiles/buildings.json", "/styles/buildings.json"]
    for path in paths:
        for name in ["key", "tk"]:
            address = path + ("&" if "?" in path else "?") + urllib.parse.urlencode({name: key})
            document = run.server.json(address)
            without = [url for url in addresses(document) if url.startswith(run.server.url) and f"{name}={key}" not in url]
            run.check(not without, f"{path}: links without the {name} that was given in the URL: {without[:3]}")
        plain = json.dumps(run.server.json(path, key))
        run.check(key not in plain, f"{path}: a key from a header stands in the answer")
    style = run.server.json(f"/styles/buildings.json?key={key}")
    for source in style["sources"].values():
        tilejson = run.server.json(source["url"])
        tile = tilejson["tiles"][0].format(z=10, x=854, y=401)
        run.check(run.server.ask(tile).status in (200, 204), f"a tile found through a style with ?key= does not answer: {tile}")


def addresses(value, name=""):
    if isinstance(value, dict):
        for member, inner in value.items():
            yield from addresses(inner, member)
    elif isinstance(value, list):
        for inner in value:
            yield from addresses(inner, name)
    elif isinstance(value, str) and name in ("href", "url", "tiles"):
        yield value
