import { expect, test } from 'vitest';
import { decode, encode } from './link';
import type { Wish } from './maker';

const WISH: Wish = { zoneLayer: 'streets', placing: 'join', join: 1, parent: null, lon: null, lat: null, measure: 'ratio', value: 3, below: 4, people: '', second: { measure: 'per_capita', value: 1, below: null, people: 'people' }, time: 2, kind: 'symbols', method: 'manual', classes: 6, breaks: [1, 2.5], palette: 'oranges', reversed: true, title: '题' };

test('a link holds the whole map', () => {
  const { people: _, ...rest } = WISH;
  expect(decode(encode('fp-births', WISH))).toEqual({ source: 'fp-births', ...rest });
});

test('a link that makes no sense is none, and a part that makes none is left out', () => {
  expect([decode(''), decode('[]'), decode('null'), decode('{"source":"<b>"}')]).toEqual([null, null, null, null]);
  expect(decode('{"source":"a","measure":"steal","classes":999,"value":-1,"breaks":["x",1],"zoneLayer":"../b"}')).toMatchObject({ source: 'a', measure: 'count', classes: 12, value: null, breaks: [1] });
});
