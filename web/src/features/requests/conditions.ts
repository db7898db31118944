import type { Field } from '@/api/types';

/** What a row's field is held against. */
export const OPERATORS = ['=', '<>', '<', '<=', '>', '>=', 'contains', 'in', 'empty'] as const;
export type Operator = (typeof OPERATORS)[number];

/** One line of the form: which rows are wanted. */
export interface Condition {
  field: string;
  operator: Operator;
  /** As typed; of several, separated by commas of either kind. */
  value: string;
}

const NUMBERS = new Set(['integer', 'float']);
const TIMES = new Set(['date', 'timestamp']);

/** The comparisons that make sense for a field of this type. */
export function operatorsFor(type: string): Operator[] {
  if (type === 'boolean') return ['=', 'empty'];
  if (NUMBERS.has(type)) return ['=', '<>', '<', '<=', '>', '>=', 'in', 'empty'];
  if (TIMES.has(type)) return ['=', '<', '<=', '>', '>=', 'empty'];
  return ['=', '<>', 'contains', 'in', 'empty'];
}

export const valuesOf = (text: string): string[] => text.split(/[,，、;；]/).map((one) => one.trim()).filter(Boolean);

/** Names that CQL2 would not read as they stand are quoted. */
const name = (field: string): string => (/^[A-Za-z_][A-Za-z0-9_]*$/.test(field) ? field : `"${field.replace(/"/g, '""')}"`);
const quoted = (value: string): string => `'${value.replace(/'/g, "''")}'`;

/** A value as CQL2 writes it; null where it is not one of this type. */
function literal(type: string, value: string): string | null {
  const given = value.trim();
  if (given === '') return null;
  if (type === 'integer') return /^-?\d{1,15}$/.test(given) ? given : null;
  if (type === 'float') return /^-?\d{1,15}(\.\d{1,15})?$/.test(given) ? given : null;
  if (type === 'boolean') return { true: 'TRUE', false: 'FALSE', 是: 'TRUE', 否: 'FALSE' }[given.toLowerCase()] ?? null;
  if (type === 'date') return /^\d{4}-\d{2}-\d{2}$/.test(given) ? `DATE('${given}')` : null;
  if (type === 'timestamp') return Number.isNaN(Date.parse(given)) ? null : `TIMESTAMP('${new Date(given).toISOString()}')`;
  return quoted(given);
}

function written(one: Condition, type: string): string | null {
  const field = name(one.field);
  if (one.operator === 'empty') return `${field} IS NULL`;
  if (one.operator === 'contains') {
    const given = one.value.trim();
    return given ? `${field} LIKE ${quoted(`%${given.replace(/[\\%_]/g, '\\$&')}%`)}` : null;
  }
  if (one.operator === 'in') {
    const literals = valuesOf(one.value).map((value) => literal(type, value));
    return literals.length > 0 && literals.every((value) => value !== null) ? `${field} IN (${literals.join(', ')})` : null;
  }
  const value = literal(type, one.value);
  return value === null ? null : `${field} ${one.operator} ${value}`;
}

/** Which of the lines cannot be read. */
export function unreadable(conditions: Condition[], fields: Field[]): number[] {
  return conditions.flatMap((one, index) => {
    const field = fields.find((other) => other.name === one.field);
    return field && written(one, field.type) !== null ? [] : [index];
  });
}

/** The lines as one CQL2 text; all of them have to hold. */
export function filterOf(conditions: Condition[], fields: Field[]): string {
  return conditions
    .map((one) => {
      const field = fields.find((other) => other.name === one.field);
      return field ? written(one, field.type) : null;
    })
    .filter((part): part is string => part !== null)
    .join(' AND ');
}
