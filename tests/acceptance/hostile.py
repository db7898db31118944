"""Input that is meant to harm: always a quick refusal that names what is wrong; no fault, no hang, no memory that grows."""

import json
import os
import random
import socket
import threading
import time

from filters import geometry_name, items
from kit import quote, requirement

ITEMS = "/ogc/collections/cql2-places/items"
NESTED = {
    "10,000 brackets": "(" * 10_000 + "name='a'" + ")" * 10_000,
    "10,000 brackets that never close": "(" * 10_000,
    "3,000 brackets": "(" * 3_000 + "name='a'" + ")" * 3_000,
    "10,000 nots": "NOT " * 7_000 + "name='a'",
    "10,000 signs": "pop_max > " + "-" * 10_000 + "1",
    "10,000 sums": "pop_max > " + "1+" * 10_000 + "1",
    "5,000 powers": "pop_max > " + "2^" * 5_000 + "2",
    "3,000 ands": " AND ".join(["name='a'"] * 3_000),
    "30 comparisons of comparisons": "(" * 30 + "name='a'" + ")=TRUE" * 30,
    "30 sets of sets": "A_EQUALS((" * 30 + "name='a'" + "),(TRUE))" * 30,
    "30 ranges of ranges": "(" * 30 + "name='a'" + ") BETWEEN FALSE AND TRUE" * 30,
    "30 choices of choices": "(" * 30 + "name='a'" + ") IN (TRUE,name='b',name='c')" * 30,
    "two large sets": "A_OVERLAPS((" + ",".join(map(str, range(2_000))) + "),(pop_max," + ",".join(map(str, range(3_000, 5_000))) + "))",
    "deep functions": "casei(" * 3_000 + "name" + ")" * 3_000 + "='a'",
    "deep lists": "A_EQUALS(" + "(" * 5_000 + "1" + ")" * 5_000 + ",(1))",
    "deep WKT": "S_INTERSECTS(geometry, " + "GEOMETRYCOLLECTION(" * 1_500 + "POINT(1 2)" + ")" * 1_500 + ")",
    "a huge list": "pop_max IN (" + ",".join(map(str, range(9_000))) + ")",
    "a huge name": '"' + "x" * 30_000 + '" = 1',
    "a huge text": "name = '" + "x" * 40_000 + "'",
    "a slow pattern": "name LIKE '" + "%a" * 8_000 + "%'",
    "a huge number": "pop_max = " + "9" * 20_000,
    "an exponent": "pop_max < 1e999999", "not a number": "pop_max = NaN", "infinity": "pop_max = Infinity",
    "10,000 quotes": "name = " + "'" * 10_001,
}


@requirement("Hostile", "filters as text")
def texts(run):
    for what, filter in NESTED.items():
        answer = items(run, "cql2-places", filter.replace("geometry", geometry_name(run, "cql2-places")), "cql2-text")
        run.check(answer.status in (200, 400, 413, 414, 431) and answer.seconds < 5, f"{what}: {answer.status} after {answer.seconds:.1f} s {answer.text[:100]}")
        if answer.status >= 400:
            run.problem(answer, (400, 413, 414, 431))


@requirement("Hostile", "filters as JSON")
def jsons(run):
    name = {"property": "name"}
    deep = name
    for _ in range(200):
        deep = {"op": "not", "args": [deep]}
    bombs = {
        "deep nots": json.dumps(deep), "10,000 lists": "[" * 10_000 + "]" * 10_000, "10,000 objects": '{"op":' * 5_000 + "1" + "}" * 5_000,
        "deep coordinates": '{"op":"s_intersects","args":[{"property":"geometry"},{"type":"Polygon","coordinates":' + "[" * 4_000 + "]" * 4_000 + "}]}",
        "deep collections": '{"op":"s_intersects","args":[{"property":"geometry"},' + '{"type":"GeometryCollection","geometries":[' * 600 + '{"type":"Point","coordinates":[1,2]}' + "]}" * 600 + "]}",
        "1e308": json.dumps({"op": "s_intersects", "args": [{"property": "geometry"}, {"type": "Point", "coordinates": [1e308, -1e308]}]}),
        "a huge number": '{"op":"=","args":[{"property":"pop_max"},' + "9" * 5_000 + "]}", "1e999": '{"op":"=","args":[{"property":"pop_max"},1e999]}',
        "NaN": '{"op":"=","args":[{"property":"pop_max"},NaN]}', "a lone surrogate": '{"op":"=","args":[{"property":"name"},"\\ud800"]}',
        "NUL": '{"op":"=","args":[{"property":"name"},"a\\u0000b"]}', "double members": '{"op":"=","op":"<>","args":[{"property":"name"},"a"]}',
        "many arguments": json.dumps({"op": "and", "args": [{"op": "=", "args": [name, "a"]}] * 700}), "many members": "{" + ",".join(f'"a{i}":1' for i in range(3000)) + "}",
        "an odd ring": json.dumps({"op": "s_within", "args": [{"property": "geometry"}, {"type": "Polygon", "coordinates": [[[0, 0], [10, 10], [0, 10], [10, 0], [0, 0]]]}]}),
        "a ring of NaN": '{"op":"s_intersects","args":[{"property":"geometry"},{"type":"Polygon","coordinates":[[[NaN,0],[1,1],[0,1],[NaN,0]]]}]}',
        "an empty ring": '{"op":"s_intersects","args":[{"property":"geometry"},{"type":"Polygon","coordinates":[[]]}]}',
        "no length": json.dumps({"op": "s_crosses", "args": [{"property": "geometry"}, {"type": "LineString", "coordinates": [[1, 1], [1, 1]]}]}),
    }
    for what, filter in bombs.items():
        answer = items(run, "cql2-places", filter.replace('"geometry"}', f'"{geometry_name(run, "cql2-places")}"}}'), "cql2-json")
        run.check(answer.status in (200, 400, 413, 414, 431) and answer.seconds < 5, f"{what}: {answer.status} after {answer.seconds:.1f} s {answer.text[:100]}")
        if answer.status >= 400:
            run.problem(answer, (400, 413, 414, 431))


