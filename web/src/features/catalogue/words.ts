import type { FacetName, Search } from '@/api/records';

export const FACETS: FacetName[] = ['theme', 'department', 'kind', 'share_class', 'openness'];

type Query = Record<string, unknown>;
const one = (value: unknown): string => (typeof value === 'string' ? value.slice(0, 200) : '');

/** The search as a link holds it. */
export const searchOf = (query: Query): Search => ({ q: one(query.q), theme: one(query.theme), department: one(query.department), kind: one(query.kind), share_class: one(query.share_class), openness: one(query.openness), drift: one(query.drift) });
export const queryOf = (search: Search): Record<string, string> => Object.fromEntries(Object.entries(search).filter(([, value]) => value !== ''));

/** A score as a word; the limits are those of the usual four grades. */
export function grade(score: number | null): 'ok' | 'blue' | 'warn' | 'bad' | '' {
  if (score === null) return '';
  if (score >= 85) return 'ok';
  if (score >= 70) return 'blue';
  return score >= 60 ? 'warn' : 'bad';
}

/** A share as people read it: 0.876 is 87.6 %. */
export const percent = (value: number | null, locale: string): string => (value === null ? '—' : value.toLocaleString(locale, { style: 'percent', maximumFractionDigits: 1 }));
