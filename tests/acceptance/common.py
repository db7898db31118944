"""OGC API Common 1 and 2, and Features 1 and 2 (OGC 19-072, 20-024, 17-069r4, 18-058r1)."""

import math
import random
import re

from kit import link, quote, requirement

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
EPSG = "http://www.opengis.net/def/crs/EPSG/0/"
COLLECTIONS = ["districts", "buildings", "roads", "poi", "nursing-homes", "cql2-places", "cql2-countries", "cql2-rivers"]
DECLARED = ["ogcapi-common-1/1.0/conf/core", "ogcapi-common-1/1.0/conf/landing-page", "ogcapi-common-1/1.0/conf/json", "ogcapi-common-1/1.0/conf/html",
            "ogcapi-common-1/1.0/conf/oas30", "ogcapi-common-2/1.0/conf/collections", "ogcapi-features-1/1.0/conf/core", "ogcapi-features-1/1.0/conf/geojson",
            "ogcapi-features-1/1.0/conf/html", "ogcapi-features-1/1.0/conf/oas30", "ogcapi-features-2/1.0/conf/crs", "ogcapi-features-3/1.0/conf/filter",
            "ogcapi-features-3/1.0/conf/features-filter", "ogcapi-features-3/1.0/conf/queryables", "ogcapi-features-3/1.0/conf/queryables-query-parameters",
            "ogcapi-features-4/1.0/conf/create-replace-delete", "ogcapi-features-4/1.0/conf/update", "ogcapi-features-4/1.0/conf/optimistic-locking-etags",
            "ogcapi-features-5/1.0/conf/schemas", "ogcapi-tiles-1/1.0/conf/core", "ogcapi-tiles-1/1.0/conf/tileset", "ogcapi-tiles-1/1.0/conf/tilesets-list",
            "ogcapi-tiles-1/1.0/conf/geodata-tilesets", "ogcapi-tiles-1/1.0/conf/dataset-tilesets", "ogcapi-tiles-1/1.0/conf/mvt",
            "ogcapi-records-1/1.0/conf/record-core", "ogcapi-processes-1/1.0/conf/core", "ogcapi-processes-1/1.0/conf/json",
            "ogcapi-processes-1/1.0/conf/job-list", "ogcapi-processes-1/1.0/conf/dismiss", "cql2/1.0/conf/cql2-text", "cql2/1.0/conf/cql2-json", "cql2/1.0/conf/basic-cql2",
            "cql2/1.0/conf/advanced-comparison-operators", "cql2/1.0/conf/case-insensitive-comparison", "cql2/1.0/conf/accent-insensitive-comparison",
            "cql2/1.0/conf/basic-spatial-functions", "cql2/1.0/conf/basic-spatial-functions-plus", "cql2/1.0/conf/spatial-functions",
            "cql2/1.0/conf/temporal-functions", "cql2/1.0/conf/array-functions", "cql2/1.0/conf/property-property", "cql2/1.0/conf/functions", "cql2/1.0/conf/arithmetic"]


def readable(run):
    return [c for c in COLLECTIONS if run.server.ask(f"/ogc/collections/{c}", run.key).status == 200]


@requirement("Common 1", "/req/landing-page")
def landing(run):
    answer = run.server.ask("/ogc", run.key)
    run.check(answer.status == 200 and answer.type == "application/json", str(answer))
    page = answer.json()
    run.check(isinstance(page.get("title"), str) and isinstance(page.get("description"), str), "the landing page has a title and a description")
    for rel, type in [("self", "application/json"), ("alternate", "text/html"), ("service-desc", None), ("service-doc", "text/html"), ("conformance", None),
                      ("data", None), ("http://www.opengis.net/def/rel/ogc/1.0/tilesets-vector", None),
                      ("http://www.opengis.net/def/rel/ogc/1.0/tiling-schemes", None), ("http://www.opengis.net/def/rel/ogc/1.0/styles", None),
                      ("http://www.opengis.net/def/rel/ogc/1.0/processes", None), ("http://www.opengis.net/def/rel/ogc/1.0/job-list", None)]:
        run.check(link(page, rel, type), f"the landing page links to no {rel} {type or ''}")
    for one in page["links"]:
        run.check(all(isinstance(one.get(m), str) for m in ("href", "rel", "type", "title")), f"a link without href, rel, type or title: {one}")
        target = run.server.ask(one["href"], run.key)
        run.check(target.status == 200, f"{one['rel']}: {target}")
        run.check(target.type == one["type"].split(";")[0], f"{one['rel']} is {target.type}, not {one['type']}")


