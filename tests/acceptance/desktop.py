"""The programs that departments have: GDAL, OWSLib and QGIS open each service, count, filter and draw."""

import json
import os
import subprocess
import sys
import tempfile

from osgeo import gdal, ogr

from filters import table
from kit import requirement
from ows import WFS, WMS, WMTS, CAPABILITIES

gdal.UseExceptions()
ogr.UseExceptions()
gdal.SetConfigOption("GDAL_HTTP_TIMEOUT", "60")


@requirement("GDAL", "OAPIF: pages, filters pushed down, boxes")
def oapif(run):
    gdal.SetConfigOption("GDAL_HTTP_HEADERS", "Authorization: Bearer " + run.key)
    source = gdal.OpenEx(f"OAPIF:{run.server.url}/ogc", gdal.OF_VECTOR, open_options=["PAGE_SIZE=100"])
    for name in ("cql2-places", "cql2-countries", "cql2-rivers", "districts", "nursing-homes"):
        layer = source.GetLayerByName(name)
        expected = run.server.features(name, run.key)
        run.check(layer is not None and sum(1 for _ in layer) == len(expected), f"{name}: {layer and layer.GetFeatureCount()} of {len(expected)}")
    layer = source.GetLayerByName("cql2-places")
    rows = table(run, "cql2-places").rows
    for filter, holds in [("name = 'Berlin'", lambda p: p["name"] == "Berlin"), ("pop_max > 5000000", lambda p: p["pop_max"] > 5000000), ("name LIKE 'B%' AND pop_max >= 1000000", lambda p: p["name"].startswith("B") and p["pop_max"] >= 1000000),
                          ("name IN ('Berlin','Athens')", lambda p: p["name"] in ("Berlin", "Athens")), ("name IS NOT NULL", lambda p: True), ("note IS NULL", lambda p: p["note"] is None)]:
        try:
            layer.SetAttributeFilter(filter)
            found = {f["name"] for f in layer}
        except RuntimeError as error:
            run.check(False, f"{filter}: GDAL says {str(error)[:200]}")
            continue
        expected = {r["properties"]["name"] for r in rows.values() if holds(r["properties"])}
        run.check(found == expected, f"{filter}: {len(found)} of {len(expected)}")
    layer.SetAttributeFilter(None)
    layer.SetSpatialFilterRect(0, 40, 10, 50)
    run.check(sum(1 for _ in layer) == 7, "a box")
    layer.SetSpatialFilter(None)
    gdal.SetConfigOption("GDAL_HTTP_HEADERS", None)


@requirement("GDAL", "WFS: types, pages, filters, geometry", needs=WFS + CAPABILITIES.format("WFS"))
def wfs(run):
    gdal.SetConfigOption("GDAL_HTTP_HEADERS", "Authorization: Bearer " + run.key)
    gdal.SetConfigOption("OGR_WFS_PAGING_ALLOWED", "YES")
    gdal.SetConfigOption("OGR_WFS_PAGE_SIZE", "100")
    try:
        source = gdal.OpenEx(f"WFS:{run.server.url}{WFS}", gdal.OF_VECTOR)
        for name in ("cql2-places", "cql2-countries", "cql2-rivers", "districts", "nursing-homes"):
            layer = source.GetLayerByName(name) or next((source.GetLayer(i) for i in range(source.GetLayerCount()) if source.GetLayer(i).GetName().endswith(name)), None)
            expected = run.server.features(name, run.key)
            if not run.check(layer is not None, f"no layer {name}"):
                continue
            features = list(layer)
            run.check(len(features) == len(expected), f"{name}: {len(features)} of {len(expected)}")
            boxes = sorted(tuple(round(c, 5) for c in f.GetGeometryRef().GetEnvelope()) for f in features)
            wanted = sorted(tuple(round(c, 5) for c in ogr.CreateGeometryFromJson(json.dumps(f["geometry"])).GetEnvelope()) for f in expected)
            run.check(boxes == wanted, f"{name}: geometry differs: {boxes[:1]} {wanted[:1]}")
        layer = source.GetLayerByName("cql2-places") or next(source.GetLayer(i) for i in range(source.GetLayerCount()) if source.GetLayer(i).GetName().endswith("cql2-places"))
        for filter, count in (("name = 'Berlin'", 1), ("pop_other BETWEEN 1000000 AND 3000000", 75), ("name LIKE 'B_r%'", 3), ("start IS NOT NULL", 3)):
            layer.SetAttributeFilter(filter)
            found = sum(1 for _ in layer)
            run.check(found == count, f"{filter}: {found}, not {count}")
        layer.SetAttributeFilter(None)
        layer.SetSpatialFilterRect(0, 40, 10, 50)
        run.check(sum(1 for _ in layer) == 7, "a box")
        layer.SetSpatialFilter(None)
    except RuntimeError as error:
        run.check(False, f"GDAL says {str(error)[:300]}")
    finally:
        gdal.SetConfigOption("GDAL_HTTP_HEADERS", None)


