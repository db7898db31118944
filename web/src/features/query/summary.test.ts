import { expect, test } from 'vitest';
import type { Cell, Summary } from '@/api/spatial';
import { categoriesOf, linesOf, statisticsOf, total } from './summary';

const cell = (category: string | undefined, count: number | null, withheld = false): Cell => ({ category, figures: { count, mean_age: count }, withheld });
const outline = { type: 'Feature' as const, properties: null, geometry: null };
const SUMMARY: Summary = {
  outside: 0,
  zones: [
    { id: 'a', label: '甲', outline, cells: [cell('男', 7), cell('女', 9)] },
    { id: 'b', label: '乙', outline, cells: [cell('男', 5), cell('女', null, true)] },
  ],
};

test('figures as they are asked for', () => {
  expect(statisticsOf({ count: true, area: false, length: true, sums: ['beds'], means: ['age'] })).toEqual(['count', 'length', { sum: 'beds' }, { mean: 'age' }]);
});

test('totals add up what adds up, and give nothing kept back away', () => {
  expect(total(SUMMARY.zones[0].cells, 'count')).toBe(16);
  expect(total(SUMMARY.zones[1].cells, 'count')).toBeNull();
  expect(total(SUMMARY.zones[0].cells, { mean: 'age' })).toBeNull();
  expect(total([cell(undefined, 4)], { mean: 'age' })).toBe(4);
  expect([total([], 'count'), total([], 'area')]).toEqual([0, null]);
});

test('categories over all zones, or over those picked', () => {
  expect(categoriesOf(SUMMARY, 'count', null)).toEqual([{ name: '男', value: 12, withheld: false }, { name: '女', value: null, withheld: true }]);
  expect(categoriesOf(SUMMARY, 'count', new Set([0]))).toEqual([{ name: '女', value: 9, withheld: false }, { name: '男', value: 7, withheld: false }]);
});

test('a line knows which of its cells are kept back', () => {
  const lines = linesOf(SUMMARY, ['count'], true, (zone) => SUMMARY.zones[zone].label);
  expect(lines[3]).toEqual({ key: 3, cells: ['乙', '女', null], withheld: [2] });
  expect(lines[0].withheld).toBeUndefined();
});
