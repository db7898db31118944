import { expect, test } from 'vitest';
import { empty, placed } from '@/map/sketch';
import { beginZones, metresOf, sketchOf, zonesOf } from './zones';

test('each way asks for its own zones, and for none while something is missing', () => {
  const zones = beginZones();
  expect(zonesOf(zones)).toEqual({ divisions: 'street', label: 'name' });
  expect(zonesOf({ ...zones, way: 'layer' })).toBeNull();
  expect(zonesOf({ ...zones, way: 'grid', size: 5 })).toBeNull();
  expect(zonesOf({ ...zones, way: 'h3' })).toEqual({ h3: { resolution: 8 } });
  expect(zonesOf({ ...zones, way: 'draw', sketch: sketchOf('draw') })).toBeNull();
  expect(zonesOf({ ...zones, way: 'near', sketch: placed(empty('point'), [120, 36]) })).toEqual({ buffers: { points: [[120, 36]], distances_m: [500] } });
  const line = placed(placed(empty('line'), [120, 36]), [121, 36]);
  expect(zonesOf({ ...zones, way: 'near', sketch: line, metres: [100, 200] })).toMatchObject({ buffers: { geometry: { type: 'LineString' }, distances_m: [100, 200] } });
});

test('distances as people write them', () => {
  expect(metresOf('1000，500 500')).toEqual([500, 1000]);
  expect([metresOf(''), metresOf('abc'), metresOf('-5'), metresOf('999999')]).toEqual([[], [], [], []]);
});