@requirement("Hostile", "arithmetic that has no answer is unknown, not a fault")
def arithmetic(run):
    for filter in ("pop_max/0 > 1", "pop_max%0 = 1", "pop_max div 0 = 1", "0^(0-1) > 0", "pop_max^pop_max > 0", "10^400 > 1", "(0-1)^0.5 > 0", "pop_max*1e308*1e308 > 0", "9223372036854775807 + pop_max > 0",
                   "9223372036854775807 * pop_max > 0", "pop_max - 9223372036854775807 - 9223372036854775807 < 0", "pop_max div 1e-300 > 0", "5 % 0.1 < 1", "9223372036854775808 > pop_max", "1e308 > pop_max"):
        answer = items(run, "cql2-places", filter, "cql2-text")
        run.check(answer.status in (200, 400), f"{filter}: {answer}")
        tile = run.server.ask("/tiles/cql2-places/0/0/0?filter=" + quote(filter), run.key)
        run.check(tile.status in (200, 204, 400), f"{filter} on a tile: {tile}")
        if answer.status == 200 and tile.status in (200, 204):
            run.check((len(answer.json()["features"]) > 0) == (tile.status == 200), f"{filter}: {len(answer.json()['features'])} features, but the tile answers {tile.status}")


@requirement("Hostile", "values of parameters")
def values(run):
    words = ["%00", "%ff%fe", "%0d%0aX-Injected:%201", "'", "\"", "%27%3Bdrop%20table%20x--", "../../etc/passwd", "1e308", "-1e308", "NaN", "Infinity", "9" * 400, "%F0%9F%92%A9" * 50,
             "%E2%80%AE", "%cc%81" * 500, "null", "true", "{}", "[]", "${jndi:x}", "%25s%25n", "<script>", "\\", "%5c%5c", "0x7fffffff", "2147483648", "9223372036854775808", "-9223372036854775809", "%EF%BF%BE", "%ED%A0%80"]
    for parameter in ("limit", "bbox", "bbox-crs", "crs", "datetime", "filter", "filter-lang", "filter-crs", "f", "cursor", "properties", "sortby", "skipGeometry", "name", "pop_max", "date", "start", "boolean", "nonsense"):
        for word in words:
            answer = run.server.ask(f"{ITEMS}?{parameter}={word.replace('<', '%3C').replace('>', '%3E').replace('{', '%7B').replace('}', '%7D')}", run.key)
            run.check(answer.status in (200, 400, 404, 414, 431) and answer.seconds < 5, f"{parameter}={word[:30]}: {answer}")
            run.check("x-injected" not in answer.headers, f"{parameter}: a header was injected")
            if answer.status == 400:
                run.check(answer.type == "application/problem+json", f"{parameter}={word[:30]}: {answer}")
    for path in ("/tiles/{}/0/0/0", "/tiles/{}.json", "/styles/{}.json", "/ogc/collections/{}", "/ogc/collections/{}/items", "/ogc/collections/cql2-places/items/{}", "/ogc/tileMatrixSets/{}", "/fonts/{}/0-255.pbf",
                 "/fonts/Noto/{}", "/sprites/{}", "/api/v1/layers/{}", "/ogc/styles/{}", "/ogc/processes/{}", "/ogc/jobs/{}", "/ogc/collections/cql2-places/tiles/{}/0/0/0", "/tiles/cql2-places/{}/0/0", "/tiles/cql2-places/0/{}/0"):
        for word in words:
            if not word.startswith(("<", "{", "[", "$")) and "<" not in word:
                answer = run.server.ask(path.format(word.replace("/", "%2f").replace("\"", "%22").replace("\\", "%5c")), run.key)
                run.check(answer.status in (200, 204, 400, 404, 414) and answer.seconds < 5, f"{path.format(word[:30])}: {answer}")


