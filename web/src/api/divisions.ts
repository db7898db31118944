import { get } from './client';
import { object, text, texts } from './read';
import type { FeatureCollection } from './types';

export interface Division {
  code: string;
  name: string;
}

/** A text within a CQL2 literal; what has a meaning for LIKE loses it. */
const literal = (words: string): string => words.replace(/'/g, "''").replace(/[\\%_]/g, '\\$&');

/** Divisions of one layer whose name or code begins or holds what was typed; of none typed, the first. */
export async function divisions(layer: string, words: string, limit: number, signal?: AbortSignal): Promise<Division[]> {
  const typed = words.trim().slice(0, 40);
  const filter = typed === '' ? undefined : `name LIKE '%${literal(typed)}%' OR code LIKE '${literal(typed)}%'`;
  const found = await get<FeatureCollection>(`/ogc/collections/${encodeURIComponent(layer)}/items`, { limit, properties: 'code,name', skipGeometry: true, filter }, signal);
  return (found.features ?? []).map(({ properties }) => ({ code: text(properties?.code), name: text(properties?.name) })).filter((one) => one.code !== '');
}

let former: Promise<Map<string, string[]>> | null = null;

/** Codes that are no longer in use, each with those that took its place: the whole list, so that nobody learns which were looked up. Asked for once. */
export function formerCodes(): Promise<Map<string, string[]>> {
  former ??= get<unknown>('/api/v1/division-codes').then((body) => new Map(Object.entries(object(object(body).former)).map(([code, now]) => [code, texts(now)])));
  former.catch(() => (former = null));
  return former;
}
