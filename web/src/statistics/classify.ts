/**
 * Class breaks of a list of numbers, in the browser: the same as the server's POST /api/v1/classify gives.
 * Classes are closed above: a value belongs to the first class whose upper bound is not below it.
 */
export const METHODS = ['natural_breaks', 'quantile', 'equal_interval', 'standard_deviation', 'head_tail', 'manual'] as const;
export type Method = (typeof METHODS)[number];

export interface Classes {
  /** The upper bound of each class, ascending; the last is the greatest value. */
  upper: number[];
  min: number;
  /** How many values lie in each class. */
  counts: number[];
}

export const MOST_CLASSES = 12;

const ascending = (a: number, b: number) => a - b;
const finite = (values: readonly (number | null)[]): number[] => values.filter((one): one is number => one !== null && Number.isFinite(one)).sort(ascending);

/** The class of a value; null for none. What lies above all, as values of another time may, is in the last. */
export function classOf(value: number | null, upper: number[]): number | null {
  if (value === null || !Number.isFinite(value) || upper.length === 0) return null;
  let low = 0;
  let high = upper.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (upper[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** R's type 7, NumPy's default: linear between the two nearest. */
export function quantileOf(sorted: number[], share: number): number {
  const at = (sorted.length - 1) * share;
  const below = Math.floor(at);
  const above = Math.min(sorted.length - 1, below + 1);
  return sorted[below] * (1 - (at - below)) + sorted[above] * (at - below);
}

/** By shares, so that the width of a range over most of what numbers have does not become infinite. */
const along = (min: number, max: number, share: number): number => (share === 1 ? max : min * (1 - share) + max * share);

const shares = (classes: number): number[] => Array.from({ length: classes }, (_, index) => (index + 1) / classes);

/** Divided before they are added: two large values must not become infinite. */
const mean = (values: readonly number[]): number => values.reduce((sum, one) => sum + one / values.length, 0);

/** Of a sample (n − 1), as statistics packages give it. */
export function deviation(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const middle = mean(values);
  return Math.sqrt(values.reduce((sum, one) => sum + (one - middle) ** 2, 0) / (values.length - 1));
}

/** Whole deviations round the mean; the mean itself where the number of classes is even. */
function standardDeviation(sorted: number[], classes: number): number[] {
  const each = Math.floor((classes - 1) / 2);
  const multiples = Array.from({ length: 2 * each + 1 }, (_, index) => index - each).filter((one) => one !== 0 || classes % 2 === 0);
  const middle = mean(sorted);
  const spread = deviation(sorted);
  return multiples.map((one) => middle + one * spread);
}

/** Jiang (2013): what lies above the mean is cut again, as long as that is a minority of at most 40 %; the first cut is always made. */
function headTail(sorted: number[], classes: number): number[] {
  const upper: number[] = [];
  let head = sorted;
  while (upper.length + 1 < classes && head.length > 1) {
    const middle = mean(head);
    const rest = head.filter((one) => one > middle);
    const minority = rest.length <= 0.4 * head.length;
    if (rest.length === 0 || (!minority && upper.length > 0)) break;
    upper.push(middle);
    head = rest;
    if (!minority) break;
  }
  return upper;
}

/** Distinct values, and from running sums the squared deviations of any run of them from its mean. */
function runs(sorted: number[]): { values: number[]; cost: (from: number, to: number) => number } {
  const [least] = sorted;
  const most = sorted[sorted.length - 1];
  // Moved and scaled: squares of large values that lie close together would drown their differences.
  const middle = least / 2 + most / 2;
  const scale = most / 2 - least / 2 || 1;
  const values: number[] = [];
  const sums: [number, number, number][] = [[0, 0, 0]];
  let [n, s, q] = sums[0];
  sorted.forEach((one, at) => {
    const value = (one - middle) / scale;
    n += 1;
    s += value;
    q += value * value;
    if (sorted[at + 1] === one) return;
    values.push(one);
    sums.push([n, s, q]);
  });
  const cost = (from: number, to: number): number => {
    const [a, b] = [sums[from], sums[to]];
    return Math.max(0, b[2] - a[2] - (b[1] - a[1]) ** 2 / (b[0] - a[0]));
  };
  return { values, cost };
}

/**
 * The classes with the least sum of squared deviations from their means (Fisher 1958, Jenks 1977), exactly. The best
 * place of the last break never moves left when values are added, so each row of the table is filled by divide and
 * conquer: k·m·log m steps for m distinct values.
 */
function naturalBreaks(sorted: number[], classes: number): number[] {
  const { values, cost } = runs(sorted);
  const m = values.length;
  if (m <= classes) return values;
  let before = Float64Array.from(values, (_, end) => cost(0, end + 1));
  const starts: Int32Array[] = [];
  for (let number = 2; number <= classes; number += 1) {
    const now = new Float64Array(m).fill(Infinity);
    const start = new Int32Array(m);
    const fill = (low: number, high: number, from: number, to: number): void => {
      if (low > high) return;
      const middle = low + ((high - low) >> 1);
      let best = Infinity;
      let at = from;
      for (let begins = from; begins <= Math.min(middle, to); begins += 1) {
        const total = before[begins - 1] + cost(begins, middle + 1);
        if (total < best) {
          best = total;
          at = begins;
        }
      }
      now[middle] = best;
      start[middle] = at;
      fill(low, middle - 1, from, at);
      fill(middle + 1, high, at, to);
    };
    fill(number - 1, m - 1, number - 1, m - 1);
    before = now;
    starts.push(start);
  }
  const upper = [values[m - 1]];
  let end = m - 1;
  for (const start of starts.reverse()) {
    end = start[end] - 1;
    upper.unshift(values[end]);
  }
  return upper;
}

function counted(sorted: number[], upper: number[]): number[] {
  const counts = upper.map(() => 0);
  for (const one of sorted) counts[classOf(one, upper) ?? 0] += 1;
  return counts;
}

function bounds(sorted: number[], method: Method, classes: number, breaks: readonly number[]): number[] {
  const [min] = sorted;
  const max = sorted[sorted.length - 1];
  if (method === 'manual') {
    const own = breaks.filter(Number.isFinite).sort(ascending);
    return own.length > 0 && own[own.length - 1] >= max ? own : [...own, max];
  }
  if (min === max) return [max];
  const made = {
    equal_interval: () => shares(classes).map((share) => along(min, max, share)),
    quantile: () => shares(classes).map((share) => quantileOf(sorted, share)),
    natural_breaks: () => naturalBreaks(sorted, classes),
    head_tail: () => headTail(sorted, classes),
    standard_deviation: () => standardDeviation(sorted, classes),
  }[method]();
  // Where a bound is rounded away from the greatest value, the greatest value is meant.
  return [...made.filter((bound) => bound >= min && bound < max), max];
}

/**
 * Divides values into classes; what is no number is left out. There may be fewer classes than asked for: equal values
 * are never parted. `breaks` are the upper bounds of `manual`. Null where there are no numbers.
 */
export function classify(values: readonly (number | null)[], method: Method, classes: number, breaks: readonly number[] = []): Classes | null {
  const sorted = finite(values);
  if (sorted.length === 0) return null;
  const made = bounds(sorted, method, Math.max(2, Math.min(MOST_CLASSES, Math.floor(classes))), breaks);
  // No class has two equal bounds, and none lies below all values.
  const upper = made.filter((one, index) => one >= sorted[0] && (index === 0 || one > made[index - 1]));
  return { upper, min: sorted[0], counts: counted(sorted, upper) };
}

export interface Bar {
  from: number;
  to: number;
  count: number;
}

/**
 * Bars as wide as Freedman and Diaconis (1981) say, 2·IQR·n^(−1/3), from 5 to 60 of them. A bar holds what is above its
 * lower edge, up to and with its upper one; the first one its lower edge too.
 */
export function histogram(values: readonly (number | null)[]): Bar[] {
  const sorted = finite(values);
  if (sorted.length === 0) return [];
  const [min] = sorted;
  const max = sorted[sorted.length - 1];
  if (min === max) return [{ from: min, to: max, count: sorted.length }];
  const width = (2 * (quantileOf(sorted, 0.75) - quantileOf(sorted, 0.25))) / Math.cbrt(sorted.length);
  const wanted = width > 0 ? Math.ceil(max / width - min / width) : 0;
  const bars = Number.isFinite(wanted) ? Math.min(60, Math.max(5, wanted)) : 60;
  const edges = Array.from({ length: bars + 1 }, (_, index) => along(min, max, index / bars));
  const counts = counted(sorted, edges.slice(1));
  return counts.map((count, index) => ({ from: edges[index], to: edges[index + 1], count }));
}

/** A break where the reader drags it: with as many digits as the scale needs, never past its neighbours. */
export function dragged(upper: number[], min: number, index: number, to: number): number[] {
  const span = upper[upper.length - 1] - min;
  const digits = Math.max(0, 2 - Math.floor(Math.log10(span || 1)));
  const least = index === 0 ? min : upper[index - 1];
  const value = Number(to.toFixed(Math.min(12, digits)));
  return upper.map((one, at) => (at === index ? Math.min(upper[index + 1], Math.max(least, value)) : one)).slice(0, -1);
}
