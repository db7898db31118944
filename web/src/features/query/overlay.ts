import type { Format, OverlayWish } from '@/api/spatial';
import type { Table } from '@/tables/table';

const KINDS: Record<string, Format> = { csv: 'csv', tsv: 'csv', txt: 'csv', xlsx: 'xlsx', geojson: 'geojson', json: 'geojson', geojsonl: 'geojsonseq', geojsonseq: 'geojsonseq', ndjson: 'geojsonseq' };

export const formatOf = (name: string): Format | null => KINDS[/\.([a-z]+)$/i.exec(name)?.[1].toLowerCase() ?? ''] ?? null;

/** What takes longer than a line may hold becomes a job. */
export const LARGE = 30 * 1024 * 1024;

export interface Form {
  layers: string[];
  predicate: OverlayWish['predicate'];
  metres: number;
  crs: string;
  /** By which columns of a table its rows are placed; auto lets the server find longitude and latitude. */
  placing: 'auto' | 'columns' | 'address';
  lon: string;
  lat: string;
  address: string;
}

export const begin = (): Form => ({ layers: [], predicate: 'intersects', metres: 1000, crs: 'cgcs2000', placing: 'auto', lon: '', lat: '', address: '' });

/** What the server is asked with; null while something is missing. */
export function wishOf(form: Form, format: Format | null): OverlayWish | null {
  if (!format || form.layers.length === 0) return null;
  const isTable = format === 'csv' || format === 'xlsx';
  if (isTable && form.placing === 'columns' && (!form.lon || !form.lat)) return null;
  if (isTable && form.placing === 'address' && !form.address) return null;
  return {
    layers: form.layers,
    predicate: form.predicate,
    max_distance: form.predicate === 'nearest' ? form.metres : undefined,
    // Where addresses are looked up, nothing is written in degrees.
    crs: isTable && form.placing === 'address' ? undefined : form.crs,
    ...(isTable && form.placing === 'columns' ? { lon: form.lon, lat: form.lat } : {}),
    ...(isTable && form.placing === 'address' ? { address: form.address } : {}),
    format,
  };
}

/** The rows that came back with a problem, and how many found something. */
export function outcome(table: Table): { problems: { row: number; text: string }[]; matched: number } {
  const problem = table.columns.indexOf('onemap.problem');
  const ids = table.columns.flatMap((name, index) => (/\.id$/.test(name) && name !== 'onemap.id' ? [index] : []));
  const problems = table.rows.flatMap((row, index) => (problem >= 0 && row[problem] !== '' ? [{ row: index + 1, text: row[problem] }] : []));
  return { problems, matched: table.rows.filter((row) => ids.some((index) => row[index] !== '')).length };
}
