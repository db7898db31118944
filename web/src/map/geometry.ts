import type { Bounds, Feature } from '@/api/types';

function walk(part: unknown, seen: (lon: number, lat: number) => void): void {
  if (!Array.isArray(part)) return;
  if (typeof part[0] === 'number' && typeof part[1] === 'number') seen(part[0], part[1]);
  else for (const inner of part) walk(inner, seen);
}

function walkGeometry(geometry: GeoJSON.Geometry | null, seen: (lon: number, lat: number) => void): void {
  if (!geometry) return;
  if (geometry.type === 'GeometryCollection') for (const inner of geometry.geometries) walkGeometry(inner, seen);
  else walk(geometry.coordinates, seen);
}

/** The box around features, or null where none has a place. */
export function boundsOf(features: Feature[]): Bounds | null {
  let box: Bounds | null = null;
  for (const feature of features) {
    walkGeometry(feature.geometry, (lon, lat) => {
      if (!Number.isFinite(lon) || !Number.isFinite(lat)) return;
      box = box ? [Math.min(box[0], lon), Math.min(box[1], lat), Math.max(box[2], lon), Math.max(box[3], lat)] : [lon, lat, lon, lat];
    });
  }
  return box;
}

const EARTH_METRES = 40_075_016.686;

/** Metres on the ground under one pixel; tiles are 512 pixels wide. */
export function metresPerPixel(lat: number, zoom: number): number {
  return (EARTH_METRES * Math.cos((lat * Math.PI) / 180)) / (512 * 2 ** zoom);
}

/** Degrees as the reader prefers them: 120.382640, or 120°22′57.50″E. */
export function degrees(value: number, axis: 'lon' | 'lat', sexagesimal: boolean): string {
  if (!sexagesimal) return value.toFixed(6);
  const sign = axis === 'lon' ? (value < 0 ? 'W' : 'E') : value < 0 ? 'S' : 'N';
  // Hundredths of a second first, so that 59.999″ never shows as 60.00″.
  const hundredths = Math.round(Math.abs(value) * 360_000);
  const whole = Math.floor(hundredths / 360_000);
  const minutes = Math.floor((hundredths % 360_000) / 6000);
  const seconds = (hundredths % 6000) / 100;
  return `${whole}°${String(minutes).padStart(2, '0')}′${seconds.toFixed(2).padStart(5, '0')}″${sign}`;
}

/** How many places of the list before each are the same to the eye: about a metre. */
export function beside(places: { lon: number; lat: number }[]): number[] {
  const seen = new Map<string, number>();
  return places.map(({ lon, lat }) => {
    const key = `${lon.toFixed(5)},${lat.toFixed(5)}`;
    const before = seen.get(key) ?? 0;
    seen.set(key, before + 1);
    return before;
  });
}
