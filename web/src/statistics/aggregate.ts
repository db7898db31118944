/** What is reckoned for each zone of the rows that lie in it. */
export const MEASURES = ['count', 'sum', 'mean', 'ratio', 'per_km2', 'per_capita'] as const;
export type Measure = (typeof MEASURES)[number];

export interface Ask {
  measure: Measure;
  /** One number per row; what sum, mean, ratio and the densities add up. Null counts the rows. */
  values: (number | null)[] | null;
  /** One number per row, below the line of a ratio. */
  below?: (number | null)[] | null;
  /** Square kilometres of each zone. */
  areas?: (number | null)[];
  /** People of each zone. */
  people?: (number | null)[];
}

interface Sums {
  rows: number;
  sum: number;
  filled: number;
  below: number;
}

function divided(above: number, below: number | null | undefined): number | null {
  return below === null || below === undefined || !(below > 0) ? null : above / below;
}

/**
 * One figure per zone; null where there is none to give: no value, or nothing to divide by. A zone without rows
 * counts 0 but has no mean.
 */
export function aggregate(zones: readonly (number | null)[], count: number, ask: Ask): (number | null)[] {
  const sums: Sums[] = Array.from({ length: count }, () => ({ rows: 0, sum: 0, filled: 0, below: 0 }));
  zones.forEach((zone, row) => {
    if (zone === null) return;
    const into = sums[zone];
    into.rows += 1;
    const value = ask.values?.[row] ?? null;
    const below = ask.below?.[row] ?? null;
    // A ratio counts only rows that have both of its parts.
    if (value === null || (ask.measure === 'ratio' && below === null)) return;
    into.sum += value;
    into.filled += 1;
    into.below += below ?? 0;
  });
  return sums.map((one, zone) => {
    const total = ask.values === null ? one.rows : one.filled > 0 ? one.sum : null;
    switch (ask.measure) {
      case 'count':
        return one.rows;
      case 'sum':
        return total;
      case 'mean':
        return one.filled > 0 ? one.sum / one.filled : null;
      case 'ratio':
        return one.filled > 0 ? divided(one.sum, one.below) : null;
      case 'per_km2':
        return total === null ? null : divided(total, ask.areas?.[zone]);
      case 'per_capita':
        return total === null ? null : divided(total, ask.people?.[zone]);
    }
  });
}
