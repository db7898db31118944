import { expect, test } from 'vitest';
import { aggregate } from './aggregate';

const ZONES = [0, 0, 1, null, 1];
const VALUES = [4, null, 6, 100, 2];

test('counts, sums and means leave out what lies nowhere or is empty', () => {
  expect(aggregate(ZONES, 3, { measure: 'count', values: null })).toEqual([2, 2, 0]);
  expect(aggregate(ZONES, 3, { measure: 'sum', values: VALUES })).toEqual([4, 8, null]);
  expect(aggregate(ZONES, 3, { measure: 'mean', values: VALUES })).toEqual([4, 4, null]);
});

test('a ratio is of sums, over rows that have both parts', () => {
  expect(aggregate(ZONES, 3, { measure: 'ratio', values: VALUES, below: [8, 5, null, 1, 4] })).toEqual([0.5, 0.5, null]);
  expect(aggregate([0], 1, { measure: 'ratio', values: [3], below: [0] })).toEqual([null]);
});

test('densities divide by what the zone has, and are nothing where it has none', () => {
  expect(aggregate(ZONES, 3, { measure: 'per_km2', values: null, areas: [2, 0.5, 1] })).toEqual([1, 4, 0]);
  expect(aggregate(ZONES, 3, { measure: 'per_capita', values: VALUES, people: [8, 0, 9] })).toEqual([0.5, null, null]);
});
