import { expect, test } from 'vitest';
import { within } from './onward';

test('nobody is led to another site', () => {
  expect(within('/account?a=1')).toBe('/account?a=1');
  for (const bad of ['//evil.example', 'https://evil.example', 'javascript:alert(1)', '', null, ['/a', '/b']]) expect(within(bad)).toBe('/');
});
