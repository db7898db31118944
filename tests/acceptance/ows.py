"""WMS 1.3.0 and 1.1.1, WMTS 1.0.0, WFS 2.0.0 (OGC 06-042, 01-068r3, 07-057r7, 09-025r2, 09-026r2), and addresses as Tianditu has them."""

import io
import math
import random
import re

from lxml import etree
from PIL import Image

from filters import table
from kit import query, requirement
from oracle import Oracle

WMS, WMTS, WFS = "/ogc/wms", "/ogc/wmts", "/ogc/wfs"
CAPABILITIES = "?service={}&request=GetCapabilities"
NS = {"wms": "http://www.opengis.net/wms", "xlink": "http://www.w3.org/1999/xlink", "wmts": "http://www.opengis.net/wmts/1.0", "ows11": "http://www.opengis.net/ows/1.1",
      "wfs": "http://www.opengis.net/wfs/2.0", "fes": "http://www.opengis.net/fes/2.0", "gml": "http://www.opengis.net/gml/3.2", "ogc": "http://www.opengis.net/ogc", "xsd": "http://www.w3.org/2001/XMLSchema"}


def xml(answer):
    return etree.fromstring(answer.body)


def picture(answer):
    return Image.open(io.BytesIO(answer.body)).convert("RGBA")


def drawn(image):
    """How many pixels are neither transparent nor white."""
    return sum(1 for r, g, b, a in image.getdata() if a > 0 and (r, g, b) != (255, 255, 255))


def refusal(run, answer, roots, code=None, locator=None, statuses=(400, 404, 501)):
    """An exception report of the service's kind, quickly, and nothing of the inside."""
    run.check(answer.status in (200, *statuses) and answer.seconds < 5, str(answer))
    try:
        root = xml(answer)
    except etree.XMLSyntaxError:
        return run.check(False, f"no exception report: {answer}")
    run.check(etree.QName(root).localname in roots, f"no exception report: {answer}")
    said = answer.text
    if code:
        run.check(f'"{code}"' in said, f"not {code}: {answer}")
    if locator:
        run.check(f'locator="{locator}"'.lower() in said.lower(), f"does not point at {locator}: {answer}")
    run.check("select " not in said.lower() and "postgres" not in said.lower(), f"tells of the inside: {answer}")


# --------------------------------------------------------------------------------------------------------------------- WMS


def getmap(**given):
    base = {"SERVICE": "WMS", "VERSION": "1.3.0", "REQUEST": "GetMap", "LAYERS": "districts", "STYLES": "", "CRS": "EPSG:4490", "BBOX": "35.5,119.5,37.2,121.1", "WIDTH": "400", "HEIGHT": "425",
            "FORMAT": "image/png", "TRANSPARENT": "TRUE"}
    if given.get("VERSION") == "1.1.1":
        base["SRS"] = base.pop("CRS")
    return f"{WMS}?" + query(**{name: value for name, value in (base | given).items() if value is not None})


@requirement("WMS", "GetCapabilities 1.3.0 and 1.1.1", needs=WMS + CAPABILITIES.format("WMS"))
def wms_capabilities(run):
    answer = run.server.ask(WMS + CAPABILITIES.format("WMS") + "&version=1.3.0", run.key)
    run.check(answer.status == 200 and answer.type in ("text/xml", "application/vnd.ogc.wms_xml"), str(answer)[:150])
    root = xml(answer)
    run.check(root.tag == "{http://www.opengis.net/wms}WMS_Capabilities" and root.get("version") == "1.3.0", f"{root.tag} {root.get('version')}")
    for path in ("Service/Name", "Service/Title", "Service/OnlineResource", "Capability/Request/GetMap/Format", "Capability/Request/GetFeatureInfo/Format", "Capability/Exception/Format", "Capability/Layer/Title", "Capability/Layer/CRS"):
        run.check(root.find("/".join("wms:" + p for p in path.split("/")), NS) is not None, f"no {path}")
    readable = {c["id"] for c in run.server.json("/ogc/collections", run.key)["collections"]}
    named = [l for l in root.iterfind(".//wms:Layer", NS) if l.find("wms:Name", NS) is not None]
    names = [l.findtext("wms:Name", namespaces=NS) for l in named]
    run.check(len(names) == len(set(names)), "a layer is named twice")
    run.check({"districts", "cql2-places"} <= set(names), f"layers: {names[:6]}")
    readable -= {c["id"] for c in run.server.json("/ogc/collections", run.key)["collections"] if c.get("itemType") != "feature"}
    run.check(len(readable - set(names)) == 0, f"not offered: {sorted(readable - set(names))[:5]}")
    for layer in named:
        name = layer.findtext("wms:Name", namespaces=NS)
        run.check(layer.findtext("wms:Title", namespaces=NS), f"{name}: no title")
        geographic = layer.find("wms:EX_GeographicBoundingBox", NS)
        if geographic is not None:
            w, e, s, n = (float(geographic.findtext("wms:" + part, namespaces=NS)) for part in ("westBoundLongitude", "eastBoundLongitude", "southBoundLatitude", "northBoundLatitude"))
            run.check(-180 <= w <= e <= 180 and -90 <= s <= n <= 90, f"{name}: {w} {e} {s} {n}")
            for box in layer.iterfind("wms:BoundingBox", NS):
                if box.get("CRS") in ("EPSG:4326", "EPSG:4490"):
                    run.check(abs(float(box.get("minx")) - s) < 0.01 and abs(float(box.get("miny")) - w) < 0.01, f"{name}: {box.get('CRS')} has latitude first: {box.attrib}")
        run.check(layer.find("wms:Style/wms:Name", NS) is not None, f"{name}: no style")
    crs = {c.text for c in root.iterfind(".//wms:CRS", NS)}
    run.check({"EPSG:4490", "EPSG:4326", "CRS:84", "EPSG:3857"} <= crs, f"CRS: {sorted(crs)[:8]}")
    hidden = run.server.ask(WMS + CAPABILITIES.format("WMS"), None)
    run.check("cql2-places" not in hidden.text, "nobody sees what is shared with departments")
    old = xml(run.server.ask(WMS + CAPABILITIES.format("WMS") + "&version=1.1.1", run.key))
    run.check(etree.QName(old).localname == "WMT_MS_Capabilities" and old.get("version") == "1.1.1", f"{old.tag} {old.get('version')}")
    for asked, given in (("1.0.0", ("1.0.0", "1.1.1")), ("1.2.0", ("1.1.1",)), ("9.9.9", ("1.3.0",)), ("", ("1.3.0",))):
        negotiated = xml(run.server.ask(WMS + CAPABILITIES.format("WMS") + f"&version={asked}", run.key))
        run.check(negotiated.get("version") in given, f"version={asked} gives {negotiated.get('version')}")


