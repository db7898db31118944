import { expect, test } from 'vitest';
import { requestOf } from '@/api/requests';
import { actsOn, isDecision, today, urgency } from './workflow';

const acts = (actions: unknown) => actsOn(requestOf({ id: '1', state: 'submitted', actions }));

test('the buttons are those that the server allows, the likeliest first', () => {
  expect(acts(['edit', 'submit'])).toEqual(['submit', 'edit']);
  expect(acts(['return', 'withdraw', 'reject', 'approve'])).toEqual(['approve', 'return', 'reject', 'withdraw']);
  expect(acts(['revoke', 'surrender'])).toEqual(['surrender', 'revoke']);
});

test('what the platform does by itself, or what is new to us, is no button', () => {
  expect(acts(['record', 'begin', 'expire', 'dance'])).toEqual([]);
  expect(acts(undefined)).toEqual([]);
});

test('decisions are told from the rest', () => {
  expect(acts(['approve', 'withdraw', 'reject', 'return']).filter(isDecision)).toEqual(['approve', 'return', 'reject']);
});

test('a deadline is counted in days of the reader', () => {
  expect(urgency('2026-03-05', '2026-03-01')).toEqual({ days: 4, tone: '' });
  expect(urgency('2026-03-02', '2026-03-01')).toEqual({ days: 1, tone: 'warn' });
  expect(urgency('2026-02-28', '2026-03-01')).toEqual({ days: -1, tone: 'bad' });
  expect(urgency(null, '2026-03-01')).toBeNull();
  expect(today(new Date(2026, 2, 1, 23, 30))).toBe('2026-03-01');
});
