import type { Figure, Search } from '@/api/audit';

export interface Tally {
  name: string;
  requests: number;
  refused: number;
  rows: number;
  bytes: number;
}

/** Adds figures up by one of their names, the most used first; days in their order. */
export function tallies(figures: Figure[], by: 'day' | 'layer' | 'department'): Tally[] {
  const sums = new Map<string, Tally>();
  for (const one of figures) {
    const name = one[by];
    const sum = sums.get(name) ?? { name, requests: 0, refused: 0, rows: 0, bytes: 0 };
    sum.requests += one.requests;
    sum.refused += one.refused;
    sum.rows += one.rows;
    sum.bytes += one.bytes;
    sums.set(name, sum);
  }
  return [...sums.values()].sort(by === 'day' ? (a, b) => a.name.localeCompare(b.name) : (a, b) => b.requests - a.requests || a.name.localeCompare(b.name));
}

/** Every day from the first to the last, also those of which there are no figures. */
export function days(from: string, to: string): string[] {
  const all: string[] = [];
  const end = Date.parse(`${to}T00:00:00Z`);
  for (let at = Date.parse(`${from}T00:00:00Z`); at <= end && all.length < 400; at += 86_400_000) all.push(new Date(at).toISOString().slice(0, 10));
  return all;
}

const NAMES = ['department', 'who', 'layer', 'operation', 'feature', 'from', 'to', 'status', 'request'] as const;

/** A search as a link holds it. */
export function searchOf(query: Record<string, unknown>): Search {
  const one = (name: string): string => (typeof query[name] === 'string' ? (query[name] as string).slice(0, 200) : '');
  return Object.fromEntries(NAMES.map((name) => [name, one(name)])) as unknown as Search;
}
export const queryOf = (search: Search): Record<string, string> => Object.fromEntries(Object.entries(search).filter(([, value]) => value !== ''));

/** What keeps a search from being made, as keys of texts. */
export function faults(search: Search): string[] {
  const found: string[] = [];
  if (search.feature !== '' && !/^\d{1,18}$/.test(search.feature)) found.push('feature');
  if (search.feature !== '' && search.layer === '') found.push('layer');
  if (search.status !== '' && !/^[1-5]\d\d$/.test(search.status)) found.push('status');
  if (search.from !== '' && search.to !== '' && search.from >= search.to) found.push('term');
  return found;
}

/** Whose name stands in a record: the kind, and the name. */
export function whoOf(who: string): { kind: string; name: string } {
  const at = who.indexOf(':');
  return at < 0 ? { kind: who, name: '' } : { kind: who.slice(0, at), name: who.slice(at + 1) };
}

/** The text of an operation; a dot in its name would lead into the texts below. */
export const operationKey = (name: string): string => `audit.operation.${name.replace(/\./g, '_')}`;
