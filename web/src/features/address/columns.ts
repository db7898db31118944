import type { Column } from '@/api/addressJobs';

/** The columns taken for the address at first: the server's guess, as far as the file has them. */
export function begin(columns: Column[], guessed: string[]): string[] {
  const known = guessed.filter((name) => columns.some((one) => one.name === name));
  if (known.length > 0) return known;
  // Divisions go before the address, as they are written.
  const of = (guess: Column['guess']) => columns.filter((one) => one.guess === guess).map((one) => one.name);
  const address = of('address');
  return address.length > 0 ? [...of('division'), ...address] : [];
}

/** Takes a column in at the end, or out. */
export function toggled(chosen: string[], name: string): string[] {
  return chosen.includes(name) ? chosen.filter((one) => one !== name) : [...chosen, name];
}

/** Moves a chosen column one place on. */
export function moved(chosen: string[], name: string, by: number): string[] {
  const from = chosen.indexOf(name);
  const to = from + by;
  if (from < 0 || to < 0 || to >= chosen.length) return chosen;
  const next = [...chosen];
  next.splice(from, 1);
  next.splice(to, 0, name);
  return next;
}

/** The sample rows of the file. */
export function sampleRows(columns: Column[]): string[][] {
  const count = Math.max(0, ...columns.map((one) => one.sample.length));
  return Array.from({ length: count }, (_, row) => columns.map((one) => one.sample[row] ?? ''));
}

/** What will be searched for in each sample row. */
export function joined(columns: Column[], chosen: string[]): string[] {
  const picked = chosen.flatMap((name) => columns.find((one) => one.name === name) ?? []);
  return sampleRows(columns).map((_, row) => picked.map((one) => (one.sample[row] ?? '').trim()).join(''));
}
