"""Features Parts 4, 5, 6 and 8: writing, schemas, choosing properties, sorting (OGC 20-002r1, 23-058, 24-019, 24-030)."""

import json

import jsonschema

from filters import table
from kit import link, quote, requirement

LAYER = "/ogc/collections/cql2-examples/items"
_session = {}


def session(run):
    """The cookie of a person who publishes for the owner."""
    if "editor" not in run.credentials:
        return None
    if not _session:
        body = json.dumps(run.credentials["editor"])
        answer = run.server.ask("/api/v1/session", None, method="POST", headers={"Content-Type": "application/json"}, body=body)
        _session["cookie"] = answer.headers["set-cookie"].split(";")[0] if answer.status == 200 else ""
    return _session["cookie"]


def send(run, method, path, document=None, **headers):
    sent = {"Cookie": session(run)} | {name.replace("_", "-"): value for name, value in headers.items()}
    if document is not None and "Content-Type" not in sent:
        sent["Content-Type"] = "application/geo+json"
    body = document if isinstance(document, (str, bytes, type(None))) else json.dumps(document)
    return run.server.ask(path, None, method=method, headers=sent, body=body)


def feature(**properties):
    return {"type": "Feature", "properties": {"name": "made", **properties}, "geometry": {"type": "Point", "coordinates": [12.5, 41.9]}}


@requirement("Features 4", "/req/create-replace-delete, /req/update, /req/optimistic-locking-etags", needs="/ogc/collections/cql2-examples")
def editing(run):
    if not session(run):
        return run.skip("no editor in the credentials: prepare.py makes one")
    options = run.server.ask(LAYER, None, method="OPTIONS", headers={"Cookie": session(run)})
    run.check("POST" in options.headers["allow"], f"Allow of items: {options.headers['allow']}")
    made = send(run, "POST", LAYER, feature(value=7.5, built="2020-02-02"))
    run.check(made.status == 201, f"POST: {made}")
    location = made.headers["location"]
    if not run.check(location.startswith(run.server.url + LAYER + "/"), f"Location: {location}"):
        return
    read = send(run, "GET", location)
    stored = read.json()
    run.check(read.status == 200 and stored["properties"]["value"] == 7.5 and stored["properties"]["built"] == "2020-02-02", f"what was made: {read.text[:300]}")
    run.check(stored["geometry"] == {"type": "Point", "coordinates": [12.5, 41.9]}, f"geometry {stored['geometry']}")
    tag = read.headers["etag"]
    run.check(tag, "a feature has an ETag")
    allowed = run.server.ask(location, None, method="OPTIONS", headers={"Cookie": session(run)}).headers["allow"]
    run.check(all(m in allowed for m in ("GET", "PUT", "PATCH", "DELETE")), f"Allow of a feature: {allowed}")
    for method, document in (("PUT", feature(value=1.0)), ("PATCH", {"properties": {"value": 1.0}}), ("DELETE", None)):
        more = {"Content_Type": "application/merge-patch+json"} if method == "PATCH" else {}
        without = send(run, method, location, document, **more)
        run.problem(without, 428)
        run.problem(send(run, method, location, document, If_Match='"other"', **more), 412)
        run.check(send(run, "GET", location).headers["etag"] == tag, f"{method} was refused and changed it all the same")
    patched = send(run, "PATCH", location, {"properties": {"value": 9.25}}, If_Match=tag, Content_Type="application/merge-patch+json")
    run.check(patched.status in (200, 204), f"PATCH: {patched}")
    again = send(run, "GET", location)
    run.check(again.json()["properties"]["value"] == 9.25 and again.json()["properties"]["built"] == "2020-02-02", "PATCH changes what it names and no more")
    run.check(again.headers["etag"] != tag, "the ETag changes with the feature")
    run.problem(send(run, "PUT", location, feature(value=2.0), If_Match=tag), 412)
    put = send(run, "PUT", location, feature(value=3.0), If_Match=again.headers["etag"])
    run.check(put.status in (200, 204), f"PUT: {put}")
    replaced = send(run, "GET", location)
    run.check(replaced.json()["properties"]["value"] == 3.0 and replaced.json()["properties"]["built"] is None, "PUT replaces the whole")
    import mapbox_vector_tile
    tile = run.server.ask("/tiles/cql2-examples/0/0/0?filter=" + quote("name='made'"), run.key)
    run.check(tile.status == 200 and len(mapbox_vector_tile.decode(tile.body)["cql2-examples"]["features"]) == 1, f"the new feature is in the tiles at once: {tile.status}")
    gone = send(run, "DELETE", location, If_Match=replaced.headers["etag"])
    run.check(gone.status in (200, 204), f"DELETE: {gone}")
    run.problem(send(run, "GET", location), 404)
    run.problem(send(run, "PUT", location, feature(), If_Match=replaced.headers["etag"]), 404)
    run.problem(send(run, "DELETE", location, If_Match=replaced.headers["etag"]), 404)
    other = {"http://www.opengis.net/def/crs/EPSG/0/4326": [41.9, 12.5], "http://www.opengis.net/def/crs/EPSG/0/3857": [1391493.6, 5145000.0]}
    for uri, coordinates in other.items():
        document = feature() | {"geometry": {"type": "Point", "coordinates": coordinates}}
        answer = send(run, "POST", LAYER, document, Content_Crs=f"<{uri}>")
        if answer.status == 201:
            position = send(run, "GET", answer.headers["location"])
            x, y = position.json()["geometry"]["coordinates"]
            run.check(abs(x - 12.5) < 0.01 and abs(y - 41.9) < 0.05, f"Content-Crs {uri} gives {x}, {y}")
            send(run, "DELETE", answer.headers["location"], If_Match=position.headers["etag"])
        else:
            run.problem(answer, 400)