@requirement("Common 1", "/req/core/conformance: the declared classes")
def conformance(run):
    declared = run.server.json("/ogc/conformance", run.key)["conformsTo"]
    run.check(len(declared) == len(set(declared)), "a class is declared twice")
    for name in DECLARED:
        run.check("http://www.opengis.net/spec/" + name in declared, f"not declared: {name}")
    for uri in declared:
        run.check(uri.startswith("http://www.opengis.net/spec/"), f"no class of the OGC's: {uri}")


@requirement("Common 1", "/req/oas30: the API document")
def api_document(run):
    from openapi_spec_validator import OpenAPIV30SpecValidator
    answer = run.server.ask("/ogc/api", run.key)
    run.check(answer.type == "application/vnd.oai.openapi+json", str(answer)[:200])
    run.check("version=3.0" in answer.headers["content-type"], answer.headers["content-type"])
    document = answer.json()
    run.check(document["openapi"].startswith("3.0."), document["openapi"])
    errors = list(OpenAPIV30SpecValidator(document).iter_errors())
    run.check(not errors, f"the document is invalid: {[e.message[:120] for e in errors[:3]]}")
    for collection in readable(run):
        for path in ("", "/items", "/items/{featureId}", "/queryables", "/schema"):
            run.check(f"/collections/{collection}{path}" in document["paths"], f"/collections/{collection}{path} is not described")
    for path in ("/", "/conformance", "/collections", "/tileMatrixSets", "/styles", "/processes", "/jobs"):
        run.check(path in document["paths"], f"{path} is not described")
    other = run.server.json("/api/openapi.json", run.key)
    errors = list(OpenAPIV30SpecValidator(other).iter_errors())
    run.check(not errors, f"/api/openapi.json is invalid: {[e.message[:120] for e in errors[:3]]}")
    html = run.server.ask("/ogc/api?f=html", run.key)
    run.check(html.status == 200 and html.type == "text/html", str(html)[:200])


@requirement("Common 2", "/req/collections")
def collections(run):
    page = run.server.json("/ogc/collections", run.key)
    run.check(link(page, "self") and link(page, "alternate", "text/html"), "links of /collections")
    ids = [c["id"] for c in page["collections"]]
    run.check(len(ids) == len(set(ids)), "a collection is listed twice")
    for collection in page["collections"]:
        id = collection["id"]
        single = run.server.json(f"/ogc/collections/{id}", run.key)
        run.check(single["id"] == id and single["title"] == collection["title"] and (single.get("extent") or {}).get("spatial") == (collection.get("extent") or {}).get("spatial"), f"{id} differs in the list and alone")
        run.check(isinstance(single.get("title"), str) and single["title"], f"{id} has no title")
        run.check(all(isinstance(word, str) for word in single.get("keywords", [])), f"{id}: keywords {single.get('keywords')}")
        if single.get("itemType") == "feature":
            run.check(link(collection, "items", "application/geo+json") and link(single, "items", "text/html"), f"{id}: no links to its items")
        spatial = single.get("extent", {}).get("spatial", {})
        if spatial:
            run.check(all(len(b) in (4, 6) and all(isinstance(n, (int, float)) for n in b) for b in spatial["bbox"]), f"{id}: extent {spatial}")
        temporal = single.get("extent", {}).get("temporal")
        if temporal:
            run.check(all(len(i) == 2 for i in temporal["interval"]), f"{id}: {temporal}")


