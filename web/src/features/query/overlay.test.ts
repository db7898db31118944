import { expect, test } from 'vitest';
import { begin, formatOf, outcome, wishOf } from './overlay';

test('what kind of file it is', () => {
  expect(['a.CSV', 'b.xlsx', 'c.geojson', 'd.json', 'e.geojsonl', 'f.shp', 'g'].map(formatOf)).toEqual(['csv', 'xlsx', 'geojson', 'geojson', 'geojsonseq', null, null]);
});

test('only what belongs to the choice is asked', () => {
  const form = { ...begin(), layers: ['streets'], lon: 'x', lat: 'y', address: '地址' };
  expect(wishOf(begin(), 'csv')).toBeNull();
  expect(wishOf(form, null)).toBeNull();
  expect(wishOf(form, 'csv')).toEqual({ layers: ['streets'], predicate: 'intersects', max_distance: undefined, crs: 'cgcs2000', format: 'csv' });
  expect(wishOf({ ...form, placing: 'columns', predicate: 'nearest' }, 'xlsx')).toMatchObject({ lon: 'x', lat: 'y', max_distance: 1000 });
  expect(wishOf({ ...form, placing: 'address' }, 'csv')).toMatchObject({ address: '地址', crs: undefined });
  expect(wishOf({ ...form, placing: 'columns', lat: '' }, 'csv')).toBeNull();
  // Features say themselves where they are.
  expect(wishOf({ ...form, placing: 'columns', lat: '' }, 'geojson')).not.toHaveProperty('lon');
});

test('rows with a problem are named, rows with a match are counted', () => {
  const table = { name: '', ragged: [], columns: ['编号', 'streets.id', 'streets.name', 'onemap.problem'], rows: [['1', '7', '香港中路街道', ''], ['2', '', '', ''], ['3', '', '', 'no-place: 没有坐标']] };
  expect(outcome(table)).toEqual({ problems: [{ row: 3, text: 'no-place: 没有坐标' }], matched: 1 });
});
