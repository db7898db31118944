import { expect, test } from 'vitest';
import { identifier, inspectionOf, LAYER_ID, proposed } from './inspection';

test('a report with missing parts is still read', () => {
  expect(inspectionOf(null)).toBeNull();
  const read = inspectionOf({ layers: [{ name: '社区', crs: { epsg: 4490 } }, null], problems: ['坏', { zh: '中', en: 'en' }, 3] });
  expect(read?.layers.map((one) => [one.name, one.crs.confidence, one.fields.length])).toEqual([['社区', 'declared', 0], ['2', 'unknown', 0]]);
  expect(read?.problems).toEqual([{ zh: '坏', en: '坏' }, { zh: '中', en: 'en' }]);
});

test('guesses wait for a person, declarations do not', () => {
  const read = inspectionOf({
    layers: [
      { name: 'a', crs: { epsg: 4547, needs_confirmation: true, confidence: 'guessed' }, axes: { swapped: true }, datum_suspicion: { datum: 'gcj02' } },
      { name: 'b', crs: { epsg: 4490, confidence: 'declared' } },
      { name: 'c', crs: { confidence: 'unknown', needs_confirmation: true } },
    ],
  });
  const [a, b, c] = read?.layers.map(proposed) ?? [];
  expect(a).toEqual({ crs: 4547, datum: 'gcj02', swap_axes: true, encoding: '', confirmed: { crs: false, datum: false, axes: false } });
  expect(b.confirmed).toEqual({ crs: true, datum: true, axes: true });
  expect(b.crs).toBeNull();
  expect([c.crs, c.confirmed.crs]).toEqual([null, false]);
});

test('identifiers', () => {
  expect(identifier('Civil Affairs/社区 2024.shp')).toBe('civil-affairs-2024-shp');
  expect(identifier('社区')).toBe('');
  expect(LAYER_ID.test('civil-affairs_2')).toBe(true);
  for (const wrong of ['2-a', 'health-', 'A', '社区', `a${'b'.repeat(63)}`]) expect(LAYER_ID.test(wrong), wrong).toBe(false);
});
