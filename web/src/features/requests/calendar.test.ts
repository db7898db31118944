import { expect, test } from 'vitest';
import { read, written } from './calendar';

test('a range becomes days, and days go through their text', () => {
  const { days, wrong } = read('2025-10-01~2025-10-03 休 国庆节\n\n 2025-09-28 班 调休 ', 2025);
  expect(wrong).toEqual([]);
  expect(days).toEqual([
    { day: '2025-09-28', working: true, note: '调休' },
    { day: '2025-10-01', working: false, note: '国庆节' },
    { day: '2025-10-02', working: false, note: '国庆节' },
    { day: '2025-10-03', working: false, note: '国庆节' },
  ]);
  expect(read(written(days), 2025)).toEqual({ days, wrong: [] });
});

test('what is no day, no kind or another year is pointed at by its line', () => {
  expect(read('2025-02-29 休\n2025-01-01\n2026-01-01 休\n2025-01-02 off\n2025-03-05~2025-03-01 休', 2025)).toEqual({ days: [{ day: '2025-01-02', working: false, note: '' }], wrong: [1, 2, 3, 5] });
});
