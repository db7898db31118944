import { aggregate, type Measure } from '@/statistics/aggregate';
import { classify, classOf, type Classes, type Method } from '@/statistics/classify';
import { CATEGORY_COLOURS, colours, NO_DATA, PAIR_COLOURS, SIDE, type Palette } from '@/statistics/palette';

/** Values of all zones for each time; one time where there is no series. */
export type Series = (number | null)[][];

export interface Reckoning {
  zones: (number | null)[];
  count: number;
  measure: Measure;
  values: (number | null)[] | null;
  below: (number | null)[] | null;
  areas?: (number | null)[];
  people?: (number | null)[];
  slices: { names: string[]; of: (number | null)[] } | null;
}

/** One list of figures for each time. */
export function seriesOf(ask: Reckoning): Series {
  if (!ask.slices || ask.slices.names.length === 0) return [aggregate(ask.zones, ask.count, ask)];
  const { names, of } = ask.slices;
  return names.map((_, slice) => aggregate(ask.zones.map((zone, row) => (of[row] === slice ? zone : null)), ask.count, ask));
}

export interface Style {
  method: Method;
  classes: number;
  breaks: number[];
  palette: Palette;
  reversed: boolean;
}

export interface Shown {
  classes: Classes | null;
  /** Of a map of two figures, the other's. */
  second?: Classes | null;
  colours: string[];
  /** The class of each zone at the time that is shown. */
  of: (number | null)[];
  fills: string[];
  /** How many zones each class has at that time. */
  counts: number[];
  /** Zones without a figure. */
  none: number;
}

/** Map, legend, histogram and numbers from one computation. Times share their classes, or the colours could not be compared. */
export function shownOf(series: Series, slice: number, style: Style): Shown {
  const classes = classify(series.flat(), style.method, style.classes, style.breaks);
  const made = classes ? colours(style.palette, classes.upper.length, style.reversed) : [];
  const values = series[Math.min(slice, series.length - 1)] ?? [];
  const of = values.map((value) => (classes ? classOf(value, classes.upper) : null));
  return { classes, ...drawn(of, made) };
}

function drawn(of: (number | null)[], made: readonly string[]): Omit<Shown, 'classes'> {
  return {
    colours: [...made],
    of,
    fills: of.map((one) => (one === null ? NO_DATA : made[one])),
    counts: made.map((_, index) => of.filter((one) => one === index).length),
    none: of.filter((one) => one === null).length,
  };
}

/** Two figures at once, each in three classes: nine colours. A zone needs both. */
export function bothOf(first: Series, second: Series, slice: number, style: Style): Shown {
  const classes = [first, second].map((series) => classify(series.flat(), style.method, SIDE, style.breaks));
  const of = (first[slice] ?? []).map((value, zone) => {
    const [x, y] = [value, second[slice]?.[zone] ?? null].map((one, at) => (classes[at] ? classOf(one, classes[at].upper) : null));
    return x === null || y === null ? null : y * SIDE + x;
  });
  return { classes: classes[0], second: classes[1], ...drawn(of, PAIR_COLOURS) };
}

/** The most frequent text of each zone; of equally frequent ones the first by its characters. */
export function mostFrequent(zones: readonly (number | null)[], count: number, cells: readonly string[]): (string | null)[] {
  const counts: Map<string, number>[] = Array.from({ length: count }, () => new Map());
  zones.forEach((zone, row) => {
    const text = cells[row].trim();
    if (zone !== null && text !== '') counts[zone].set(text, (counts[zone].get(text) ?? 0) + 1);
  });
  return counts.map((of) => [...of].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))[0]?.[0] ?? null);
}

/** The texts that have a colour of their own, the most frequent first; where there are more, the last colour is for all others. */
export function categoriesOf(series: (string | null)[][]): string[] {
  const counts = new Map<string, number>();
  for (const text of series.flat()) if (text !== null) counts.set(text, (counts.get(text) ?? 0) + 1);
  const all = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).map(([text]) => text);
  return all.length > CATEGORY_COLOURS.length ? all.slice(0, CATEGORY_COLOURS.length - 1) : all;
}

/** Zones by their texts; `others` says whether some have one without a colour of its own. */
export function categorised(series: (string | null)[][], slice: number): Shown & { names: string[]; others: boolean } {
  const names = categoriesOf(series);
  const place = (text: string | null): number | null => {
    if (text === null) return null;
    const at = names.indexOf(text);
    return at < 0 ? names.length : at;
  };
  const others = series.flat().some((text) => place(text) === names.length);
  return { classes: null, names, others, ...drawn((series[slice] ?? []).map(place), CATEGORY_COLOURS.slice(0, names.length + Number(others))) };
}

/** Symbols whose surface goes with the figure, the greatest 26 pixels wide at its half. */
export function radii(values: (number | null)[], most: number): number[] {
  return values.map((value) => (value === null || value <= 0 || most <= 0 ? 0 : Math.max(2, 26 * Math.sqrt(value / most))));
}

/** One dot for so many: a round number that gives some three thousand dots at most, and never less than one. */
export function dotValue(values: (number | null)[], most = 3000): number {
  const least = values.reduce<number>((total, value) => total + Math.max(0, value ?? 0), 0) / most;
  if (least <= 1) return 1;
  const power = 10 ** Math.floor(Math.log10(least));
  return power * ([1, 2, 5, 10].find((one) => one * power >= least * (1 - 1e-9)) ?? 10);
}
