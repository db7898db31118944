import { expect, test } from 'vitest';
import { looks, mayChange, pen } from './marks';

test('a mark keeps the looks that its kind shows', () => {
  expect(Object.keys(looks('text', pen()))).toEqual(['color', 'size']);
  expect(Object.keys(looks('line', pen()))).toEqual(['color', 'line_width']);
  expect(looks('area', { ...pen(), color: '#123456' })).toMatchObject({ color: '#123456', fill: '#123456' });
});

test('publishers change every mark, the others their own, readers none', () => {
  const mark = { author: 'li' };
  expect(mayChange(mark, { access: 'edit' }, { user: 'wang' })).toBe(true);
  expect(mayChange(mark, { access: 'annotate' }, { user: 'li' })).toBe(true);
  expect(mayChange(mark, { access: 'annotate' }, { user: 'wang' })).toBe(false);
  expect(mayChange(mark, { access: 'read' }, { user: 'li' })).toBe(false);
  expect(mayChange(mark, { access: 'annotate' }, null)).toBe(false);
});