@requirement("Features 4", "bodies that do not fit", needs="/ogc/collections/cql2-examples")
def bad_bodies(run):
    if not session(run):
        return run.skip("no editor in the credentials: prepare.py makes one")
    bad = ["", "{", "null", "[]", "5", '"x"', "{}", '{"type":"Feature"}', json.dumps(feature() | {"type": "FeatureCollection"}), json.dumps(feature(nonsense=1)), json.dumps(feature(value="x")),
           json.dumps(feature(built="yesterday")), json.dumps(feature(built="2020-02-30")), json.dumps(feature(floors=1.5)), json.dumps(feature(floors=10**30)), json.dumps(feature(swimming_pool="ja")),
           json.dumps(feature(updated_at="2020")), json.dumps(feature() | {"geometry": {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [0, 1], [0, 0]]]}}), json.dumps(feature() | {"geometry": {"type": "Point", "coordinates": []}}),
           json.dumps(feature() | {"geometry": {"type": "Point", "coordinates": [500, 0]}}), json.dumps(feature() | {"geometry": {"type": "Point", "coordinates": ["a", "b"]}}), json.dumps(feature() | {"geometry": {"type": "Nope"}}),
           '{"type":"Feature","properties":{"value":1e999},"geometry":null}', '{"type":"Feature","properties":{"value":NaN},"geometry":null}', json.dumps(feature(name="a\u0000b")), "[" * 50_000]
    before = len(run.server.features("cql2-examples", run.key))
    for body in bad:
        answer = send(run, "POST", LAYER, body)
        run.check(answer.status in (400, 422), f"{body[:200]} is answered by {answer.status}")
        if answer.status == 201:
            made = answer.headers["location"]
            send(run, "DELETE", made, If_Match=send(run, "GET", made).headers["etag"])
        else:
            run.problem(answer, (400, 422))
    for media in ("text/plain", "application/xml", "application/x-www-form-urlencoded", "nonsense"):
        run.problem(send(run, "POST", LAYER, json.dumps(feature()), Content_Type=media), 415)
    run.check(len(run.server.features("cql2-examples", run.key)) == before, "a refused feature is there all the same")
    run.problem(run.server.ask(LAYER, run.key, method="POST", headers={"Content-Type": "application/geo+json"}, body=json.dumps(feature())), 403)
    run.problem(run.server.ask(LAYER, None, method="POST", headers={"Content-Type": "application/geo+json"}, body=json.dumps(feature())), (401, 403, 404))
    crossed = send(run, "POST", LAYER, feature(), Origin="https://elsewhere.example", Sec_Fetch_Site="cross-site")
    run.problem(crossed, 403)


@requirement("Features 5", "/req/schemas, /req/returnables-and-receivables", needs="/ogc/collections/cql2-places/schema")
def schemas(run):
    for layer in ("cql2-places", "cql2-countries", "cql2-examples", "districts", "buildings", "roads", "poi", "nursing-homes"):
        answer = run.server.ask(f"/ogc/collections/{layer}/schema", run.key)
        run.check(answer.status == 200 and answer.type == "application/schema+json", str(answer))
        schema = answer.json()
        jsonschema.Draft202012Validator.check_schema(schema)
        run.check(schema["type"] == "object" and schema.get("$id", "").endswith(f"/ogc/collections/{layer}/schema"), f"{layer}: {schema.get('$id')}")
        collection = run.server.json(f"/ogc/collections/{layer}", run.key)
        run.check(any(l["rel"] == "http://www.opengis.net/def/rel/ogc/1.0/schema" or l["rel"] == "describedby" for l in collection["links"]), f"{layer}: no link to its schema")
        roles = [p.get("x-ogc-role") for p in schema["properties"].values()]
        run.check(roles.count("primary-geometry") == 1, f"{layer}: roles {roles}")
        run.check(roles.count("id") == 1, f"{layer}: no identifier among {roles}")
        order = [p["x-ogc-propertySeq"] for p in schema["properties"].values() if "x-ogc-propertySeq" in p]
        run.check(len(order) == len(set(order)), f"{layer}: x-ogc-propertySeq twice")
        page = run.server.json(f"/ogc/collections/{layer}/items?limit=20", run.key)
        plain = {name: described for name, described in schema["properties"].items() if not str(described.get("format", "")).startswith("geometry") and described.get("x-ogc-role") != "id"}
        validator = jsonschema.Draft202012Validator({"type": "object", "properties": {n: nullable(d) for n, d in plain.items()}})
        for feature in page["features"]:
            errors = [e.message for e in validator.iter_errors(feature["properties"])]
            run.check(not errors, f"{layer}/{feature['id']} is not as its schema says: {errors[:2]}")
            missing = set(feature["properties"]) - set(schema["properties"])
            run.check(not missing, f"{layer}: {missing} is not in the schema")


