import { expect, test } from 'vitest';
import type { Field } from '@/api/types';
import { tableOf } from '@/tables/table';
import type { Wish } from './maker';
import { definitionOf, goodId, newId } from './saving';

const field = (name: string): Field => ({ name, type: 'text', title: { zh: name, en: '' } });
const WISH: Wish = { zoneLayer: 'streets', placing: 'join', join: 0, parent: null, lon: null, lat: null, measure: 'sum', value: 2, below: null, people: '', second: { measure: 'sum', value: null, below: null, people: '' }, time: 1, kind: 'symbols', method: 'manual', classes: 3, breaks: [5, 9], palette: 'greens', reversed: false, title: '' };
const TABLE = tableOf('t', [['街道', '年份', '人数', '身份证号'], ['香港中璐', 2023, '1,200', 'secret'], ['八大峡街道', 2024, '', 'secret']]);
const FROM = { wish: WISH, labels: ['人数合计', '行数'], source: { kind: 'file' as const, name: 't' }, table: TABLE, kinds: ['text', 'number', 'number', 'text'] as const, zoneFields: [field('code'), field('name'), field('district')], sourceFields: [], by: 'name' as const, matched: ['香港中路街道', null], slices: ['2023', '2024'], sliceOf: [0, 1] };
const from = { ...FROM, kinds: [...FROM.kinds] };

test('of a file only the needed columns go along, with what the reader decided', () => {
  const made = definitionOf(from);
  expect(made).toMatchObject({
    data: { rows: [{ 街道: '香港中路街道', 年份: '2023', 人数: 1200 }, { 街道: '八大峡街道', 年份: '2024', 人数: null }] },
    zones: { layer: 'streets', code: 'code', name: 'name', parent: 'district' },
    join: { by: 'name', field: '街道' },
    indicator: { kind: 'sum', field: '人数', label: '人数合计' },
    kind: 'graduated_symbols',
    breaks: [5, 9],
    time: { field: '年份', unit: 'year' },
  });
  expect(JSON.stringify(made)).not.toContain('secret');
});

test('dates go along as they were understood', () => {
  const made = definitionOf({ ...from, slices: ['2024-03', '2024-04'], sliceOf: [1, null] });
  expect(made).toMatchObject({ data: { rows: [{ 年份: '2024-04' }, { 年份: null }] }, time: { field: '年份', unit: 'month' } });
});

test('of a layer nothing goes along but its name', () => {
  const made = definitionOf({ ...from, wish: { ...WISH, placing: 'place', measure: 'count', value: 2, time: null, method: 'quantile' }, source: { kind: 'layer', id: 'clinics' }, sourceFields: ['a', 'b', 'c', 'd'].map(field) });
  expect(made).toMatchObject({ data: { layer: 'clinics' }, join: { by: 'location' }, indicator: { kind: 'count' } });
  expect((made as { breaks?: unknown }).breaks).toBeUndefined();
});

test('what is missing is said', () => {
  expect(definitionOf({ ...from, wish: { ...WISH, value: null } })).toBe('measure');
  expect(definitionOf({ ...from, wish: { ...WISH, join: null } })).toBe('field');
});

test('categories go along as they stand, and two figures with their columns', () => {
  const texts = definitionOf({ ...from, wish: { ...WISH, measure: 'category', value: 1, kind: 'categories', time: null } });
  expect(texts).toMatchObject({ data: { rows: [{ 街道: '香港中路街道', 年份: '2023' }, {}] }, indicator: { kind: 'category', field: '年份' }, kind: 'categories' });
  expect(texts).not.toHaveProperty('palette');
  const pair = definitionOf({ ...from, wish: { ...WISH, kind: 'bivariate', time: null, second: { measure: 'count', value: null, below: null, people: '' } } });
  expect(pair).toMatchObject({ indicator: { kind: 'sum', field: '人数' }, second: { kind: 'count', label: '行数' }, kind: 'bivariate' });
  expect(pair).not.toHaveProperty('classes');
  expect(definitionOf({ ...from, wish: { ...WISH, kind: 'bivariate' } })).toBe('measure');
});

test('ids', () => {
  const day = new Date(2026, 10, 5);
  expect(newId('streets', day, (id) => id === 'theme-streets-20261105')).toBe('theme-streets-20261105-2');
  expect([goodId('theme-streets-20261105'), goodId('Theme'), goodId('a'), goodId('x'.repeat(58))]).toEqual([true, false, false, false]);
});