@requirement("WMS", "GetMap in every CRS and version shows the same", needs=WMS + CAPABILITIES.format("WMS"))
def wms_maps(run):
    answer = run.server.ask(getmap(), run.key)
    run.check(answer.status == 200 and answer.type == "image/png", str(answer)[:200])
    if answer.status != 200 or answer.type != "image/png":
        return
    reference = picture(answer)
    run.check(reference.size == (400, 425) and drawn(reference) > 5000, f"{reference.size}, {drawn(reference)} pixels drawn")
    same = {"latitude first in 4326": getmap(CRS="EPSG:4326"), "longitude first in CRS:84": getmap(CRS="CRS:84", BBOX="119.5,35.5,121.1,37.2"),
            "longitude first in 1.1.1": getmap(VERSION="1.1.1", SRS="EPSG:4326", BBOX="119.5,35.5,121.1,37.2"),
            "lower case": re.sub(r"(?<=[?&])[A-Z]+(?==)", lambda name: name[0].lower(), getmap())}
    for what, address in same.items():
        image = run.server.ask(address, run.key)
        if run.check(image.status == 200 and image.type == "image/png", f"{what}: {image}"[:250]):
            run.check(different(reference, picture(image)) < 0.02, f"{what} shows another picture: {different(reference, picture(image)):.3f}")
    x = lambda lon: lon * 20037508.342789244 / 180
    y = lambda lat: math.log(math.tan(math.radians(lat) / 2 + math.pi / 4)) * 6378137
    west, south, east, north = 119.5, 35.5, 121.1, 37.2
    mercator = run.server.ask(getmap(CRS="EPSG:3857", BBOX=f"{x(west)},{y(south)},{x(east)},{y(north)}"), run.key)
    run.check(mercator.status == 200 and abs(drawn(picture(mercator)) / max(drawn(reference), 1) - 1) < 0.1, "3857 shows as much")
    zone = next((c.text for c in xml(run.server.ask(WMS + CAPABILITIES.format("WMS"), run.key)).iterfind(".//wms:CRS", NS) if re.fullmatch(r"EPSG:45[1-5]\d", c.text or "")), None)
    if zone:
        import pyproj
        transformer = pyproj.Transformer.from_crs("OGC:CRS84", zone)
        corners = [transformer.transform(lon, lat) for lon in (west, east) for lat in (south, north)]
        box = [min(c[0] for c in corners), min(c[1] for c in corners), max(c[0] for c in corners), max(c[1] for c in corners)]
        image = run.server.ask(getmap(CRS=zone, BBOX=",".join(map(str, box))), run.key)
        run.check(image.status == 200 and abs(drawn(picture(image)) / max(drawn(reference), 1) - 1) < 0.15, f"{zone}: {image.status} {drawn(picture(image)) if image.status == 200 else ''}")
    for format, kind in (("image/png", "PNG"), ("image/jpeg", "JPEG"), ("image/png8", "PNG"), ("image/png; mode=8bit", "PNG")):
        image = run.server.ask(getmap(FORMAT=format, TRANSPARENT="FALSE"), run.key)
        if image.status == 200 and image.type.startswith("image/"):
            run.check(Image.open(io.BytesIO(image.body)).format == kind, f"{format} is {image.type}")
        else:
            run.check(format not in ("image/png", "image/jpeg"), f"{format}: {image}"[:200])
    opaque = picture(run.server.ask(getmap(TRANSPARENT="FALSE", BGCOLOR="0x336699"), run.key))
    run.check(opaque.getpixel((0, 0)) == (0x33, 0x66, 0x99, 255), f"BGCOLOR gives {opaque.getpixel((0, 0))}")
    run.check(picture(run.server.ask(getmap(), run.key)).getpixel((0, 0))[3] == 0, "TRANSPARENT leaves the ground open")
    several = run.server.ask(getmap(LAYERS="districts,roads", STYLES=","), run.key)
    run.check(several.status == 200 and different(reference, picture(several)) > 0, "a second layer is drawn")
    again = run.server.ask(getmap(), run.key)
    tag = again.headers["etag"]
    if tag:
        run.check(run.server.ask(getmap(), run.key, headers={"If-None-Match": tag}).status == 304, "a picture that did not change")


