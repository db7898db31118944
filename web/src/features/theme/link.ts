import { MEASURES } from '@/statistics/aggregate';
import { METHODS, MOST_CLASSES } from '@/statistics/classify';
import { PALETTES } from '@/statistics/palette';
import { KINDS, type Part, type Wish } from './maker';

const LAYER = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/;
const PLAIN = ['zoneLayer', 'placing', 'join', 'parent', 'lon', 'lat', 'measure', 'value', 'below', 'people', 'second', 'time', 'kind', 'method', 'classes', 'breaks', 'palette', 'reversed', 'title'] as const;

/** A map of a layer as a link holds it. */
export const encode = (source: string, wish: Wish): string => JSON.stringify({ source, ...Object.fromEntries(PLAIN.map((name) => [name, wish[name]])) });

const one = <T>(value: unknown, of: readonly T[]): T | undefined => of.find((each) => each === value);
const place = (value: unknown): number | null => (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < 16_384 ? value : null);

function part(value: unknown): Part {
  const raw = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  return { measure: one(raw.measure, MEASURES) ?? 'sum', value: place(raw.value), below: place(raw.below), people: typeof raw.people === 'string' && LAYER.test(raw.people) ? raw.people : '' };
}

/** Reads what a link says as far as it makes sense; whoever wrote it may have written anything. */
export function decode(text: string): (Partial<Wish> & { source: string }) | null {
  let raw: Record<string, unknown>;
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed !== 'object' || parsed === null) return null;
    raw = parsed as Record<string, unknown>;
  } catch {
    return null;
  }
  if (typeof raw.source !== 'string' || !LAYER.test(raw.source)) return null;
  const wish: Partial<Wish> = {};
  if (typeof raw.zoneLayer === 'string' && LAYER.test(raw.zoneLayer)) wish.zoneLayer = raw.zoneLayer;
  for (const name of ['join', 'parent', 'lon', 'lat', 'value', 'below', 'time'] as const) wish[name] = place(raw[name]);
  wish.placing = one(raw.placing, ['join', 'place'] as const) ?? 'join';
  wish.measure = one(raw.measure, [...MEASURES, 'category'] as const) ?? 'count';
  wish.second = part(raw.second);
  wish.kind = one(raw.kind, KINDS) ?? 'choropleth';
  wish.method = one(raw.method, METHODS) ?? 'natural_breaks';
  wish.palette = one(raw.palette, PALETTES) ?? 'blues';
  wish.reversed = raw.reversed === true;
  wish.classes = Math.min(MOST_CLASSES, Math.max(2, place(raw.classes) ?? 5));
  wish.breaks = Array.isArray(raw.breaks) ? raw.breaks.filter((value): value is number => typeof value === 'number' && Number.isFinite(value)).slice(0, MOST_CLASSES) : [];
  if (typeof raw.people === 'string' && LAYER.test(raw.people)) wish.people = raw.people;
  if (typeof raw.title === 'string') wish.title = raw.title.slice(0, 80);
  return { source: raw.source, ...wish };
}