@requirement("Common 2", "what is not there is a 404 that says so")
def missing(run):
    for path in ["/ogc/collections/nope", "/ogc/collections/nope/items", "/ogc/collections/nope/items/1", "/ogc/collections/districts/items/999999999",
                 "/ogc/collections/districts/items/nope", "/ogc/collections/nope/queryables", "/ogc/collections/nope/schema", "/ogc/collections/nope/tiles",
                 "/ogc/nope", "/ogc/tileMatrixSets/nope", "/ogc/styles/nope", "/ogc/processes/nope", "/ogc/jobs/nope", "/ogc/collections/nope/styles",
                 "/ogc/collections/%E4%B8%8D%E5%AD%98%E5%9C%A8", "/ogc/collections/..%2f..%2fetc%2fpasswd", "/tiles/nope.json", "/tiles/nope/0/0/0", "/styles/nope.json"]:
        run.problem(run.server.ask(path, run.key), 404)


@requirement("Features 1", "/req/core/fc-op: every collection's items")
def items(run):
    for id in readable(run):
        answer = run.server.ask(f"/ogc/collections/{id}/items", run.key)
        if not run.check(answer.status == 200 and answer.type == "application/geo+json", str(answer)):
            continue
        page = answer.json()
        run.check(page["type"] == "FeatureCollection", f"{id}: {page['type']}")
        run.check(page["numberReturned"] == len(page["features"]), f"{id}: numberReturned")
        run.check(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", page["timeStamp"]), f"{id}: timeStamp {page['timeStamp']}")
        run.check("numberMatched" not in page or page["numberMatched"] >= page["numberReturned"], f"{id}: numberMatched")
        run.check(link(page, "self", "application/geo+json") and link(page, "alternate", "text/html"), f"{id}: links of a page")
        run.check(len(page["features"]) <= 100 and len(page["features"]) > 0, f"{id}: {len(page['features'])} features without a limit")
        feature = page["features"][0]
        run.check(feature["type"] == "Feature" and "geometry" in feature and isinstance(feature["properties"], dict) and "id" in feature, f"{id}: {feature}")
        single = run.server.ask(f"/ogc/collections/{id}/items/{feature['id']}", run.key)
        run.check(single.status == 200 and single.type == "application/geo+json", str(single))
        alone = single.json()
        run.check(alone["geometry"] == feature["geometry"] and alone["properties"] == feature["properties"], f"{id}: a feature differs in the list and alone")
        run.check(link(alone, "self") and link(alone, "collection") and link(alone, "alternate", "text/html"), f"{id}: links of a feature")


@requirement("Features 1", "/req/core/fc-limit")
def limits(run):
    for id in readable(run)[:4]:
        for limit in (1, 2, 10, 11):
            page = run.server.json(f"/ogc/collections/{id}/items?limit={limit}", run.key)
            run.check(len(page["features"]) <= limit, f"{id}: limit={limit} gives {len(page['features'])}")
            run.check((link(page, "next") is not None) == (len(page["features"]) == limit and page.get("numberMatched", limit + 1) > limit), f"{id}: next of limit={limit}")
        capped = run.server.ask(f"/ogc/collections/{id}/items?limit=1000000", run.key)
        run.check(capped.status == 200, f"a limit over the maximum is capped: {capped}")
        for bad in ("0", "-1", "x", "1.5", "", "1e3", "99999999999999999999", "NaN", "0x10"):
            answer = run.server.ask(f"/ogc/collections/{id}/items?limit={quote(bad)}", run.key)
            if bad == "99999999999999999999" and answer.status == 200:
                run.check(True, "a huge limit is capped")
            else:
                run.problem(answer, 400, "limit")


@requirement("Features 1", "/req/core/fc-bbox-definition")
def boxes(run):
    features = run.server.features("cql2-places", run.key)
    inside = lambda w, s, e, n: {f["id"] for f in features if s <= f["geometry"]["coordinates"][1] <= n
                                 and (w <= f["geometry"]["coordinates"][0] <= e if w <= e else not e < f["geometry"]["coordinates"][0] < w)}
    r = random.Random(4)
    for _ in range(25):
        w, s = r.uniform(-180, 100), r.uniform(-80, 50)
        e, n = w + r.uniform(1, 80), s + r.uniform(1, 40)
        for box, expected in [((w, s, e, n), inside(w, s, e, n)), ((e, s, w, n), inside(e, s, w, n))]:
            found = {f["id"] for f in run.server.features("cql2-places", run.key, "bbox=" + ",".join(map(repr, box)))}
            run.check(found == expected, f"bbox={box} gives {len(found)}, not {len(expected)}")
        six = {f["id"] for f in run.server.features("cql2-places", run.key, f"bbox={w},{s},-100,{e},{n},9000")}
        run.check(six == inside(w, s, e, n), "a box of six numbers")
    for bad in ("1,2,3", "1,2,3,x", "1,2,3,NaN", "1,2,3,inf", "0,10,1,5", "1,2,3,4,5", "", ",,,", "181,0,182,1", "0,91,1,92", "1e999,0,1,1", "1;2;3;4", "1,2,3,4,", " 1,2,3,4,5"):
        run.problem(run.server.ask(f"/ogc/collections/cql2-places/items?bbox={quote(bad)}", run.key), 400, "bbox")


@requirement("Features 1", "/req/core/fc-time-definition")
def datetimes(run):
    for bad in ("yesterday", "2020-13-01", "2020-01-01/2019-01-01", "2020-01-01T25:00:00Z", "", "/", "../", "2020-01-01/2021-01-01/2022-01-01", "2020-02-30"):
        answer = run.server.ask(f"/ogc/collections/cql2-places/items?datetime={quote(bad)}&limit=1", run.key)
        if bad in ("/", "../") and answer.status == 200:
            continue
        run.problem(answer, 400, "datetime")
    for good in ("2020-01-01", "2020-01-01T00:00:00Z", "2018-02-12T00:00:00Z/2018-03-18T12:31:12Z", "2018-02-12T00:00:00Z/..", "../2018-03-18T12:31:12Z",
                 "2018-02-12/2019-01-01", "/2018-03-18T12:31:12Z", "2018-02-12T00:00:00Z/", "2018-02-12T00:00:00+08:00", "2018-02-12T00:00:00.123Z"):
        answer = run.server.ask(f"/ogc/collections/cql2-places/items?datetime={quote(good)}&limit=1", run.key)
        run.check(answer.status == 200, f"datetime={good}: {answer}")


@requirement("Features 1", "/req/core/query-param-unknown and -invalid")
def unknown_parameters(run):
    for path in ["/ogc", "/ogc/conformance", "/ogc/api", "/ogc/collections", "/ogc/collections/districts", "/ogc/collections/districts/items", "/ogc/collections/districts/items/1",
                 "/ogc/collections/districts/tiles", "/ogc/tiles", "/ogc/tileMatrixSets", "/ogc/tileMatrixSets/WebMercatorQuad", "/tiles/districts.json", "/tiles/districts/0/0/0",
                 "/ogc/collections/districts/queryables", "/ogc/collections/districts/schema", "/ogc/styles", "/ogc/processes", "/ogc/jobs", "/api/v1/layers"]:
        if run.server.ask(path, run.key).status == 404:
            continue
        run.problem(run.server.ask(path + "?nonsense=1", run.key), 400, "nonsense")
        run.problem(run.server.ask(path + "?f=nonsense", run.key), 400, "f" if path not in ("/api/v1/layers",) else None)
    for twice in ("limit=1&limit=2", "bbox=1,2,3,4&bbox=1,2,3,4", "f=json&f=html", "crs=a&crs=b"):
        run.problem(run.server.ask("/ogc/collections/districts/items?" + twice, run.key), 400, twice.split("=")[0])


@requirement("Features 1", "/req/core/fc-links: pages visit every feature once, in both directions")
def paging(run):
    for id, size in [("cql2-places", 10), ("cql2-places", 100), ("cql2-rivers", 1), ("districts", 3), ("cql2-countries", 25), ("nursing-homes", 50)]:
        expected = [f["id"] for f in run.server.features(id, run.key)]
        found, url, pages, last = [], f"/ogc/collections/{id}/items?limit={size}", 0, None
        while url and pages < 500:
            page = run.server.json(url, run.key)
            found += [f["id"] for f in page["features"]]
            last, url, pages = page, link(page, "next"), pages + 1
        run.check(found == expected, f"{id} by {size}: {len(found)} of {len(expected)}, or in another order")
        back, count = [], 0
        while last and count < 500:
            back = [f["id"] for f in last["features"]] + back
            previous = link(last, "prev")
            last, count = run.server.json(previous, run.key) if previous else None, count + 1
        run.check(back == expected, f"{id} by {size} backwards: {len(back)} of {len(expected)}")
        boxed, url = [], f"/ogc/collections/{id}/items?limit={size}&bbox=-180,-90,180,90"
        while url and len(boxed) < 5000:
            page = run.server.json(url, run.key)
            boxed += [f["id"] for f in page["features"]]
            url = link(page, "next")
        run.check(sorted(boxed) == sorted(expected) and len(set(boxed)) == len(boxed), f"{id} by {size} in a box: {len(boxed)} of {len(expected)}")
    for bad in ("x", "-1", "'", "999999999999999999999", "%00", "eyJhIjoxfQ", ""):
        run.problem(run.server.ask(f"/ogc/collections/cql2-places/items?cursor={bad}", run.key), 400)


@requirement("Features 1", "/req/html")
def html(run):
    for path in ["/ogc", "/ogc/conformance", "/ogc/api", "/ogc/collections", "/ogc/collections/districts", "/ogc/collections/districts/items", "/ogc/collections/districts/items/1",
                 "/ogc/tileMatrixSets", "/ogc/collections/districts/tiles", "/ogc/collections/districts/queryables", "/ogc/collections/districts/schema", "/ogc/styles", "/ogc/processes"]:
        for how in ({"headers": {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}}, {"f": "html"}):
            answer = run.server.ask(path + ("?f=html" if "f" in how else ""), run.key, headers=how.get("headers"))
            if answer.status == 404:
                continue
            if run.check(answer.status == 200 and answer.headers["content-type"].lower() == "text/html; charset=utf-8", f"{path}: {answer}"):
                run.check("<!doctype html>" in answer.text.lower() and "<title>" in answer.text and "lang=" in answer.text, f"{path} is no page")
                outside = re.findall(r'(?:src|href)="(https?://[^"]+)"', answer.text)
                run.check(all(url.startswith(run.server.url) for url in outside if "opengis.net" not in url and "<a " not in url)
                          or not [u for u in re.findall(r'<(?:script|link|img|iframe)[^>]+(?:src|href)="(https?://[^"]+)"', answer.text) if not u.startswith(run.server.url)],
                          f"{path} loads from elsewhere: {outside[:3]}")


def project(lon, lat, crs):
    """WGS 84 degrees in the coordinates and axis order of a CRS, by formula."""
    if crs == CRS84:
        return lon, lat
    if crs in (EPSG + "4326", EPSG + "4490"):
        return lat, lon
    return lon * 20037508.342789244 / 180, math.log(math.tan(math.radians(lat) / 2 + math.pi / 4)) * 6378137.0


@requirement("Features 2", "/req/crs")
def crs(run):
    for id in readable(run):
        collection = run.server.json(f"/ogc/collections/{id}", run.key)
        known = collection.get("crs", [])
        run.check(known and known[0] == CRS84, f"{id}: crs {known[:2]}")
        run.check(collection.get("storageCrs") in known, f"{id}: storageCrs {collection.get('storageCrs')} is none of crs")
        for code in ("4326", "4490", "3857"):
            run.check(EPSG + code in known, f"{id}: {code} is not offered")
        plain = run.server.ask(f"/ogc/collections/{id}/items?limit=5", run.key)
        run.check(plain.headers["content-crs"] == f"<{CRS84}>", f"{id}: Content-Crs {plain.headers['content-crs']}")
        first = plain.json()["features"]
        for uri in known:
            answer = run.server.ask(f"/ogc/collections/{id}/items?limit=5&crs={quote(uri)}", run.key)
            if not run.check(answer.status == 200, f"{id} in {uri}: {answer}"):
                continue
            run.check(answer.headers["content-crs"] == f"<{uri}>", f"{id} in {uri}: Content-Crs {answer.headers['content-crs']}")
            if uri in (CRS84, EPSG + "4326", EPSG + "4490", EPSG + "3857"):
                for a, b in zip(first, answer.json()["features"]):
                    lonlat, given = first_position(a["geometry"]), first_position(b["geometry"])
                    wanted = project(*lonlat[:2], uri)
                    tolerance = 0.02 if uri.endswith("3857") else 1e-8
                    run.check(all(abs(x - y) <= tolerance for x, y in zip(wanted, given)), f"{id}/{a['id']} in {uri}: {given[:2]}, not {wanted}")
            else:
                check_by_proj(run, id, uri, first, answer.json()["features"])
        for bad in ("EPSG:4326x", "http://www.opengis.net/def/crs/EPSG/0/99999", "nonsense", "", "http://www.opengis.net/def/crs/EPSG/0/4326'"):
            run.problem(run.server.ask(f"/ogc/collections/{id}/items?crs={quote(bad)}", run.key), 400, "crs")
            run.problem(run.server.ask(f"/ogc/collections/{id}/items?bbox=1,2,3,4&bbox-crs={quote(bad)}", run.key), 400, "bbox-crs")


def check_by_proj(run, id, uri, plain, given):
    import pyproj
    transformer = pyproj.Transformer.from_crs("OGC:CRS84", "EPSG:" + uri.rsplit("/", 1)[1])
    for a, b in zip(plain, given):
        wanted, found = transformer.transform(*first_position(a["geometry"])[:2]), first_position(b["geometry"])
        run.check(all(abs(x - y) <= 0.02 for x, y in zip(wanted, found)), f"{id}/{a['id']} in {uri}: {found[:2]}, not {wanted}")


def first_position(geometry):
    coordinates = geometry["coordinates"]
    while isinstance(coordinates[0], list):
        coordinates = coordinates[0]
    return coordinates


@requirement("Features 2", "/req/crs/fc-bbox-crs-action")
def box_in_crs(run):
    features = run.server.features("cql2-places", run.key)
    r = random.Random(6)
    for _ in range(12):
        w, s = r.uniform(-170, 100), r.uniform(-60, 30)
        e, n = w + r.uniform(5, 60), s + r.uniform(5, 40)
        expected = {f["id"] for f in features if w <= f["geometry"]["coordinates"][0] <= e and s <= f["geometry"]["coordinates"][1] <= n}
        for uri in (CRS84, EPSG + "4326", EPSG + "4490", EPSG + "3857"):
            box = [*project(w, s, uri), *project(e, n, uri)]
            found = {f["id"] for f in run.server.features("cql2-places", run.key, f"bbox={','.join(map(repr, box))}&bbox-crs={quote(uri)}")}
            run.check(found == expected, f"the box {box} in {uri} gives {len(found)}, not {len(expected)}")


@requirement("Features 2", "/req/crs: the same page in another CRS goes on in it")
def crs_stays(run):
    page = run.server.json(f"/ogc/collections/cql2-places/items?limit=2&crs={quote(EPSG + '3857')}", run.key)
    following = run.server.ask(link(page, "next"), run.key)
    run.check(following.headers["content-crs"] == f"<{EPSG}3857>", f"the next page is in {following.headers['content-crs']}")
