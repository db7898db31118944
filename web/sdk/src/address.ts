import type { Client } from './client';
import type { Asking, Feature, FeatureCollection, Position } from './types';

/** A place that an address may mean. */
export interface AddressProperties {
  id: string | number | null;
  source: string;
  feature: number | null;
  label: string;
  /** The probability that it is right. */
  score: number;
  match_level: string;
  coordinate_level: string;
  elements: Record<string, string>;
  distance?: number;
  [name: string]: unknown;
}

export interface Found extends FeatureCollection<AddressProperties> {
  query?: string;
  match_level?: string;
  /** Why nothing, or nothing certain, was found. */
  faults?: string[];
  remainder?: string;
}

export interface SearchOptions extends Asking {
  limit?: number;
  near?: Position;
  division?: string;
  level?: string;
  /** The layers to search; all that may be, when none are named. */
  sources?: string[];
}

/** What was found for a row of a batch, beside the row's own columns. */
export type BatchRow = Record<string, string>;

/** Addresses: texts to places and back. */
export class Addresses {
  constructor(private readonly client: Client) {}

  search(q: string, options: SearchOptions = {}): Promise<Found> {
    return this.client.get('/address/search', query(q, options), options);
  }

  suggest(q: string, options: SearchOptions = {}): Promise<Found> {
    return this.client.get('/address/suggest', query(q, options), options);
  }

  /** The nearest addresses; `radius` in metres. */
  reverse([lon, lat]: Position, { radius, limit, sources, signal }: SearchOptions & { radius?: number } = {}): Promise<Found> {
    return this.client.get('/address/reverse', { lon, lat, radius, limit, source: sources?.join(',') }, { signal });
  }

  /** Many addresses at once, in their order: each with `result_label`, `result_score`, `longitude`, `latitude`, … */
  async batch(addresses: string[], { division, sources, signal }: SearchOptions = {}): Promise<BatchRow[]> {
    const form = new FormData();
    form.append('data', new Blob([`q\n${addresses.map(quoted).join('\n')}\n`], { type: 'text/csv' }), 'addresses.csv');
    form.append('columns', 'q');
    const response = await this.client.response('POST', '/address/search/csv', {
      query: { division, source: sources?.join(',') },
      body: form,
      headers: { Accept: 'text/csv' },
      signal,
    });
    return table(await response.text());
  }
}

/** The place of the first candidate, when it is at least so probable. */
export function best(found: Found, atLeast = 0.9): Feature<AddressProperties> | null {
  const [first] = found.features;
  return first && first.properties.score >= atLeast ? first : null;
}

function query(q: string, { limit, near, division, level, sources }: SearchOptions) {
  return { q, limit, lon: near?.[0], lat: near?.[1], division, level, source: sources?.join(',') };
}

const quoted = (text: string) => `"${text.replace(/"/g, '""').replace(/[\r\n]+/g, ' ')}"`;

/** Rows of a CSV (RFC 4180) by the names in its first line. */
export function table(csv: string): BatchRow[] {
  const rows: string[][] = [[]];
  let cell = '';
  let inside = false;
  const text = csv.replace(/^\ufeff/, '');
  for (let at = 0; at < text.length; at += 1) {
    const sign = text[at];
    if (inside) {
      if (sign !== '"') cell += sign;
      else if (text[at + 1] === '"') {
        cell += '"';
        at += 1;
      } else inside = false;
    } else if (sign === '"') inside = true;
    else if (sign === ',' || sign === '\n') {
      rows[rows.length - 1].push(cell.replace(/\r$/, ''));
      cell = '';
      if (sign === '\n') rows.push([]);
    } else cell += sign;
  }
  if (cell !== '' || rows[rows.length - 1].length > 0) rows[rows.length - 1].push(cell.replace(/\r$/, ''));
  const [names = [], ...values] = rows.filter((row) => row.length > 0);
  return values.map((row) => Object.fromEntries(names.map((name, column) => [name, row[column] ?? ''])));
}
