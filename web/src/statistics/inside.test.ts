import { expect, test } from 'vitest';
import { innerPoint, strewn, Zones } from './inside';

const square = (x: number, y: number, size: number): GeoJSON.Position[] => [[x, y], [x + size, y], [x + size, y + size], [x, y + size], [x, y]];
const HOLED: GeoJSON.Polygon = { type: 'Polygon', coordinates: [square(0, 0, 10), square(3, 3, 4)] };
const TWO: GeoJSON.MultiPolygon = { type: 'MultiPolygon', coordinates: [[square(20, 0, 2)], [square(4, 4, 1)]] };

test('a point is found in holes, parts and nowhere', () => {
  const zones = new Zones([HOLED, null, TWO]);
  expect([zones.of(1, 1), zones.of(3.5, 3.5), zones.of(4.5, 4.5), zones.of(21, 1), zones.of(15, 1), zones.of(NaN, 1)]).toEqual([0, null, 2, 2, null, null]);
});

test('each point of a plane that is cut into squares lies in exactly one', () => {
  const zones = new Zones(Array.from({ length: 100 }, (_, at): GeoJSON.Polygon => ({ type: 'Polygon', coordinates: [square(at % 10, Math.floor(at / 10), 1)] })));
  for (let at = 0; at < 100; at += 1) expect(zones.of((at % 10) + 0.3, Math.floor(at / 10) + 0.7)).toBe(at);
});

test('symbols and dots stand inside', () => {
  for (const shape of [HOLED, TWO]) {
    const zones = new Zones([shape]);
    const [x, y] = innerPoint(shape) ?? [NaN, NaN];
    expect(zones.of(x, y)).toBe(0);
    const dots = strewn(shape, 40, 5);
    expect(dots).toHaveLength(40);
    expect(dots.every(([dx, dy]) => zones.of(dx, dy) === 0)).toBe(true);
    expect(strewn(shape, 40, 5)).toEqual(dots);
  }
  expect(innerPoint({ type: 'Point', coordinates: [1, 1] })).toBeNull();
});
