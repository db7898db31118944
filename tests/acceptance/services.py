"""OGC API Styles, Records and Processes (OGC 20-009, 20-004r1, 18-062r2)."""

import json
import time

import jsonschema

from editing import send, session
from kit import link, quote, requirement

MBS = "application/vnd.mapbox.style+json"


@requirement("Styles", "/req/core: list, style, metadata", needs="/ogc/styles")
def styles(run):
    answer = run.server.ask("/ogc/styles", run.key)
    run.check(answer.status == 200 and answer.type == "application/json", str(answer))
    listed = answer.json()["styles"]
    run.check(listed, "no styles")
    for entry in listed[:40]:
        run.check(isinstance(entry["id"], str) and entry.get("title"), f"{entry}")
        href = next((l["href"] for l in entry["links"] if l["rel"] == "stylesheet"), None)
        if not run.check(href, f"{entry['id']}: no stylesheet among {[l['rel'] for l in entry['links']]}"):
            continue
        style = run.server.ask(href, run.key)
        run.check(style.status == 200 and style.type in (MBS, "application/json"), str(style)[:150])
        document = style.json()
        run.check(document["version"] == 8 and isinstance(document["layers"], list) and isinstance(document["sources"], dict), f"{entry['id']}: {list(document)}")
        sources = {l.get("source") for l in document["layers"]} - {None}
        run.check(sources <= set(document["sources"]), f"{entry['id']}: layers of sources that are not there {sources - set(document['sources'])}")
        metadata = next((l["href"] for l in entry["links"] if l["rel"] == "describedby"), f"/ogc/styles/{entry['id']}/metadata")
        described = run.server.ask(metadata, run.key)
        run.check(described.status == 200, str(described)[:150])
        if described.status == 200:
            about = described.json()
            run.check(about.get("id") == entry["id"] and isinstance(about.get("title", ""), str), f"{entry['id']}: metadata {list(about)}")
    page = run.server.ask("/ogc/collections/districts/styles", run.key)
    run.check(page.status == 200 and page.json()["styles"], str(page)[:150])


@requirement("Styles", "/req/manage-styles", needs="/ogc/styles")
def manage_styles(run):
    if not session(run):
        return run.skip("no editor in the credentials: prepare.py makes one")
    source = {"type": "vector", "url": run.server.url + "/tiles/cql2-places.json"}
    style = {"version": 8, "name": "made by a test", "sources": {"cql2-places": source},
             "layers": [{"id": "p", "type": "circle", "source": "cql2-places", "source-layer": "cql2-places", "paint": {"circle-color": "#ff0000"}}]}
    for bad in ({}, [], {"version": 7}, style | {"version": 7}, style | {"layers": [{"id": "x", "type": "nope"}]}, style | {"layers": [{"id": "x", "type": "fill", "source": "nope"}]}):
        answer = send(run, "POST", "/ogc/styles", bad, Content_Type=MBS)
        run.check(answer.status in (400, 422), f"a bad style {str(bad)[:60]}: {answer}")
    made = send(run, "POST", "/ogc/styles", style, Content_Type=MBS)
    if not run.check(made.status == 201 and made.headers["location"], f"POST: {made}"):
        return
    where = made.headers["location"]
    read = send(run, "GET", where)
    run.check(read.status == 200 and read.json()["layers"][0]["paint"]["circle-color"] == "#ff0000", str(read)[:200])
    style["layers"][0]["paint"]["circle-color"] = "#00ff00"
    put = send(run, "PUT", where, style, Content_Type=MBS, **({"If_Match": read.headers["etag"]} if read.headers["etag"] else {}))
    run.check(put.status in (200, 204), f"PUT: {put}")
    run.check(send(run, "GET", where).json()["layers"][0]["paint"]["circle-color"] == "#00ff00", "a style that was replaced")
    run.check(run.server.ask(where, None, method="PUT", headers={"Content-Type": MBS}, body=json.dumps(style)).status in (401, 403, 404), "nobody replaces a style")
    gone = send(run, "DELETE", where, **({"If_Match": send(run, "GET", where).headers["etag"]}))
    run.check(gone.status in (200, 204), f"DELETE: {gone}")
    run.check(send(run, "GET", where).status == 404, "a style that was removed")


def catalogue(run):
    for path in ("/ogc/collections/catalogue", "/ogc/catalogues/catalogue", "/ogc/collections/records"):
        if run.server.ask(path, run.key).status == 200:
            return path
    page = run.server.json("/ogc/collections", run.key)
    return next((f"/ogc/collections/{c['id']}" for c in page["collections"] if c.get("itemType") == "record"), None)


