import { describe, expect, test } from 'vitest';
import { classify, classOf, dragged, histogram, METHODS, type Method } from './classify';


const upper = (values: (number | null)[], method: Method, classes: number, breaks?: number[]) => classify(values, method, classes, breaks)?.upper;

/** Employees per square kilometre in the 58 counties of California: the example of mapclassify (BSD-3), whose documentation gives the breaks. */
const CALEMP = [
  329.92, 0.42, 5.9, 14.03, 2.78, 1.34, 181.27, 1.65, 10.03, 16.7, 1.32, 3.99, 3.16, 0.22, 8.7, 6.56, 3.27, 0.33, 370.5, 4.51, 75.29, 0.99, 2.74, 8.68, 0.14, 0.92, 12.63, 28.7, 12.02, 722.85, 36.68, 0.74, 29.82, 192.05, 3.38, 11.15, 110.74,
  4111.45, 49.47, 10.33, 317.11, 20.47, 264.93, 66.26, 5.39, 0.13, 0.61, 50.65, 40.48, 36.67, 13.09, 1.81, 0.2, 7.6, 2.51, 57.26, 24.32, 6.97,
];

/** All ways to cut sorted values into classes, to find the best by trying. */
function least(values: number[], classes: number): number {
  const spread = (part: number[]) => {
    const middle = part.reduce((sum, one) => sum + one, 0) / part.length;
    return part.reduce((sum, one) => sum + (one - middle) ** 2, 0);
  };
  if (classes === 1) return spread(values);
  let best = Infinity;
  for (let cut = classes - 1; cut < values.length; cut += 1) best = Math.min(best, least(values.slice(0, cut), classes - 1) + spread(values.slice(cut)));
  return best;
}

function cost(values: number[], bounds: number[]): number {
  const parts = bounds.map((_, index) => values.filter((one) => classOf(one, bounds) === index));
  return parts.reduce((sum, part) => {
    const middle = part.reduce((total, one) => total + one, 0) / (part.length || 1);
    return sum + part.reduce((total, one) => total + (one - middle) ** 2, 0);
  }, 0);
}

function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

describe('classes', () => {
  test.each<[Method, number, number[], number[]]>([
    ['equal_interval', 5, [822.394, 1644.658, 2466.922, 3289.186, 4111.45], [57, 0, 0, 0, 1]],
    ['quantile', 5, [1.464, 5.798, 13.278, 54.616, 4111.45], [12, 11, 12, 11, 12]],
    ['natural_breaks', 5, [75.29, 192.05, 370.5, 722.85, 4111.45], [49, 3, 4, 1, 1]],
    ['head_tail', 5, [125.928, 811.26, 4111.45], [50, 7, 1]],
  ])('%s, as published', (method, classes, bounds, counts) => {
    const made = classify(CALEMP, method, classes);
    expect(made?.upper.map((one) => Number(one.toFixed(3)))).toEqual(bounds);
    expect(made?.counts).toEqual(counts);
  });

  test('of equal width', () => {
    expect(upper([0, 3, 10], 'equal_interval', 4)).toEqual([2.5, 5, 7.5, 10]);
    expect(upper([-10, null, 10, NaN], 'equal_interval', 2)).toEqual([0, 10]);
  });

  test('of equally many values, as NumPy and R interpolate', () => {
    expect(upper([1, 2, 3, 4], 'quantile', 4)).toEqual([1.75, 2.5, 3.25, 4]);
    expect(classify([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 'quantile', 5)?.counts).toEqual([2, 2, 2, 2, 2]);
  });

  test('with natural breaks that no other cut betters', () => {
    const next = random(7);
    for (let round = 0; round < 60; round += 1) {
      const values = Array.from({ length: 5 + Math.floor(next() * 9) }, () => Math.round(next() ** 3 * 40)).sort((a, b) => a - b);
      const distinct = new Set(values).size;
      const classes = 2 + Math.floor(next() * 3);
      const bounds = upper(values, 'natural_breaks', classes) ?? [];
      expect(bounds.length).toBe(Math.min(classes, distinct));
      if (distinct > classes) expect(cost(values, bounds)).toBeCloseTo(least(values, classes), 8);
    }
  });

  test('by head and tail, as Jiang cuts', () => {
    // Zipf: 1, 1/2 … 1/10. Its mean is 0.2929; three lie above, whose mean is 0.6111; one lies above that.
    const zipf = Array.from({ length: 10 }, (_, index) => 1 / (index + 1));
    const bounds = upper(zipf, 'head_tail', 12) ?? [];
    expect(bounds.map((one) => Number(one.toFixed(4)))).toEqual([0.2929, 0.6111, 1]);
    // Spread evenly there is no head: one cut and no more.
    expect(upper([1, 2, 3, 4], 'head_tail', 5)).toEqual([2.5, 4]);
  });

  test('by deviations from the mean', () => {
    const values = [2, 4, 4, 4, 5, 5, 7, 9];
    const spread = Math.sqrt(32 / 7);
    expect(upper(values, 'standard_deviation', 4)).toEqual([5 - spread, 5, 5 + spread, 9]);
    expect(upper(values, 'standard_deviation', 3)).toEqual([5 - spread, 5 + spread, 9]);
  });

  test('by hand', () => {
    expect(classify([1, 5, 9], 'manual', 5, [5, 2])).toEqual({ upper: [2, 5, 9], min: 1, counts: [1, 1, 1] });
    expect(upper([1, 5, 9], 'manual', 5, [0, 4, 20])).toEqual([4, 20]);
  });

  test('are fewer where values are equal, and none where there are none', () => {
    for (const method of METHODS) {
      expect(upper([7, 7, 7], method, 5)).toEqual([7]);
      expect(classify([null, NaN, Infinity], method, 5)).toBeNull();
    }
    expect(upper([1, 1, 1, 1, 5], 'quantile', 4)).toEqual([1, 5]);
  });

  test('hold every value once, the bound in the class below it', () => {
    const next = random(3);
    const values = Array.from({ length: 500 }, () => Math.round(next() * 80) - 20);
    for (const method of METHODS) {
      const made = classify(values, method, 6, [0, 10, 30]);
      expect(made?.counts.reduce((sum, one) => sum + one, 0), method).toBe(500);
      expect(made?.upper.every((one, index) => index === 0 || one > made.upper[index - 1]), method).toBe(true);
    }
    expect([classOf(2, [2, 5]), classOf(2.1, [2, 5]), classOf(9, [2, 5]), classOf(null, [2])]).toEqual([0, 1, 1, null]);
  });
});

test('a histogram holds every value', () => {
  const values = [...Array.from({ length: 99 }, (_, index) => index), null, 1000];
  const bars = histogram(values);
  expect(bars.reduce((sum, one) => sum + one.count, 0)).toBe(100);
  expect([bars[0].from, bars[bars.length - 1].to]).toEqual([0, 1000]);
  expect(histogram([4, 4])).toEqual([{ from: 4, to: 4, count: 2 }]);
});

test('a dragged break stays between its neighbours', () => {
  expect(dragged([10, 20, 30], 0, 0, 14.26)).toEqual([14.3, 20]);
  expect(dragged([10, 20, 30], 0, 0, 99)).toEqual([20, 20]);
  expect(dragged([10, 20, 30], 0, 1, -5)).toEqual([10, 10]);
});
