import { expect, test } from 'vitest';
import { encode } from 'uqr';
import { browserOf, codeOf, faults } from './passwords';

test('a password says what is wrong with it', () => {
  expect(faults('correct horse battery', 'correct horse battery', 'wang')).toEqual([]);
  expect(faults('short', 'short', 'wang')).toEqual(['short']);
  expect(faults('aaaaaaaaaaaaaaa', 'aaaaaaaaaaaaaaa', 'wang')).toEqual(['plain']);
  expect(faults('Wangwang-2026', 'wangwang-2026', 'wang')).toEqual(['login', 'differs']);
  // A sentence may name the person.
  expect(faults('my name is Wang and I like maps', 'my name is Wang and I like maps', 'wang')).toEqual([]);
  // Characters count, not bytes; and a passphrase may be Chinese.
  expect(faults('春眠不觉晓处处闻啼鸟夜来', '春眠不觉晓处处闻啼鸟夜来', 'wang')).toEqual([]);
});

test('a code may be typed in two halves', () => {
  expect(codeOf(' 123 456 ')).toBe('123456');
  expect(codeOf('12345')).toBeNull();
  expect(codeOf('12345a')).toBeNull();
});

test('browsers by their names', () => {
  expect(browserOf('Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36 Edg/120.0')).toBe('Edge · Windows');
  expect(browserOf('curl/8.5.0')).toBe('curl/8.5.0');
});

test('an address of an authenticator fits into a code with its three corners', () => {
  const uri = `otpauth://totp/onemap:wang?secret=${'A'.repeat(32)}&issuer=onemap&algorithm=SHA1&digits=6&period=30`;
  const { data, size } = encode(uri, { ecc: 'M', border: 0 });
  expect(data).toHaveLength(size);
  for (const [x, y] of [[0, 0], [size - 7, 0], [0, size - 7]]) {
    // A finder: seven dark modules on its edge, a light ring within.
    expect(data[y].slice(x, x + 7)).toEqual(Array(7).fill(true));
    expect(data[y + 1].slice(x, x + 7)).toEqual([true, false, false, false, false, false, true]);
  }
});
