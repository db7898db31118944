/** Joins rows of a table to divisions, by code or by name. */
export interface Zone {
  /** The feature's id on the map. */
  id: string;
  code: string;
  name: string;
  /** What lies around it, from near to far: a community's street and district. */
  within: string[];
}

export interface Unmatched {
  /** The row's place in the table. */
  row: number;
  text: string;
  reason: 'empty' | 'unknown' | 'ambiguous';
  /** What may have been meant, the likeliest first: places in the list of zones. */
  suggestions: number[];
}

export interface Joined {
  by: 'code' | 'name';
  /** The zone of each row, or null. */
  zones: (number | null)[];
  unmatched: Unmatched[];
}

const SUFFIX = /(?:街道办事处|街道|办事处|居委会|村委会|居民委员会|村民委员会|社区|自治县|特区|新区|省|市|区|县|旗|镇|乡|村)$/;

const fold = (text: string): string => text.normalize('NFKC').replace(/[\s·•・()（）]/g, '').toLowerCase();

/** A name without what kind of place it is: 市南区 and 市南 are one. Two signs at least stay. */
export function bareName(text: string): string {
  let name = fold(text);
  for (let cut = name.replace(SUFFIX, ''); cut !== name && [...cut].length >= 2; cut = name.replace(SUFFIX, '')) name = cut;
  return name;
}

/** Digits alone; the zeros that fill a code of a higher level up go. 370202000000 is 370202. */
export function bareCode(text: string): string {
  // A spreadsheet that took the code for a number may have written it as 370202.0.
  const digits = fold(text).replace(/\.0+$/, '');
  if (!/^\d{2,12}$/.test(digits)) return '';
  let code = digits;
  // Levels end after 2, 4, 6, 9 and 12 digits.
  for (const [end, before] of [[12, 9], [9, 6], [6, 4], [4, 2]] as const) {
    if (code.length === end && /^0+$/.test(code.slice(before))) code = code.slice(0, before);
  }
  return code;
}

/** How many single changes part two words, as far as `most`. */
export function distance(a: string, b: string, most: number): number {
  const left = [...a];
  const right = [...b];
  if (Math.abs(left.length - right.length) > most) return most + 1;
  let row = right.map((_, index) => index + 1);
  for (let i = 0; i < left.length; i += 1) {
    const next: number[] = [];
    for (let j = 0; j < right.length; j += 1) {
      const diagonal = j === 0 ? i : row[j - 1];
      next.push(Math.min(diagonal + (left[i] === right[j] ? 0 : 1), row[j] + 1, (j === 0 ? i + 1 : next[j - 1]) + 1));
    }
    row = next;
    if (Math.min(...row) > most) return most + 1;
  }
  return right.length === 0 ? left.length : row[row.length - 1];
}

const MOST_SUGGESTIONS = 3;

function index<K>(zones: Zone[], key: (zone: Zone) => K): Map<K, number[]> {
  const made = new Map<K, number[]>();
  zones.forEach((zone, at) => {
    const name = key(zone);
    const there = made.get(name);
    if (there) there.push(at);
    else made.set(name, [at]);
  });
  return made;
}

/** Names that differ little; those that share their first sign come first. */
function alike(name: string, names: Map<string, number[]>): number[] {
  const most = [...name].length <= 2 ? 1 : 2;
  const found: [number, number][] = [];
  for (const [other, at] of names) {
    const apart = other.includes(name) || name.includes(other) ? 1 : distance(name, other, most);
    if (apart <= most) found.push(...at.map((one): [number, number] => [apart + (other[0] === name[0] ? 0 : 0.5), one]));
  }
  return found
    .sort((a, b) => a[0] - b[0] || a[1] - b[1])
    .slice(0, MOST_SUGGESTIONS)
    .map(([, at]) => at);
}

/** Whether most filled cells are codes of these zones. */
export function looksLikeCodes(cells: string[]): boolean {
  const filled = cells.filter((cell) => cell.trim() !== '');
  return filled.length > 0 && filled.filter((cell) => bareCode(cell) !== '').length > filled.length / 2;
}

/** Codes that are no longer in use, each with those that took its place. */
export type Former = ReadonlyMap<string, readonly string[]>;

/** What a code of an earlier year is now. What lies below a district keeps its own digits: towns mostly kept them when it was given another code. */
export function successors(code: string, former: Former): string[] {
  const tail = code.slice(6);
  return (former.get(code.slice(0, 6)) ?? []).map((now) => `${now}${tail}`).filter((now) => tail === '' || now.length >= 9);
}

/**
 * Finds each row's zone. `parents` is what the row says about where it lies, for names that occur twice; `fixed` is
 * what the reader decided for a text; `former` leads codes of earlier years on.
 */
export function join(cells: string[], zones: Zone[], parents: string[] | null = null, fixed: ReadonlyMap<string, number> = new Map(), former: Former = new Map()): Joined {
  const by = looksLikeCodes(cells) ? 'code' : 'name';
  const codes = index(zones, (zone) => bareCode(zone.code));
  const whole = index(zones, (zone) => fold(zone.name));
  const bare = index(zones, (zone) => bareName(zone.name));
  const unmatched: Unmatched[] = [];
  const ofCode = (code: string): number[] => codes.get(code) ?? [...new Set(successors(code, former).flatMap((now) => codes.get(now) ?? []))];
  const within = (row: number, at: number): boolean => {
    const parent = bareName(parents?.[row] ?? '');
    return parent !== '' && zones[at].within.some((one) => bareName(one) === parent);
  };
  const found = cells.map((cell, row): number | null => {
    const text = cell.trim();
    const known = fixed.get(text);
    if (known !== undefined) return known;
    if (text === '') {
      unmatched.push({ row, text, reason: 'empty', suggestions: [] });
      return null;
    }
    let candidates = by === 'code' ? ofCode(bareCode(text)) : (whole.get(fold(text)) ?? bare.get(bareName(text)) ?? []);
    if (candidates.length > 1) {
      const near = candidates.filter((at) => within(row, at));
      if (near.length === 1) candidates = near;
    }
    if (candidates.length === 1) return candidates[0];
    unmatched.push(
      candidates.length > 1
        ? { row, text, reason: 'ambiguous', suggestions: candidates.slice(0, MOST_SUGGESTIONS) }
        : { row, text, reason: 'unknown', suggestions: by === 'name' ? alike(bareName(text), bare) : alike(bareCode(text), codes) },
    );
    return null;
  });
  return { by, zones: found, unmatched };
}
