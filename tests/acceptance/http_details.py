"""What HTTP itself asks (RFC 9110, 9111, 9457, 6585, CORS), at every kind of address."""

import gzip
import re

from kit import requirement

# (path, how it may be kept)
ADDRESSES = ["/ogc", "/ogc/conformance", "/ogc/api", "/ogc/collections", "/ogc/collections/cql2-places", "/ogc/collections/cql2-places/items?limit=50",
             "/ogc/collections/cql2-places/items/1", "/ogc/collections/cql2-places/queryables", "/ogc/collections/cql2-places/schema", "/ogc/collections/cql2-places/sortables",
             "/ogc/collections/cql2-places/tiles", "/ogc/collections/cql2-places/tiles/WebMercatorQuad", "/ogc/collections/cql2-places/tiles/WebMercatorQuad/0/0/0",
             "/ogc/tiles", "/ogc/tileMatrixSets", "/ogc/tileMatrixSets/WebMercatorQuad", "/tiles/cql2-places.json", "/tiles/cql2-places/0/0/0", "/styles/cql2-places.json",
             "/ogc/styles", "/ogc/processes", "/ogc/functions", "/api/v1/layers", "/api/openapi.json", "/sprites/onemap.json", "/fonts/Noto%20Sans%20Regular/0-255.pbf",
             "/ogc/wms?service=WMS&request=GetCapabilities", "/ogc/wmts?service=WMTS&request=GetCapabilities", "/ogc/wfs?service=WFS&request=GetCapabilities",
             "/ogc/collections/cql2-places/items?f=csv", "/"]
TEMPLATED = re.compile(rb'"(timeStamp|request_id)":"[^"]*"|[Tt]imeStamp="[^"]*"')


def there(run):
    for path in ADDRESSES:
        answer = run.server.ask(path, run.key)
        if answer.status in (200, 204):
            yield path, answer
        elif answer.status not in (404, 400):
            run.check(False, str(answer))


@requirement("HTTP", "RFC 9110 9.3.2: HEAD is GET without the body")
def head(run):
    for path, get in there(run):
        answer = run.server.ask(path, run.key, method="HEAD")
        run.check(answer.status == get.status and not answer.body, f"{answer.status} with {len(answer.body)} bytes for HEAD {path}")
        for name in ("content-type", "etag", "vary", "cache-control", "content-crs", "link", "content-language"):
            run.check(answer.headers[name] == get.headers[name], f"HEAD {path}: {name} is {answer.headers[name]!r}, not {get.headers[name]!r}")


@requirement("HTTP", "RFC 9110 13.1.2: validators")
def validators(run):
    for path, get in there(run):
        etag = get.headers["etag"]
        if not etag:
            run.check("no-store" in get.headers["cache-control"], f"{path} has neither a validator nor no-store: {get.headers['cache-control']}")
            continue
        run.check(re.fullmatch(r'(W/)?"[\x21\x23-\x7e]+"', etag), f"{path}: ETag {etag}")
        again = run.server.ask(path, run.key)
        run.check(again.headers["etag"] == etag, f"{path}: the ETag changes: {etag} {again.headers['etag']}")
        for condition in (etag, f'"other", {etag}', "*", "W/" + etag.removeprefix("W/")):
            answer = run.server.ask(path, run.key, headers={"If-None-Match": condition})
            run.check(answer.status == 304 and not answer.body, f"If-None-Match: {condition} at {path}: {answer.status}")
            run.check(answer.headers["etag"] == etag and answer.headers["vary"] == get.headers["vary"] and answer.headers["cache-control"] == get.headers["cache-control"],
                      f"304 at {path} lacks ETag, Vary or Cache-Control: {answer.headers.pairs}")
        answer = run.server.ask(path, run.key, headers={"If-None-Match": '"other"'})
        run.check(answer.status == get.status, f"If-None-Match of another at {path}: {answer.status}")
        html = run.server.ask(path, run.key, headers={"Accept": "text/html"})
        if html.type == "text/html" and get.type != "text/html":
            run.check(html.headers["etag"] != etag or not etag, f"{path}: HTML and JSON have one ETag")
        english = run.server.ask(path, run.key, headers={"Accept-Language": "en"})
        if english.status == 200 and TEMPLATED.sub(b"", english.body) != TEMPLATED.sub(b"", get.body):
            run.check(english.headers["etag"] != etag, f"{path}: English and Chinese have one ETag")


