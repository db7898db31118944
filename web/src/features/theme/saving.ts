import { LONGEST_ID, LONGEST_LABEL, MOST_ROWS, type Definition, type Indicator } from '@/api/themes';
import { numberOf, type Kind, type Table } from '@/tables/table';
import type { Field } from '@/api/types';
import type { Part, Wanted, Wish } from './maker';

/** What stands in the way of keeping a map at the server. */
export type Obstacle = 'rows' | 'field' | 'measure';

interface From {
  wish: Wish;
  /** What the figures are called, the second one's too. */
  labels: string[];
  source: { kind: 'file'; name: string } | { kind: 'layer'; id: string };
  table: Table;
  kinds: Kind[];
  zoneFields: Field[];
  /** The layer's fields in the order of the table's columns; none of a file. */
  sourceFields: Field[];
  by: 'code' | 'name';
  /** The division's own name or code for each row that was matched, null for the others. */
  matched: (string | null)[] | null;
  /** The times of the series: years, months or days, or whatever stands in the table. */
  slices: string[];
  /** The slice of each row. */
  sliceOf: (number | null)[];
}

const KINDS = { choropleth: 'choropleth', symbols: 'graduated_symbols', dots: 'dot_density', heat: 'heat', categories: 'categories', bivariate: 'bivariate' } as const;

/** Measures of which a column is needed. */
const OF_COLUMN: ReadonlySet<Wanted> = new Set(['sum', 'mean', 'ratio', 'category']);

function unitOf(slices: string[]): 'year' | 'month' | 'day' | undefined {
  if (!slices.every((name) => /^\d{4}(-\d{2}){0,2}$/.test(name))) return undefined;
  const longest = Math.max(...slices.map((name) => name.length));
  return longest === 4 ? 'year' : longest === 7 ? 'month' : 'day';
}

/** The map as the server makes it. Of a file only the columns that it needs go along. */
export function definitionOf(from: From): Definition | Obstacle {
  const { wish, source, table } = from;
  const ownNames = source.kind === 'layer' ? from.sourceFields.map((field) => field.name) : table.columns;
  const column = (index: number | null): string | undefined => (index === null ? undefined : ownNames[index]);
  const indicatorOf = (part: Omit<Part, 'measure'> & { measure: Wanted }, at: number): Indicator => ({
    kind: part.measure,
    field: part.measure === 'count' ? undefined : column(part.value),
    denominator: part.measure === 'ratio' ? column(part.below) : part.measure === 'per_capita' ? part.people : undefined,
    label: from.labels[at]?.slice(0, LONGEST_LABEL) || undefined,
  });
  const parts = wish.kind === 'bivariate' ? [wish, wish.second] : [wish];
  const [indicator, second] = parts.map(indicatorOf);
  if (parts.some((part) => OF_COLUMN.has(part.measure) && part.value === null)) return 'measure';
  const zoneField = (name: string) => (from.zoneFields.some((one) => one.name === name) ? name : undefined);
  const parent = ['street', 'district', 'town', 'county'].map(zoneField).find(Boolean);
  const zones = { layer: wish.zoneLayer, code: zoneField('code'), name: zoneField('name'), parent };
  const time = wish.time !== null && from.slices.length > 0 ? { field: column(wish.time) ?? '', unit: unitOf(from.slices) } : undefined;
  const join: Definition['join'] | undefined =
    wish.placing === 'place'
      ? source.kind === 'layer'
        ? { by: 'location' }
        : { by: 'location', lon: column(wish.lon), lat: column(wish.lat) }
      : wish.join === null
        ? undefined
        : { by: from.by, field: column(wish.join) ?? '', parent: from.by === 'name' ? column(wish.parent) : undefined };
  if (!join) return 'field';
  // The colours of categories and of two figures are the kind's own.
  const looks =
    wish.kind === 'categories'
      ? {}
      : wish.kind === 'bivariate'
        ? { method: wish.method }
        : { method: wish.method, classes: wish.classes, breaks: wish.method === 'manual' ? wish.breaks : undefined, palette: wish.palette, reverse: wish.reversed };
  const rest = { zones, join, indicator, second, kind: KINDS[wish.kind], ...looks, time };
  if (source.kind === 'layer') return { data: { layer: source.id }, ...rest };
  if (table.rows.length > MOST_ROWS) return 'rows';
  const needed = [...new Set([wish.placing === 'join' ? wish.join : wish.lon, wish.placing === 'join' ? wish.parent : wish.lat, ...parts.flatMap((part) => [part.measure === 'count' ? null : part.value, part.measure === 'ratio' ? part.below : null]), time ? wish.time : null])].filter((one): one is number => one !== null);
  const rows = table.rows.map((row, at) =>
    Object.fromEntries(
      needed.map((index) => {
        const joins = index === wish.join && wish.placing === 'join';
        const slice = from.sliceOf[at];
        // What the reader decided, and dates as they were understood, hold at the server too.
        const cell = joins ? (from.matched?.[at] ?? row[index]) : time && index === wish.time ? (slice === null || slice === undefined ? '' : from.slices[slice]) : row[index];
        const numeric = from.kinds[index] === 'number' && index !== wish.join && index !== wish.time && wish.measure !== 'category';
        return [table.columns[index], numeric ? (numberOf(cell) ?? (cell || null)) : cell || null];
      }),
    ),
  );
  return { data: { rows }, ...rest };
}

const ID = /^[a-z][a-z0-9_-]*[a-z0-9]$/;
export const goodId = (id: string): boolean => ID.test(id) && id.length <= LONGEST_ID;

/** An id that nobody has: what kind of map it is, and the day. */
export function newId(zoneLayer: string, now: Date, taken: (id: string) => boolean): string {
  const day = `${now.getFullYear()}${String(now.getMonth() + 1).padStart(2, '0')}${String(now.getDate()).padStart(2, '0')}`;
  const base = `theme-${zoneLayer.toLowerCase().replace(/[^a-z0-9-]/g, '')}-${day}`.slice(0, LONGEST_ID - 4);
  for (let number = 1; ; number += 1) {
    const id = number === 1 ? base : `${base}-${number}`;
    if (!taken(id)) return id;
  }
}