def different(a, b):
    """The share of pixels that differ clearly."""
    if a.size != b.size:
        return 1.0
    count = sum(1 for p, q in zip(a.getdata(), b.getdata()) if max(abs(x - y) for x, y in zip(p, q)) > 40)
    return count / (a.size[0] * a.size[1])


@requirement("WMS", "a point is drawn at its pixel, and GetFeatureInfo finds it", needs=WMS + CAPABILITIES.format("WMS"))
def wms_positions(run):
    features = run.server.features("cql2-places", run.key)
    r = random.Random(12)
    for feature in r.sample(features, 12):
        lon, lat = feature["geometry"]["coordinates"]
        if abs(lat) > 80:
            continue
        box = f"{lat - 2},{lon - 2},{lat + 2},{lon + 2}"
        where = {"LAYERS": "cql2-places", "CRS": "EPSG:4326", "BBOX": box, "WIDTH": "201", "HEIGHT": "201"}
        image = run.server.ask(getmap(**where), run.key)
        if run.check(image.status == 200 and image.type == "image/png", f"{image}"[:200]):
            around = picture(image).crop((96, 96, 106, 106))
            run.check(drawn(around) > 0, f"{feature['properties']['name']} is not drawn in the middle of its picture")
        info = run.server.ask(getmap(REQUEST="GetFeatureInfo", QUERY_LAYERS="cql2-places", INFO_FORMAT="application/json", I="100", J="100", FEATURE_COUNT="50", **where), run.key)
        if run.check(info.status == 200, f"GetFeatureInfo: {info}"):
            run.check(feature["properties"]["name"] in info.text, f"GetFeatureInfo does not find {feature['properties']['name']}: {info.text[:150]}")
        corner = run.server.ask(getmap(REQUEST="GetFeatureInfo", QUERY_LAYERS="cql2-places", INFO_FORMAT="application/json", I="0", J="200", **where), run.key)
        run.check(corner.status == 200 and f'"{feature["properties"]["name"]}"' not in corner.text, "GetFeatureInfo finds what is elsewhere")
    for format in ("text/plain", "text/html", "application/json", "application/geo+json", "text/xml", "application/vnd.ogc.gml"):
        info = run.server.ask(getmap(REQUEST="GetFeatureInfo", QUERY_LAYERS="districts", INFO_FORMAT=format, I="200", J="200"), run.key)
        run.check(info.status == 200 or format in ("text/xml", "application/vnd.ogc.gml") and b"InvalidFormat" in info.body, f"{format}: {info}"[:200])
    legend = run.server.ask(f"{WMS}?SERVICE=WMS&VERSION=1.3.0&REQUEST=GetLegendGraphic&LAYER=districts&FORMAT=image/png&SLD_VERSION=1.1.0", run.key)
    run.check(legend.status == 200 and legend.body.startswith(b"\x89PNG") and drawn(picture(legend)) > 20, f"legend: {legend}"[:150])


