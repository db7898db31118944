import type { Look, Mark, MarkKind } from '@/api/annotations';
import type { Layer, Session } from '@/api/types';

/** Lets the reader draw on the page's map; null when it was given up. */
export type Draw = (kind: 'point' | 'line' | 'area', options: { color: string; signal: AbortSignal; progress: (positions: number, complete: boolean) => void }) => Promise<GeoJSON.Geometry | null>;

export const KINDS: MarkKind[] = ['point', 'text', 'line', 'area'];
export const COLORS = ['#d1242f', '#bf8700', '#1a7f37', '#0969da', '#8250df', '#1d2733'];

/** The map's own signs that a point may bear. */
export const ICONS = ['flag', 'star', 'warning', 'people', 'home', 'building', 'government', 'school', 'child', 'elder', 'hospital', 'clinic', 'police', 'fire', 'shop', 'bus', 'parking', 'camera', 'water', 'tree', 'park', 'book'] as const;

/** What a new mark looks like; only what its kind shows is kept. */
export interface Pen {
  color: string;
  size: number;
  width: number;
}

export const pen = (): Pen => ({ color: COLORS[0], size: 14, width: 3 });

export function looks(kind: MarkKind, { color, size, width }: Pen): Partial<Look> {
  if (kind === 'point' || kind === 'text') return { color, size };
  if (kind === 'line') return { color, line_width: width };
  return { color, fill: color, line_width: width };
}

/** Of one's own department's layer the publishers change every mark, the others their own. */
export function mayChange(mark: Pick<Mark, 'author'>, layer: Pick<Layer, 'access'> | undefined, user: Pick<Session, 'user'> | null): boolean {
  if (layer?.access === 'edit') return true;
  return layer?.access === 'annotate' && user !== null && mark.author === user.user;
}
