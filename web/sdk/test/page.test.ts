import { expect, test } from 'vitest';
import { cells, telling } from '../src/page';
import { Problem } from '../src/problem';

test('a table has the members that are named, of rows and of features', () => {
  const feature = { type: 'Feature' as const, geometry: null, properties: { name: '甲', value: 1.23456 }, distance: 12.345 };
  expect(cells([feature, { name: '乙', value: null }], { name: '名称', value: '数值', distance: '米' })).toEqual([
    ['甲', '1.23', '12.35'],
    ['乙', '', ''],
  ]);
  expect(cells([{ a: 0, b: false }], { b: 'B', a: 'A' })).toEqual([['false', '0']]);
});

test('a problem is told where it belongs, what was given up is not', async () => {
  const element = { textContent: '' as string | null };
  await telling(element, async (id: string) => {
    throw new Problem(403, { detail: `没有 ${id} 的授权`, hint: '请申请' });
  })('cases');
  expect(element.textContent).toBe('没有 cases 的授权 请申请');
  await telling(element, () => Promise.reject(new DOMException('stopped', 'AbortError')))();
  expect(element.textContent).toBe('没有 cases 的授权 请申请');
  let seen = 0;
  await telling(element, async (n: number) => (seen = n))(3);
  expect(seen).toBe(3);
});
