import type { GeoJSONSource, Map as Canvas } from 'maplibre-gl';
import type { Feature } from '@/api/types';

/** From below to above. */
export const HIGHLIGHT_LAYERS = ['highlight-fill', 'highlight-line', 'highlight-point'];
const SOURCE = 'highlight-features';
const COLOUR = '#e8590c';
const EMPTY: GeoJSON.FeatureCollection = { type: 'FeatureCollection', features: [] };

const drawable = (features: Feature[]): GeoJSON.FeatureCollection => ({
  type: 'FeatureCollection',
  features: features.filter((feature): feature is Feature & { geometry: GeoJSON.Geometry } => feature.geometry !== null),
});

/** Draws features above all layers. */
export function highlight(canvas: Canvas, features: Feature[]): void {
  const source = canvas.getSource<GeoJSONSource>(SOURCE);
  const data = features.length > 0 ? drawable(features) : EMPTY;
  if (source) {
    source.setData(data);
    return;
  }
  canvas.addSource(SOURCE, { type: 'geojson', data });
  canvas.addLayer({
    id: 'highlight-fill',
    type: 'fill',
    source: SOURCE,
    filter: ['==', ['geometry-type'], 'Polygon'],
    paint: { 'fill-color': COLOUR, 'fill-opacity': 0.18 },
  });
  canvas.addLayer({
    id: 'highlight-line',
    type: 'line',
    source: SOURCE,
    filter: ['!=', ['geometry-type'], 'Point'],
    layout: { 'line-join': 'round', 'line-cap': 'round' },
    paint: { 'line-color': COLOUR, 'line-width': 3 },
  });
  canvas.addLayer({
    id: 'highlight-point',
    type: 'circle',
    source: SOURCE,
    filter: ['==', ['geometry-type'], 'Point'],
    paint: { 'circle-color': COLOUR, 'circle-radius': 7, 'circle-stroke-color': '#fff', 'circle-stroke-width': 2 },
  });
}
