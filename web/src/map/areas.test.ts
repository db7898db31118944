import { expect, test } from 'vitest';
import { areaOf, boxArea, polygonsOf, squareKilometres } from './areas';

test('polygons are taken out and put together again', () => {
  const a = boxArea([120, 36, 121, 37]);
  const b = boxArea([118, 35, 119, 36]);
  expect(areaOf([])).toBeNull();
  expect(areaOf([a])).toEqual({ type: 'Polygon', coordinates: a });
  const both = areaOf([a, b]);
  expect(both?.type).toBe('MultiPolygon');
  expect(polygonsOf(both)).toEqual([a, b]);
  expect(polygonsOf({ type: 'GeometryCollection', geometries: [{ type: 'Point', coordinates: [0, 0] }, { type: 'Polygon', coordinates: a }] })).toEqual([a]);
  expect(polygonsOf(null)).toEqual([]);
});

test('a cell between two parallels has the area the sphere gives it, and holes are not counted', () => {
  // R² · Δλ · (sin φ₂ − sin φ₁), with edges along the parallels.
  const exact = (w: number, s: number, e: number, n: number) => 6371.0072 ** 2 * (((e - w) * Math.PI) / 180) * (Math.sin((n * Math.PI) / 180) - Math.sin((s * Math.PI) / 180));
  const whole = boxArea([120, 36, 121, 37]);
  expect(squareKilometres(areaOf([whole]))).toBeCloseTo(exact(120, 36, 121, 37), 6);
  const hole = boxArea([120.2, 36.2, 120.4, 36.4])[0];
  expect(squareKilometres({ type: 'Polygon', coordinates: [whole[0], hole] })).toBeCloseTo(exact(120, 36, 121, 37) - exact(120.2, 36.2, 120.4, 36.4), 6);
  // The other way round is as large.
  expect(squareKilometres({ type: 'Polygon', coordinates: [[...whole[0]].reverse()] })).toBeCloseTo(exact(120, 36, 121, 37), 6);
});
