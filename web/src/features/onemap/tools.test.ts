import { expect, test } from 'vitest';
import type { LayerDetail } from '@/api/types';
import { begin, comparing, sideOf } from './sides';
import { dated } from './time';

const active = ['a', 'b', 'c'].map((id) => ({ id, opacity: 1 }));
const ids = (list: { id: string }[]) => list.map((one) => one.id).join('');

test('each side shows all but the layer of the other', () => {
  const sides = begin(active);
  expect([ids(sideOf(active, sides, 'left')), ids(sideOf(active, sides, 'right')), comparing(active, sides)]).toEqual(['ac', 'bc', true]);
  // A layer that was taken off the map leaves nothing to compare.
  const gone = active.slice(1);
  expect([ids(sideOf(gone, sides, 'left')), comparing(gone, sides), comparing(active, null)]).toEqual(['bc', false, false]);
});

test('times come from dates that one may read', () => {
  const field = (name: string, type: string, readable = true) => ({ name, type, readable, title: { zh: name, en: name } });
  const layer = { fields: [field('d', 'date'), field('t', 'timestamp'), field('x', 'date', false), field('n', 'integer')] } as LayerDetail;
  expect(dated(layer).map((one) => one.name)).toEqual(['d', 't']);
  expect(dated({ ...layer, tiles_only: true })).toEqual([]);
});
