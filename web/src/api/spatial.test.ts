import { expect, test } from 'vitest';
import { named, nearOf, summaryOf } from './spatial';
import { aboutOf } from './themes';

test('a statistic is called as the server calls it', () => {
  expect((['count', 'area', 'length', { sum: 'beds' }, { mean: 'age' }] as const).map(named)).toEqual(['count', 'area_m2', 'length_m', 'sum_beds', 'mean_age']);
});

test('a summary has its zones with or without categories; what is withheld has no figure', () => {
  const geometry = { type: 'Polygon', coordinates: [] };
  const plain = summaryOf({ outside: 3, features: [{ id: '1', geometry, properties: { zone: '1', label: '市南区', count: 5, sum_beds: 7.5 } }, { id: '2', geometry, properties: { zone: '2', label: null, count: null, suppressed: true } }] }, ['count', { sum: 'beds' }], undefined);
  expect(plain.outside).toBe(3);
  expect(plain.zones.map((zone) => [zone.id, zone.label, zone.cells])).toEqual([
    ['1', '市南区', [{ figures: { count: 5, sum_beds: 7.5 }, withheld: false }]],
    ['2', '', [{ figures: { count: null, sum_beds: null }, withheld: true }]],
  ]);
  const parted = summaryOf({ features: [{ id: '1', geometry: null, properties: { zone: '1', categories: [{ category: '甲', count: 2 }, { category: null, count: 1 }] } }] }, ['count'], 'kind');
  expect(parted.zones[0].cells.map((cell) => [cell.category, cell.figures.count])).toEqual([['甲', 2], ['', 1]]);
  expect(summaryOf(null, ['count'], undefined)).toEqual({ zones: [], outside: 0 });
});

test('what is near comes nearest first, of all layers', () => {
  const feature = (distance: number) => ({ type: 'Feature', geometry: null, properties: {}, distance });
  const found = nearOf({ results: [{ index: 0, layers: [{ layer: 'a', features: [feature(5), feature(9)] }, { layer: 'b', features: [feature(7)] }] }] });
  expect(found.map((one) => [one.layer, one.distance])).toEqual([['a', 5], ['b', 7], ['a', 9]]);
});

test('what a theme tells of itself is read as far as it is told', () => {
  const whole = aboutOf({ id: 'x', title: { zh: '题', en: '' }, kind: 'choropleth', revision: 2, figures: { periods: ['2023', '2024'], suppressed: 1, classification: { classes: [{ from: 0, to: 5, count: 3, label: '0 – 5', color: '#fff' }], histogram: { edges: [0, 2, 5], counts: [1, 2] } } }, definition: {} });
  expect(whole).toMatchObject({ editable: true, periods: ['2023', '2024'], histogram: [{ from: 0, to: 2, count: 1 }, { from: 2, to: 5, count: 2 }] });
  expect(aboutOf({ id: 'x', revision: null })).toMatchObject({ editable: false, classes: [], suppressed: null, revision: null });
});