@requirement("WMS", "exceptions of the asked version, each bad parameter by its name", needs=WMS + CAPABILITIES.format("WMS"))
def wms_exceptions(run):
    for given, code in [({"LAYERS": "nope"}, "LayerNotDefined"), ({"LAYERS": ""}, None), ({"STYLES": "nope"}, "StyleNotDefined"), ({"CRS": "EPSG:99999"}, "InvalidCRS"), ({"CRS": None}, None), ({"FORMAT": "image/gif"}, "InvalidFormat"),
                        ({"BBOX": "1,2,3"}, None), ({"BBOX": "5,5,1,1"}, None), ({"BBOX": "a,b,c,d"}, None), ({"BBOX": "NaN,1,2,3"}, None), ({"BBOX": None}, None), ({"WIDTH": "0"}, None), ({"WIDTH": "-5"}, None), ({"WIDTH": "99999999"}, None),
                        ({"HEIGHT": "x"}, None), ({"WIDTH": None}, None), ({"BGCOLOR": "red"}, None), ({"TRANSPARENT": "perhaps"}, None), ({"REQUEST": "GetNothing"}, "OperationNotSupported"), ({"LAYERS": "districts,nope", "STYLES": ","}, "LayerNotDefined"),
                        ({"REQUEST": "GetFeatureInfo", "QUERY_LAYERS": "districts", "INFO_FORMAT": "application/json", "I": "9999", "J": "0"}, "InvalidPoint"), ({"REQUEST": "GetFeatureInfo", "QUERY_LAYERS": "nope", "INFO_FORMAT": "application/json", "I": "1", "J": "1"}, "LayerNotDefined"),
                        ({"REQUEST": "GetFeatureInfo", "QUERY_LAYERS": "districts", "INFO_FORMAT": "x/y", "I": "1", "J": "1"}, "InvalidFormat"), ({"SLD_BODY": "<a/>"}, None), ({"LAYERS": ",".join(["districts"] * 500)}, None), ({"BBOX": "1e308,1e308,1e309,1e309"}, None)]:
        answer = run.server.ask(getmap(**given), run.key)
        if "SLD_BODY" in given and answer.type == "image/png":
            continue
        refusal(run, answer, ("ServiceExceptionReport",), code)
    old = run.server.ask(getmap(VERSION="1.1.1", LAYERS="nope"), run.key)
    refusal(run, old, ("ServiceExceptionReport",), "LayerNotDefined")
    for manner in ("INIMAGE", "BLANK"):
        answer = run.server.ask(getmap(LAYERS="nope", EXCEPTIONS=manner), run.key)
        run.check(answer.type == "image/png" and picture(answer).size == (400, 425), f"EXCEPTIONS={manner}: {answer}"[:200])
    refusal(run, run.server.ask(f"{WMS}?service=WFS&request=GetCapabilities", run.key), ("ServiceExceptionReport", "ExceptionReport"))
    refusal(run, run.server.ask(WMS, run.key), ("ServiceExceptionReport", "ExceptionReport"))
    hidden = run.server.ask(getmap(LAYERS="cql2-places"), None)
    refusal(run, hidden, ("ServiceExceptionReport",), "LayerNotDefined", statuses=(400, 404))


# -------------------------------------------------------------------------------------------------------------------- WMTS


@requirement("WMTS", "capabilities, KVP and REST tiles", needs=WMTS + CAPABILITIES.format("WMTS"))
def wmts(run):
    answer = run.server.ask(WMTS + CAPABILITIES.format("WMTS"), run.key)
    root = xml(answer)
    run.check(root.tag == "{http://www.opengis.net/wmts/1.0}Capabilities" and root.get("version") == "1.0.0", root.tag)
    rest = run.server.ask(f"{WMTS}/1.0.0/WMTSCapabilities.xml", run.key)
    run.check(rest.status == 200 and etree.QName(xml(rest)).localname == "Capabilities", str(rest)[:100])
    sets = {s.findtext("ows11:Identifier", namespaces=NS): s for s in root.iterfind("wmts:Contents/wmts:TileMatrixSet", NS)}
    run.check({"WebMercatorQuad", "CGCS2000Quad"} <= set(sets) or len(sets) >= 2, f"sets: {list(sets)}")
    layers = {l.findtext("ows11:Identifier", namespaces=NS): l for l in root.iterfind("wmts:Contents/wmts:Layer", NS)}
    run.check({"districts", "cql2-places"} <= set(layers), f"layers: {list(layers)[:5]}")
    for id, layer in layers.items():
        formats = [f.text for f in layer.iterfind("wmts:Format", NS)]
        run.check("image/png" in formats, f"{id}: {formats}")
        run.check(layer.find("wmts:Style/ows11:Identifier", NS) is not None and layer.find("wmts:TileMatrixSetLink", NS) is not None, f"{id}: no style or set")
        run.check(all(l.findtext("wmts:TileMatrixSet", namespaces=NS) in sets for l in layer.iterfind("wmts:TileMatrixSetLink", NS)), f"{id}: a set that is not there")
    for name, definition in sets.items():
        matrices = definition.findall("wmts:TileMatrix", NS)
        matrix = matrices[min(8, len(matrices) - 1)]
        of = lambda tag: matrix.findtext("wmts:" + tag, namespaces=NS)
        identifier, corner = matrix.findtext("ows11:Identifier", namespaces=NS), [float(n) for n in of("TopLeftCorner").split()]
        degrees = "3857" not in definition.findtext("ows11:SupportedCRS", namespaces=NS)
        crs = definition.findtext("ows11:SupportedCRS", namespaces=NS)
        top, left = (corner if degrees and "CRS84" not in crs else corner[::-1])
        span = float(of("ScaleDenominator")) * 0.00028 / (111319.49079327358 if degrees else 1) * int(of("TileWidth"))
        lon, lat = 120.38, 36.07
        x, y = (lon, lat) if degrees else (lon * 20037508.342789244 / 180, math.log(math.tan(math.radians(lat) / 2 + math.pi / 4)) * 6378137)
        column, row = int((x - left) / span), int((top - y) / span)
        for layer in ("districts", "roads"):
            style = layers[layer].findtext("wmts:Style/ows11:Identifier", namespaces=NS)
            parameters = dict(service="WMTS", request="GetTile", version="1.0.0", layer=layer, style=style, tilematrixset=name, tilematrix=identifier, tilerow=row, tilecol=column, format="image/png")
            tile = run.server.ask(f"{WMTS}?" + query(**parameters), run.key)
            if run.check(tile.status == 200 and tile.type == "image/png", f"{layer} {name}/{identifier}/{row}/{column}: {tile}"[:250]):
                run.check(picture(tile).size == (256, 256) and drawn(picture(tile)) > 100, f"{layer} {name}: {picture(tile).size} {drawn(picture(tile))} pixels")
            template = next((r for r in layers[layer].iterfind("wmts:ResourceURL", NS) if r.get("format") == "image/png" and r.get("resourceType") == "tile"), None)
            if run.check(template is not None, f"{layer}: no ResourceURL"):
                href = template.get("template")
                for variable, value in (("Style", style), ("style", style), ("TileMatrixSet", name), ("TileMatrix", identifier), ("TileRow", str(row)), ("TileCol", str(column))):
                    href = href.replace("{" + variable + "}", value)
                by_path = run.server.ask(href, run.key)
                run.check("{" not in href and by_path.status == 200 and by_path.body == tile.body, f"{href}: {by_path.status}")
            for bad, code in (({"tilerow": 99999999}, "TileOutOfRange"), ({"tilematrix": "nope"}, "InvalidParameterValue"), ({"tilematrixset": "nope"}, "InvalidParameterValue"), ({"layer": "nope"}, "InvalidParameterValue"),
                              ({"format": "image/gif"}, "InvalidParameterValue"), ({"tilecol": "x"}, "InvalidParameterValue"), ({"tilerow": -1}, None), ({"request": "GetNothing"}, "OperationNotSupported"), ({"style": "nope"}, "InvalidParameterValue")):
                refusal(run, run.server.ask(f"{WMTS}?" + query(**(parameters | bad)), run.key), ("ExceptionReport",), code)
            missing = {k: v for k, v in parameters.items() if k != "tilerow"}
            refusal(run, run.server.ask(f"{WMTS}?" + query(**missing), run.key), ("ExceptionReport",), "MissingParameterValue", "tilerow")


