import { expect, test } from 'vitest';
import { geometryOf, outline, rounded } from '../src/draw';
import type { Position } from '../src/types';

const three: Position[] = [
  [0, 0],
  [1, 0],
  [1, 1],
];

test('a geometry is finished when it has enough positions, and a ring is closed', () => {
  expect(geometryOf('line', three.slice(0, 1))).toBeNull();
  expect(geometryOf('area', three.slice(0, 2))).toBeNull();
  expect(geometryOf('point', three.slice(0, 1))).toEqual({ type: 'Point', coordinates: [0, 0] });
  expect(geometryOf('area', three)).toEqual({ type: 'Polygon', coordinates: [[...three, three[0]]] });
});

test('the outline shows the next position without keeping it', () => {
  const kinds = (positions: Position[], next: Position | null) => outline('area', positions, next).features.map((one) => one.geometry.type);
  expect(kinds(three.slice(0, 1), [1, 0])).toEqual(['Point', 'LineString']);
  expect(kinds(three.slice(0, 2), [1, 1])).toEqual(['Point', 'Point', 'Polygon', 'LineString']);
});

test('a place on another copy of the world is the place itself', () => {
  expect(rounded(480.123456789, 36)).toEqual([120.1234568, 36]);
  expect(rounded(-190, 0)).toEqual([170, 0]);
});