@requirement("Records", "/req/record-core, /req/record-collection")
def records(run):
    base = catalogue(run)
    if not base:
        return run.skip("there is no catalogue of records")
    collection = run.server.json(base, run.key)
    run.check(collection.get("itemType") in ("record", None), f"itemType {collection.get('itemType')}")
    page = run.server.json(base + "/items?limit=200", run.key)
    run.check(page["type"] == "FeatureCollection" and page["features"], "records")
    visible = {l["id"] for l in run.server.json("/api/v1/layers", run.key)["layers"]}
    found = {f["id"] for f in page["features"]}
    run.check(found == visible, f"{len(found)} records of {len(visible)} layers: {sorted(found ^ visible)[:5]}")
    for record in page["features"]:
        about = record["properties"]
        run.check(record["type"] == "Feature" and "geometry" in record and isinstance(about.get("title"), str) and isinstance(about.get("type"), str), f"{record['id']}: {list(about)}")
        run.check(isinstance(record.get("links", []), list) and all("href" in l and "rel" in l for l in record.get("links", [])), f"{record['id']}: links")
        run.check(isinstance(about.get("keywords", []), list) and all(isinstance(k, str) for k in about.get("keywords", [])), f"{record['id']}: keywords {about.get('keywords')}")
        for theme in about.get("themes", []):
            run.check(theme.get("concepts") and all("id" in c for c in theme["concepts"]), f"{record['id']}: {theme}")
    for record in page["features"][:10]:
        single = run.server.ask(f"{base}/items/{record['id']}", run.key)
        run.check(single.status == 200 and single.json()["properties"]["title"] == record["properties"]["title"], str(single)[:150])
        for l in record.get("links", [])[:6]:
            if l["href"].startswith(run.server.url) and "{" not in l["href"]:
                run.check(run.server.ask(l["href"], run.key).status in (200, 204, 403), f"{record['id']}: {l['rel']} {l['href']}")
    one = page["features"][0]
    word = one["properties"]["title"][:2]
    asked = run.server.json(f"{base}/items?limit=200&q={quote(word)}", run.key)
    run.check(one["id"] in {f["id"] for f in asked["features"]}, f"q={word} does not find {one['id']}")
    run.check(len(asked["features"]) < len(page["features"]), f"q={word} finds everything")
    run.check(run.server.json(f"{base}/items?q=zzzznothing", run.key)["features"] == [], "q of nothing finds something")
    boxed = {f["id"] for f in run.server.json(f"{base}/items?limit=200&bbox=0,40,10,50", run.key)["features"]}
    run.check("cql2-countries" in boxed and "districts" not in boxed, f"bbox over Europe: {sorted(boxed)[:8]}")
    ids = run.server.json(f"{base}/items?ids=districts,roads", run.key)
    run.check({f["id"] for f in ids["features"]} == {"districts", "roads"}, "ids=")
    typed = run.server.ask(f"{base}/items?type={quote(one['properties']['type'])}&limit=200", run.key)
    run.check(typed.status == 200 and one["id"] in {f["id"] for f in typed.json()["features"]}, f"type=: {typed.status}")
    small, url, seen = run.server.json(base + "/items?limit=7", run.key), None, []
    while True:
        seen += [f["id"] for f in small["features"]]
        url = link(small, "next")
        if not url or len(seen) > 1000:
            break
        small = run.server.json(url, run.key)
    run.check(sorted(seen) == sorted(found), f"pages of 7 visit {len(seen)} of {len(found)} records")
    run.problem(run.server.ask(base + "/items?nonsense=1", run.key), 400, "nonsense")
    run.problem(run.server.ask(base + "/items/nope", run.key), 404)


@requirement("Records", "facets agree with what is listed")
def facets(run):
    base = catalogue(run)
    if not base:
        return run.skip("there is no catalogue of records")
    answer = run.server.ask(base + "/items?facets=theme,department&limit=200", run.key)
    if answer.status == 400:
        answer = run.server.ask(base + "/items?facets=true&limit=200", run.key)
    if answer.status != 200:
        return run.check(False, f"facets: {answer}")
    document = answer.json()
    said = document.get("facets")
    run.check(said, f"no facets in {list(document)}")
    buckets = said.items() if isinstance(said, dict) else [(f.get("id"), f) for f in said or []]
    for name, facet in buckets:
        counts = facet.get("buckets", []) if isinstance(facet, dict) else facet
        run.check(counts and all("count" in b for b in counts), f"facet {name}: {str(facet)[:100]}")
        run.check(sum(b["count"] for b in counts) >= 1 and max(b["count"] for b in counts) <= document.get("numberMatched", 10**9), f"facet {name}: counts")