@requirement("Hostile", "geometry literals of 100,000 vertices, and boxes beyond the world")
def big_geometries(run):
    name = geometry_name(run, "cql2-places")
    ring = ",".join(f"{i / 1000} {i % 7}" for i in range(100_000))
    answer = items(run, "cql2-places", f"S_INTERSECTS({name}, LINESTRING({ring}))")
    run.problem(answer, (400, 413, 414, 431))
    for box in ("-1e308,-1e308,1e308,1e308", "-180,-90,180,90", "-1e9,-1e9,1e9,1e9", "0,0,0,0", "180,90,-180,-90", "-180,-90,-180,-90", "1e-320,1e-320,2e-320,2e-320"):
        answer = run.server.ask(f"{ITEMS}?bbox={box}&limit=1", run.key)
        run.check(answer.status in (200, 400) and answer.seconds < 5, f"bbox={box}: {answer}")
        crs = quote("http://www.opengis.net/def/crs/EPSG/0/3857")
        answer = run.server.ask(f"{ITEMS}?bbox={box}&bbox-crs={crs}&limit=1", run.key)
        run.check(answer.status in (200, 400) and answer.seconds < 5, f"bbox={box} in 3857: {answer}")


def address(run, path, method="POST", length=None, head="", body=b""):
    length = len(body) if length is None else length
    return (f"{method} {path} HTTP/1.1\r\nHost: {run.server.host}\r\nAuthorization: Bearer {run.key}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {length}\r\n{head}Connection: close\r\n\r\n").encode() + body


@requirement("Hostile", "bodies: larger than announced, never sent, packed badly")
def bodies(run):
    for path in ("/address/parse", "/api/v1/session", "/ogc/collections/cql2-places/items", "/ogc/processes/address-search/execution", "/ogc/wfs", "/ogc/styles"):
        answer = run.server.raw(address(run, path, length=4 * 2**30 + 5, body=b"{"), timeout=45, linger=False)
        run.check(answer.status in (400, 401, 403, 404, 405, 408, 413, 415), f"4 GB announced to {path}: {answer.status} after {answer.seconds:.0f} s")
        answer = run.server.raw(address(run, path, body=b"[" * 200_000))
        run.check(answer.status in (400, 401, 403, 404, 405, 413, 415) and answer.seconds < 5, f"200,000 brackets to {path}: {answer.status}")
        for body in (b"\x1f\x8b\x08\x00broken", b"\xff\xfe\x00", b"null", b'""', b"{}", b"[]", b'{"a":' * 3000, b'{"q": "\\ud800"}', b"1e999"):
            answer = run.server.raw(address(run, path, head="Content-Encoding: gzip\r\n" if body.startswith(b"\x1f") else "", body=body))
            run.check(answer.status in (400, 401, 403, 404, 405, 413, 415, 422), f"{body[:12]} to {path}: {answer.status}")
    head = f"POST /address/parse HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {run.key}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    for body in (b"zz\r\n", b"ffffffffffffffff1\r\n", b"-1\r\n", b"5\r\nab"):
        answer = run.server.raw(head.encode() + body, timeout=45, linger=False)
        run.check(answer.status in (400, 408, 413, 0), f"chunks {body}: {answer.status} after {answer.seconds:.0f} s")


@requirement("Hostile", "a body of 100 MB is refused before it is taken in")
def large_body(run):
    for path in ("/address/parse", "/ogc/collections/cql2-places/items"):
        begun = time.perf_counter()
        answer = run.server.raw(address(run, path, body=b"[" + b"1," * 50_000_000 + b"1]"), timeout=30)
        run.check(answer.status in (0, 400, 401, 403, 413) and time.perf_counter() - begun < 20, f"100 MB to {path}: {answer.status}")