def painted(dataset):
    data = dataset.ReadAsArray()
    return int((data[:3].max(axis=0) != data[:3].min(axis=0)).sum() + (data[:3].min(axis=0) < 250).sum()) if data.ndim == 3 else int((data > 0).sum())


@requirement("GDAL", "WMTS", needs=WMTS + CAPABILITIES.format("WMTS"))
def wmts(run):
    gdal.SetConfigOption("GDAL_HTTP_HEADERS", "Authorization: Bearer " + run.key)
    gdal.SetConfigOption("GDAL_ENABLE_WMS_CACHE", "NO")
    try:
        source = gdal.Open(f"WMTS:{run.server.url}{WMTS}?service=WMTS&request=GetCapabilities")
        run.check(source is not None, "the capabilities open")
        for set in ("WebMercatorQuad", "CGCS2000Quad", "WorldCRS84Quad"):
            layer = gdal.Open(f"WMTS:{run.server.url}{WMTS}?service=WMTS&request=GetCapabilities,layer=districts,tilematrixset={set}")
            picture = gdal.Warp("", layer, format="MEM", width=300, height=300, dstSRS="EPSG:4326", outputBounds=(119.5, 35.5, 121.1, 37.2))
            run.check(painted(picture) > 3000, f"{set}: {painted(picture)} painted values")
    except RuntimeError as error:
        run.check(False, f"GDAL says {str(error)[:300]}")
    finally:
        gdal.SetConfigOption("GDAL_HTTP_HEADERS", None)


@requirement("GDAL", "WMS", needs=WMS + CAPABILITIES.format("WMS"))
def wms(run):
    gdal.SetConfigOption("GDAL_ENABLE_WMS_CACHE", "NO")
    for version, system, box in (("1.1.1", "SRS=EPSG:4326", "119.5,35.5,121.1,37.2"), ("1.3.0", "CRS=EPSG:3857", "13302680,4230000,13481000,4470000")):
        try:
            source = gdal.Open(f"WMS:{run.server.url}{WMS}?key={run.key}&SERVICE=WMS&VERSION={version}&REQUEST=GetMap&LAYERS=districts&STYLES=&{system}&BBOX={box}&FORMAT=image/png&TILESIZE=256&OVERVIEWCOUNT=8&MINRESOLUTION=0.0000001")
            picture = gdal.Translate("", source, format="MEM", width=256, height=256)
            run.check(painted(picture) > 1000, f"{version}: {painted(picture)} painted values")
        except RuntimeError as error:
            run.check(False, f"{version}: GDAL says {str(error)[:300]}")


@requirement("OWSLib", "WMS, WMTS, WFS", needs=WMS + CAPABILITIES.format("WMS"))
def owslib_services(run):
    from owslib.feature.schema import get_schema
    from owslib.wfs import WebFeatureService
    from owslib.wms import WebMapService
    from owslib.wmts import WebMapTileService
    headers = {"Authorization": "Bearer " + run.key}
    for version in ("1.3.0", "1.1.1"):
        service = WebMapService(run.server.url + WMS, version=version, headers=headers)
        run.check("districts" in service.contents, f"WMS {version}: {list(service.contents)[:4]}")
        image = service.getmap(layers=["districts"], styles=[""], srs="EPSG:4326", bbox=(119.5, 35.5, 121.1, 37.2), size=(300, 300), format="image/png", transparent=True)
        run.check(image.read().startswith(b"\x89PNG"), f"WMS {version}: GetMap")
        info = service.getfeatureinfo(layers=["districts"], styles=[""], query_layers=["districts"], srs="EPSG:4326", bbox=(119.5, 35.5, 121.1, 37.2), size=(300, 300), format="image/png", info_format="application/json", xy=(165, 200))
        run.check(json.loads(info.read()), f"WMS {version}: GetFeatureInfo")
    tiles = WebMapTileService(f"{run.server.url}{WMTS}", headers=headers)
    run.check("districts" in tiles.contents and "WebMercatorQuad" in tiles.tilematrixsets, f"WMTS: {list(tiles.tilematrixsets)}")
    tile = tiles.gettile(layer="districts", tilematrixset="WebMercatorQuad", tilematrix="10", row=401, column=854, format="image/png")
    run.check(tile.read().startswith(b"\x89PNG"), "WMTS: GetTile")
    features = WebFeatureService(run.server.url + WFS, version="2.0.0", headers=headers)
    name = next(n for n in features.contents if n.endswith("cql2-places"))
    run.check(features.contents[name].boundingBoxWGS84, f"WFS: {features.contents[name].boundingBoxWGS84}")
    # Asked through the service it would send no headers.
    schema = get_schema(run.server.url + WFS, name, "2.0.0", headers=headers)
    run.check(schema and "pop_max" in schema["properties"], f"WFS: the schema {schema and list(schema['properties'])[:4]}")
    got = features.getfeature(typename=[name], maxfeatures=5, outputFormat="application/json")
    run.check(len(json.loads(got.read())["features"]) == 5, "WFS: GetFeature")