@requirement("HTTP", "RFC 9110 8.4: codings")
def codings(run):
    import brotli
    for path, plain in there(run):
        if plain.status != 200:
            continue
        run.check("content-encoding" not in plain.headers, f"{path} is packed although identity was asked for")
        etags = {}
        for coding, unpack in (("gzip", gzip.decompress), ("br", brotli.decompress), ("zstd", None), ("gzip;q=0", None), ("*;q=0, identity", None), ("nonsense", None), ("gzip;q=0.5, br;q=0.1", gzip.decompress)):
            answer = run.server.ask(path, run.key, headers={"Accept-Encoding": coding})
            said = answer.headers["content-encoding"]
            if not run.check(answer.status == 200, f"{path} as {coding}: {answer.status}"):
                continue
            if coding in ("gzip;q=0", "nonsense", "*;q=0, identity"):
                run.check(not said, f"{path}: {said} for Accept-Encoding: {coding}")
            if said == "gzip" or said == "br":
                body = (gzip.decompress if said == "gzip" else brotli.decompress)(answer.body)
                run.check(TEMPLATED.sub(b"", body) == TEMPLATED.sub(b"", plain.body), f"{path} as {said} is another")
            if coding in ("gzip", "br") and len(plain.body) > 2000 and not plain.type.startswith("image/"):
                run.check(said == coding, f"{path} of {len(plain.body)} bytes is not sent as {coding}: {said!r}")
                run.check("accept-encoding" in answer.headers.listed("vary"), f"{path}: Vary {answer.headers['vary']}")
                etags[coding] = answer.headers["etag"]
        strong = [e for e in etags.values() if e and not e.startswith("W/")]
        if strong and plain.headers["etag"]:
            run.check(len({*strong, plain.headers["etag"]}) == len(strong) + 1, f"{path}: one strong ETag for several codings: {etags} {plain.headers['etag']}")


@requirement("HTTP", "RFC 9111: Vary and what may be kept by whom")
def caching(run):
    for path, answer in there(run):
        vary = answer.headers.listed("vary")
        control = answer.headers["cache-control"]
        run.check(control != "", f"{path}: no Cache-Control")
        if path.startswith(("/ogc", "/tiles", "/styles", "/api/v1/layers")):
            run.check(sum(word in control for word in ("private", "no-store", "public")) == 1, f"{path}: {control}")
            if "public" in control:
                nobody = run.server.ask(path, None)
                run.check(nobody.status == answer.status and TEMPLATED.sub(b"", nobody.body) == TEMPLATED.sub(b"", answer.body), f"{path} may be kept for all, and is another for nobody: {nobody.status}")
            run.check("authorization" in vary or "*" in vary, f"{path}: Vary lacks Authorization: {vary}")
        if path.startswith("/ogc") and "tiles/" not in path and answer.type in ("application/json", "application/geo+json", "text/html"):
            run.check("accept" in vary, f"{path}: Vary lacks Accept: {vary}")
    hidden = run.server.ask("/ogc/collections/cql2-places/items?limit=1", run.key)
    run.check("public" not in hidden.headers["cache-control"], f"what a key opened may be kept by a proxy: {hidden.headers['cache-control']}")


