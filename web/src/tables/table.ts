import { decode, parse, type Rows } from './csv';

/** A table of the reader's own. It is read here and goes nowhere. */
export interface Table {
  name: string;
  columns: string[];
  /** As wide as the columns; an empty cell is ''. */
  rows: Rows;
  /** Lines of the file that had more cells than the heading: their numbers, as a spreadsheet counts. */
  ragged: number[];
}

export type Refusal = 'kind' | 'empty' | 'large' | 'unreadable' | 'noRows' | 'manyRows';

export class TableFault extends Error {
  constructor(readonly reason: Refusal) {
    super(reason);
    this.name = 'TableFault';
  }
}

const MOST_BYTES = 50 * 1024 * 1024;
export const MOST_ROWS = 200_000;
/** Excel itself allows no more. */
const MOST_COLUMNS = 16_384;

function cellText(cell: unknown): string {
  if (cell === null || cell === undefined) return '';
  if (cell instanceof Date) return cell.toISOString().replace('T00:00:00.000Z', '').replace('.000Z', 'Z');
  return String(cell).trim();
}

/** Gives the columns names that are there and differ, and all rows one width. */
export function tableOf(name: string, raw: unknown[][]): Table {
  const lines = raw.map((row) => row.map(cellText));
  const filled = (row: string[]) => row.filter((cell) => cell !== '').length;
  // Above the heading often stands the table's title, alone in its line.
  const wide = lines.some((row) => filled(row) > 1);
  const head = lines.findIndex((row) => filled(row) > (wide ? 1 : 0));
  if (head < 0) throw new TableFault('empty');
  let heading = lines[head];
  while (heading.length > 0 && heading[heading.length - 1] === '') heading = heading.slice(0, -1);
  if (heading.length > MOST_COLUMNS) throw new TableFault('unreadable');
  const seen = new Map<string, number>();
  const columns = heading.map((title, index) => {
    const wish = title || `列${index + 1}`;
    const before = seen.get(wish) ?? 0;
    seen.set(wish, before + 1);
    return before === 0 ? wish : `${wish}_${before + 1}`;
  });
  const ragged: number[] = [];
  const rows: Rows = [];
  for (let at = head + 1; at < lines.length; at += 1) {
    const row = lines[at];
    if (row.every((cell) => cell === '')) continue;
    if (row.slice(columns.length).some((cell) => cell !== '')) ragged.push(at + 1);
    rows.push(columns.map((_, index) => row[index] ?? ''));
  }
  if (rows.length === 0) throw new TableFault('noRows');
  if (rows.length > MOST_ROWS) throw new TableFault('manyRows');
  return { name, columns, rows, ragged };
}

/** Reads a spreadsheet or a text table in this browser. */
export async function read(file: File): Promise<Table> {
  const kind = /\.(xlsx|csv|tsv|txt)$/i.exec(file.name)?.[1].toLowerCase();
  if (!kind) throw new TableFault('kind');
  if (file.size === 0) throw new TableFault('empty');
  if (file.size > MOST_BYTES) throw new TableFault('large');
  let raw: unknown[][];
  if (kind === 'xlsx') {
    const { default: readXlsx } = await import('read-excel-file');
    try {
      raw = await readXlsx(file);
    } catch {
      throw new TableFault('unreadable');
    }
  } else {
    raw = parse(decode(new Uint8Array(await file.arrayBuffer())));
  }
  return tableOf(file.name, raw);
}

const FULL = /[０-９．，－％]/g;

/** A number as people write it: 1,234 · １２３ · 12.5%; null for what is none. */
export function numberOf(text: string): number | null {
  const plain = text
    .replace(FULL, (sign) => String.fromCharCode(sign.charCodeAt(0) - 0xfee0))
    .replace(/[\s,]/g, '');
  if (!/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?%?$/.test(plain)) return null;
  const value = plain.endsWith('%') ? Number(plain.slice(0, -1)) / 100 : Number(plain);
  return Number.isFinite(value) ? value : null;
}

export type Kind = 'number' | 'text' | 'empty';

/** What a column holds: numbers where nearly all of its filled cells are numbers. Codes are texts. */
export function kindOf(table: Pick<Table, 'rows'>, column: number): Kind {
  let filled = 0;
  let numeric = 0;
  for (const row of table.rows) {
    const cell = row[column];
    if (cell === '') continue;
    filled += 1;
    if (numberOf(cell) !== null) numeric += 1;
  }
  if (filled === 0) return 'empty';
  return numeric >= filled * 0.9 ? 'number' : 'text';
}

/** Filled cells that should be numbers and are not, by the row's place in the table. */
export function notNumbers(table: Pick<Table, 'rows'>, column: number): number[] {
  return table.rows.flatMap((row, index) => (row[column] !== '' && numberOf(row[column]) === null ? [index] : []));
}