@requirement("WMTS", "addresses as pages for Tianditu have them", needs=WMTS + CAPABILITIES.format("WMTS"))
def tianditu(run):
    x, y = int((120.38 + 180) / 360 * 1024), int((1 - math.asinh(math.tan(math.radians(36.07))) / math.pi) / 2 * 1024)
    cx, cy = int((120.38 + 180) / 360 * 1024), int((90 - 36.07) / 360 * 1024)
    for grid, column, row in (("w", x, y), ("c", cx, cy)):
        path = f"/districts_{grid}/wmts?SERVICE=WMTS&REQUEST=GetTile&VERSION=1.0.0&LAYER=districts&STYLE=default&TILEMATRIXSET={grid}&FORMAT=tiles&TILEMATRIX=10&TILEROW={row}&TILECOL={column}&tk={run.key}"
        tile = run.server.ask(path)
        if run.check(tile.status == 200 and tile.type.startswith("image/"), f"{path[:60]}: {tile}"[:200]):
            run.check(drawn(picture(tile)) > 100, f"{grid}: {drawn(picture(tile))} pixels")
        data = run.server.ask(f"/DataServer?T=districts_{grid}&x={column}&y={row}&l=10&tk={run.key}")
        run.check(data.status == 200 and data.body == tile.body, f"/DataServer {grid}: {data}"[:150])
    run.check(run.server.ask("/districts_w/wmts?SERVICE=WMTS&REQUEST=GetTile&tk=nonsense").status in (400, 401, 403), "a wrong tk")


# --------------------------------------------------------------------------------------------------------------------- WFS


def wfs_url(**parameters):
    base = {"service": "WFS", "version": "2.0.0", "request": "GetFeature", "typeNames": "cql2-places"}
    return f"{WFS}?" + query(**{n: v for n, v in (base | parameters).items() if v is not None})


def fes(inner):
    return f'<fes:Filter xmlns:fes="http://www.opengis.net/fes/2.0" xmlns:gml="http://www.opengis.net/gml/3.2">{inner}</fes:Filter>'


def members(root):
    return [m[0] for m in root.iterfind("wfs:member", NS) if len(m)]


def member_ids(root):
    return {int(re.search(r"(\d+)$", m.get("{http://www.opengis.net/gml/3.2}id"))[1]) for m in members(root)}