@requirement("HTTP", "RFC 9110 12: what is asked for by Accept and by f=")
def negotiation(run):
    path = "/ogc/collections/cql2-places/items?limit=1"
    for accept, type in [("application/geo+json", "application/geo+json"), ("text/html", "text/html"), ("*/*", "application/geo+json"), ("application/*", "application/geo+json"),
                         ("text/html;q=0.5, application/geo+json", "application/geo+json"), ("application/json", ("application/geo+json", "application/json")),
                         ("text/html;q=0, */*", "application/geo+json"), ("image/png, */*;q=0.1", "application/geo+json"), ("TEXT/HTML", "text/html"),
                         ("application/geo+json;q=0.1, text/html;q=0.2", "text/html"), ("", "application/geo+json")]:
        answer = run.server.ask(path, run.key, headers={"Accept": accept})
        run.check(answer.status == 200 and answer.type in (type if isinstance(type, tuple) else (type,)), f"Accept: {accept} gives {answer.status} {answer.type}")
    wins = run.server.ask(path + "&f=json", run.key, headers={"Accept": "text/html"})
    run.check(wins.type == "application/geo+json", f"f=json does not win over Accept: {wins.type}")
    wins = run.server.ask(path + "&f=html", run.key, headers={"Accept": "application/json"})
    run.check(wins.type == "text/html", f"f=html does not win over Accept: {wins.type}")
    none = run.server.ask(path, run.key, headers={"Accept": "image/png"})
    run.check(none.status in (200, 406), f"Accept: image/png: {none}")
    for path, accept in [("/tiles/cql2-places/0/0/0", "application/vnd.mapbox-vector-tile"), ("/ogc/api", "application/vnd.oai.openapi+json;version=3.0"), ("/ogc/api", "application/json")]:
        answer = run.server.ask(path, run.key, headers={"Accept": accept})
        run.check(answer.status == 200, f"{path} for {accept}: {answer.status}")


@requirement("HTTP", "RFC 9110 9.3.7 and 15.5.6: methods")
def methods(run):
    for path, _ in there(run):
        if path == "/":
            continue
        options = run.server.ask(path, run.key, method="OPTIONS")
        run.check(options.status in (200, 204) and "GET" in options.headers["allow"], f"OPTIONS {path}: {options.status} Allow: {options.headers['allow']}")
        for method in ("DELETE", "PUT", "PATCH", "TRACE", "PROPFIND"):
            if method in options.headers["allow"]:
                continue
            answer = run.server.ask(path, run.key, method=method)
            if answer.status == 403 and method in ("PUT", "PATCH", "DELETE"):
                continue  # what others may do here, and Allow does not offer to this caller
            if answer.type in ("text/xml", "application/xml"):
                run.check(answer.status == 405, str(answer))
            else:
                run.problem(answer, 405)
            run.check("GET" in answer.headers["allow"], f"405 of {method} {path} without Allow: {answer.headers['allow']!r}")


@requirement("HTTP", "CORS: preflight and answers")
def cors(run):
    asks = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"}
    for path, _ in there(run):
        if path == "/":
            continue
        preflight = run.server.ask(path, None, method="OPTIONS", headers=asks)
        run.check(preflight.status in (200, 204) and preflight.headers["access-control-allow-origin"] in ("*", "https://elsewhere.example"), f"preflight of {path}: {preflight.status} {preflight.headers.pairs}")
        run.check("authorization" in preflight.headers["access-control-allow-headers"].lower(), f"preflight of {path} allows no Authorization")
        answer = run.server.ask(path, run.key, headers={"Origin": "https://elsewhere.example"})
        run.check(answer.headers["access-control-allow-origin"] in ("*", "https://elsewhere.example"), f"{path} is closed to other origins")
        run.check("access-control-allow-credentials" not in answer.headers, f"{path} sends cookies to other origins")
        exposed = answer.headers["access-control-expose-headers"].lower()
        for name in ("etag", "content-crs", "link", "x-request-id"):
            run.check(name in exposed, f"{path}: {name} is not exposed to pages")
    failing = run.server.ask("/ogc/collections/nope", run.key, headers={"Origin": "https://elsewhere.example"})
    run.check(failing.headers["access-control-allow-origin"], "a page cannot read a problem")
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        preflight = run.server.ask("/ogc/collections/cql2-places/items/1", None, method="OPTIONS", headers=asks | {"Access-Control-Request-Method": method})
        run.check(method in preflight.headers["access-control-allow-methods"], f"preflight for {method}: {preflight.headers['access-control-allow-methods']}")


