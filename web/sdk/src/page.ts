import type { Feature } from './types';

type Row = Record<string, unknown> | Feature;

/** What stands in a table of rows or features: for each the members that `columns` names. Numbers are rounded to two decimals. */
export function cells(rows: Row[], columns: Record<string, string>): string[][] {
  const text = (value: unknown) => (value === null || value === undefined ? '' : typeof value === 'number' ? String(Math.round(value * 100) / 100) : String(value));
  const of = (row: Row, name: string) => (row as Record<string, unknown>)[name] ?? (row.properties as Record<string, unknown> | null | undefined)?.[name];
  return rows.map((row) => Object.keys(columns).map((name) => text(of(row, name))));
}

/** A table of rows or features: a column for each member that `columns` names, under its heading. */
export function tableOf(rows: Row[], columns: Record<string, string>): HTMLTableElement {
  const table = document.createElement('table');
  const head = table.createTHead().insertRow();
  for (const heading of Object.values(columns)) head.append(Object.assign(document.createElement('th'), { textContent: heading, scope: 'col' }));
  const body = table.createTBody();
  for (const row of cells(rows, columns)) {
    const line = body.insertRow();
    for (const cell of row) line.insertCell().textContent = cell;
  }
  return table;
}

/** The same work, whose problems are told in an element, with the next step that the server names. */
export function telling<A extends unknown[]>(element: Pick<Element, 'textContent'>, work: (...all: A) => Promise<unknown>): (...all: A) => Promise<void> {
  return async (...all) => {
    try {
      await work(...all);
    } catch (problem) {
      const { name, message, hint } = problem as Error & { hint?: string };
      // What the page itself gave up is no problem.
      if (name !== 'AbortError') element.textContent = [message, hint].filter(Boolean).join(' ');
    }
  };
}
