import { expect, test } from 'vitest';
import { days, faults, queryOf, searchOf, tallies, whoOf } from './tallies';

const figure = (day: string, layer: string, requests: number, refused = 0) => ({ day, layer, department: 'health', requests, refused, rows: requests * 10, bytes: requests * 100 });
const figures = [figure('2026-03-02', 'a', 3, 1), figure('2026-03-01', 'b', 7), figure('2026-03-01', 'a', 5, 2)];

test('the parts add up to the same whole, whichever way they are told apart', () => {
  expect(tallies(figures, 'layer')).toEqual([
    { name: 'a', requests: 8, refused: 3, rows: 80, bytes: 800 },
    { name: 'b', requests: 7, refused: 0, rows: 70, bytes: 700 },
  ]);
  expect(tallies(figures, 'day').map((one) => [one.name, one.requests])).toEqual([['2026-03-01', 12], ['2026-03-02', 3]]);
  for (const by of ['day', 'layer', 'department'] as const) expect(tallies(figures, by).reduce((sum, one) => sum + one.requests, 0)).toBe(15);
  expect(tallies([], 'day')).toEqual([]);
});

test('days without an access are days too', () => {
  expect(days('2026-02-27', '2026-03-01')).toEqual(['2026-02-27', '2026-02-28', '2026-03-01']);
  expect(days('2026-03-02', '2026-03-01')).toEqual([]);
});

test('a search goes through its link', () => {
  const search = searchOf({ who: 'person:wang', layer: 'a', feature: '12', after: 'x' });
  expect(queryOf(search)).toEqual({ who: 'person:wang', layer: 'a', feature: '12' });
  expect(faults(search)).toEqual([]);
});

test('a search that cannot be made is told before it is sent', () => {
  expect(faults(searchOf({ feature: '1' }))).toEqual(['layer']);
  expect(faults(searchOf({ feature: 'x', layer: 'a', status: '99', from: '2026-03-02', to: '2026-03-01' }))).toEqual(['feature', 'status', 'term']);
});

test('whose name it is', () => {
  expect(whoOf('person:li:min')).toEqual({ kind: 'person', name: 'li:min' });
  expect(whoOf('anonymous')).toEqual({ kind: 'anonymous', name: '' });
});