@requirement("WFS", "capabilities and feature types", needs=WFS + CAPABILITIES.format("WFS"))
def wfs_capabilities(run):
    answer = run.server.ask(WFS + CAPABILITIES.format("WFS"), run.key)
    root = xml(answer)
    run.check(root.tag == "{http://www.opengis.net/wfs/2.0}WFS_Capabilities" and root.get("version", "").startswith("2.0"), f"{root.tag} {root.get('version')}")
    types = {t.findtext("wfs:Name", namespaces=NS).split(":")[-1]: t for t in root.iterfind(".//wfs:FeatureType", NS)}
    readable = {c["id"] for c in run.server.json("/ogc/collections", run.key)["collections"] if c.get("itemType") == "feature"}
    run.check(readable <= set(types), f"not offered: {sorted(readable - set(types))[:5]}")
    operations = {o.get("name") for o in root.iterfind(".//ows11:Operation", NS)}
    run.check({"GetCapabilities", "DescribeFeatureType", "GetFeature", "ListStoredQueries", "DescribeStoredQueries"} <= operations, f"{operations}")
    constraints = {c.get("name"): c.findtext(".//ows11:DefaultValue", namespaces=NS) for c in root.iterfind(".//ows11:Constraint", NS)} | {c.get("name"): c.findtext(".//ows11:DefaultValue", namespaces=NS) for c in root.iterfind(".//fes:Constraint", NS)}
    run.check({"ImplementsBasicWFS", "KVPEncoding"} <= set(constraints), f"{list(constraints)[:10]}")
    for name, type in list(types.items())[:30]:
        run.check(type.findtext("wfs:DefaultCRS", namespaces=NS) and type.findtext("wfs:Title", namespaces=NS), f"{name}: no CRS or title")
    for name in ("cql2-places", "cql2-countries", "districts", "roads", "buildings", "poi"):
        described = run.server.ask(f"{WFS}?" + query(service="WFS", version="2.0.0", request="DescribeFeatureType", typeNames=name), run.key)
        schema = xml(described)
        run.check(schema.tag == "{http://www.w3.org/2001/XMLSchema}schema", str(described)[:150])
        elements = [e.get("name") for e in schema.iter("{http://www.w3.org/2001/XMLSchema}element") if e.get("name")]
        page = run.server.json(f"/ogc/collections/{name}/items?limit=1", run.key)
        run.check(len(elements) >= len(page["features"][0]["properties"]) + 2, f"{name}: {len(elements)} elements")
        part = xml(run.server.ask(wfs_url(typeNames=name, count="2"), run.key))
        for member in members(part):
            unknown = [etree.QName(c).localname for c in member if etree.QName(c).localname not in elements and "gml" not in c.tag]
            run.check(not unknown, f"{name}: elements that the schema lacks: {unknown[:4]}")
    refusal(run, run.server.ask(f"{WFS}?service=WFS&request=GetCapabilities&acceptVersions=9.9.9", run.key), ("ExceptionReport",), "VersionNegotiationFailed")


@requirement("WFS", "GetFeature gives the features of items", needs=WFS + CAPABILITIES.format("WFS"))
def wfs_features(run):
    for name in ("cql2-places", "cql2-rivers", "districts", "nursing-homes"):
        expected = {f["id"] for f in run.server.features(name, run.key)}
        root = xml(run.server.ask(wfs_url(typeNames=name, count="10000"), run.key))
        run.check(root.tag == "{http://www.opengis.net/wfs/2.0}FeatureCollection", root.tag)
        run.check(root.get("numberReturned") == str(len(members(root))) or root.get("numberReturned") == "unknown", f"{name}: numberReturned {root.get('numberReturned')}")
        run.check(member_ids(root) == expected, f"{name}: {len(member_ids(root))} of {len(expected)}")
        hits = xml(run.server.ask(wfs_url(typeNames=name, resultType="hits"), run.key))
        run.check(hits.get("numberMatched") in (str(len(expected)), "unknown") and not members(hits), f"{name}: hits {hits.get('numberMatched')}")
        paged, start = set(), 0
        while start < 500:
            page = member_ids(xml(run.server.ask(wfs_url(typeNames=name, count="50", startIndex=str(start)), run.key)))
            run.check(not page & paged, f"{name}: a feature on two pages")
            paged |= page
            start += 50
            if len(page) < 50:
                break
        run.check(paged == expected or start >= 500, f"{name}: pages visit {len(paged)} of {len(expected)}")
    position = lambda srs: [float(n) for n in members(xml(run.server.ask(wfs_url(count="1", srsName=srs), run.key)))[0].find(".//gml:pos", NS).text.split()]
    lon, lat = run.server.features("cql2-places", run.key)[0]["geometry"]["coordinates"]
    for srs, wanted in (("urn:ogc:def:crs:EPSG::4326", (lat, lon)), ("http://www.opengis.net/def/crs/EPSG/0/4490", (lat, lon)), ("urn:ogc:def:crs:OGC:1.3:CRS84", (lon, lat)), ("urn:ogc:def:crs:EPSG::3857", None)):
        given = position(srs)
        run.check(wanted is None and abs(given[0]) > 1000 or wanted is not None and all(abs(a - b) < 1e-6 for a, b in zip(given, wanted)), f"{srs}: {given}")
    json = run.server.ask(wfs_url(outputFormat="application/json", count="5"), run.key)
    run.check(json.status == 200 and json.json()["type"] == "FeatureCollection", f"GeoJSON: {json}"[:150])
    ordered = xml(run.server.ask(wfs_url(sortBy="pop_max DESC", count="5"), run.key))
    values = [int(float(m.findtext("{*}pop_max"))) for m in members(ordered)]
    run.check(values == sorted(values, reverse=True), f"sortBy: {values}")
    chosen = members(xml(run.server.ask(wfs_url(propertyName="name", count="1"), run.key)))[0]
    run.check(chosen.find("{*}name") is not None and chosen.find("{*}pop_max") is None, f"propertyName: {[etree.QName(c).localname for c in chosen]}")
    one = xml(run.server.ask(f"{WFS}?" + query(service="WFS", version="2.0.0", request="GetFeature", storedQuery_id="urn:ogc:def:query:OGC-WFS::GetFeatureById", id="cql2-places.168"), run.key))
    run.check("København" in etree.tostring(one, encoding="unicode"), "GetFeatureById")


