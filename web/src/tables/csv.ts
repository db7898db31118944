/** A table as text: each row a list of cells, as many as the file has. */
export type Rows = string[][];

const SEPARATORS = [',', '\t', ';', '|'];

/** The separator that the first line uses most, outside quotes. */
export function separatorOf(text: string): string {
  let quoted = false;
  const seen = new Map<string, number>(SEPARATORS.map((one) => [one, 0]));
  for (const sign of text) {
    if (sign === '"') quoted = !quoted;
    else if (!quoted && (sign === '\n' || sign === '\r')) break;
    else if (!quoted && seen.has(sign)) seen.set(sign, (seen.get(sign) ?? 0) + 1);
  }
  return SEPARATORS.reduce((best, one) => ((seen.get(one) ?? 0) > (seen.get(best) ?? 0) ? one : best));
}

/** Reads RFC 4180 with any of the usual separators; lines of nothing are left out. */
export function parse(text: string, separator = separatorOf(text)): Rows {
  const rows: Rows = [];
  let row: string[] = [];
  let cell = '';
  let quoted = false;
  const endRow = () => {
    row.push(cell);
    if (row.some((one) => one.trim() !== '')) rows.push(row);
    row = [];
    cell = '';
  };
  for (let at = 0; at < text.length; at += 1) {
    const sign = text[at];
    if (quoted) {
      if (sign !== '"') cell += sign;
      else if (text[at + 1] === '"') {
        cell += '"';
        at += 1;
      } else quoted = false;
    } else if (sign === '"' && cell === '') quoted = true;
    else if (sign === separator) {
      row.push(cell);
      cell = '';
    } else if (sign === '\n' || sign === '\r') {
      if (sign === '\r' && text[at + 1] === '\n') at += 1;
      endRow();
    } else cell += sign;
  }
  if (cell !== '' || row.length > 0) endRow();
  return rows;
}

/**
 * UTF-8 where it is valid, with or without mark; otherwise GB 18030, which spreadsheets here write by default.
 * The beginning of a file may end within a character.
 */
export function decode(bytes: Uint8Array, beginning = false): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: beginning });
  } catch {
    return new TextDecoder('gb18030').decode(bytes);
  }
}

export type Cell = string | number | null;

/** Text that a spreadsheet would take for a formula is quoted by a leading apostrophe. */
function written(cell: Cell): string {
  if (cell === null) return '';
  if (typeof cell === 'number') return String(cell);
  const safe = /^[=+\-@\t\r]/.test(cell) && !Number.isFinite(Number(cell)) ? `'${cell}` : cell;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** With the mark by which spreadsheets know UTF-8. */
export const csv = (rows: Cell[][]): Blob => new Blob([`\uFEFF${rows.map((row) => row.map(written).join(',')).join('\r\n')}\r\n`], { type: 'text/csv;charset=utf-8' });