@requirement("OWSLib", "Features, Records, Processes")
def owslib_apis(run):
    import owslib.ogcapi
    from owslib.ogcapi.features import Features
    headers = {"Authorization": "Bearer " + run.key}
    client = Features(run.server.url + "/ogc", headers=headers)
    run.check("cql2-places" in client.feature_collections(), "feature collections")
    found = client.collection_items("cql2-places", limit=10, filter="name='Berlin'")
    run.check(len(found["features"]) == 1, f"a filter: {len(found['features'])}")
    run.check(client.collection_queryables("cql2-places")["properties"], "queryables")
    if run.server.ask("/ogc/processes", run.key).status == 200:
        from owslib.ogcapi.processes import Processes
        processes = Processes(run.server.url + "/ogc", headers=headers)
        listed = processes.processes()
        listed = listed["processes"] if isinstance(listed, dict) else listed
        run.check(listed, "processes")
        run.check(processes.process(listed[0]["id"])["inputs"] is not None, "a process")
    from services import catalogue
    base = catalogue(run)
    if base:
        from owslib.ogcapi.records import Records
        records = Records(run.server.url + "/ogc", headers=headers)
        run.check(base.rsplit("/", 1)[1] in records.records(), f"OWSLib finds no catalogue: {records.records()}")
        page = records.collection_items(base.rsplit("/", 1)[1], q="道路", limit=5)
        run.check(page["features"], "a record for 道路")
    owslib.ogcapi.REQUEST_HEADERS.pop("Authorization", None)


@requirement("QGIS", "opens, counts, filters and draws each service")
def qgis(run):
    # The QGIS of the system, by the interpreter that it was built for.
    python = next((p for p in (sys.executable, "/usr/bin/python3") if subprocess.run([p, "-c", "import qgis.core"], capture_output=True).returncode == 0), None)
    if not python:
        return run.skip("QGIS is not installed (python3-qgis)")
    folder = os.environ.get("CONFORMANCE_PICTURES") or tempfile.mkdtemp(prefix="onemap-qgis-")
    os.makedirs(folder, exist_ok=True)
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "qgis_client.py")
    done = subprocess.run([python, script, run.server.url, run.key, folder], capture_output=True, text=True, timeout=400, env=os.environ | {"QT_QPA_PLATFORM": "offscreen", "XDG_RUNTIME_DIR": folder})
    line = next((l for l in done.stdout.splitlines() if l.startswith("SEEN ")), None)
    if not run.check(line, f"QGIS said nothing: {done.stderr[-400:]}"):
        return
    seen = json.loads(line[5:])
    places, districts = len(run.server.features("cql2-places", run.key)), len(run.server.features("districts", run.key))
    for name, told in seen.items():
        if name == "version":
            continue
        if not run.check(told["valid"], f"{name}: {told}"):
            continue
        if "count" in told:
            run.check(told["count"] == (places if "places" in name else districts), f"{name}: {told['count']} features")
        run.check(told["pixels"] > 300, f"{name}: {told['pixels']} pixels drawn")
        if "filtered" in told:
            run.check(told["accepts_filter"] and told["filtered"] == 1, f"{name}: filtered {told}")
    print(f"      QGIS {seen['version']}; pictures in {folder}")
