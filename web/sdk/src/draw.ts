import type { GeoJSONSource, Map as Canvas, MapMouseEvent } from 'maplibre-gl';
import type { Position } from './types';

export type Drawn = 'point' | 'line' | 'area';

export interface DrawOptions {
  signal?: AbortSignal;
  /** Called with each change: how many positions there are, and whether the drawing may be finished. */
  progress?: (positions: number, complete: boolean) => void;
  color?: string;
}

const SOURCE = 'onemap:drawing';
const FEWEST: Record<Drawn, number> = { point: 1, line: 2, area: 3 };
/** Pixels that an arrow key moves the map by. */
const STEP = 40;

/** What is drawn so far, with the place under the pointer as the next position. */
export function outline(kind: Drawn, positions: Position[], next: Position | null): GeoJSON.FeatureCollection {
  const all = next ? [...positions, next] : positions;
  const feature = (geometry: GeoJSON.Geometry): GeoJSON.Feature => ({ type: 'Feature', properties: {}, geometry });
  const features = positions.map((coordinates) => feature({ type: 'Point', coordinates }));
  if (kind === 'area' && all.length > 2) features.push(feature({ type: 'Polygon', coordinates: [[...all, all[0]]] }));
  const edge = kind === 'area' && all.length > 2 ? [...all, all[0]] : all;
  if (kind !== 'point' && all.length > 1) features.push(feature({ type: 'LineString', coordinates: edge }));
  return { type: 'FeatureCollection', features };
}

/** The finished geometry, or null while positions are missing. */
export function geometryOf(kind: Drawn, positions: Position[]): GeoJSON.Geometry | null {
  if (positions.length < FEWEST[kind]) return null;
  if (kind === 'point') return { type: 'Point', coordinates: positions[0] };
  if (kind === 'line') return { type: 'LineString', coordinates: positions };
  return { type: 'Polygon', coordinates: [[...positions, positions[0]]] };
}

/** A pointer's place, of a worldwide map's copies the one that is meant, to a centimetre. */
export function rounded(lng: number, lat: number): Position {
  const lon = ((((lng + 180) % 360) + 360) % 360) - 180;
  return [Number(lon.toFixed(7)), Number(lat.toFixed(7))];
}

/**
 * Lets the reader draw a geometry on a map; null when it was given up. A click sets a position, a double click or Enter finishes,
 * Backspace takes the last position back, Escape gives up. Without a pointer: the arrow keys move the map under a cross in its middle,
 * and the blank sets a position there.
 */
export function draw(map: Canvas, kind: Drawn, { signal, progress, color = '#0969da' }: DrawOptions = {}): Promise<GeoJSON.Geometry | null> {
  return new Promise((resolve) => {
    const positions: Position[] = [];
    let next: Position | null = null;
    const cross = crosshair();
    const canvas = map.getCanvas();
    const cursor = canvas.style.cursor;
    // Double clicks finish the drawing here, and arrow keys are counted in our own steps.
    const hadZoom = map.doubleClickZoom.isEnabled();
    const hadKeys = map.keyboard.isEnabled();

    const paint = () => {
      map.getSource<GeoJSONSource>(SOURCE)?.setData(outline(kind, positions, next));
      progress?.(positions.length, positions.length >= FEWEST[kind]);
    };
    const put = (position: Position) => {
      const last = positions[positions.length - 1];
      // The second click of a double click says nothing new.
      if (last && last[0] === position[0] && last[1] === position[1]) return;
      positions.push(position);
      if (kind === 'point') end(geometryOf(kind, positions));
      else paint();
    };
    const end = (geometry: GeoJSON.Geometry | null) => {
      map.off('click', clicked);
      map.off('dblclick', doubled);
      map.off('mousemove', moved);
      canvas.removeEventListener('keydown', pressed);
      signal?.removeEventListener('abort', abort);
      cross.remove();
      canvas.style.cursor = cursor;
      if (hadZoom) map.doubleClickZoom.enable();
      if (hadKeys) map.keyboard.enable();
      remove(map);
      resolve(geometry);
    };
    const finish = () => {
      const geometry = geometryOf(kind, positions);
      if (geometry) end(geometry);
    };
    const clicked = (event: MapMouseEvent) => put(rounded(event.lngLat.lng, event.lngLat.lat));
    const doubled = (event: MapMouseEvent) => {
      event.preventDefault();
      finish();
    };
    const moved = (event: MapMouseEvent) => {
      next = rounded(event.lngLat.lng, event.lngLat.lat);
      cross.hidden = true;
      paint();
    };
    const abort = () => end(null);
    const pressed = (event: KeyboardEvent) => {
      const pan = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] }[event.key];
      if (pan) {
        map.panBy(pan as [number, number], { duration: 0 });
        next = rounded(map.getCenter().lng, map.getCenter().lat);
        cross.hidden = false;
        paint();
      } else if (event.key === ' ') {
        cross.hidden = false;
        put(rounded(map.getCenter().lng, map.getCenter().lat));
      } else if (event.key === 'Enter') finish();
      else if (event.key === 'Backspace') {
        positions.pop();
        paint();
      } else if (event.key === 'Escape') end(null);
      else return;
      event.preventDefault();
      event.stopPropagation();
    };

    if (signal?.aborted) return resolve(null);
    add(map, color);
    map.getContainer().append(cross);
    canvas.style.cursor = 'crosshair';
    map.doubleClickZoom.disable();
    map.keyboard.disable();
    map.on('click', clicked);
    map.on('dblclick', doubled);
    map.on('mousemove', moved);
    canvas.addEventListener('keydown', pressed);
    signal?.addEventListener('abort', abort);
    canvas.focus();
    paint();
  });
}

function add(map: Canvas, color: string): void {
  remove(map);
  map.addSource(SOURCE, { type: 'geojson', data: { type: 'FeatureCollection', features: [] } });
  map.addLayer({ id: `${SOURCE}:fill`, type: 'fill', source: SOURCE, filter: ['==', ['geometry-type'], 'Polygon'], paint: { 'fill-color': color, 'fill-opacity': 0.15 } });
  map.addLayer({ id: `${SOURCE}:line`, type: 'line', source: SOURCE, filter: ['==', ['geometry-type'], 'LineString'], paint: { 'line-color': color, 'line-width': 2, 'line-dasharray': [2, 1] } });
  map.addLayer({
    id: `${SOURCE}:point`,
    type: 'circle',
    source: SOURCE,
    filter: ['==', ['geometry-type'], 'Point'],
    paint: { 'circle-radius': 4, 'circle-color': '#fff', 'circle-stroke-color': color, 'circle-stroke-width': 2 },
  });
}

function remove(map: Canvas): void {
  for (const name of ['fill', 'line', 'point']) if (map.getLayer(`${SOURCE}:${name}`)) map.removeLayer(`${SOURCE}:${name}`);
  if (map.getSource(SOURCE)) map.removeSource(SOURCE);
}

function crosshair(): HTMLElement {
  const cross = document.createElement('div');
  cross.textContent = '+';
  cross.hidden = true;
  cross.setAttribute('aria-hidden', 'true');
  Object.assign(cross.style, {
    color: '#0969da',
    font: '28px/1 system-ui, sans-serif',
    left: '50%',
    pointerEvents: 'none',
    position: 'absolute',
    textShadow: '0 0 3px #fff, 0 0 3px #fff',
    top: '50%',
    transform: 'translate(-50%, -54%)',
    zIndex: '2',
  });
  return cross;
}
