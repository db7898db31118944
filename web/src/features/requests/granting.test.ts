import { expect, test } from 'vitest';
import { empty } from './draft';
import { grantOf, missing } from './granting';

const TODAY = '2026-05-20';
const draft = () => ({ ...empty('base-stations', TODAY), purpose: '应急演练', fields: ['name'] });

test('a grant says who, what and why; an end it may go without', () => {
  expect(missing(draft(), 'health', TODAY)).toEqual([]);
  expect(missing({ ...draft(), until: '' }, 'health', TODAY)).toEqual([]);
  expect(missing({ ...draft(), purpose: ' ', fields: [] }, '', TODAY)).toEqual(['granting.fault.department', 'requests.fault.fields', 'granting.fault.purpose']);
  expect(missing({ ...draft(), until: '2026-05-19' }, 'health', TODAY)).toContain('requests.fault.past');
});

test('it holds from now on, or from the day named, to the end of the last day', () => {
  const now = grantOf(draft(), 'health', TODAY);
  expect([now.valid_from, now.valid_until]).toEqual([null, '2027-05-19T23:59:59+08:00']);
  const later = grantOf({ ...draft(), from: '2026-06-01', until: '' }, 'health', TODAY);
  expect([later.valid_from, later.valid_until]).toEqual(['2026-06-01T00:00:00+08:00', null]);
});

test('an area is either drawn or of divisions, and all fields are no list', () => {
  const area: GeoJSON.Polygon = { type: 'Polygon', coordinates: [] };
  const drawn = grantOf({ ...draft(), extent: 'drawn', area, divisions: ['370202'] }, 'health', TODAY);
  expect([drawn.area, drawn.divisions]).toEqual([area, []]);
  const named = grantOf({ ...draft(), extent: 'divisions', area, divisions: ['370202'], allFields: true }, 'health', TODAY);
  expect([named.area, named.divisions, named.fields]).toEqual([null, ['370202'], null]);
});
