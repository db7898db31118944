"""Features Part 3 and CQL2: the published counts, and filters that an oracle of our own evaluates over the same data."""

import json
import os
import random
import re

import ats
from data import SETS, Table
from generate import COUNTRIES, PLACES, RIVERS, Filters
from kit import query, quote, requirement
from oracle import Oracle, text

FIELDS = {"cql2-countries": COUNTRIES, "cql2-places": PLACES, "cql2-rivers": RIVERS}
GENERATED = {"cql2-countries": 90, "cql2-places": 150, "cql2-rivers": 30}
_tables, _geometry = {}, {}


def table(run, layer):
    if layer not in _tables:
        _tables[layer] = Table(os.path.join(run.fixtures, "cql2", "ne110m4cql2.gpkg"), SETS[layer])
    return _tables[layer]


def geometry_name(run, layer):
    """What the server calls the geometry: the queryable with the role, or the one that is a geometry."""
    if layer not in _geometry:
        answer = run.server.ask(f"/ogc/collections/{layer}/queryables", run.key)
        found = answer.json().get("properties", {}) if answer.status == 200 else {}
        named = [n for n, p in found.items() if p.get("x-ogc-role") == "primary-geometry" or str(p.get("format", "")).startswith("geometry")]
        _geometry[layer] = named[0] if named else "geometry"
    return _geometry[layer]


def items(run, layer, filter, language=None, **more):
    parameters = {"limit": 1000, "filter": filter} | ({"filter-lang": language} if language else {}) | more
    return run.server.ask(f"/ogc/collections/{layer}/items?" + query(**parameters), run.key)


def ids_of(run, answer, what):
    if answer.status != 200:
        run.check(False, f"{what}: {answer}")
        return None
    page = answer.json()
    found = {f["id"] for f in page["features"]}
    if page.get("numberMatched") not in (None, len(found)):
        run.check(False, f"{what}: numberMatched {page['numberMatched']}, but {len(found)} features")
    return found


@requirement("CQL2", "/conf: the published counts, as text", needs="/ogc/collections/cql2-places")
def published(run):
    for conformance, rows in ats.TABLES.items():
        for layer, filter, count in rows:
            answer = items(run, layer, filter.replace("geom", geometry_name(run, layer)))
            found = ids_of(run, answer, f"{conformance}: {filter}")
            if found is not None:
                run.check(len(found) == count, f"{conformance}: {filter} gives {len(found)}, not {count}")


@requirement("CQL2", "the oracle itself gives the published counts", needs="/ogc/collections/cql2-places")
def oracle_agrees_with_the_standard(run):
    places = table(run, "cql2-places")
    oracle = Oracle(places.types)
    some = [({"op": "like", "args": [{"property": "name"}, "B_r%"]}, 3), ({"op": "<", "args": [{"property": "name"}, {"property": "nameascii"}]}, 0),
            ({"op": "t_after", "args": [{"property": "start"}, {"interval": ["2022-01-01T00:00:00Z", "2022-12-31T23:59:59Z"]}]}, 0)]
    for filter, count in some:
        run.check(len(oracle.ids(places.rows, filter)) == count, f"the oracle is wrong about {filter}")
    for layer, op, turned, literal, count in ats.SPATIAL_OPERATORS:
        rows = table(run, layer)
        node = {"op": op.lower(), "args": [{"property": "geometry"}, literal_of(literal)]}
        found = len(Oracle(rows.types).ids(rows.rows, node))
        run.check(found == count, f"the oracle gives {found} for {op} {literal}, not {count}")


def literal_of(literal):
    import shapely
    if literal.startswith("BBOX"):
        return {"bbox": [float(n) for n in re.findall(r"-?[\d.]+", literal)]}
    return json.loads(shapely.to_geojson(shapely.from_wkt(literal)))


def generated(run):
    for layer, count in GENERATED.items():
        rows = table(run, layer)
        name = geometry_name(run, layer)
        filters, oracle = Filters(20 + len(layer), FIELDS[layer], rows.rows, name), Oracle(rows.types, name)
        for _ in range(count):
            filter = filters.one()
            yield layer, filter, oracle.ids(rows.rows, filter)


