import { expect, test } from 'vitest';
import type { Column } from '@/api/addressJobs';
import { begin, joined, moved, sampleRows, toggled } from './columns';

const columns: Column[] = [
  { name: '序号', sample: ['1', '2'], guess: 'id' },
  { name: '地址', sample: ['香港中路10号', ' 山东路9号 '], guess: 'address' },
  { name: '区县', sample: ['市南区'], guess: 'division' },
];

test('the guess comes first, as far as the file has it', () => {
  expect(begin(columns, ['地址', '没有的列'])).toEqual(['地址']);
  expect(begin(columns, [])).toEqual(['区县', '地址']);
  expect(begin([columns[0], columns[2]], [])).toEqual([]);
});

test('columns are taken in, out and in another order', () => {
  expect(toggled(['地址'], '区县')).toEqual(['地址', '区县']);
  expect(toggled(['地址', '区县'], '地址')).toEqual(['区县']);
  expect(moved(['地址', '区县'], '区县', -1)).toEqual(['区县', '地址']);
  expect(moved(['地址', '区县'], '地址', -1)).toEqual(['地址', '区县']);
});

test('the joined text is what will be searched for', () => {
  expect(joined(columns, ['区县', '地址'])).toEqual(['市南区香港中路10号', '山东路9号']);
  expect(sampleRows(columns)).toEqual([['1', '香港中路10号', '市南区'], ['2', ' 山东路9号 ', '']]);
  expect(joined([], ['地址'])).toEqual([]);
});
