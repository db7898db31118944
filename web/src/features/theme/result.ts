import { aggregate, type Measure } from '@/statistics/aggregate';
import { classify, classOf, type Classes, type Method } from '@/statistics/classify';
import { colours, NO_DATA, type Palette } from '@/statistics/palette';

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
  return {
    classes,
    colours: made,
    of,
    fills: of.map((one) => (one === null ? NO_DATA : made[one])),
    counts: made.map((_, index) => of.filter((one) => one === index).length),
    none: of.filter((one) => one === null).length,
  };
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
