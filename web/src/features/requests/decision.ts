import type { Deed } from '@/api/requests';
import type { Terms } from '@/api/terms';

/** What an approver gives of what was asked: the same, or less. */
export interface Verdict {
  fields: string[] | null;
  rights: Terms['rights'];
  from: string;
  until: string;
  /** Rows have to fulfil this too; a CQL2 text. */
  filter: string;
  /** What is granted lies in here too; null is all that was asked for. */
  area: GeoJSON.Geometry | null;
}

const day = (moment: string | null): string => moment?.slice(0, 10) ?? '';

export const asAsked = (asked: Terms): Verdict => ({
  fields: asked.fields && [...asked.fields],
  rights: [...asked.rights],
  from: day(asked.from),
  until: day(asked.until),
  filter: '',
  area: null,
});

/** Which parts differ from what was asked. */
export function narrowed(asked: Terms, verdict: Verdict): string[] {
  const before = asAsked(asked);
  return (Object.keys(before) as (keyof Verdict)[]).filter((part) => JSON.stringify(before[part]) !== JSON.stringify(verdict[part]));
}

/** What forbids the decision, as keys of texts. */
export function faults(asked: Terms, verdict: Verdict): string[] {
  const found: string[] = [];
  if (verdict.fields !== null && verdict.fields.length === 0) found.push('fields');
  if (verdict.rights.length === 0) found.push('rights');
  if (asked.until && (verdict.until === '' || verdict.until > day(asked.until))) found.push('longer');
  if (asked.from && (verdict.from === '' || verdict.from < day(asked.from))) found.push('earlier');
  if (verdict.from && verdict.until && verdict.from > verdict.until) found.push('term');
  return found;
}

/** As it is sent: only the parts that were narrowed, the rest stands as it was asked. */
export function deedOf(asked: Terms, verdict: Verdict, note: string): Deed {
  const parts = narrowed(asked, verdict).filter((part) => part !== 'area') as Exclude<keyof Verdict, 'area'>[];
  return {
    note,
    ...(parts.length > 0 ? { granted: Object.fromEntries(parts.map((part) => [part, verdict[part] === '' ? null : verdict[part]])) } : {}),
    ...(verdict.area ? { area: verdict.area } : {}),
  };
}