@requirement("Hostile", "slow senders are let go")
def slow(run):
    """Heads and bodies that stand still: the server ends it within two minutes. Run side by side."""
    results = {}

    def hold(name, data, wait):
        begun = time.perf_counter()
        with socket.create_connection((run.server.host, run.server.port), timeout=wait) as connection:
            connection.sendall(data)
            try:
                got = connection.recv(1000)
                results[name] = (time.perf_counter() - begun, got[:30])
            except TimeoutError:
                results[name] = (wait, b"nothing")
            except OSError:
                results[name] = (time.perf_counter() - begun, b"")

    halves = {"half a head": b"GET /ogc HTTP/1.1\r\nHost: x\r\n", "nothing at all": b"",
              "half a body": address(run, "/address/parse", length=1000, body=b'{"q"')}
    threads = [threading.Thread(target=hold, args=(name, data, 120)) for name, data in halves.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for name, (seconds, got) in results.items():
        run.check(got != b"nothing", f"{name} is held for more than {seconds:.0f} s")


@requirement("Hostile", "XML: entities, DTDs, depth")
def xml(run):
    laughs = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "' + "&a;" * 50 + '"><!ENTITY c "' + "&b;" * 50 + '"><!ENTITY d "' + "&c;" * 50 + '">]>'
    get = '<wfs:GetFeature xmlns:wfs="http://www.opengis.net/wfs/2.0" xmlns:fes="http://www.opengis.net/fes/2.0" service="WFS" version="2.0.0"><wfs:Query typeNames="cql2-places">%s</wfs:Query></wfs:GetFeature>'
    entity = '<fes:Filter><fes:PropertyIsEqualTo><fes:ValueReference>name</fes:ValueReference><fes:Literal>%s</fes:Literal></fes:PropertyIsEqualTo></fes:Filter>'
    bodies = {"a billion laughs": laughs + get % (entity % "&d;"), "an outer entity": '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + get % (entity % "&e;"),
              "an outer DTD": '<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">' + get % "", "depth": get % ("<fes:Filter>" + "<fes:Not>" * 5_000 + "</fes:Not>" * 5_000 + "</fes:Filter>"),
              "no end": "<a>" * 5_000, "nothing": "", "no XML": "{}", "odd bytes": "\x00\x01<a/>", "many attributes": "<a " + " ".join(f'a{i}="1"' for i in range(5_000)) + "/>",
              "a huge text": get % (entity % ("x" * 400_000)), "an unknown entity": get % (entity % "&nope;")}
    if run.server.ask("/ogc/wfs?service=WFS&request=GetCapabilities", run.key).status == 404:
        return run.skip("/ogc/wfs is not there")
    for what, body in bodies.items():
        answer = run.server.ask("/ogc/wfs", run.key, method="POST", headers={"Content-Type": "text/xml"}, body=body.encode())
        run.check(400 <= answer.status < 500 and answer.seconds < 5, f"{what}: {answer}")
        run.check("root:" not in answer.text and "ha" * 50 not in answer.text, f"{what}: {answer.text[:200]}")


def memory(run):
    """The server's resident memory in MiB, found by its port; nothing where that cannot be seen."""
    try:
        wanted = f"{run.server.port:04X}"
        inodes = {line.split()[9] for line in open("/proc/net/tcp") if line.split()[1].endswith(":" + wanted) and line.split()[3] == "0A"}
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                for fd in os.listdir(f"/proc/{pid}/fd"):
                    if os.readlink(f"/proc/{pid}/fd/{fd}") in {f"socket:[{i}]" for i in inodes}:
                        return next(int(l.split()[1]) / 1024 for l in open(f"/proc/{pid}/status") if l.startswith("VmRSS"))
            except OSError:
                continue
    except OSError:
        pass
    return None


@requirement("Hostile", "memory stays flat under a thousand bad requests")
def flat(run):
    before = memory(run)
    if before is None:
        return run.skip("the server's memory cannot be seen from here")
    r = random.Random(1)
    bad = list(NESTED.values())
    for _ in range(400):
        items(run, "cql2-places", r.choice(bad)[:30_000])
        run.server.ask(f"{ITEMS}?bbox={r.random()},2", run.key)
        run.server.raw(address(run, "/address/parse", body=b"[" * 50_000))
    after = memory(run)
    run.check(after - before < 60, f"{before:.0f} MiB before, {after:.0f} MiB after")


@requirement("Hostile", "random bytes in place of filters, boxes and bodies")
def random_bytes(run):
    r = random.Random(99)
    alphabet = "()[]{}',.\"=<>%_-+*/^ \t0123456789abcNOTANDORLIKEINISNULLBETWEENPOINTDATEgeomname\\é中💩"
    for _ in range(400):
        filter = "".join(r.choice(alphabet) for _ in range(r.randint(1, 80)))
        answer = items(run, "cql2-places", filter, r.choice(["cql2-text", "cql2-json"]))
        run.check(answer.status in (200, 400) and answer.seconds < 3, f"{filter!r}: {answer}")