@requirement("CQL2", "generated filters as text and as JSON", needs="/ogc/collections/cql2-places")
def agree(run):
    for layer, filter, expected in generated(run):
        for language, written in (("cql2-text", text(filter)), ("cql2-json", json.dumps(filter, ensure_ascii=False))):
            found = ids_of(run, items(run, layer, written, language), f"{layer} {language} {written}")
            if found is not None:
                run.check(found == expected, f"{layer} {language}: {written} gives {len(found)} of {len(expected)}: too many {sorted(found - expected)[:5]}, missing {sorted(expected - found)[:5]}")


@requirement("CQL2", "logic: four predicates and their combinations", needs="/ogc/collections/cql2-places")
def logic(run):
    rows = table(run, "cql2-places")
    oracle = Oracle(rows.types)
    p = lambda name: {"property": name}
    four = [{"op": "<>", "args": [p("pop_other"), 1038288]}, {"op": "<", "args": [p("name"), "København"]},
            {"op": "isNull", "args": [p("start")]}, {"op": "=", "args": [p("boolean"), True]}]
    for chosen in ((0, 1, 2, 3), (1, 2, 3, 0), (2, 3, 0, 1), (3, 0, 1, 2), (3, 1, 2, 0)):
        a, b, c, d = (four[i] for i in chosen)
        negated = lambda x: {"op": "not", "args": [x]}
        both, either = lambda *x: {"op": "and", "args": list(x)}, lambda *x: {"op": "or", "args": list(x)}
        for filter in (both(negated(b), either(a, c)), either(both(a, negated(b)), both(c, negated(d))), negated(both(a, d)), negated(either(b, d)),
                       both(a, b, either(c, negated(d))), both(negated(a), negated(b)), either(negated(negated(d)), both(a, c)), negated(d)):
            expected = oracle.ids(rows.rows, filter)
            found = ids_of(run, items(run, "cql2-places", text(filter)), text(filter))
            if found is not None:
                run.check(found == expected, f"{text(filter)} gives {len(found)}, not {len(expected)}")


@requirement("CQL2", "array-functions over literals", needs="/ogc/collections/cql2-places")
def array_functions(run):
    for filter, holds in [("A_CONTAINS(('a','b','c'),('a','b'))", True), ("A_CONTAINS(('a','b'),('a','d'))", False),
                          ("A_CONTAINEDBY(('a'),('a','b'))", True), ("A_EQUALS((1,2),(1,2))", True), ("A_EQUALS((1,2),(2,1))", True),
                          ("A_OVERLAPS(('a','b'),('b','c'))", True), ("A_OVERLAPS((1,2),(3,4))", False),
                          ("A_OVERLAPS((name,'x'),('Berlin','y'))", "Berlin")]:
        found = ids_of(run, items(run, "cql2-places", filter), filter)
        if found is not None:
            expected = 243 if holds is True else 0 if holds is False else 1
            run.check(len(found) == expected, f"{filter} gives {len(found)}, not {expected}")


@requirement("CQL2", "the official examples, text and JSON", needs="/ogc/collections/cql2-examples")
def examples(run):
    """The fields of the examples stand in a layer of invented features; both spellings and the oracle must agree."""
    import examples as invented
    folder = os.path.join(run.fixtures, "cql2", "examples")
    rows, fields = invented.rows(), invented.FIELDS
    name = geometry_name(run, "cql2-examples")
    known = run.server.json("/ogc/collections/cql2-examples/queryables", run.key)["properties"]
    said = {field: field if field in known else field.lower().replace(":", "_") for field in fields}
    for file in sorted(os.listdir(os.path.join(folder, "json"))):
        stem = file[:-5]
        node = json.load(open(os.path.join(folder, "json", file)))
        expected = invented.expected(node, rows)
        alternatives = [f for f in sorted(os.listdir(os.path.join(folder, "text"))) if f[:-4].split("-")[0] == stem]
        written = [("cql2-json", file, json.dumps(invented.renamed(node, said, name)))]
        written += [("cql2-text", f, invented.renamed_text(open(os.path.join(folder, "text", f)).read().strip(), said, name)) for f in alternatives]
        for language, source, filter in written:
            answer = items(run, "cql2-examples", filter, language)
            if expected is None:
                run.problem(answer, 400, "filter")
            else:
                found = ids_of(run, answer, source)
                if found is not None:
                    run.check(found == expected, f"{source}: {filter[:200]} gives {sorted(found)}, not {sorted(expected)}")