@requirement("WFS", "FES 2.0 filters give what the oracle gives", needs=WFS + CAPABILITIES.format("WFS"))
def wfs_filters(run):
    rows = table(run, "cql2-places").rows
    oracle = Oracle({})
    ref = lambda name: f"<fes:ValueReference>{name}</fes:ValueReference>"
    lit = lambda value: f"<fes:Literal>{value}</fes:Literal>"
    prop = lambda name: {"property": name}
    point = '<gml:Point srsName="urn:ogc:def:crs:EPSG::4326"><gml:pos>{} {}</gml:pos></gml:Point>'
    box = '<gml:Envelope srsName="urn:ogc:def:crs:EPSG::4326"><gml:lowerCorner>40 0</gml:lowerCorner><gml:upperCorner>50 10</gml:upperCorner></gml:Envelope>'
    polygon = '<gml:Polygon srsName="urn:ogc:def:crs:EPSG::4326" gml:id="p"><gml:exterior><gml:LinearRing><gml:posList>40 0 40 10 50 10 50 0 40 0</gml:posList></gml:LinearRing></gml:exterior></gml:Polygon>'
    compare = {"PropertyIsEqualTo": "=", "PropertyIsNotEqualTo": "<>", "PropertyIsLessThan": "<", "PropertyIsGreaterThan": ">", "PropertyIsLessThanOrEqualTo": "<=", "PropertyIsGreaterThanOrEqualTo": ">="}
    cases = [(f"<fes:{tag}>{ref(name)}{lit(value)}</fes:{tag}>", {"op": op, "args": [prop(name), value]}) for tag, op in compare.items() for name, value in (("name", "København"), ("pop_other", 1038288), ("pop_max", 832))]
    square = {"type": "Polygon", "coordinates": [[[0, 40], [10, 40], [10, 50], [0, 50], [0, 40]]]}
    cases += [
        (f'<fes:PropertyIsLike wildCard="*" singleChar="?" escapeChar="!">{ref("name")}{lit("B?r*")}</fes:PropertyIsLike>', {"op": "like", "args": [prop("name"), "B_r%"]}),
        (f'<fes:PropertyIsLike wildCard="%" singleChar="_" escapeChar="\\" matchCase="false">{ref("name")}{lit("b_R%")}</fes:PropertyIsLike>', {"op": "like", "args": [{"op": "casei", "args": [prop("name")]}, "b_r%"]}),
        (f"<fes:PropertyIsNull>{ref('start')}</fes:PropertyIsNull>", {"op": "isNull", "args": [prop("start")]}),
        (f"<fes:PropertyIsBetween>{ref('pop_other')}<fes:LowerBoundary>{lit(1000000)}</fes:LowerBoundary><fes:UpperBoundary>{lit(3000000)}</fes:UpperBoundary></fes:PropertyIsBetween>", {"op": "between", "args": [prop("pop_other"), 1000000, 3000000]}),
        (f"<fes:And><fes:PropertyIsGreaterThan>{ref('pop_max')}{lit(5000000)}</fes:PropertyIsGreaterThan><fes:Not><fes:PropertyIsEqualTo>{ref('adm0name')}{lit('China')}</fes:PropertyIsEqualTo></fes:Not></fes:And>",
         {"op": "and", "args": [{"op": ">", "args": [prop("pop_max"), 5000000]}, {"op": "not", "args": [{"op": "=", "args": [prop("adm0name"), "China"]}]}]}),
        (f"<fes:Or><fes:PropertyIsEqualTo>{ref('name')}{lit('Berlin')}</fes:PropertyIsEqualTo><fes:PropertyIsEqualTo>{ref('name')}{lit('Athens')}</fes:PropertyIsEqualTo></fes:Or>", {"op": "in", "args": [prop("name"), ["Berlin", "Athens"]]}),
        (f"<fes:BBOX>{ref('geometry')}{box}</fes:BBOX>", {"op": "s_intersects", "args": [prop("geometry"), square]}), (f"<fes:BBOX>{box}</fes:BBOX>", {"op": "s_intersects", "args": [prop("geometry"), square]}),
        (f"<fes:Intersects>{ref('geometry')}{polygon}</fes:Intersects>", {"op": "s_intersects", "args": [prop("geometry"), square]}), (f"<fes:Within>{ref('geometry')}{polygon}</fes:Within>", {"op": "s_within", "args": [prop("geometry"), square]}),
        (f"<fes:Disjoint>{ref('geometry')}{polygon}</fes:Disjoint>", {"op": "s_disjoint", "args": [prop("geometry"), square]}),
        (f"<fes:Equals>{ref('geometry')}{point.format(49.6116604, 6.1300028)}</fes:Equals>", {"op": "s_equals", "args": [prop("geometry"), {"type": "Point", "coordinates": [6.1300028, 49.6116604]}]}),
        (f"<fes:After>{ref('start')}<gml:TimeInstant gml:id='t'><gml:timePosition>2022-04-16T10:13:19Z</gml:timePosition></gml:TimeInstant></fes:After>", {"op": "t_after", "args": [prop("start"), {"timestamp": "2022-04-16T10:13:19Z"}]}),
        (f"<fes:During>{ref('start')}<gml:TimePeriod gml:id='t'><gml:beginPosition>2022-01-01T00:00:00Z</gml:beginPosition><gml:endPosition>2022-12-31T23:59:59Z</gml:endPosition></gml:TimePeriod></fes:During>",
         {"op": "and", "args": [{"op": ">", "args": [prop("start"), {"timestamp": "2022-01-01T00:00:00Z"}]}, {"op": "<", "args": [prop("start"), {"timestamp": "2022-12-31T23:59:59Z"}]}]})]
    for filter, node in cases:
        expected = oracle.ids(rows, node)
        for how in ("KVP", "POST"):
            if how == "KVP":
                answer = run.server.ask(wfs_url(filter=fes(filter), count="1000"), run.key)
            else:
                body = f'<wfs:GetFeature xmlns:wfs="http://www.opengis.net/wfs/2.0" service="WFS" version="2.0.0" count="1000"><wfs:Query typeNames="cql2-places">{fes(filter)}</wfs:Query></wfs:GetFeature>'
                answer = run.server.ask(WFS, run.key, method="POST", headers={"Content-Type": "text/xml"}, body=body.encode())
            if not run.check(answer.status == 200 and b"ExceptionReport" not in answer.body, f"{how} {filter[:100]}: {answer}"[:400]):
                continue
            found = member_ids(xml(answer))
            run.check(found == expected, f"{how} {filter[:120]} gives {len(found)}, not {len(expected)}")
    boxed = member_ids(xml(run.server.ask(wfs_url(bbox="40,0,50,10,urn:ogc:def:crs:EPSG::4326", count="1000"), run.key)))
    run.check(boxed == oracle.ids(rows, {"op": "s_intersects", "args": [prop("geometry"), square]}), f"bbox= gives {len(boxed)}")
    named = member_ids(xml(run.server.ask(wfs_url(typeNames=None, resourceId="cql2-places.1,cql2-places.168"), run.key)))
    run.check(named == {1, 168}, f"resourceId gives {named}")


