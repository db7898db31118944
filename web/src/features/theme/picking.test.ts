import { expect, test } from 'vitest';
import { classesPicked, toggled, zonesPicked } from './picking';

const CLASSES = [0, 1, null, 1];

test('a class picks its zones, and once more gives them back', () => {
  const choice = toggled(null, 'classes', 1);
  expect([...(zonesPicked(choice, CLASSES) ?? [])]).toEqual([1, 3]);
  expect([...(zonesPicked(toggled(choice, 'classes', -1), CLASSES) ?? [])]).toEqual([1, 2, 3]);
  expect(toggled(choice, 'classes', 1)).toBeNull();
  expect(zonesPicked(null, CLASSES)).toBeNull();
});

test('a zone picks its class in the legend; kinds are not mixed', () => {
  const choice = toggled(toggled(null, 'classes', 0), 'zones', 2);
  expect(choice).toEqual({ kind: 'zones', of: new Set([2]) });
  expect([...(classesPicked(choice, CLASSES) ?? [])]).toEqual([-1]);
});