BAD_FILTERS = ["", " ", "name", "name=", "=1", "name = 'a", "name == 'a'", "name = \"unknown field\"", "unknown_field = 1", "(name='a'", "name='a')", "name LIKE",
               "name LIKE 5", "pop_max BETWEEN 1", "pop_max IN ()", "pop_max IN (1", "NOT", "AND", "name = 'a' AND", "S_INTERSECTS(geometry)", "S_INTERSECTS(name, POINT(1 2))",
               "S_INTERSECTS(geometry, POINT(1))", "S_INTERSECTS(geometry, POINT(1 2", "S_INTERSECTS(geometry, POLYGON((0 0,1 1)))", "S_NEAR(geometry, POINT(1 2))",
               "S_INTERSECTS(geometry, BBOX(1,2,3))", "S_INTERSECTS(geometry, BBOX(1,20,3,4))", "DATE('2020-13-45') = \"date\"", "\"date\" = DATE('yesterday')",
               "T_AFTER(start, TIMESTAMP('2020'))", "T_AFTER(name, DATE('2020-01-01'))", "INTERVAL('..')", "name = 'a' ; drop table x", "name = 'a' -- x",
               "1/0", "pop_max + name = 1", "pop_max = 'a'", "boolean > 'x'", "pg_sleep(10) IS NULL", "name = $1", "A_CONTAINS(name, ('a'))", "casei(pop_max) = 'a'"]


@requirement("Features 3", "/req/filter/response: what is no filter is a 400 that names it", needs="/ogc/collections/cql2-places")
def bad_filters(run):
    for filter in BAD_FILTERS:
        run.problem(items(run, "cql2-places", filter.replace("geometry", geometry_name(run, "cql2-places")), "cql2-text"), 400, "filter")
    for filter in ["", "{", "[]", "1", "null", "\"name\"", "{}", '{"op":"="}', '{"op":"=","args":[]}', '{"op":"=","args":[1]}', '{"op":"nope","args":[1,2]}',
                   '{"op":"and","args":[1,2]}', '{"op":"=","args":[{"property":"nope"},1]}', '{"op":"=","args":[{"property":5},1]}', '{"op":"like","args":[{"property":"name"},5]}',
                   '{"op":"s_intersects","args":[{"property":"name"},{"type":"Point","coordinates":[1,2]}]}', '{"op":"in","args":[{"property":"name"},"a"]}',
                   '{"op":"s_intersects","args":[{"property":"geometry"},{"type":"Point","coordinates":[]}]}', '{"op":"s_intersects","args":[{"property":"geometry"},{"type":"Circle"}]}',
                   '{"op":"=","args":[{"property":"name"},"a"],"op":"x"', '{"op":["="],"args":[1,1]}', '{"op":"between","args":[{"property":"pop_max"},1]}', "name='a'"]:
        run.problem(items(run, "cql2-places", filter, "cql2-json"), 400, "filter")


