import { expect, test } from 'vitest';
import { areaOf, from, lengthOf, ringOf } from './geodesic';

test('lengths on the ellipsoid', () => {
  // A degree of the equator is a · π / 180; the meridian's quarter of this ellipsoid is 10 001 965.729 m.
  expect(lengthOf([[120, 0], [121, 0]])).toBeCloseTo((6378137 * Math.PI) / 180, 6);
  expect(lengthOf([[120, 0], [120, 90]])).toBeCloseTo(10_001_965.729, 2);
  expect(lengthOf([[120, 36]])).toBe(0);
});

test('areas on the ellipsoid, of either turn, with holes', () => {
  // An eighth of the whole surface, which is 510 065 621.7 km².
  const eighth: GeoJSON.Position[] = [[0, 0], [90, 0], [90, 90]];
  expect(ringOf(eighth).area / 1e6).toBeCloseTo(510_065_621.724 / 8, 0);
  expect(ringOf([...eighth].reverse()).area).toBeCloseTo(ringOf(eighth).area, 3);
  const square = (size: number): GeoJSON.Position[] => [[120, 36], [120 + size, 36], [120 + size, 36 + size], [120, 36 + size], [120, 36]];
  const whole = areaOf({ type: 'Polygon', coordinates: [square(0.1)] });
  expect(areaOf({ type: 'Polygon', coordinates: [square(0.1), square(0.05)] })).toBeCloseTo(whole - ringOf(square(0.05)).area, 3);
  expect(areaOf({ type: 'Point', coordinates: [1, 1] })).toBe(0);
});

test('a place so far away is so far away', () => {
  expect(lengthOf([[120.38, 36.07], from(120.38, 36.07, 73, 1500)])).toBeCloseTo(1500, 6);
});
