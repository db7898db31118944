import { expect, test } from 'vitest';
import { refusal } from './file';

test('a file is refused with the reason that helps', () => {
  const said = (name: string, size = 10) => refusal([{ name, size }]);
  expect([said('居民.xlsx'), said('A.CSV'), said('b.tsv'), said('c.txt')]).toEqual([null, null, null, null]);
  expect([said('旧表.xls'), said('表.et'), said('图.zip'), said('空.csv', 0)]).toEqual(['oldExcel', 'oldExcel', 'kind', 'empty']);
  expect([refusal([]), refusal([{ name: 'a.csv', size: 1 }, { name: 'b.csv', size: 1 }])]).toEqual(['none', 'several']);
});