@requirement("WFS", "exceptions name what is wrong", needs=WFS + CAPABILITIES.format("WFS"))
def wfs_exceptions(run):
    for given, code, locator in [({"typeNames": "nope"}, "InvalidParameterValue", "typeNames"), ({"typeNames": None}, "MissingParameterValue", "typeNames"), ({"count": "x"}, "InvalidParameterValue", "count"), ({"count": "-1"}, "InvalidParameterValue", "count"),
                                 ({"startIndex": "x"}, "InvalidParameterValue", "startIndex"), ({"outputFormat": "nope"}, "InvalidParameterValue", "outputFormat"), ({"srsName": "EPSG:99999"}, "InvalidParameterValue", "srsName"), ({"bbox": "1,2,3"}, "InvalidParameterValue", "bbox"),
                                 ({"filter": "<x"}, None, None), ({"filter": fes("<fes:Nope/>")}, None, None), ({"filter": fes("<fes:PropertyIsEqualTo><fes:ValueReference>nope</fes:ValueReference><fes:Literal>1</fes:Literal></fes:PropertyIsEqualTo>")}, None, None),
                                 ({"sortBy": "nope"}, "InvalidParameterValue", "sortBy"), ({"propertyName": "nope"}, "InvalidParameterValue", "propertyName"), ({"resultType": "nope"}, "InvalidParameterValue", "resultType"), ({"request": "Transaction"}, "OperationNotSupported", None),
                                 ({"request": "GetNothing"}, "OperationNotSupported", None), ({"version": "0.0.1"}, None, None), ({"request": "GetFeature", "storedQuery_id": "nope", "typeNames": None}, None, None), ({"resourceId": "cql2-places.x"}, None, None)]:
        answer = run.server.ask(wfs_url(**given), run.key)
        if given.get("resourceId") and answer.status == 200 and b"FeatureCollection" in answer.body[:500]:
            continue
        refusal(run, answer, ("ExceptionReport",), code, locator)
    refusal(run, run.server.ask(WFS + "?service=WFS", run.key), ("ExceptionReport",), "MissingParameterValue", "request")
    refusal(run, run.server.ask(wfs_url(), None), ("ExceptionReport",), None, None, statuses=(400, 401, 403, 404))
