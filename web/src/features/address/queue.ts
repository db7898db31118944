import type { Candidate } from '@/api/addresses';
import type { Decision, Ranked, Row, Wish } from '@/api/addressJobs';

/** The next row that waits for a decision: after this one, or else from the beginning; -1 when none is left. */
export function nextOpen(rows: Row[], at: number): number {
  const open = (row: Row) => row.decision === null;
  const after = rows.findIndex((row, index) => index > at && open(row));
  return after >= 0 ? after : rows.findIndex((row, index) => index < at && open(row));
}

/** A step that never leaves the list. */
export const stepped = (count: number, at: number, by: number): number => Math.min(Math.max(0, count - 1), Math.max(0, at + by));

export const replaced = (rows: Row[], row: number, next: Partial<Row>): Row[] => rows.map((one) => (one.row === row ? { ...one, ...next } : one));

/** Rows of a further page; a row that both pages hold is taken once. */
export function appended(rows: Row[], more: Row[]): Row[] {
  const known = new Set(rows.map((one) => one.row));
  return [...rows, ...more.filter((one) => !known.has(one.row))];
}

/** A candidate of the row itself is named by its row of the register; one that stands for no row, by its place in the list. */
export function pickOf(one: Candidate | Ranked): Wish {
  if (one.feature !== null) return { kind: 'pick', candidate: { source: one.source, feature: one.feature } };
  if ('index' in one) return { kind: 'pick', candidate: one.index };
  // Found by another search, and no row of the register: its place has to do.
  return { kind: 'place', lon: one.lon, lat: one.lat, label: one.label };
}

/** What the list shows until the server has answered, so that the next key finds the row decided. */
export function foreseen(wish: Wish, note: string, picked: Candidate | null): Decision | null {
  if (wish.kind === 'undo') return null;
  const made = { kind: wish.kind, by: '', at: '', note, follows: null };
  if (wish.kind === 'place') return { ...made, label: wish.label ?? '', lon: wish.lon, lat: wish.lat };
  if (wish.kind === 'pick' && picked) return { ...made, label: picked.label, lon: picked.lon, lat: picked.lat };
  return { ...made, label: '', lon: null, lat: null };
}
