#!/usr/bin/env python3
"""Opens a running onemap in QGIS, without a screen; prints what it saw as one line of JSON. Run by desktop.py in a process of its own.

    QT_QPA_PLATFORM=offscreen python3 tests/acceptance/qgis_client.py URL KEY FOLDER
"""

import json
import os
import re
import sys
import urllib.parse
import urllib.request

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
from qgis.core import (Qgis, QgsApplication, QgsCoordinateReferenceSystem, QgsMapRendererParallelJob, QgsMapSettings, QgsRasterLayer, QgsRectangle, QgsVectorLayer,
                       QgsVectorTileLayer)
from qgis.PyQt.QtCore import QSize
from qgis.PyQt.QtGui import QColor

EXTENT = (119.5, 35.5, 121.1, 37.2)


def rendered(layer, path, extent, crs="EPSG:4326"):
    settings = QgsMapSettings()
    settings.setLayers([layer])
    settings.setDestinationCrs(QgsCoordinateReferenceSystem(crs))
    settings.setExtent(QgsRectangle(*extent))
    settings.setOutputSize(QSize(500, 500))
    settings.setBackgroundColor(QColor(255, 255, 255))
    job = QgsMapRendererParallelJob(settings)
    job.start()
    job.waitForFinished()
    image = job.renderedImage()
    image.save(path)
    white = QColor(255, 255, 255).rgb()
    return sum(1 for x in range(0, 500, 2) for y in range(0, 500, 2) if image.pixel(x, y) != white)


def vector(uri, provider, what, folder, filter=None):
    layer = QgsVectorLayer(uri, what, provider)
    if not layer.isValid():
        return {"valid": False, "error": layer.error().message()[:300]}
    told = {"valid": True, "count": sum(1 for _ in layer.getFeatures()), "fields": [f.name() for f in layer.fields()], "crs": layer.crs().authid()}
    told["pixels"] = rendered(layer, os.path.join(folder, what + ".png"), EXTENT if "places" not in uri else (-180, -80, 180, 80))
    if filter:
        told["accepts_filter"] = layer.setSubsetString(filter)
        told["filtered"] = sum(1 for _ in layer.getFeatures())
    return told


def raster(uri, what, folder, extent=EXTENT, crs="EPSG:4326"):
    layer = QgsRasterLayer(uri, what, "wms")
    if not layer.isValid():
        return {"valid": False, "error": layer.error().message()[:300]}
    return {"valid": True, "crs": layer.crs().authid(), "pixels": rendered(layer, os.path.join(folder, what + ".png"), extent, crs)}


def main():
    url, key, folder = sys.argv[1:4]
    application = QgsApplication([], False)
    application.initQgis()
    escaped = lambda address: urllib.parse.quote(address, safe="")
    seen = {"version": Qgis.QGIS_VERSION}
    offered = urllib.request.urlopen(f"{url}/ogc/wfs?service=WFS&request=GetCapabilities&key={key}").read().decode()
    named = re.search(r"Name>([^<:]+:)districts<", offered)
    prefix = named[1] if named else ""
    tests = {
        "oapif-districts": lambda: vector(f"url='{url}/ogc/?key={key}' typename='districts' pageSize='100'", "OAPIF", "oapif-districts", folder),
        "oapif-places": lambda: vector(f"url='{url}/ogc/?key={key}' typename='cql2-places' pageSize='50'", "OAPIF", "oapif-places", folder, "\"name\" = 'Berlin'"),
        "wfs-districts": lambda: vector(f"url='{url}/ogc/wfs?key={key}' typename='{prefix}districts' version='2.0.0' pagingEnabled='true' restrictToRequestBBOX='0'", "WFS", "wfs-districts", folder),
        "wfs-places": lambda: vector(f"url='{url}/ogc/wfs?key={key}' typename='{prefix}cql2-places' version='2.0.0' pagingEnabled='true' pageSize='100'", "WFS", "wfs-places", folder, "\"name\" = 'Berlin'"),
        "wms": lambda: raster(f"crs=EPSG:4326&format=image/png&layers=districts&styles=&url={escaped(f'{url}/ogc/wms?key={key}')}", "wms", folder),
        "wms-4490": lambda: raster(f"crs=EPSG:4490&format=image/png&layers=districts&styles=&url={escaped(f'{url}/ogc/wms?key={key}')}", "wms-4490", folder),
        "wmts": lambda: raster(f"crs=EPSG:3857&format=image/png&layers=districts&styles=default&tileMatrixSet=WebMercatorQuad&url={escaped(f'{url}/ogc/wmts?service=WMTS&request=GetCapabilities&key={key}')}", "wmts", folder,
                               (13302700, 4230000, 13481000, 4470000), "EPSG:3857"),
        "wmts-cgcs2000": lambda: raster(f"crs=EPSG:4490&format=image/png&layers=districts&styles=default&tileMatrixSet=CGCS2000Quad&url={escaped(f'{url}/ogc/wmts?service=WMTS&request=GetCapabilities&key={key}')}", "wmts-cgcs2000", folder),
        "vector-tiles": lambda: vector_tiles(url, key, folder),
    }
    for name, test in tests.items():
        try:
            seen[name] = test()
        except Exception as error:  # of QGIS, of any kind
            seen[name] = {"valid": False, "error": f"{type(error).__name__}: {error}"[:300]}
    print("SEEN " + json.dumps(seen), flush=True)
    os._exit(0)  # QGIS's own end crashes now and then


def vector_tiles(url, key, folder):
    address = f"{url}/tiles/districts/{{z}}/{{x}}/{{y}}?key={key}"
    layer = QgsVectorTileLayer(f"type=xyz&url={urllib.parse.quote(address, safe='')}&zmin=0&zmax=16", "tiles")
    if not layer.isValid():
        return {"valid": False, "error": layer.error().message()[:300]}
    return {"valid": True, "pixels": rendered(layer, os.path.join(folder, "vector-tiles.png"), (13302700, 4230000, 13481000, 4470000), "EPSG:3857")}


main()
