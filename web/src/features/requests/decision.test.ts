import { expect, test } from 'vitest';
import { termsOf } from '@/api/terms';
import { asAsked, deedOf, faults, narrowed } from './decision';

const square = { type: 'Polygon' as const, coordinates: [[[120, 36], [121, 36], [121, 37], [120, 36]]] };
const asked = termsOf({ fields: ['name', 'phone'], rights: ['view', 'query', 'export'], divisions: [], from: '2026-03-01', until: '2027-02-28' }, square);

test('as asked, nothing is narrowed and nothing is sent beside the approval', () => {
  expect(narrowed(asked, asAsked(asked))).toEqual([]);
  expect(deedOf(asked, asAsked(asked), '同意')).toEqual({ note: '同意' });
  expect(faults(asked, asAsked(asked))).toEqual([]);
});

test('what is narrowed is sent, and only that', () => {
  const verdict = { ...asAsked(asked), fields: ['name'], until: '2026-08-31', area: square };
  expect(narrowed(asked, verdict)).toEqual(['fields', 'until', 'area']);
  expect(deedOf(asked, verdict, '')).toEqual({ note: '', granted: { fields: ['name'], until: '2026-08-31' }, area: square });
  expect(asked.fields).toEqual(['name', 'phone']);
});

test('a decision gives something, and never more than was asked', () => {
  const verdict = { ...asAsked(asked), fields: [], rights: [], from: '2026-02-01', until: '2028-01-01' };
  expect(faults(asked, verdict)).toEqual(['fields', 'rights', 'longer', 'earlier']);
  expect(faults(asked, { ...asAsked(asked), from: '2026-12-01', until: '2026-06-01' })).toEqual(['term']);
  const everything = termsOf({ rights: ['view'] });
  expect(narrowed(everything, { ...asAsked(everything), fields: ['name'] })).toEqual(['fields']);
  expect(faults(everything, asAsked(everything))).toEqual([]);
});
