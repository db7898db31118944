import { describe, expect, test } from 'vitest';
import type { Zone } from '@/statistics/join';
import { tableOf } from '@/tables/table';
import { guess, placesOf, rowsOf, zonesOf } from './columns';
import { bothOf, categorised, dotValue, mostFrequent, radii, seriesOf, shownOf, type Style } from './result';
import { slicesOf } from '@/statistics/slices';

const zone = (code: string, name: string): Zone => ({ id: code, code, name, within: [] });
const ZONES = [zone('370202', '市南区'), zone('370203', '市北区'), zone('370212', '崂山区')];
const STYLE: Style = { method: 'quantile', classes: 2, breaks: [], palette: 'blues', reversed: false };

describe('what columns are', () => {
  test('is found by what they hold rather than by their names', () => {
    const table = tableOf('t', [['序号', '单位', '年份', '常住人口（人）'], [1, '市南区', 2023, 10], [2, '市北区', 2024, 20]]);
    expect(guess(table, ZONES)).toMatchObject({ join: 1, value: 3, time: 2, lon: null, lat: null });
  });

  test('codes are no figures', () => {
    const table = tableOf('t', [['区划代码', '人数'], ['370202', 5], ['370203', 6]]);
    expect(guess(table, ZONES)).toMatchObject({ join: 0, value: 1 });
    expect(guess(table, [])).toMatchObject({ join: 0, value: 1 });
  });

  test('places are found, and what is none on earth is none', () => {
    const table = tableOf('t', [['名称', '经度', '纬度'], ['甲', 120.38, 36.06], ['乙', 999, 36], ['丙', '', '']]);
    expect(guess(table, ZONES)).toMatchObject({ lon: 1, lat: 2 });
    expect(placesOf(table, 1, 2)).toEqual([[120.38, 36.06], null, null]);
  });

  test('a layer is read like a table', () => {
    const features = [{ type: 'Feature' as const, id: 7, geometry: { type: 'Point' as const, coordinates: [1, 2] }, properties: { code: '37', n: 5, street: 's' } }];
    const fields = [{ name: 'code', type: 'text', title: { zh: '代码', en: '' } }, { name: 'n', type: 'integer', title: { zh: '', en: '' } }];
    expect(rowsOf('l', fields, features, (field) => field.title.zh)).toEqual({ table: { name: 'l', columns: ['代码', 'n'], rows: [['37', '5']], ragged: [] }, places: [[1, 2]] });
    expect(zonesOf(features)).toEqual([{ id: '7', code: '37', name: '', within: ['s'] }]);
  });
});

test('what is no point counts once, at a place of its own', () => {
  const at = (geometry: GeoJSON.Geometry | null) => rowsOf('l', [], [{ type: 'Feature', geometry, properties: {} }], () => '').places;
  expect(at({ type: 'LineString', coordinates: [[0, 0], [1, 1], [2, 0]] })).toEqual([[1, 1]]);
  expect(at({ type: 'Polygon', coordinates: [[[0, 0], [2, 0], [2, 2], [0, 2], [0, 0]]] })?.[0]?.[0]).toBe(1);
  expect(at(null)).toBeNull();
});

test('times are days, months or years, whichever a slider holds', () => {
  expect(slicesOf(['2024', '2023', '', '2024'])).toEqual({ names: ['2023', '2024'], of: [1, 0, null, 1] });
  expect(slicesOf(['2024年3月', '2024/12', '2023-03-01']).names).toEqual(['2023-03-01', '2024-03', '2024-12']);
  const days = Array.from({ length: 200 }, (_, day) => new Date(Date.UTC(2024, 0, 1 + day)).toISOString().slice(0, 10));
  expect(slicesOf(days).names).toHaveLength(7);
  expect(slicesOf(Array.from({ length: 100 }, (_, index) => `甲${index}`)).names).toEqual([]);
  expect(slicesOf(['二季度', '一季度']).names).toHaveLength(2);
});

test('map, legend and numbers are one computation, and times share their classes', () => {
  const series = seriesOf({ zones: [0, 1, 0, 1, null], count: 3, measure: 'sum', values: [1, 2, 30, 40, 99], below: null, slices: { names: ['a', 'b'], of: [0, 0, 1, 1, 1] } });
  expect(series).toEqual([[1, 2, null], [30, 40, null]]);
  const [first, second] = [0, 1].map((slice) => shownOf(series, slice, STYLE));
  expect(first.classes).toEqual(second.classes);
  expect([first.counts, second.counts, first.none]).toEqual([[2, 0], [0, 2], 1]);
  expect(first.fills[0]).toBe(first.colours[0]);
  expect(second.fills[0]).toBe(first.colours[1]);
});

test('a zone has the text that occurs most, of equals the first; the ninth kind shares a colour', () => {
  expect(mostFrequent([0, 0, 0, 1, 1, null, 2], 3, ['甲', '乙', '乙 ', 'b', 'a', 'x', ''])).toEqual(['乙', 'a', null]);
  const few = categorised([['甲', '乙', '乙', null]], 0);
  expect([few.names, few.others, few.of, few.counts, few.none]).toEqual([['乙', '甲'], false, [1, 0, 0, null], [2, 1], 1]);
  const many = categorised([Array.from({ length: 10 }, (_, at) => `种类${at}`)], 0);
  expect([many.names.length, many.others, many.colours.length, many.counts[7]]).toEqual([7, true, 8, 3]);
});

test('two figures are three by three classes, and a zone needs both', () => {
  const made = bothOf([[1, 2, 3, null]], [[30, 20, 10, 5]], 0, { ...STYLE, method: 'equal_interval' });
  expect(made.of).toEqual([6, 4, 2, null]);
  expect([made.colours.length, made.none, new Set(made.colours).size]).toEqual([9, 1, 9]);
});

test('the surface of a symbol goes with the figure; nothing has none', () => {
  const [small, large, none] = radii([25, 100, null], 100);
  expect([small * 2, none]).toEqual([large, 0]);
});

test('one dot stands for a round number', () => {
  expect(dotValue([9_000_000])).toBe(5000);
  expect(dotValue([10, 20, null])).toBe(1);
  expect(dotValue([])).toBe(1);
});
