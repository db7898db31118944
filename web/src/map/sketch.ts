import type { GeoJSONSource, Map as Canvas } from 'maplibre-gl';

export type SketchKind = 'point' | 'line' | 'area' | 'box';

/** What the reader draws, point after point. */
export interface Sketch {
  kind: SketchKind;
  at: [number, number][];
  /** Where the mouse is: the next point if it were clicked. */
  cursor: [number, number] | null;
  done: boolean;
}

export const empty = (kind: SketchKind): Sketch => ({ kind, at: [], cursor: null, done: false });

const LEAST: Record<SketchKind, number> = { point: 1, line: 2, area: 3, box: 2 };

export const complete = (sketch: Sketch): boolean => sketch.at.length >= LEAST[sketch.kind];

const same = (a: [number, number] | undefined, b: [number, number]) => a !== undefined && a[0] === b[0] && a[1] === b[1];

/** The sketch with one more point. Points and boxes are then done; whoever goes on after the end begins anew. */
export function placed(sketch: Sketch, at: [number, number]): Sketch {
  if (sketch.done) return placed(empty(sketch.kind), at);
  // The second click of a double click comes at the same place.
  if (same(sketch.at[sketch.at.length - 1], at)) return sketch;
  const points = [...sketch.at, at];
  return { ...sketch, at: points, done: (sketch.kind === 'point' || sketch.kind === 'box') && points.length === LEAST[sketch.kind] };
}

export const undone = (sketch: Sketch): Sketch => ({ ...sketch, at: sketch.at.slice(0, -1), done: false });

export const finished = (sketch: Sketch): Sketch => (complete(sketch) ? { ...sketch, cursor: null, done: true } : sketch);

/** All points, with the one at the mouse while it is drawn. */
function points(sketch: Sketch): [number, number][] {
  return sketch.done || !sketch.cursor ? sketch.at : [...sketch.at, sketch.cursor];
}

/** The shape as far as it goes; null where there are too few points. Rings turn as RFC 7946 wants. */
export function geometryOf(sketch: Sketch, live = false): GeoJSON.Geometry | null {
  const at = live ? points(sketch) : sketch.at;
  if (at.length < LEAST[sketch.kind]) return null;
  if (sketch.kind === 'point') return { type: 'Point', coordinates: at[0] };
  if (sketch.kind === 'line') return { type: 'LineString', coordinates: at };
  if (sketch.kind === 'box') {
    const [[a, b], [c, d]] = at;
    const [west, south, east, north] = [Math.min(a, c), Math.min(b, d), Math.max(a, c), Math.max(b, d)];
    return west === east || south === north ? null : { type: 'Polygon', coordinates: [[[west, south], [east, south], [east, north], [west, north], [west, south]]] };
  }
  const doubled = at.reduce((sum, [x, y], index) => {
    const [nx, ny] = at[(index + 1) % at.length];
    return sum + x * ny - nx * y;
  }, 0);
  const ring = doubled < 0 ? [...at].reverse() : at;
  return { type: 'Polygon', coordinates: [[...ring, ring[0]]] };
}

const SOURCE = 'sketch';
const INK = '#b3261e';

/** From below to above. */
export const SKETCH_LAYERS = ['sketch-fill', 'sketch-line', 'sketch-points'];

export function drawSketch(canvas: Canvas, sketch: Sketch | null): void {
  const features: GeoJSON.Feature[] = [];
  if (sketch) {
    const shape = geometryOf(sketch, true);
    const at = points(sketch);
    const line: GeoJSON.Geometry | null = shape ?? (at.length > 1 ? { type: 'LineString', coordinates: at } : null);
    if (line && line.type !== 'Point') features.push({ type: 'Feature', properties: {}, geometry: line });
    for (const place of sketch.at) features.push({ type: 'Feature', properties: {}, geometry: { type: 'Point', coordinates: place } });
  }
  const data: GeoJSON.FeatureCollection = { type: 'FeatureCollection', features };
  const source = canvas.getSource<GeoJSONSource>(SOURCE);
  if (source) {
    source.setData(data);
    return;
  }
  canvas.addSource(SOURCE, { type: 'geojson', data });
  canvas.addLayer({ id: 'sketch-fill', type: 'fill', source: SOURCE, filter: ['==', ['geometry-type'], 'Polygon'], paint: { 'fill-color': INK, 'fill-opacity': 0.1 } });
  canvas.addLayer({ id: 'sketch-line', type: 'line', source: SOURCE, filter: ['!=', ['geometry-type'], 'Point'], layout: { 'line-join': 'round', 'line-cap': 'round' }, paint: { 'line-color': INK, 'line-width': 2.4, 'line-dasharray': [2, 1.2] } });
  canvas.addLayer({ id: 'sketch-points', type: 'circle', source: SOURCE, filter: ['==', ['geometry-type'], 'Point'], paint: { 'circle-color': '#fff', 'circle-radius': 4, 'circle-stroke-color': INK, 'circle-stroke-width': 2.2 } });
}
