import { expect, test } from 'vitest';
import type { Feature } from '@/api/types';
import { beside, boundsOf, degrees, metresPerPixel } from './geometry';

const feature = (geometry: GeoJSON.Geometry | null): Feature => ({ type: 'Feature', properties: null, geometry });

test('bounds of all kinds of shapes', () => {
  expect(boundsOf([])).toBeNull();
  expect(boundsOf([feature(null)])).toBeNull();
  const shapes = [
    feature({ type: 'Point', coordinates: [120, 36] }),
    feature({ type: 'GeometryCollection', geometries: [{ type: 'MultiPolygon', coordinates: [[[[121, 35], [122, 35], [122, 37], [121, 35]]]] }] }),
  ];
  expect(boundsOf(shapes)).toEqual([120, 35, 122, 37]);
});

test('degrees carry over instead of showing sixty', () => {
  expect(degrees(120.38264, 'lon', true)).toBe('120°22′57.50″E');
  expect(degrees(-0.9999999999, 'lat', true)).toBe('1°00′00.00″S');
  expect(degrees(36.06711, 'lat', false)).toBe('36.067110');
});

test('a pixel at the equator at zoom 0', () => {
  expect(metresPerPixel(0, 0)).toBeCloseTo(78271.5, 1);
  expect(metresPerPixel(60, 0)).toBeCloseTo(39135.8, 1);
});

test('places that look like one are counted, so that their marks can stand side by side', () => {
  const at = (lon: number, lat = 36) => ({ lon, lat });
  expect(beside([at(120), at(120.000001), at(120.1), at(120), at(120, 36.1)])).toEqual([0, 1, 0, 2, 0]);
});
