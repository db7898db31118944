/** Times of a series: as few as a slider can hold, each a prefix of how the cell writes it. */
export interface Slices {
  /** In order. */
  names: string[];
  /** The slice of each row, or null. */
  of: (number | null)[];
}

const MOST = 60;
const DATE = /^(\d{4})(?:[-/.年](\d{1,2})(?:[-/.月](\d{1,2}))?)?/;

/** A date as its parts, with leading zeros: 2024年3月 is 2024-03. */
function parts(cell: string): string[] {
  const found = DATE.exec(cell.trim());
  return found ? found.slice(1).filter(Boolean).map((part) => part.padStart(2, '0')) : [];
}

function named(names: (string | null)[]): Slices {
  const all = [...new Set(names.filter((name): name is string => name !== null && name !== ''))].sort((a, b) => a.localeCompare(b, 'zh', { numeric: true }));
  const at = new Map(all.map((name, index) => [name, index]));
  return { names: all, of: names.map((name) => (name === null ? null : (at.get(name) ?? null))) };
}

/** Days where these are few, else months, else years; what is no date is taken as it stands. */
export function slicesOf(cells: string[]): Slices {
  const dates = cells.map(parts);
  const filled = cells.filter((cell) => cell !== '').length;
  if (filled > 0 && dates.filter((one) => one.length > 0).length >= filled * 0.9) {
    for (const depth of [3, 2, 1]) {
      const made = named(dates.map((one) => (one.length > 0 ? one.slice(0, depth).join('-') : null)));
      if (made.names.length <= MOST) return made;
    }
  }
  const made = named(cells.map((cell) => cell.trim()));
  return made.names.length <= MOST ? made : { names: [], of: cells.map(() => null) };
}
