import { expect, test } from 'vitest';
import { recordOf } from '@/api/records';
import { grade, percent, queryOf, searchOf } from './words';

test('a search survives its link, and nothing else gets in', () => {
  const search = searchOf({ q: '诊所', theme: 'health', kind: ['a', 'b'], page: '3' });
  expect(search).toEqual({ q: '诊所', theme: 'health', department: '', kind: '', share_class: '', openness: '', drift: '' });
  expect(queryOf(search)).toEqual({ q: '诊所', theme: 'health' });
  expect(searchOf(queryOf(search))).toEqual(search);
});

test('scores have four grades, and none where there is none', () => {
  expect([100, 85, 84.9, 70, 60, 59, 0, null].map(grade)).toEqual(['ok', 'ok', 'blue', 'blue', 'warn', 'bad', 'bad', '']);
  expect(percent(0.876, 'zh-CN')).toBe('87.6%');
  expect(percent(null, 'zh-CN')).toBe('—');
});

test('a record of which parts are missing is still a record', () => {
  const record = recordOf({ code: '3070215000001/000001', name: { zh: '诊所' }, score: { total: 80, completeness: 0.75, timeliness: null }, drift: { fields_changed: false, update_overdue: true, unused: null } });
  expect(record.title).toEqual({ zh: '诊所', en: '诊所' });
  expect(record.score).toEqual({ total: 80, completeness: 75, timeliness: null, use: null });
  expect(record.drift).toEqual(['update_overdue']);
  // A stroke would be two parts of a path.
  expect(record.path).toBe('3070215000001-000001');
  expect([record.items, record.related, record.layer]).toEqual([[], [], null]);
  expect(recordOf(null).code).toBe('');
});