@requirement("HTTP", "RFC 9457: problems in the caller's language")
def languages(run):
    for path in ("/ogc/collections/nope", "/ogc/collections/cql2-places/items?limit=x", "/tiles/nope/0/0/0", "/ogc/nope", "/ogc/collections/cql2-places/items?filter=("):
        chinese = run.server.ask(path, run.key, headers={"Accept-Language": "zh-CN,zh;q=0.9"})
        english = run.server.ask(path, run.key, headers={"Accept-Language": "en-GB,en;q=0.8,zh;q=0.1"})
        run.check(chinese.headers["content-language"].lower().startswith("zh") and english.headers["content-language"].startswith("en"), f"{path}: Content-Language")
        run.check(re.search(r"[\u4e00-\u9fff]", chinese.json()["detail"] + chinese.json()["title"]), f"{path} is not Chinese: {chinese.text[:150]}")
        run.check(not re.search(r"[\u4e00-\u9fff]", english.json()["detail"] + english.json()["hint"] + english.json()["title"]), f"{path} is not English: {english.text[:150]}")
        run.check(chinese.json()["request_id"] == chinese.headers["x-request-id"], f"{path}: request id")
    for header in ("de", "*", "", "xx-nonsense;q=abc", "en;q=0", "zh-Hant-TW", "e" * 5000):
        answer = run.server.ask("/ogc/collections/nope", run.key, headers={"Accept-Language": header})
        run.check(answer.status in (404, 431), f"Accept-Language: {header[:20]}: {answer.status}")


@requirement("HTTP", "RFC 9110 11: credentials")
def credentials(run):
    for token in ("nonsense", "om_" + "x" * 32, "x" * 5000, "", "'", "om_\u4e2d"):
        answer = run.server.ask("/ogc/collections", None, headers={"Authorization": ("Bearer " + token).encode("utf-8").decode("latin-1")})
        if token == "":
            run.check(answer.status in (200, 401), str(answer)[:150])
            continue
        run.problem(answer, (401, 431))
        run.check("www-authenticate" in answer.headers or answer.status == 431, "a 401 without WWW-Authenticate")
    for scheme in ("Basic dXNlcjpwYXNz", "Digest x", "Bearer"):
        answer = run.server.ask("/ogc", None, headers={"Authorization": scheme})
        run.check(answer.status in (200, 401), f"Authorization: {scheme}: {answer.status}")
    anonymous = run.server.ask("/ogc/collections/cql2-places", None)
    run.check(anonymous.status in (401, 403, 404), f"what is shared with departments answers {anonymous.status} to nobody")
    query = run.server.ask(f"/ogc/collections/cql2-places/items?limit=1&key={run.key}")
    run.check(query.status == 200 and query.headers["cache-control"].startswith(("private", "no-store")), f"with a key in the URL: {query.status} {query.headers['cache-control']}")


