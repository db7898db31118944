import type { Said } from './types';

/** Reading of answers whose parts may be missing or of another kind than thought: never throws, never invents. */
export type Loose = Record<string, unknown>;

export const object = (value: unknown): Loose => (typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Loose) : {});
export const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
export const text = (value: unknown): string => (typeof value === 'string' ? value : typeof value === 'number' ? String(value) : '');
export const texts = (value: unknown): string[] => list(value).map(text).filter(Boolean);

export function number(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

/** Who did something, without what kind of account it was: `person:li.na` is li.na. */
export const who = (value: unknown): string => text(value).replace(/^person:/, '');

/** The entries of a map of counts or shares. */
export function numbers(value: unknown): Record<string, number> {
  return Object.fromEntries(Object.entries(object(value)).filter((entry): entry is [string, number] => number(entry[1]) !== null));
}

/** A text in both languages, whether the server sent one or two; null where there is none. */
export function saying(value: unknown): Said | null {
  if (typeof value === 'string') return value === '' ? null : { zh: value, en: value };
  const { zh, en } = object(value);
  const said = { zh: text(zh) || text(en), en: text(en) || text(zh) };
  return said.zh === '' ? null : said;
}

/** A moment or a date as the server writes it; null where there is none. */
export const when = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);
