import { expect, test } from 'vitest';
import type { Element, Piece } from '@/api/addresses';
import { spans } from './spans';

const piece = (element: string, text: string, start: number): Piece => ({ element, text, start, end: start + Array.from(text).length });
const element = (name: string, text: string, verdict: Element['verdict']): Element => ({ name, text, verdict });

test('each stretch of the text says what became of it', () => {
  const read = spans('市南区香岗中路10号 3F请电联', [piece('district', '市南区', 0), piece('road', '香岗中路', 3), piece('roadno', '10号', 7), piece('redundant', '请电联', 13)], [
    element('district', '市北区', 'conflict'),
    element('road', '香港中路', 'similar'),
    element('roadno', '10号', 'agree'),
  ]);
  expect(read.map((one) => [one.text, one.verdict])).toEqual([
    ['市南区', 'conflict'],
    ['香岗中路', 'similar'],
    ['10号', 'agree'],
    [' 3F', 'unused'],
    ['请电联', 'unused'],
  ]);
});

test('characters are counted, not half of them', () => {
  const read = spans('𠮷祥路1号', [piece('road', '𠮷祥路', 0), piece('roadno', '1号', 3)], []);
  expect(read.map((one) => one.text)).toEqual(['𠮷祥路', '1号']);
});

test('nothing of the text is lost, whatever the pieces are', () => {
  const given = '（山东路9号）， 甲';
  const odd = [piece('road', '山东路', 1), piece('road', '东路9', 2), piece('roadno', '9号', 4), { element: 'poi', text: 'x', start: 8, end: 40 }];
  const read = spans(given, odd, []);
  expect(read.map((one) => one.text).join('')).toBe(given);
  expect(read.filter((one) => one.verdict === 'unused').map((one) => one.text)).toEqual(['）， 甲']);
});

test('a piece finds its element by kind or by words; what the register has not says so', () => {
  const given = '漓江花园2单元附近';
  const read = spans(given, [piece('poi', '漓江花园', 0), piece('cellno', '2单元', 4), piece('assist', '附近', 7)], [element('compound', '漓江花园', 'agree'), element('district', '平度市', 'absent')]);
  expect(read.map((one) => one.verdict)).toEqual(['agree', 'unregistered', 'other']);
});

test('a slip that was read as something else still shows as mended', () => {
  const read = spans('城阳区文登坪231号', [piece('district', '城阳区', 0), piece('community', '文登坪', 3), piece('roadno', '231号', 6)], [
    element('district', '城阳区', 'agree'),
    element('community', '仲村社区', 'absent'),
    element('road', '文登路', 'similar'),
    element('roadno', '231号', 'agree'),
  ]);
  expect(read.map((one) => one.verdict)).toEqual(['agree', 'similar', 'agree']);
});
