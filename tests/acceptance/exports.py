"""Files of a selection: read back by other programs, and held against the items they were made of."""

import csv
import io
import json
import os
import tempfile
import zipfile

from osgeo import gdal, ogr

from filters import generated, sample
from kit import query, requirement
from oracle import text

gdal.UseExceptions()
ogr.UseExceptions()
FORMATS = {"csv": "text/csv", "fgb": "application/flatgeobuf", "gpkg": "application/geopackage+sqlite3", "shp": "application/zip", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
           "geojsonseq": "application/geo+json-seq"}
LAYERS = ["cql2-places", "cql2-countries", "cql2-rivers", "districts", "nursing-homes", "roads"]


def export(run, layer, format, **more):
    return run.server.ask(f"/ogc/collections/{layer}/items?" + query(f=format, **more), run.key, timeout=120)


def offered(run):
    return [f for f in FORMATS if export(run, "cql2-rivers", f, limit=1).status == 200]


def read(folder, answer, format, layer):
    """The file, opened by GDAL. Its layers do not keep it: hold it while they are used."""
    path = os.path.join(folder, f"{layer}.{'zip' if format == 'shp' else format}")
    with open(path, "wb") as out:
        out.write(answer.body)
    return gdal.OpenEx(f"/vsizip/{path}" if format == "shp" else path, gdal.OF_VECTOR, open_options=["AUTODETECT_TYPE=YES"] if format == "csv" else [])


@requirement("Exports", "every format of every layer, read back by GDAL")
def formats(run):
    there = offered(run)
    if not there:
        return run.skip("no export format is offered")
    run.check(set(there) == set(FORMATS), f"not offered: {sorted(set(FORMATS) - set(there))}")
    with tempfile.TemporaryDirectory() as folder:
        for layer in LAYERS:
            features = run.server.features(layer, run.key)
            for format in there:
                answer = export(run, layer, format)
                if not run.check(answer.status == 200, f"{layer} as {format}: {answer}"[:300]):
                    continue
                run.check(answer.type == FORMATS[format], f"{layer} as {format}: {answer.type}")
                disposition = answer.headers["content-disposition"]
                if format != "geojsonseq":
                    run.check("attachment" in disposition and "filename" in disposition and "filename*=utf-8''" in disposition.lower(), f"{format}: Content-Disposition {disposition}")
                try:
                    source = read(folder, answer, format, layer)
                    counts = [source.GetLayer(i).GetFeatureCount() for i in range(source.GetLayerCount())]
                    total = sum(counts) if format == "shp" else counts[0]
                    run.check(total == len(features), f"{layer} as {format}: {counts}, not {len(features)}")
                    inside = source.GetLayer(0)
                    names = [field.GetName() for field in inside.schema]
                    wanted = list(features[0]["properties"])
                    if format in ("gpkg", "fgb", "geojsonseq", "csv", "xlsx"):
                        run.check(set(wanted) <= set(names), f"{layer} as {format}: fields lacking {sorted(set(wanted) - set(names))[:4]} of {names[:8]}")
                    if format in ("gpkg", "fgb", "geojsonseq", "shp"):
                        self_box = extent(features)
                        box = envelope(source)
                        run.check(all(abs(a - b) < 1e-6 for a, b in zip(self_box, box)), f"{layer} as {format}: extent {box}, not {self_box}")
                        run.check(inside.GetSpatialRef() is not None, f"{layer} as {format}: no CRS")
                    source = None
                except RuntimeError as error:
                    run.check(False, f"{layer} as {format}: GDAL says {str(error)[:200]}")


def extent(features):
    boxes = [ogr.CreateGeometryFromJson(json.dumps(f["geometry"])).GetEnvelope() for f in features if f["geometry"]]
    return min(b[0] for b in boxes), max(b[1] for b in boxes), min(b[2] for b in boxes), max(b[3] for b in boxes)


def envelope(source):
    boxes = [source.GetLayer(i).GetExtent() for i in range(source.GetLayerCount()) if source.GetLayer(i).GetFeatureCount()]
    return min(b[0] for b in boxes), max(b[1] for b in boxes), min(b[2] for b in boxes), max(b[3] for b in boxes)


@requirement("Agreement", "the same filter in exports", needs="/ogc/collections/cql2-places")
def filtered(run):
    there = offered(run)
    if not there:
        return run.skip("no export format is offered")
    with tempfile.TemporaryDirectory() as folder:
        for layer, filter, expected in sample(generated(run), 30):
            for format in [f for f in there if f != "shp"]:
                answer = export(run, layer, format, filter=text(filter))
                if not run.check(answer.status == 200, f"{layer} as {format} by {text(filter)}: {answer}"[:300]):
                    continue
                try:
                    found = ids(folder, answer, format, layer)
                except RuntimeError as error:
                    run.check(False, f"{layer} as {format} by {text(filter)}: GDAL says {str(error)[:200]}")
                    continue
                run.check(sorted(found) == sorted(expected), f"{layer} as {format} by {text(filter)}: {len(found)}, not {len(expected)}: too many {sorted(set(found) - expected)[:5]}, missing {sorted(expected - set(found))[:5]}")


