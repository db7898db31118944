import { expect, test } from 'vitest';
import type { Field } from '@/api/types';
import { filterOf, operatorsFor, unreadable, valuesOf, type Condition } from './conditions';

const field = (name: string, type: string): Field => ({ name, type, title: { zh: name, en: name } });
const fields = [field('kind', 'text'), field('beds', 'integer'), field('opened', 'date'), field('open', 'boolean'), field('面积', 'float')];
const line = (of: string, operator: Condition['operator'], value: string): Condition => ({ field: of, operator, value });

test('lines become one filter', () => {
  const lines = [line('kind', 'in', '医院，诊所、 药店'), line('beds', '>=', ' 100 '), line('opened', '<', '2024-01-01'), line('open', '=', '是'), line('面积', '<', '12.50')];
  expect(filterOf(lines, fields)).toBe(`kind IN ('医院', '诊所', '药店') AND beds >= 100 AND opened < DATE('2024-01-01') AND open = TRUE AND "面积" < 12.50`);
});

test('nothing that is typed gets out of its quotes', () => {
  expect(filterOf([line('kind', '=', "a' OR '1'='1")], fields)).toBe("kind = 'a'' OR ''1''=''1'");
  expect(filterOf([line('kind', 'contains', '50%_')], fields)).toBe("kind LIKE '%50\\%\\_%'");
  expect(filterOf([line('beds', '=', '1 OR 1=1')], fields)).toBe('');
});

test('what is not a value of its type is pointed at, not sent', () => {
  const lines = [line('beds', '=', 'many'), line('kind', 'empty', ''), line('opened', '=', '2024/1/1'), line('gone', '=', '1'), line('kind', 'in', ' ， '), line('beds', 'in', '1,x')];
  expect(unreadable(lines, fields)).toEqual([0, 2, 3, 4, 5]);
  expect(filterOf(lines, fields)).toBe('kind IS NULL');
});

test('each type has its comparisons', () => {
  expect(operatorsFor('boolean')).toEqual(['=', 'empty']);
  expect(operatorsFor('text')).not.toContain('<');
  expect(operatorsFor('date')).not.toContain('contains');
  expect(valuesOf('a, b；c')).toEqual(['a', 'b', 'c']);
});