def nullable(described):
    kind = described.get("type")
    return described | ({"type": [kind, "null"]} if isinstance(kind, str) else {}) | ({"enum": [*described["enum"], None]} if "enum" in described else {})


@requirement("Features 6", "/req/property-selection", needs="/ogc/collections/cql2-places")
def property_selection(run):
    base = "/ogc/collections/cql2-places/items?limit=3&"
    if run.server.ask(base + "properties=name", run.key).status == 400:
        return run.skip("properties= is not offered")
    for names in (["name"], ["name", "pop_max"], ["pop_max", "name"], ["start", "boolean", "date"]):
        page = run.server.json(base + "properties=" + ",".join(names), run.key)
        run.check(all(set(f["properties"]) == set(names) for f in page["features"]), f"properties={names} gives {list(page['features'][0]['properties'])}")
        run.check(all(f["geometry"] for f in page["features"]), "the geometry stays")
        single = run.server.json("/ogc/collections/cql2-places/items/1?properties=" + ",".join(names), run.key)
        run.check(set(single["properties"]) == set(names), f"a feature with properties={names}: {list(single['properties'])}")
    full = set(run.server.json(base, run.key)["features"][0]["properties"])
    page = run.server.json(base + "exclude-properties=name,note", run.key)
    run.check(set(page["features"][0]["properties"]) == full - {"name", "note"}, f"exclude-properties gives {list(page['features'][0]['properties'])}")
    page = run.server.json(base + "skipGeometry=true", run.key)
    run.check(all(f["geometry"] is None for f in page["features"]), "skipGeometry=true leaves the geometry out")
    run.check(all(f["geometry"] for f in run.server.json(base + "skipGeometry=false", run.key)["features"]), "skipGeometry=false keeps it")
    following = run.server.json(link(run.server.json(base + "properties=name", run.key), "next"), run.key)
    run.check(set(following["features"][0]["properties"]) == {"name"}, "the next page has the same properties")
    for bad, parameter in (("properties=nope", "properties"), ("properties=name,nope", "properties"), ("exclude-properties=nope", "exclude-properties"), ("skipGeometry=perhaps", "skipGeometry")):
        run.problem(run.server.ask(base + bad, run.key), 400, parameter)


@requirement("Features 8", "/req/sortby", needs="/ogc/collections/cql2-places/sortables")
def sorting(run):
    answer = run.server.ask("/ogc/collections/cql2-places/sortables", run.key)
    run.check(answer.type == "application/schema+json", str(answer))
    run.check({"name", "pop_max"} <= set(answer.json()["properties"]), f"sortables: {list(answer.json()['properties'])}")
    rows = table(run, "cql2-places").rows
    for sortby in ("pop_max", "-pop_max", "+name", "-name", "adm0name,-pop_max", "-adm0name,name", "boolean,name", "-date,pop_min", "note,name", "-start", "adm0name"):
        for size in (7, 100):
            found, url = [], f"/ogc/collections/cql2-places/items?limit={size}&sortby={quote(sortby)}"
            while url and len(found) < 1000:
                page = run.server.json(url, run.key)
                found += page["features"]
                url = link(page, "next")
            ids = [f["id"] for f in found]
            run.check(sorted(ids) == sorted(rows), f"sortby={sortby} by {size} visits {len(ids)} ({len(set(ids))} different) of {len(rows)}")
            terms = [(term.lstrip("+-"), term.startswith("-")) for term in sortby.split(",")]
            wrong = [(a["id"], b["id"]) for a, b in zip(found, found[1:]) if not in_order(rows[a["id"]]["properties"], rows[b["id"]]["properties"], terms)]
            run.check(not wrong, f"sortby={sortby} by {size}: not in order {wrong[:3]}")
    for bad in ("nope", "name,nope", "", "--name", "name;drop", "geometry"):
        run.problem(run.server.ask(f"/ogc/collections/cql2-places/items?sortby={quote(bad)}", run.key), 400, "sortby")
    page = run.server.json("/ogc/collections/cql2-places/items?limit=5&sortby=name", run.key)
    following = link(page, "next")
    other = following.replace("sortby=name", "sortby=pop_max")
    run.check(run.server.ask(other, run.key).status in (200, 400), "a cursor of another order is no fault")


def in_order(a, b, terms):
    for name, down in terms:
        x, y = a[name], b[name]
        if x == y:
            continue
        if x is None or y is None:
            return True  # where nulls stand is the server's choice, as long as pages agree
        return (x > y) if down else (x < y)
    return True