def ids(folder, answer, format, layer):
    """The ids of the features, which every format but the Shapefile's keeps."""
    if format == "csv":
        return [int(row["fid"]) for row in csv.DictReader(io.StringIO(answer.body.decode("utf-8-sig")))]
    if format == "xlsx":
        import openpyxl
        head, *rows = openpyxl.load_workbook(io.BytesIO(answer.body), read_only=True).worksheets[0].iter_rows(values_only=True)
        return [int(row[head.index("fid")]) for row in rows]
    if format == "geojsonseq":
        return [json.loads(part)["id"] for part in answer.text.split("\x1e") if part.strip()]
    source = read(folder, answer, format, layer)
    return [feature.GetFID() if format == "gpkg" else feature["fid"] for feature in source.GetLayer(0)]


@requirement("Exports", "values survive: CSV and XLSX against items")
def values(run):
    there = offered(run)
    features = {f["id"]: f for f in run.server.features("cql2-places", run.key)}
    if "csv" in there:
        answer = export(run, "cql2-places", "csv")
        run.check(answer.body.startswith(b"\xef\xbb\xbf"), "a CSV without a byte order mark")
        rows = list(csv.DictReader(io.StringIO(answer.body.decode("utf-8-sig"))))
        names = {r["name"] for r in rows}
        run.check({f["properties"]["name"] for f in features.values()} == names, "names in CSV")
        run.check({str(f["properties"]["pop_max"]) for f in features.values()} == {r["pop_max"] for r in rows}, "whole numbers in CSV")
        dates = sorted(r["date"] for r in rows if r["date"])
        run.check(dates == ["2021-04-16", "2022-04-16", "2023-04-16"], f"dates in CSV: {dates}")
    if "xlsx" in there:
        import openpyxl
        sheet = openpyxl.load_workbook(io.BytesIO(export(run, "cql2-places", "xlsx").body), read_only=True).worksheets[0]
        rows = list(sheet.iter_rows(values_only=True))
        column = rows[0].index("name") if "name" in rows[0] else None
        if run.check(column is not None, f"XLSX columns: {rows[0][:6]}"):
            run.check({r[column] for r in rows[1:]} == {f["properties"]["name"] for f in features.values()}, "names in XLSX")
    if "shp" in there:
        for encoding in ("utf-8", "gbk"):
            answer = export(run, "districts", "shp", encoding=encoding)
            if run.check(answer.status == 200, f"shp in {encoding}: {answer}"[:200]):
                files = zipfile.ZipFile(io.BytesIO(answer.body)).namelist()
                run.check({os.path.splitext(f)[1] for f in files} >= {".shp", ".shx", ".dbf", ".prj", ".cpg"}, f"shp: {files}")
                with tempfile.TemporaryDirectory() as folder:
                    source = read(folder, answer, "shp", "districts")
                    said = {str(v) for feature in source.GetLayer(0) for v in feature.items().values()}
                    wanted = {str(v) for f in run.server.features("districts", run.key) for v in f["properties"].values() if isinstance(v, str)}
                    run.check(len(wanted - said) == 0, f"shp in {encoding}: lost {sorted(wanted - said)[:3]}")


@requirement("Exports", "CRS and datum")
def crs_and_datum(run):
    there = offered(run)
    if "gpkg" not in there:
        return run.skip("no GeoPackage")
    for code in ("4490", "3857", "4326"):
        answer = export(run, "districts", "gpkg", crs=f"http://www.opengis.net/def/crs/EPSG/0/{code}")
        if run.check(answer.status == 200, f"{code}: {answer}"[:200]):
            with tempfile.TemporaryDirectory() as folder:
                source = read(folder, answer, "gpkg", "districts")
                reference = source.GetLayer(0).GetSpatialRef()
                run.check(reference.GetAuthorityCode(None) == code, f"{code}: the file says {reference.GetAuthorityCode(None)}")
    for datum in ("gcj02", "bd09"):
        answer = export(run, "districts", "gpkg", datum=datum)
        if run.check(answer.status == 200, f"datum={datum}: {answer}"[:200]):
            run.check(datum in answer.headers["content-disposition"].lower().replace("-", ""), f"a file in {datum} does not say so: {answer.headers['content-disposition']}")
    run.problem(export(run, "districts", "gpkg", datum="nope"), 400, "datum")
    run.problem(export(run, "districts", "gpkg", datum="gcj02", crs="http://www.opengis.net/def/crs/EPSG/0/3857"), 400)
    for bad in ("encoding=nope", "limit=x", "filter=nope", "crs=nope", "bbox=1", "properties=nope"):
        answer = run.server.ask(f"/ogc/collections/districts/items?f={'shp' if 'encoding' in bad else 'gpkg'}&{bad}", run.key)
        run.problem(answer, 400)
