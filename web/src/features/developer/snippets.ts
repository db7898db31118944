import type { Bounds } from '@/api/types';

/** What the code to copy is made of. Words come from the caller, in the reader's language. */
export interface Ingredients {
  origin: string;
  layer: string;
  title: string;
  key: string;
  bbox: Bounds | null;
  words: {
    title: string;
    map: string;
    tiles: string;
    all: string;
    window: string;
    list: string;
    items: string;
    qgisFeatures: string;
    qgisFeaturesSteps: string;
    qgisTiles: string;
    qgisTilesSteps: string;
  };
}

export const KINDS = ['maplibre', 'openlayers', 'qgis', 'ogr2ogr', 'curl'] as const;
export type Kind = (typeof KINDS)[number];

/** A text inside a quoted JavaScript string in an HTML page. */
const quoted = (text: string): string => JSON.stringify(text).replace(/</g, '\\u003c');
const escaped = (text: string): string => text.replace(/&/g, '&amp;').replace(/</g, '&lt;');
const round = (value: number): number => Number(value.toFixed(5));
const centre = (bbox: Bounds | null): [number, number] => (bbox ? [round((bbox[0] + bbox[2]) / 2), round((bbox[1] + bbox[3]) / 2)] : [120.38, 36.07]);

function maplibre({ origin, layer, title, key, bbox, words }: Ingredients): string {
  const view = bbox ? `bounds: ${JSON.stringify(bbox.map(round))},` : `center: ${JSON.stringify(centre(bbox))}, zoom: 10,`;
  return `<!doctype html>
<html lang="zh-CN">
<head>
  <meta charset="utf-8">
  <title>${escaped(title)} · ${escaped(words.title)}</title>
  <link rel="stylesheet" href="${origin}/sdk/maplibre-gl.css">
  <script src="${origin}/sdk/maplibre-gl.js"></script>
  <style>html, body, #map { height: 100%; margin: 0 }</style>
</head>
<body>
  <div id="map"></div>
  <script>
    const ORIGIN = ${quoted(origin)};
    const KEY = ${quoted(key)};
    // ${words.map}
    const map = new maplibregl.Map({
      container: 'map',
      style: ORIGIN + '/styles/${layer}.json',
      ${view}
      transformRequest: (url) => {
        const full = new URL(url, ORIGIN);
        if (full.origin === ORIGIN) full.searchParams.set('key', KEY);
        return { url: decodeURI(full.href) };
      },
    });
    map.addControl(new maplibregl.NavigationControl());
    map.on('click', (event) => {
      const [feature] = map.queryRenderedFeatures(event.point);
      if (!feature) return;
      const text = document.createElement('pre');
      text.textContent = JSON.stringify(feature.properties, null, 2);
      new maplibregl.Popup().setLngLat(event.lngLat).setDOMContent(text).addTo(map);
    });
  </script>
</body>
</html>
`;
}

function openlayers({ origin, layer, key, bbox, words }: Ingredients): string {
  const [lon, lat] = centre(bbox);
  return `import 'ol/ol.css';
import Map from 'ol/Map.js';
import View from 'ol/View.js';
import MVT from 'ol/format/MVT.js';
import VectorTileLayer from 'ol/layer/VectorTile.js';
import VectorTileSource from 'ol/source/VectorTile.js';
import { fromLonLat } from 'ol/proj.js';

// ${words.tiles}
const tiles = new VectorTileLayer({
  source: new VectorTileSource({
    format: new MVT(),
    url: ${quoted(`${origin}/tiles/${layer}/{z}/{x}/{y}?key=${encodeURIComponent(key)}`)},
    maxZoom: 16,
  }),
  style: { 'fill-color': 'rgba(26, 95, 180, 0.25)', 'stroke-color': '#1a5fb4', 'stroke-width': 1.5, 'circle-radius': 4, 'circle-fill-color': '#1a5fb4' },
});

new Map({
  target: 'map',
  layers: [tiles],
  view: new View({ center: fromLonLat([${lon}, ${lat}]), zoom: 11 }),
});
`;
}

function qgis({ origin, layer, key, words }: Ingredients): string {
  const query = `?key=${encodeURIComponent(key)}`;
  return `# ${words.qgisFeatures}
${words.qgisFeaturesSteps}

# ${words.qgisTiles}
${words.qgisTilesSteps}

# URI
${origin}/ogc${query}
${origin}/tiles/${layer}/{z}/{x}/{y}${query}
`;
}

function ogr2ogr({ origin, layer, key, bbox, words }: Ingredients): string {
  const box = bbox ?? [120.3, 36, 120.5, 36.2];
  const [lon, lat] = centre(box as Bounds);
  const window = [lon - 0.02, lat - 0.02, lon + 0.02, lat + 0.02].map(round).join(' ');
  const common = `  --config GDAL_HTTP_HEADERS "Authorization: Bearer ${key}" \\`;
  return `# ${words.all}
ogr2ogr -f GPKG ${layer}.gpkg \\
${common}
  "OAPIF:${origin}/ogc" ${layer}

# ${words.window}
ogr2ogr -f GeoJSON ${layer}.geojson \\
${common}
  -spat ${window} \\
  "OAPIF:${origin}/ogc" ${layer}
`;
}

function curl({ origin, layer, key, words }: Ingredients): string {
  return `# ${words.list}
curl -H "Authorization: Bearer ${key}" "${origin}/api/v1/layers"

# ${words.items}
curl -H "Authorization: Bearer ${key}" "${origin}/ogc/collections/${layer}/items?limit=10"
`;
}

export function snippet(kind: Kind, parts: Ingredients): string {
  return { maplibre, openlayers, qgis, ogr2ogr, curl }[kind](parts);
}
