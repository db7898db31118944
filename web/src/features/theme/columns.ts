import type { Feature, Field } from '@/api/types';
import { innerPoint } from '@/statistics/inside';
import { looksLikeCodes, type Zone } from '@/statistics/join';
import { kindOf, numberOf, type Kind, type Table } from '@/tables/table';

/** What the columns of a table seem to be; the places of columns, or null. */
export interface Guess {
  kinds: Kind[];
  join: number | null;
  parent: number | null;
  lon: number | null;
  lat: number | null;
  value: number | null;
  time: number | null;
}

const NAMES = {
  code: /区划代码|行政代码|社区代码|街道代码|区市代码|^代码$|^code$|_code$/i,
  name: /^(?:区市|区县|市区|区|县|街道|街道（镇）|街镇|镇街|乡镇|社区|社区（村）|村居|名称|行政区|行政区划|地区|单位|name|district|street|community)$/i,
  parent: /^(?:区市|区县|市区|所属区|所在区|街道|街道（镇）|所属街道|district|street|上级)$/i,
  lon: /^(?:经度|lon|lng|longitude|x)$/i,
  lat: /^(?:纬度|lat|latitude|y)$/i,
  time: /^(?:年份|年度|年|月份|月|日期|时间|统计时间|统计年度|year|month|date|time)$/i,
  id: /序号|编号|编码|代码|^id$|_id$|code|no\.?$/i,
};

const column = (table: Table, index: number) => table.rows.slice(0, 500).map((row) => row[index]);

/** How many of the first cells are names or codes of these zones. */
function fits(cells: string[], known: ReadonlySet<string>): number {
  const filled = cells.filter((cell) => cell !== '');
  return filled.length === 0 ? 0 : filled.filter((cell) => known.has(cell)).length / filled.length;
}

export function guess(table: Table, zones: Zone[]): Guess {
  const kinds = table.columns.map((_, index) => kindOf(table, index));
  const names = table.columns.map((name) => name.replace(/[（(].*$/, '').trim() || name);
  const first = (test: RegExp, fit: (index: number) => boolean = () => true): number | null => {
    const found = names.findIndex((name, index) => (test.test(name) || test.test(table.columns[index])) && kinds[index] !== 'empty' && fit(index));
    return found < 0 ? null : found;
  };
  const known = new Set(zones.flatMap((zone) => [zone.code, zone.name]));
  const scores = table.columns.map((_, index) => fits(column(table, index), known));
  const best = scores.reduce((top, score, index) => (score > scores[top] ? index : top), 0);
  const join = scores[best] > 0.3 ? best : (first(NAMES.code, (index) => looksLikeCodes(column(table, index))) ?? first(NAMES.name, (index) => kinds[index] === 'text'));
  const lon = first(NAMES.lon, (index) => kinds[index] === 'number');
  const lat = first(NAMES.lat, (index) => kinds[index] === 'number');
  const time = first(NAMES.time);
  const taken = new Set([join, lon, lat, time]);
  const value = table.columns.findIndex((name, index) => kinds[index] === 'number' && !taken.has(index) && !NAMES.id.test(name) && !looksLikeCodes6(column(table, index)));
  return { kinds, join, parent: first(NAMES.parent, (index) => index !== join && kinds[index] === 'text'), lon, lat, value: value < 0 ? null : value, time };
}

/** Numbers that are codes of divisions: all of six digits or more, and of one length. */
function looksLikeCodes6(cells: string[]): boolean {
  const filled = cells.filter((cell) => cell !== '');
  return filled.length > 0 && filled.every((cell) => /^\d{6,12}$/.test(cell)) && new Set(filled.map((cell) => cell.length)).size === 1;
}

/** A layer's rows as a table, and where each of them is. */
export interface Rows {
  table: Table;
  places: ([number, number] | null)[] | null;
}

/** A point where it is, a line at its middle vertex, an area at a place within it: each counts once. */
function placeOf(geometry: GeoJSON.Geometry | null): [number, number] | null {
  if (geometry?.type === 'Point') return [geometry.coordinates[0], geometry.coordinates[1]];
  if (geometry?.type === 'LineString') {
    const [x, y] = geometry.coordinates[geometry.coordinates.length >> 1];
    return [x, y];
  }
  return innerPoint(geometry);
}

export function rowsOf(name: string, fields: Field[], features: Feature[], title: (field: Field) => string): Rows {
  const seen = new Map<string, number>();
  const columns = fields.map((field) => {
    const wish = title(field) || field.name;
    const before = seen.get(wish) ?? 0;
    seen.set(wish, before + 1);
    return before === 0 ? wish : `${wish}_${before + 1}`;
  });
  const cell = (value: unknown) => (value === null || value === undefined ? '' : String(value));
  return {
    table: { name, columns, rows: features.map((feature) => fields.map((field) => cell(feature.properties?.[field.name]))), ragged: [] },
    places: features.some((feature) => feature.geometry) ? features.map((feature) => placeOf(feature.geometry)) : null,
  };
}

/** Where the rows of a table with coordinates are; what is no place on earth is none. */
export function placesOf(table: Table, lon: number, lat: number): ([number, number] | null)[] {
  return table.rows.map((row) => {
    const x = numberOf(row[lon]);
    const y = numberOf(row[lat]);
    return x === null || y === null || Math.abs(x) > 180 || Math.abs(y) > 90 ? null : [x, y];
  });
}

const WITHIN = ['street', 'district', 'town', 'county', 'city'];

/** The divisions of a layer, by its fields `code` and `name`. */
export function zonesOf(features: Feature[]): Zone[] {
  const cell = (value: unknown) => (value === null || value === undefined ? '' : String(value));
  return features.map((feature, index) => ({
    id: String(feature.id ?? index),
    code: cell(feature.properties?.code),
    name: cell(feature.properties?.name),
    within: WITHIN.map((field) => cell(feature.properties?.[field])).filter(Boolean),
  }));
}
