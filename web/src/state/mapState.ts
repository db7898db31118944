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

export interface MapState {
  camera: Camera | null;
  active: Active[];
  place: { lon: number; lat: number } | null;
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

/** The map as a link holds it: `c=lon,lat,zoom`, `l=id*opacity,…`, `p=lon,lat`. Whatever cannot be read is left out. */
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
  };
}

export function encode(state: MapState): Record<string, string> {
  const query: Record<string, string> = {};
  const { camera, active, place } = state;
  if (camera) query.c = `${camera.lon.toFixed(5)},${camera.lat.toFixed(5)},${camera.zoom.toFixed(2)}`;
  if (active.length > 0) {
    query.l = active.map((one) => (one.opacity >= 1 ? one.id : `${one.id}*${Math.round(one.opacity * 100)}`)).join(',');
  }
  if (place) query.p = `${place.lon.toFixed(6)},${place.lat.toFixed(6)}`;
  return query;
}
