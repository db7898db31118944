import { expect, test } from 'vitest';
import { markOf, photo } from './annotations';

test('a feature becomes a mark whatever is missing of it', () => {
  const mark = markOf({ type: 'Feature', id: 7, geometry: null, properties: { text: '漏水', kind: 'area', photos: 'a b', size: 12 } });
  expect(mark).toMatchObject({ id: 7, kind: 'area', text: '漏水', photos: ['a', 'b'], size: 12, color: null, author: '' });
  expect(markOf({ type: 'Feature', id: 1, geometry: null, properties: null })).toMatchObject({ kind: 'point', photos: [] });
});

test('a photo has an address of its own, and its thumbnail another', () => {
  expect(photo('a b', 3, 'x')).toBe('/api/v1/annotations/a%20b/marks/3/photos/x');
  expect(photo('n', 3, 'x', true)).toBe('/api/v1/annotations/n/marks/3/photos/x?size=thumbnail');
});
