import { expect, test } from 'vitest';
import { progress, ranked, shares, thresholdFault, waiting, worthwhile } from './bands';

const percents = (auto: number, review: number, reject: number) => shares({ auto, review, reject }).map((one) => one.percent);

test('shares make a hundred, and nothing that exists disappears', () => {
  expect(percents(1, 1, 1).sort()).toEqual([33, 33, 34]);
  expect(percents(943, 49, 8)).toEqual([94, 5, 1]);
  expect(percents(999_990, 9, 1)).toEqual([98, 1, 1]);
  expect(percents(5, 0, 0)).toEqual([100, 0, 0]);
  expect(percents(0, 0, 0)).toEqual([0, 0, 0]);
  for (const [auto, review, reject] of [[7, 11, 13], [1, 999, 1], [3, 3, 1_000_000]]) expect(percents(auto, review, reject).reduce((a, b) => a + b)).toBe(100);
});

test('progress says 100 only at the end', () => {
  expect(progress({ done: 9999, total: 10_000 })).toBe(99);
  expect(progress({ done: 10_000, total: 10_000 })).toBe(100);
  expect(progress({ done: 5, total: null })).toBe(0);
});

test('rows that wait are never fewer than none', () => {
  expect(waiting({ bands: { auto: 90, review: 8, reject: 2 }, decided: 3 })).toBe(5);
  expect(waiting({ bands: { auto: 90, review: 8, reject: 2 }, decided: 10 })).toBe(0);
});

test('counts are listed most first, in one order for equals', () => {
  expect(ranked({ road: 3, room: 9, unit: 3, none: 0 })).toEqual([{ name: 'room', count: 9 }, { name: 'road', count: 3 }, { name: 'unit', count: 3 }]);
});

test('thresholds', () => {
  expect(thresholdFault({ auto: 90, reject: 30 })).toBeNull();
  expect(thresholdFault({ auto: 30, reject: 30 })).toBe('order');
  expect(thresholdFault({ auto: 101, reject: 30 })).toBe('range');
  expect(thresholdFault({ auto: Number.NaN, reject: 30 })).toBe('range');
});

test('the unlikely are folded away, unless there is nothing else', () => {
  const of = (...scores: (number | null)[]) => worthwhile(scores.map((score) => ({ score }))).map((one) => one.score);
  expect(of(0.9, 0.29, 0.3, null)).toEqual([0.9, 0.3, null]);
  expect(of(0.2, 0.1)).toEqual([0.2, 0.1]);
  expect(of()).toEqual([]);
});
