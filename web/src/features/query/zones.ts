import type { ZonesWish } from '@/api/spatial';
import { empty, geometryOf, type Sketch, type SketchKind } from '@/map/sketch';

export const WAYS = ['draw', 'near', 'divisions', 'layer', 'grid', 'h3'] as const;
export type Way = (typeof WAYS)[number];

/** Where one counts, as the form says it. */
export interface Zones {
  way: Way;
  sketch: Sketch | null;
  /** Around what is drawn; several rings at once. */
  metres: number[];
  level: 'district' | 'street' | 'community';
  layer: string;
  size: number;
  resolution: number;
}

export const beginZones = (): Zones => ({ way: 'divisions', sketch: null, metres: [500], level: 'street', layer: '', size: 1000, resolution: 8 });

/** What each way has drawn. */
export const DRAWN: Partial<Record<Way, SketchKind[]>> = { draw: ['area', 'box'], near: ['point', 'line'] };

export const sketchOf = (way: Way): Sketch | null => {
  const [kind] = DRAWN[way] ?? [];
  return kind ? empty(kind) : null;
};

const MOST_METRES = 100_000;

/** Distances as people write them: 500，1000 or 500 1000. */
export function metresOf(text: string): number[] {
  const all = text.normalize('NFKC').split(/[\s,、;]+/).filter(Boolean).map(Number);
  return all.every((one) => one > 0 && one <= MOST_METRES) ? [...new Set(all)].sort((a, b) => a - b).slice(0, 10) : [];
}

/** What the server is asked with; null while something is missing. */
export function zonesOf(zones: Zones): ZonesWish | null {
  const shape = zones.sketch ? geometryOf(zones.sketch) : null;
  switch (zones.way) {
    case 'draw':
      return shape ? { geometry: shape } : null;
    case 'near':
      if (!shape || zones.metres.length === 0) return null;
      return { buffers: shape.type === 'Point' ? { points: [[shape.coordinates[0], shape.coordinates[1]]], distances_m: zones.metres } : { geometry: shape, distances_m: zones.metres } };
    case 'divisions':
      return { divisions: zones.level, label: 'name' };
    case 'layer':
      return zones.layer ? { layer: zones.layer } : null;
    case 'grid':
      return zones.size >= 10 && zones.size <= 100_000 ? { grid: { size_m: zones.size } } : null;
    case 'h3':
      return Number.isInteger(zones.resolution) && zones.resolution >= 0 && zones.resolution <= 12 ? { h3: { resolution: zones.resolution } } : null;
  }
}
