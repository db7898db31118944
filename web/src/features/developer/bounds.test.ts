import { expect, test } from 'vitest';
import { faults, isNetwork, isOrigin, linesOf } from './bounds';

test('lines, commas and spaces part alike, and nothing is none', () => {
  expect(linesOf('10.1.0.0/16\n10.2.0.1，10.1.0.0/16 ')).toEqual(['10.1.0.0/16', '10.2.0.1']);
  expect(linesOf(' \n ')).toBeNull();
});

test('an origin has no path', () => {
  expect(['https://gis.example.gov.cn', 'http://10.1.2.3:8080', 'https://a.example/'].map(isOrigin)).toEqual([true, true, true]);
  expect(['gis.example.gov.cn', 'https://a.example/app', 'ftp://a.example', 'https://*.example', ''].map(isOrigin)).toEqual([false, false, false, true, false]);
});

test('addresses and networks of both kinds', () => {
  expect(['10.1.2.3', '10.0.0.0/8', '2001:db8::/32', '::1'].map(isNetwork)).toEqual([true, true, true, true]);
  expect(['10.1.2', '10.1.2.300', '10.0.0.0/33', '10.0.0.0/8/1', '2001:db8::/129', 'host'].map(isNetwork)).toEqual([false, false, false, false, false, false]);
});

test('faults name the box', () => {
  expect(faults({ origins: '', addresses: '' })).toEqual([]);
  expect(faults({ origins: 'x', addresses: '10.1.2.3\ny' })).toEqual(['origins', 'addresses']);
});
