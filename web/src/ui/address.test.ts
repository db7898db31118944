import { afterEach, expect, test } from 'vitest';
import { LEVELS } from '@/api/addresses';
import { setLocale } from '@/i18n';
import { levelTone, levelWords, metres, percent, trustOf, trustWords } from './address';

afterEach(() => setLocaleQuietly('zh-CN'));

/** The page's language attribute has no page here. */
function setLocaleQuietly(locale: 'zh-CN' | 'en'): void {
  Object.assign(globalThis, { document: { documentElement: {} } });
  setLocale(locale);
}

test('a score is never said to be better than it is', () => {
  expect([0.996, 0.9999, 1, 0.29, 0.9, 0.07].map(percent)).toEqual([99, 99, 100, 29, 90, 7]);
  expect([-1, 2].map(percent)).toEqual([0, 100]);
});

test('words follow the thresholds of the server', () => {
  expect([0.9, 0.8999, 0.6, 0.5999, 0.3, 0.2999].map(trustOf)).toEqual(['sure', 'likely', 'likely', 'doubtful', 'doubtful', 'unlikely']);
  expect(trustWords(0.971)).toBe('可信 97%');
  setLocaleQuietly('en');
  expect(trustWords(0.971)).toBe('Reliable 97%');
});

test('every level has words, and only a real place is shown as found', () => {
  for (const level of LEVELS) expect(levelWords(level), level).not.toContain('address.');
  expect(LEVELS.filter((level) => levelTone(level) === 'ok')).toEqual(['room', 'unit', 'building', 'compound', 'number', 'poi', 'intersection']);
});

test('distances', () => {
  expect([0.2, 12.4, 949, 951].map(metres)).toEqual(['就在此处', '12 米', '949 米', '1.0 公里']);
});
