import { afterEach, expect, test } from 'vitest';
import { speak } from './language';
import { asProblem, problemOf } from './problem';

afterEach(() => speak('zh-CN'));

test('a problem document, and what a job keeps of one', () => {
  const answered = problemOf(403, { title: '没有权限', detail: '需要申请', hint: '向民政局申请', request_id: 'r1' });
  expect([answered.title, answered.detail, answered.hint, answered.requestId]).toEqual(['没有权限', '需要申请', '向民政局申请', 'r1']);
  const kept = { kind: 'invalid', detail: { zh: '坐标读不出', en: 'no coordinates' }, hint: { zh: '', en: 'use degrees' } };
  expect(problemOf(422, kept).title).toBe('坐标读不出');
  speak('en');
  expect([problemOf(422, kept).title, problemOf(422, kept).hint]).toEqual(['no coordinates', 'use degrees']);
});

test('answers that are no problem documents', () => {
  expect(problemOf(502, null, 'r2')).toMatchObject({ status: 502, title: 'HTTP 502', requestId: 'r2', offline: false });
  expect(problemOf(500, '<html>').title).toBe('HTTP 500');
  expect(asProblem(new TypeError('x')).offline).toBe(true);
});
