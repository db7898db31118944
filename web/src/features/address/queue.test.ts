import { expect, test } from 'vitest';
import { candidateOf } from '@/api/addresses';
import { rowOf, type Row } from '@/api/addressJobs';
import { appended, foreseen, nextOpen, pickOf, replaced, stepped } from './queue';

const row = (number: number, decided = false): Row => rowOf({ row: number, text: `${number}号`, decision: decided ? { kind: 'reject' } : null });
const place = { source: 'city-addresses', label: '山东路9号', lon: 120.38, lat: 36.07, match_level: 'number', score: 0.7 };

test('after a decision comes the next row that waits, at last from the beginning', () => {
  const rows = [row(1), row(2, true), row(3, true), row(4)];
  expect(nextOpen(rows, 1)).toBe(3);
  expect(nextOpen(rows, 3)).toBe(0);
  expect(nextOpen([row(1, true), row(2)], 1)).toBe(-1);
  expect(nextOpen([], 0)).toBe(-1);
});

test('steps stay in the list', () => {
  expect([stepped(3, 2, 1), stepped(3, 0, -10), stepped(3, 1, 1), stepped(0, 0, 1)]).toEqual([2, 0, 2, 0]);
});

test('pages join without doubles, and a row is replaced by its number', () => {
  const rows = appended([row(1), row(2)], [row(2), row(5)]);
  expect(rows.map((one) => one.row)).toEqual([1, 2, 5]);
  expect(replaced(rows, 5, { label: '新' }).map((one) => one.label)).toEqual(['', '', '新']);
});

test('a pick names the row of the register where there is one', () => {
  const [known, unknown] = rowOf({ row: 1, candidates: [{ label: '坏' }, { ...place, feature: 42 }, place] }).candidates;
  expect(pickOf(known)).toEqual({ kind: 'pick', candidate: { source: 'city-addresses', feature: 42 } });
  // The one that cannot be shown still counts in the server's list.
  expect(pickOf(unknown)).toEqual({ kind: 'pick', candidate: 2 });
  const searched = candidateOf({ ...place });
  expect(searched && pickOf(searched)).toEqual({ kind: 'place', lon: 120.38, lat: 36.07, label: '山东路9号' });
});

test('the list shows a decision before the server has answered', () => {
  const [one] = rowOf({ row: 1, candidates: [{ ...place, feature: 42 }] }).candidates;
  expect(foreseen(pickOf(one), '电话核实', one)).toMatchObject({ kind: 'pick', note: '电话核实', label: '山东路9号', lon: 120.38 });
  expect(foreseen({ kind: 'undo' }, '', null)).toBeNull();
  expect(foreseen({ kind: 'place', lon: 1, lat: 2 }, '', null)).toMatchObject({ kind: 'place', lon: 1, lat: 2, label: '' });
  expect(foreseen({ kind: 'reject' }, '', null)).toMatchObject({ kind: 'reject', lon: null });
});
