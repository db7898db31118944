import { expect, test } from 'vitest';
import { opacities, scaled } from './opacity';

test('plain values and missing ones', () => {
  expect(scaled(0.5, 0.5)).toBe(0.25);
  expect(opacities('circle', { 'circle-opacity': 0.8 }, 0.5)).toEqual([['circle-opacity', 0.4], ['circle-stroke-opacity', 0.5]]);
  expect(opacities('sky', {}, 0.5)).toEqual([]);
});

test('zoom stays outermost', () => {
  expect(scaled(['interpolate', ['linear'], ['zoom'], 8, 0.2, 12, 1], 0.5)).toEqual(['interpolate', ['linear'], ['zoom'], 8, 0.1, 12, 0.5]);
  expect(scaled(['step', ['zoom'], 0, 10, 1], 0.5)).toEqual(['step', ['zoom'], 0, 10, 0.5]);
  expect(scaled(['case', ['get', 'old'], 0.2, 1], 0.5)).toEqual(['*', 0.5, ['case', ['get', 'old'], 0.2, 1]]);
  expect(scaled({ stops: [[8, 0.2], [12, 1]] }, 0.5)).toEqual({ stops: [[8, 0.1], [12, 0.5]] });
});
