import { expect, test } from 'vitest';
import { complete, empty, finished, geometryOf, placed, undone } from './sketch';

test('a line and an area grow point by point, and end on wish', () => {
  let line = placed(empty('line'), [120, 36]);
  expect([complete(line), geometryOf(line)]).toEqual([false, null]);
  expect(finished(line)).toBe(line);
  line = { ...line, cursor: [120.1, 36] };
  expect(geometryOf(line)).toBeNull();
  expect(geometryOf(line, true)).toEqual({ type: 'LineString', coordinates: [[120, 36], [120.1, 36]] });
  line = placed(placed(line, [120.2, 36]), [120.2, 36]);
  expect(line.at).toHaveLength(2);
  expect(finished(line)).toMatchObject({ done: true, cursor: null });
  // Whoever goes on after the end begins anew.
  expect(placed(finished(line), [1, 1]).at).toEqual([[1, 1]]);
  expect(undone(line).at).toHaveLength(1);
});

test('a ring turns to the left and closes, whichever way it was drawn', () => {
  const ring = [[0, 0], [1, 0], [1, 1], [0, 0]];
  const drawn = (points: [number, number][]) => geometryOf(points.reduce(placed, empty('area')));
  expect(drawn([[0, 0], [1, 0], [1, 1]])).toEqual({ type: 'Polygon', coordinates: [ring] });
  expect(drawn([[1, 1], [1, 0], [0, 0]])).toEqual({ type: 'Polygon', coordinates: [ring] });
});

test('a box is two corners, a point one click', () => {
  const box = placed(placed(empty('box'), [1, 4]), [0, 2]);
  expect(box.done).toBe(true);
  expect(geometryOf(box)).toEqual({ type: 'Polygon', coordinates: [[[0, 2], [1, 2], [1, 4], [0, 4], [0, 2]]] });
  expect(placed(empty('point'), [1, 4])).toMatchObject({ done: true });
});