@requirement("Features 3", "/req/filter: filter-lang and filter-crs", needs="/ogc/collections/cql2-places")
def filter_parameters(run):
    run.problem(items(run, "cql2-places", "name='Berlin'", "cql-text"), 400, "filter-lang")
    run.problem(items(run, "cql2-places", "name='Berlin'", "nonsense"), 400, "filter-lang")
    run.check(len(ids_of(run, items(run, "cql2-places", "name='Berlin'", "cql2-text"), "cql2-text") or ()) == 1, "filter-lang=cql2-text")
    run.problem(items(run, "cql2-places", "name='Berlin'", **{"filter-crs": "http://www.opengis.net/def/crs/EPSG/0/99999"}), 400, "filter-crs")
    name = geometry_name(run, "cql2-countries")
    # A rectangle over Luxembourg's neighbours: longitude first, latitude first, metres.
    spellings = [("http://www.opengis.net/def/crs/OGC/1.3/CRS84", "BBOX(0,40,10,50)"), ("http://www.opengis.net/def/crs/EPSG/0/4326", "BBOX(40,0,50,10)"),
                 ("http://www.opengis.net/def/crs/EPSG/0/4490", "BBOX(40,0,50,10)"),
                 ("http://www.opengis.net/def/crs/EPSG/0/3857", "POLYGON((0 4865942.28,1113194.91 4865942.28,1113194.91 6446275.84,0 6446275.84,0 4865942.28))")]
    for crs, literal in spellings:
        answer = items(run, "cql2-countries", f"S_INTERSECTS({name},{literal})", **{"filter-crs": crs})
        found = ids_of(run, answer, crs)
        run.check(found is not None and len(found) == 8, f"filter-crs={crs} gives {found and len(found)}, not 8")


@requirement("Features 3", "/req/queryables", needs="/ogc/collections/cql2-places/queryables")
def queryables(run):
    for layer in list(SETS) + ["districts", "buildings", "roads", "poi"]:
        answer = run.server.ask(f"/ogc/collections/{layer}/queryables", run.key)
        if not run.check(answer.status == 200 and answer.type == "application/schema+json", f"{layer}: {answer}"):
            continue
        schema = answer.json()
        run.check(schema.get("$schema") in ("https://json-schema.org/draft/2020-12/schema", "https://json-schema.org/draft/2019-09/schema"), f"{layer}: $schema {schema.get('$schema')}")
        run.check(schema.get("$id", "").endswith(f"/ogc/collections/{layer}/queryables"), f"{layer}: $id {schema.get('$id')}")
        run.check(schema.get("type") == "object", f"{layer}: type {schema.get('type')}")
        run.check(schema.get("additionalProperties") is False, f"{layer}: additionalProperties {schema.get('additionalProperties')}")
        import jsonschema
        jsonschema.Draft202012Validator.check_schema(schema)
        page = run.server.json(f"/ogc/collections/{layer}/items?limit=3", run.key)
        collection = run.server.json(f"/ogc/collections/{layer}", run.key)
        run.check(any(l["rel"] == "http://www.opengis.net/def/rel/ogc/1.0/queryables" for l in collection["links"]), f"{layer}: no link to its queryables")
        for field in (page["features"] or [{"properties": {}}])[0]["properties"]:
            run.check(field in schema["properties"], f"{layer}: {field} is no queryable")
        for name, described in schema["properties"].items():
            ok = "type" in described or "$ref" in described or str(described.get("format", "")).startswith("geometry")
            run.check(ok, f"{layer}: {name} has neither type nor format: {described}")
    html = run.server.ask("/ogc/collections/cql2-places/queryables", run.key, headers={"Accept": "text/html"})
    run.check(html.status == 200 and html.type == "text/html", f"queryables as HTML: {html}")


@requirement("Features 3", "/req/queryables-query-parameters", needs="/ogc/collections/cql2-places")
def by_parameter(run):
    rows = table(run, "cql2-places").rows
    for field, value in [("name", "Berlin"), ("name", "København"), ("pop_max", 832), ("boolean", "true"), ("adm0name", "China"), ("date", "2022-04-16")]:
        answer = run.server.ask("/ogc/collections/cql2-places/items?" + query(**{"limit": 1000, field: value}), run.key)
        found = ids_of(run, answer, f"{field}={value}")
        expected = {i for i, r in rows.items() if str(r["properties"][field]).lower() == str(value).lower()}
        if found is not None:
            run.check(found == expected, f"{field}={value} gives {sorted(found)}, not {sorted(expected)}")
    answer = run.server.ask("/ogc/collections/cql2-places/items?" + query(adm0name="China", filter="pop_max>5000000", limit=1000), run.key)
    found = ids_of(run, answer, "a field and a filter")
    expected = {i for i, r in rows.items() if r["properties"]["adm0name"] == "China" and r["properties"]["pop_max"] > 5000000}
    run.check(found == expected, f"a field and a filter together give {found}, not {expected}")
    answer = items(run, "cql2-places", "pop_max>1000000", bbox="0,40,10,50")
    found = ids_of(run, answer, "bbox and filter")
    expected = {i for i, r in rows.items() if r["properties"]["pop_max"] > 1000000 and 0 <= r["geometry"].x <= 10 and 40 <= r["geometry"].y <= 50}
    run.check(found == expected, f"a box and a filter together give {found}, not {expected}")