@requirement("Processes", "/req/core: list and descriptions", needs="/ogc/processes")
def processes(run):
    page = run.server.json("/ogc/processes", run.key)
    run.check(page["processes"], "no processes")
    for summary in page["processes"]:
        run.check(all(summary.get(m) for m in ("id", "version", "jobControlOptions")), f"{summary}")
        answer = run.server.ask(f"/ogc/processes/{summary['id']}", run.key)
        run.check(answer.status == 200, str(answer)[:150])
        described = answer.json()
        run.check(described["id"] == summary["id"] and isinstance(described["inputs"], dict) and isinstance(described["outputs"], dict), f"{summary['id']}: {list(described)}")
        for name, part in [*described["inputs"].items(), *described["outputs"].items()]:
            run.check("schema" in part, f"{summary['id']}/{name} has no schema")
            jsonschema.Draft202012Validator.check_schema(part["schema"])
        run.check(any(l["rel"] in ("http://www.opengis.net/def/rel/ogc/1.0/execute", "execute") for l in described.get("links", [])), f"{summary['id']}: no link to its execution")
    run.check(len({p["id"] for p in page["processes"]}) == len(page["processes"]), "a process is listed twice")
    limited = run.server.ask("/ogc/processes?limit=1", run.key)
    run.check(limited.status == 200 and len(limited.json()["processes"]) == 1 or limited.status == 400, f"limit=1: {limited}"[:200])


def execute(run, process, inputs, prefer=None, key=None):
    headers = {"Content-Type": "application/json"} | ({"Prefer": prefer} if prefer else {})
    return run.server.ask(f"/ogc/processes/{process}/execution", key or run.key, method="POST", headers=headers, body=inputs if isinstance(inputs, str) else json.dumps(inputs))


@requirement("Processes", "/req/core/process-execute", needs="/ogc/processes")
def execution(run):
    for summary in run.server.json("/ogc/processes", run.key)["processes"]:
        id = summary["id"]
        for bad in ("", "{", "[]", "null", '{"inputs":5}', '{"inputs":{"nonsense":1}}', '{"inputs":[]}'):
            answer = execute(run, id, bad)
            run.check(answer.status in (400, 401, 403, 415, 422), f"{id} with {bad}: {answer}")
        run.check(run.server.ask(f"/ogc/processes/{id}/execution", run.key).status in (404, 405), f"GET of {id}'s execution")
    run.problem(execute(run, "nope", {"inputs": {}}), 404)
    described = run.server.ask("/ogc/processes/address-search", run.key)
    if described.status == 200:
        inputs = described.json()["inputs"]
        text = next((n for n, i in inputs.items() if n in ("texts", "q", "text", "address", "addresses")), next(iter(inputs)))
        value = ["市南区香港中路"] if "array" in json.dumps(inputs[text]["schema"]) else "市南区香港中路"
        answer = execute(run, "address-search", {"inputs": {text: value}})
        run.check(answer.status == 200 and "香港中路" in answer.text, f"address-search: {answer}"[:300])


@requirement("Processes", "/req/job-list, /req/dismiss", needs="/ogc/jobs")
def jobs(run):
    answer = run.server.ask("/ogc/jobs", run.key)
    run.check(answer.status in (200, 401, 403), str(answer)[:150])
    if answer.status == 200:
        run.check(isinstance(answer.json()["jobs"], list), "jobs")
        for job in answer.json()["jobs"]:
            run.check(job["status"] in ("accepted", "running", "successful", "failed", "dismissed") and job["type"] == "process", f"{job}")
    begun = run.server.ask("/ogc/processes/tiles-export/execution", None, method="POST", headers={"Content-Type": "application/json", "Prefer": "respond-async", "Cookie": session(run) or ""},
                           body=json.dumps({"inputs": {"layer": "cql2-places"}}))
    if begun.status == 404 or not session(run):
        return run.skip("no process that goes on by itself")
    if not run.check(begun.status == 201 and begun.headers["location"], f"respond-async: {begun}"):
        return
    where = begun.headers["location"]
    run.check(begun.headers["preference-applied"] in ("respond-async", ""), begun.headers["preference-applied"])
    for _ in range(60):
        job = send(run, "GET", where).json()
        if job["status"] in ("successful", "failed", "dismissed"):
            break
        time.sleep(0.5)
    run.check(job["status"] == "successful" and job.get("progress", 100) == 100, f"{job}")
    run.check(all(m in job for m in ("jobID", "type", "created")), f"members of a job: {list(job)}")
    results = send(run, "GET", where + "/results")
    run.check(results.status == 200, str(results)[:150])
    run.check(run.server.ask(where, run.keys["health"]).status in (401, 403, 404), "a job of another department")
    listed = send(run, "GET", "/ogc/jobs").json()["jobs"]
    run.check(any(j["jobID"] == job["jobID"] for j in listed), "the job is in the list")
    gone = send(run, "DELETE", where)
    run.check(gone.status == 200 and gone.json()["status"] == "dismissed" or gone.status in (204, 409, 410), f"dismiss: {gone}")
    run.problem(run.server.ask("/ogc/jobs/00000000-0000-0000-0000-000000000000", None, headers={"Cookie": session(run)}), 404)
