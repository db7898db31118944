import { File as BufferFile } from 'node:buffer';
import readXlsx from 'read-excel-file/node';
import { expect, test } from 'vitest';
import { csv, decode, parse, separatorOf } from './csv';
import { kindOf, notNumbers, numberOf, read, tableOf, TableFault } from './table';
import { xlsx } from './xlsx';

// Node 18 has the class but not the global.
globalThis.File ??= BufferFile as unknown as typeof File;

test('text tables of every separator, with quotes and line ends within', () => {
  expect(parse('a,b\r\n"x, ""y""","1\n2"\r\n\r\n,\n3,4')).toEqual([['a', 'b'], ['x, "y"', '1\n2'], ['3', '4']]);
  expect([separatorOf('甲\t乙\t丙'), separatorOf('a;b,c;d'), separatorOf('"a,b,c";d'), separatorOf('one')]).toEqual(['\t', ';', ';', ',']);
});

test('both encodings that spreadsheets write', () => {
  expect(decode(new TextEncoder().encode('\uFEFF区市'))).toBe('区市');
  expect(decode(Uint8Array.from([0xc7, 0xf8, 0xca, 0xd0]))).toBe('区市');
});

test('the beginning of a file may end within a character', () => {
  const cut = new TextEncoder().encode('区市').slice(0, 5);
  expect(decode(cut, true)).toBe('区');
  expect(decode(cut)).not.toContain('区市');
});

test('a heading under a title, columns without a name, rows of any width', () => {
  const table = tableOf('x', [['2025 年统计表'], ['区市', '人数', '', '人数', null], ['市南', 3], ['市北', 4, 5, 6, 7], ['', '', '']]);
  expect(table.columns).toEqual(['区市', '人数', '列3', '人数_2']);
  expect(table.rows).toEqual([['市南', '3', '', ''], ['市北', '4', '5', '6']]);
  expect(table.ragged).toEqual([4]);
});

test('what is no table says why', async () => {
  const why = async (name: string, text: string) => read(new File([text], name)).catch((thrown: TableFault) => thrown.reason);
  expect(await why('a.doc', 'x')).toBe('kind');
  expect(await why('a.csv', '')).toBe('empty');
  expect(await why('a.csv', 'a,b\n')).toBe('noRows');
  expect(await why('a.xlsx', 'not a workbook')).toBe('unreadable');
});

test('numbers as people write them', () => {
  expect(['1,234', '１２．５', ' -3e2 ', '12.5%', '3702.', '.5', '', '12人', '1-2', '--'].map(numberOf)).toEqual([1234, 12.5, -300, 0.125, 3702, 0.5, null, null, null, null]);
  const rows = [['1', 'a', ''], ['2', '3', ''], ['x', '', ''], ...Array.from({ length: 20 }, () => ['5', 'b', ''])];
  expect([0, 1, 2].map((column) => kindOf({ rows }, column))).toEqual(['number', 'text', 'empty']);
  expect(notNumbers({ rows }, 0)).toEqual([2]);
});

test('a written text table is read back, and runs no formula', async () => {
  const text = await csv([['名称', '数'], ['a,"b"', -1.5], ['=1+1', null], ['-3', 2]]).text();
  expect(parse(text.replace('\uFEFF', ''))).toEqual([['名称', '数'], ['a,"b"', '-1.5'], ["'=1+1", ''], ['-3', '2']]);
});

test('a written workbook is read back', async () => {
  const file = await xlsx([['名称', '数'], ['<甲> & "乙"', 1.5], ['  丙', null], ['=1+1', -2]], '结果:1/2');
  const back = await readXlsx(Buffer.from(await file.arrayBuffer()));
  expect(back).toEqual([['名称', '数'], ['<甲> & "乙"', 1.5], ['丙', null], ['=1+1', -2]]);
});
