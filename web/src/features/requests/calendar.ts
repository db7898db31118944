import type { Day } from '@/api/approvals';

/** A line a day: `2026-10-01 休 国庆节`, or `2026-10-10 班 调休`; a range is `2026-10-01~2026-10-07 休 国庆节`. */
export const written = (days: Day[]): string => days.map((one) => `${one.day} ${one.working ? '班' : '休'}${one.note ? ` ${one.note}` : ''}`).join('\n');

const DAY = /^\d{4}-\d{2}-\d{2}$/;
const real = (day: string): boolean => DAY.test(day) && !Number.isNaN(Date.parse(`${day}T00:00:00Z`)) && new Date(`${day}T00:00:00Z`).toISOString().slice(0, 10) === day;
const MOST_RANGE = 31;

function range(text: string): string[] | null {
  const [from, to = from, ...rest] = text.split(/[~～]/);
  if (rest.length > 0 || !real(from) || !real(to) || to < from) return null;
  const days: string[] = [];
  for (let at = Date.parse(`${from}T00:00:00Z`); at <= Date.parse(`${to}T00:00:00Z`); at += 86_400_000) days.push(new Date(at).toISOString().slice(0, 10));
  return days.length <= MOST_RANGE ? days : null;
}

/** The days that are written, and the lines that cannot be read; a day that is written twice counts as it was written last. */
export function read(text: string, year: number): { days: Day[]; wrong: number[] } {
  const days = new Map<string, Day>();
  const wrong: number[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const parts = line.trim().split(/\s+/);
    if (parts[0] === '') continue;
    const named = range(parts[0]);
    const working = { 休: false, off: false, 班: true, work: true }[parts[1] ?? ''];
    if (!named || working === undefined || named.some((day) => !day.startsWith(`${year}-`))) wrong.push(index + 1);
    else for (const day of named) days.set(day, { day, working, note: parts.slice(2).join(' ') });
  }
  return { days: [...days.values()].sort((a, b) => a.day.localeCompare(b.day)), wrong };
}
