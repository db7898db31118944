/** A layer on the map. The first in the list is drawn on top. */
export interface Active {
  id: string;
  opacity: number;
}

export interface Camera {
  lon: number;
  lat: number;
  zoom: number;
}

/** Two layers side by side, with the divider at a share of the width. */
export interface Swipe {
  left: string;
  right: string;
  divider: number;
}

/** A layer at one of its times. */
export interface Moment {
  layer: string;
  field: string;
  at: string;
  until: boolean;
}

/** What was measured. */
export interface Measured {
  kind: 'line' | 'area';
  at: [number, number][];
}

export interface MapState {
  camera: Camera | null;
  active: Active[];
  place: { lon: number; lat: number } | null;
  swipe?: Swipe | null;
  time?: Moment | null;
  measure?: Measured | null;
}

type Query = Record<string, unknown>;

const ID = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/;
const MOST = 40;

function numbers(text: unknown, count: number): number[] | null {
  if (typeof text !== 'string') return null;
  const parts = text.split(',').map(Number);
  return parts.length === count && parts.every(Number.isFinite) ? parts : null;
}

const onEarth = (lon: number, lat: number) => Math.abs(lon) <= 180 && Math.abs(lat) <= 90;

/** Points of a measure that a link holds. */
const MOST_POINTS = 100;
const starred = (parts: string[]): string => parts.map((part) => encodeURIComponent(part).replace(/\*/g, '%2A')).join('*');

function unstarred(text: unknown): string[] {
  try {
    return typeof text === 'string' ? text.split('*').map(decodeURIComponent) : [];
  } catch {
    return [];
  }
}

function swipeOf(text: unknown): Swipe | null {
  const [left, right, percent] = unstarred(text);
  const at = Number(percent ?? 50);
  return ID.test(left ?? '') && ID.test(right ?? '') && left !== right ? { left, right, divider: Number.isFinite(at) ? Math.min(98, Math.max(2, at)) / 100 : 0.5 } : null;
}

function timeOf(text: unknown): Moment | null {
  const [layer, field, at, until] = unstarred(text);
  return ID.test(layer ?? '') && field && at ? { layer, field, at, until: until === 'until' } : null;
}

function measureOf(text: unknown): Measured | null {
  const [kind, list] = unstarred(text);
  const flat = (list ?? '').split(',').map(Number);
  if ((kind !== 'line' && kind !== 'area') || flat.length % 2 !== 0 || flat.length > 2 * MOST_POINTS) return null;
  const at = flat.flatMap((lon, index): [number, number][] => (index % 2 === 0 ? [[lon, flat[index + 1]]] : []));
  return at.length >= (kind === 'line' ? 2 : 3) && at.every(([lon, lat]) => onEarth(lon, lat)) ? { kind, at } : null;
}

/**
 * The map as a link holds it: `c=lon,lat,zoom`, `l=id*opacity,…`, `p=lon,lat`, `s=left*right*percent`, `t=layer*field*time`,
 * `m=line*lon,lat,…`. Whatever cannot be read is left out.
 */
export function decode(query: Query): MapState {
  const c = numbers(query.c, 3);
  const p = numbers(query.p, 2);
  const active: Active[] = [];
  for (const part of typeof query.l === 'string' ? query.l.split(',') : []) {
    const [id, percent] = part.split('*');
    const opacity = percent === undefined ? 100 : Number(percent);
    if (!ID.test(id) || active.some((one) => one.id === id) || active.length === MOST) continue;
    active.push({ id, opacity: Number.isFinite(opacity) ? Math.min(100, Math.max(0, opacity)) / 100 : 1 });
  }
  return {
    camera: c && onEarth(c[0], c[1]) ? { lon: c[0], lat: c[1], zoom: Math.min(24, Math.max(0, c[2])) } : null,
    active,
    place: p && onEarth(p[0], p[1]) ? { lon: p[0], lat: p[1] } : null,
    swipe: swipeOf(query.s),
    time: timeOf(query.t),
    measure: measureOf(query.m),
  };
}

export function encode(state: MapState): Record<string, string> {
  const query: Record<string, string> = {};
  const { camera, active, place, swipe, time, measure } = state;
  if (camera) query.c = `${camera.lon.toFixed(5)},${camera.lat.toFixed(5)},${camera.zoom.toFixed(2)}`;
  if (active.length > 0) {
    query.l = active.map((one) => (one.opacity >= 1 ? one.id : `${one.id}*${Math.round(one.opacity * 100)}`)).join(',');
  }
  if (place) query.p = `${place.lon.toFixed(6)},${place.lat.toFixed(6)}`;
  if (swipe?.left && swipe.right) query.s = starred([swipe.left, swipe.right, String(Math.round(swipe.divider * 100))]);
  if (time) query.t = starred([time.layer, time.field, time.at, ...(time.until ? ['until'] : [])]);
  if (measure && measure.at.length <= MOST_POINTS) query.m = starred([measure.kind, '']) + measure.at.map(([lon, lat]) => `${lon.toFixed(6)},${lat.toFixed(6)}`).join(',');
  return query;
}
