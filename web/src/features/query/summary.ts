import type { Cell, Statistic, Summary } from '@/api/spatial';
import { named } from '@/api/spatial';
import type { Line } from '@/ui/FigureTable.vue';

/** Which figures are wanted: how many, and of fields their sum and mean. */
export interface Figures {
  count: boolean;
  area: boolean;
  length: boolean;
  sums: string[];
  means: string[];
}

export function statisticsOf(figures: Figures): Statistic[] {
  return [
    ...(figures.count ? (['count'] as const) : []),
    ...(figures.area ? (['area'] as const) : []),
    ...(figures.length ? (['length'] as const) : []),
    ...figures.sums.map((sum) => ({ sum })),
    ...figures.means.map((mean) => ({ mean })),
  ];
}

/** One figure of a zone over all its categories. Means do not add up, so with categories there is none; what is kept back has none either. */
export function total(cells: Cell[], statistic: Statistic): number | null {
  const name = named(statistic);
  if (cells.some((cell) => cell.withheld)) return null;
  if (cells.length === 1) return cells[0].figures[name];
  if (cells.length === 0) return statistic === 'count' ? 0 : null;
  const adds = typeof statistic === 'string' || 'sum' in statistic;
  if (!adds) return null;
  const known = cells.map((cell) => cell.figures[name]).filter((value): value is number => value !== null);
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0);
}

/** The categories with their figures over all zones, the greatest first; one that is kept back somewhere has none. */
export function categoriesOf(summary: Summary, statistic: Statistic, zones: ReadonlySet<number> | null): { name: string; value: number | null; withheld: boolean }[] {
  const cells = new Map<string, Cell[]>();
  summary.zones.forEach((zone, index) => {
    if (zones && !zones.has(index)) return;
    for (const cell of zone.cells) {
      if (cell.category === undefined) continue;
      const there = cells.get(cell.category);
      if (there) there.push(cell);
      else cells.set(cell.category, [cell]);
    }
  });
  return [...cells]
    .map(([name, of]) => ({ name, value: total(of, statistic), withheld: of.some((cell) => cell.withheld) }))
    .sort((a, b) => Number(a.value === null) - Number(b.value === null) || (b.value ?? 0) - (a.value ?? 0));
}

/** A line for each zone and category, its cells under: zone, category (if asked for), figures. */
export function linesOf(summary: Summary, statistics: Statistic[], by: boolean, called: (zone: number) => string): Line[] {
  const lead = by ? 2 : 1;
  let key = -1;
  return summary.zones.flatMap((zone, index) =>
    zone.cells.map((cell): Line => {
      key += 1;
      return {
        key: by ? key : index,
        cells: [called(index), ...(by ? [cell.category ?? ''] : []), ...statistics.map((one) => cell.figures[named(one)])],
        withheld: cell.withheld ? statistics.map((_, at) => lead + at) : undefined,
      };
    }),
  );
}