@requirement("Features 3", "/req/functions", needs="/ogc/functions")
def functions(run):
    answer = run.server.ask("/ogc/functions", run.key)
    run.check(answer.status == 200 and answer.type == "application/json", str(answer))
    for function in answer.json()["functions"]:
        run.check(isinstance(function["name"], str) and function.get("returns"), f"a function without name or type: {function}")
        run.check(all("type" in argument for argument in function.get("arguments", function.get("args", []))), f"arguments without a type: {function}")


@requirement("Agreement", "the same filter in items, tiles and exports", needs="/ogc/collections/cql2-places")
def the_same_everywhere(run):
    import mapbox_vector_tile
    for layer, filter, expected in sample(generated(run), 60):
        written = text(filter)
        answer = run.server.ask(f"/tiles/{layer}/0/0/0?" + query(filter=written), run.key)
        if not run.check(answer.status in (200, 204), f"a tile filtered by {written}: {answer}"):
            continue
        shown = {f["id"] for f in mapbox_vector_tile.decode(answer.body)[layer]["features"]} if answer.status == 200 else set()
        # Points are all in the tile of the world; what is thin there may be left out, but nothing may be too much.
        inside = {i for i in expected if abs(table(run, layer).rows[i]["geometry"].centroid.y) < 85}
        run.check(shown <= expected, f"tile 0/0/0 of {layer} by {written} shows {sorted(shown - expected)[:5]} too")
        if layer == "cql2-places":
            run.check(shown == inside, f"tile 0/0/0 of {layer} by {written} lacks {sorted(inside - shown)[:5]} of {len(inside)}")
        deeper = set()
        for x in range(4):
            for y in range(4):
                tile = run.server.ask(f"/tiles/{layer}/2/{x}/{y}?" + query(filter=written, **{"filter-lang": "cql2-text"}), run.key)
                if tile.status == 200:
                    deeper |= {f["id"] for f in mapbox_vector_tile.decode(tile.body)[layer]["features"]}
        run.check(deeper <= expected and (layer == "cql2-countries" or deeper == inside), f"tiles z2 of {layer} by {written}: {len(deeper)} of {len(inside)}")


def sample(filters, count):
    everything = list(filters)
    return random.Random(5).sample(everything, min(count, len(everything)))


@requirement("Agreement", "JSON filters on tiles, and refusals there", needs="/ogc/collections/cql2-places")
def tile_filters(run):
    import mapbox_vector_tile
    given = json.dumps({"op": "=", "args": [{"property": "name"}, "Berlin"]})
    answer = run.server.ask("/tiles/cql2-places/0/0/0?" + query(filter=given, **{"filter-lang": "cql2-json"}), run.key)
    if run.check(answer.status == 200, f"a JSON filter on a tile: {answer}"):
        run.check(len(mapbox_vector_tile.decode(answer.body)["cql2-places"]["features"]) == 1, "a JSON filter on a tile")
    for filter in ["nonsense", "unknown_field=1", "name =", "pop_max='a'"]:
        run.problem(run.server.ask("/tiles/cql2-places/0/0/0?filter=" + quote(filter), run.key), 400, "filter")
        run.problem(run.server.ask("/ogc/collections/cql2-places/tiles/WebMercatorQuad/0/0/0?filter=" + quote(filter), run.key), 400, "filter")
