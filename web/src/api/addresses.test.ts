import { expect, test } from 'vitest';
import { aliasesOf } from './addressAliases';
import { answerOf, aroundOf, parsedOf, sourcesOf } from './addresses';
import { comparisonOf, countsOf, jobOf, rowOf } from './addressJobs';

const feature = (properties: object) => ({ type: 'Feature', geometry: { type: 'Point', coordinates: [120.38, 36.07] }, properties });
const door = { source: 'doors', feature: 7, label: '香港中路12号', score: 0.98, match_level: 'number', elements: { newer: 'x', roadno: '12号', road: '香港中路' }, verdicts: { road: 'similar', roadno: 'agree' }, parts: { street: 0.9, margin: null } };

test('an answer is read as the server writes it, and what cannot be shown is left out', () => {
  const read = answerOf({ type: 'FeatureCollection', features: [feature(door), { type: 'Feature', geometry: null, properties: door }, null], faults: ['typo', 3], remainder: '请电联', not_ready: ['poi'] });
  expect(read.candidates).toHaveLength(1);
  expect(read.candidates[0]).toMatchObject({ source: 'doors', feature: 7, lon: 120.38, lat: 36.07, coordinate_level: 'number', parts: { street: 0.9 } });
  expect(read.candidates[0].elements).toEqual([{ name: 'road', text: '香港中路', verdict: 'similar' }, { name: 'roadno', text: '12号', verdict: 'agree' }, { name: 'newer', text: 'x', verdict: null }]);
  expect([read.faults, read.remainder, read.notReady]).toEqual([['typo', '3'], '请电联', ['poi']]);
  expect(answerOf('<html>')).toEqual({ candidates: [], faults: [], remainder: '', notReady: [] });
});

test('a place tells its divisions and the distance', () => {
  const read = aroundOf({ features: [feature({ ...door, distance: 12.4 })], divisions: [{ element: 'district', text: '市南区', source: 'd', feature: 1 }, { element: 'town', text: '八大湖街道' }] });
  expect([read.divisions, read.candidates[0].distance]).toEqual([['市南区', '八大湖街道'], 12.4]);
});

test('pieces without a place in the text are left out', () => {
  const read = parsedOf({ results: [{ elements: [{ element: 'road', text: '山东路', start: 0, end: 3 }, { element: 'poi', text: 'x', start: 3, end: 3 }, {}], standard: '山东路', remainder: '' }] });
  expect(read.pieces).toEqual([{ element: 'road', text: '山东路', start: 0, end: 3 }]);
});

test('a draft has columns and a guess, a started job the columns that were chosen', () => {
  const draft = jobOf({ id: 'a', state: 'draft', filename: '居民.xlsx', rows: 3, columns: [{ name: '地址', sample: ['甲', null], guess: 'address' }, { name: '' }], guess: { address: ['地址'] } });
  expect([draft.columns, draft.chosen, draft.total]).toEqual([[{ name: '地址', sample: ['甲', ''], guess: 'address' }], ['地址'], 3]);
  const started = jobOf({ id: 'a', state: 'running', columns: ['区', '地址'], total: 9, done: 4, bands: { auto: 3, review: 1 } });
  expect([started.columns, started.chosen, started.bands]).toEqual([[], ['区', '地址'], { auto: 3, review: 1, reject: 0 }]);
});

test('a row that needs no choice offers its own answer; a withheld one offers nothing', () => {
  const row = { row: 5, text: '香岗中路12', band: 'auto', ...door, lon: 120.38, lat: 36.07, candidates: [], decision: { kind: 'pick', by: 'person:李娜', at: '2026-11-24T08:00:00Z', label: '香港中路12号', lon: 1, lat: 2 } };
  expect(rowOf(row).candidates.map((one) => [one.label, one.feature, one.index])).toEqual([['香港中路12号', 7, 0]]);
  expect(rowOf(row).decision).toMatchObject({ kind: 'pick', by: '李娜', note: '', lon: 1 });
  expect(rowOf({ ...row, label: null, lon: null, lat: null, withheld: true }).candidates).toEqual([]);
  expect(rowOf({ decision: { kind: 'unknown' } })).toMatchObject({ band: 'review', match_level: 'none', decision: null });
});

test('counts end with what lies in no division', () => {
  const read = countsOf({ counts: [{ name: '新贵都', district: '市南区', town: '八大湖街道', community: '新贵都', count: 12, review: 1 }], unknown: { count: 2, review: 0 } });
  expect(read).toEqual([{ name: '新贵都', within: '市南区 八大湖街道', count: 12, review: 1 }, { name: '', within: '', count: 2, review: 0 }]);
  expect(countsOf({ counts: [], unknown: { count: 0, review: 0 } })).toEqual([]);
});

test('a comparison', () => {
  const read = comparisonOf({ same: 9, better: 1, rows: [{ row: 4, text: '甲', change: 'better', before: { band: 'review', label: null, match_level: 'road' }, after: { label: '乙', match_level: 'number' } }], next: '4' });
  expect(read).toMatchObject({ same: 9, better: 1, worse: 0, changed: 0, next: '4' });
  expect(read.rows[0]).toEqual({ row: 4, text: '甲', change: 'better', before: { label: '', match_level: 'road' }, after: { label: '乙', match_level: 'number' } });
});

test('remembered decisions', () => {
  const read = aliasesOf({ aliases: [{ id: 3, text: '老轻工楼', kind: 'pick', by: '李娜', at: '2026-11-24T08:00:00Z', note: '', label: '香港中路12号' }, { id: 4, kind: 'other' }], next: null });
  expect(read.aliases.map((one) => [one.id, one.given, one.label])).toEqual([['3', '老轻工楼', '香港中路12号']]);
});

test('only sources that this reader may search are offered', () => {
  const read = sourcesOf({ sources: [{ layer: 'doors', title: { zh: '门牌', en: 'Doors' }, searched: true }, { layer: 'hidden', searched: false }, {}] });
  expect(read).toEqual([{ layer: 'doors', title: { zh: '门牌', en: 'Doors' } }]);
});
