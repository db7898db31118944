import { expect, test } from 'vitest';
import { requestOf } from '@/api/requests';
import { draftOf, empty, faults, firstOpen, wishOf, yearLater } from './draft';

const TODAY = '2026-03-01';
const square: GeoJSON.Geometry = { type: 'Polygon', coordinates: [[[120, 36], [121, 36], [121, 37], [120, 36]]] };
const full = () => ({ ...empty('clinics', TODAY), purpose: '核对全市社区卫生服务覆盖情况', fields: ['name'] });

test('a step says what it lacks', () => {
  const draft = empty('', TODAY);
  expect(faults('purpose', draft, TODAY)).toEqual(['layer', 'purpose']);
  expect(faults('fields', draft, TODAY)).toEqual(['fields']);
  expect(faults('fields', { ...draft, allFields: true }, TODAY)).toEqual([]);
  expect(faults('extent', draft, TODAY)).toEqual([]);
  expect(faults('extent', { ...draft, extent: 'drawn' }, TODAY)).toEqual(['area']);
  expect(faults('extent', { ...draft, extent: 'divisions' }, TODAY)).toEqual(['divisions']);
  expect(faults('rights', { ...draft, rights: [] }, TODAY)).toEqual(['rights']);
  expect(faults('rights', { ...draft, from: '2026-05-01', until: '2026-04-01' }, TODAY)).toEqual(['term']);
  expect(faults('rights', { ...draft, from: '', until: '2026-02-01' }, TODAY)).toEqual(['past']);
  expect(faults('rights', { ...draft, until: '' }, TODAY)).toEqual(['until']);
  expect(faults('rights', { ...draft, until: '2036-03-01' }, TODAY)).toEqual(['long']);
  expect(faults('check', draft, TODAY)).toEqual(['layer', 'purpose', 'fields']);
  expect(faults('check', full(), TODAY)).toEqual([]);
});

test('one goes on where something is missing', () => {
  expect(firstOpen(empty('', TODAY), TODAY)).toBe('purpose');
  expect(firstOpen({ ...full(), extent: 'drawn' }, TODAY)).toBe('extent');
  expect(firstOpen(full(), TODAY)).toBe('check');
});

test('only the extent that was chosen is sent', () => {
  const draft = { ...full(), area: square, divisions: ['370202'] };
  expect(wishOf(draft)).toMatchObject({ area: null, divisions: [], fields: ['name'], filter: null });
  expect(wishOf({ ...draft, extent: 'drawn' })).toMatchObject({ area: square, divisions: [] });
  expect(wishOf({ ...draft, extent: 'divisions', allFields: true, filter: ' beds > 1 ' })).toMatchObject({ area: null, divisions: ['370202'], fields: null, filter: 'beds > 1' });
});

test('what was kept comes back as it was written', () => {
  const draft = { ...full(), extent: 'drawn' as const, area: square, filter: 'beds > 1', caseNumber: '青卫函〔2026〕1 号' };
  const wish = wishOf(draft);
  expect(draftOf(requestOf({ id: '1', version: 1, state: 'draft', ...wish, asked: wish, asked_area: wish.area }))).toEqual(draft);
});

test('a year ends on the day before', () => {
  expect(yearLater('2026-03-01')).toBe('2027-02-28');
  expect(yearLater('2024-02-29')).toBe('2025-02-28');
});