@requirement("HTTP", "paths and queries: escapes, slashes, doubles")
def spelling(run):
    run.check(run.server.ask("/ogc/", run.key).status == 200, "/ogc/ with its slash")
    for path in ("/ogc/collections/", "/ogc/conformance/", "/ogc/collections/cql2-places/", "/ogc/collections/cql2-places/items/"):
        answer = run.server.ask(path, run.key)
        if answer.status in (301, 307, 308):
            run.check(answer.headers["location"].rstrip("/").endswith(path.rstrip("/")), f"{path} leads to {answer.headers['location']}")
        else:
            run.check(answer.status in (200, 404), f"{path}: {answer.status}")
    run.check(run.server.ask("/ogc/collections/cql2%2Dplaces/items?limit=1", run.key).status == 200, "an escaped letter in the path is the letter")
    run.check(run.server.ask("/ogc/collections/cql2-places/items?%6Cimit=1", run.key).status == 200, "an escaped letter in a name is the letter")
    run.check(run.server.ask("/ogc/collections/cql2-places/items?limit=1&", run.key).status == 200, "an ampersand at the end")
    run.check(run.server.ask("/ogc/collections/cql2-places/items?", run.key).status == 200, "an empty query")
    for bad in ("/ogc/collections/%ff", "/ogc/collections/%00", "/ogc/collections/cql2-places/items?name=%ff", "/ogc/collections/cql2-places/items?name=%00", "/ogc/collections/cql2-places/items?limit=%zz",
                "/ogc/collections/cql2-places/items?=5", "/ogc/collections/a%2fb", "/ogc/collections/cql2-places%00/items", "/ogc/%2e%2e/%2e%2e/etc/passwd", "/..%2f..%2fetc/passwd", "/ogc//collections"):
        answer = run.server.ask(bad, run.key)
        run.check(answer.status in (400, 404), f"{bad}: {answer.status}")
    run.problem(run.server.ask("/ogc/collections/cql2-places/items?filter=" + "a" * 70_000, run.key), (400, 414))


@requirement("HTTP", "sizes: over-long addresses and headers are refused with a document")
def lengths(run):
    for length in (10_000, 60_000, 66_000, 100_000, 500_000):
        answer = run.server.raw(f"GET /ogc?x={'a' * length} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        run.problem(answer, (400, 414, 431))
    answer = run.server.raw(f"GET /ogc HTTP/1.1\r\nHost: x\r\nX-Long: {'a' * 600_000}\r\nConnection: close\r\n\r\n".encode())
    run.check(answer.status in (400, 431, 200), f"a header of 600 kB: {answer.status}")
    many = "".join(f"X-{i}: 1\r\n" for i in range(2000))
    answer = run.server.raw(f"GET /ogc HTTP/1.1\r\nHost: x\r\n{many}Connection: close\r\n\r\n".encode())
    run.check(answer.status in (400, 431), f"2,000 headers: {answer.status}")


@requirement("HTTP", "security headers, and nothing of the inside")
def headers(run):
    for path, answer in there(run):
        run.check(answer.headers["x-content-type-options"] == "nosniff", f"{path}: no nosniff")
        run.check("server" not in answer.headers or "/" not in answer.headers["server"], f"{path}: Server {answer.headers['server']}")
        run.check("x-powered-by" not in answer.headers, f"{path}: X-Powered-By")
        run.check(answer.headers["x-request-id"], f"{path}: no request id")
        if answer.type == "text/html":
            csp = answer.headers["content-security-policy"]
            run.check("default-src" in csp or "script-src" in csp, f"{path}: a page without a content security policy")
            run.check("'unsafe-eval'" not in csp and "script-src *" not in csp, f"{path}: CSP {csp}")
        if answer.type in ("application/json", "application/geo+json", "application/problem+json"):
            charset = answer.headers["content-type"].lower()
            run.check("charset" not in charset or "utf-8" in charset, f"{path}: {charset}")


@requirement("HTTP", "RFC 9110 14: ranges do not harm")
def ranges(run):
    for path in ("/ogc/collections/cql2-places/items?limit=10", "/tiles/cql2-places/0/0/0"):
        whole = run.server.ask(path, run.key)
        for given in ("bytes=0-10", "bytes=5-", "bytes=-5", "bytes=999999999-", "nonsense", "bytes=5-1"):
            answer = run.server.ask(path, run.key, headers={"Range": given})
            fits = answer.status == 200 and len(answer.body) == len(whole.body) or answer.status == 206 and len(answer.body) < len(whole.body) or answer.status == 416
            run.check(fits, f"Range: {given} at {path}: {answer.status} {len(answer.body)}")
