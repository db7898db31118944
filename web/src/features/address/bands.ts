import type { Candidate } from '@/api/addresses';
import { BANDS, type AddressJob, type Band } from '@/api/addressJobs';
import { REJECT } from '@/ui/address';

export interface Share {
  band: Band;
  count: number;
  /** Whole percent; the three make 100, and what is not nothing is at least 1. */
  percent: number;
}

/** The bands' shares of what is matched so far. */
export function shares(counts: Record<Band, number>): Share[] {
  const total = BANDS.reduce((sum, band) => sum + counts[band], 0);
  const made = BANDS.map((band) => ({ band, count: counts[band], exact: total > 0 ? (counts[band] / total) * 100 : 0 }));
  const whole = made.map((one) => ({ ...one, percent: one.count > 0 ? Math.max(1, Math.floor(one.exact)) : 0 }));
  if (total > 0) {
    let open = 100 - whole.reduce((sum, one) => sum + one.percent, 0);
    // The largest remainders get what is missing; where the ones took too much, the largest gives it back.
    const byRest = [...whole].sort((a, b) => b.exact - b.percent - (a.exact - a.percent));
    for (let at = 0; open > 0; at = (at + 1) % byRest.length) {
      if (byRest[at].count === 0) continue;
      byRest[at].percent += 1;
      open -= 1;
    }
    if (open < 0) [...whole].sort((a, b) => b.count - a.count)[0].percent += open;
  }
  return whole.map(({ band, count, percent }) => ({ band, count, percent }));
}

export const progress = (job: Pick<AddressJob, 'done' | 'total'>): number => (job.total ? Math.min(100, Math.floor((job.done / job.total) * 100)) : 0);

/** Rows that still wait for a person. Decisions may also be made in the other bands. */
export const waiting = (job: Pick<AddressJob, 'bands' | 'decided'>): number => Math.max(0, job.bands.review - job.decided);

/** A map of counts as lines, most first. */
export function ranked(counts: Record<string, number>): { name: string; count: number }[] {
  return Object.entries(counts)
    .filter(([, count]) => count > 0)
    .sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
    .map(([name, count]) => ({ name, count }));
}

/** Thresholds in whole percent, as the reader sets them. */
export interface Thresholds {
  auto: number;
  reject: number;
}

/** What is wrong with them, or null: the doubtful must lie between. */
export function thresholdFault({ auto, reject }: Thresholds): 'range' | 'order' | null {
  if (![auto, reject].every((one) => Number.isFinite(one) && one >= 0 && one <= 100)) return 'range';
  return reject < auto ? null : 'order';
}

/** The candidates that are worth a look; all of them where none is. */
export function worthwhile<C extends Pick<Candidate, 'score'>>(candidates: C[]): C[] {
  const likely = candidates.filter((one) => one.score === null || one.score >= REJECT);
  return likely.length > 0 ? likely : candidates;
}
