import { address, exchange, request } from './client';
import { list, number, object, text } from './read';
import type { Feature } from './types';

/** How rows of a layer are counted: by zones of one kind. */
export type ZonesWish =
  | { layer: string; label?: string }
  | { divisions: 'district' | 'street' | 'community'; label?: string }
  | { geometry: GeoJSON.Geometry }
  | { buffers: { points: [number, number][]; distances_m: number[] } | { geometry: GeoJSON.Geometry; distances_m: number[] } | { layer: string; distances_m: number[]; label?: string } }
  | { grid: { size_m: number } }
  | { h3: { resolution: number } };

export type Statistic = 'count' | 'area' | 'length' | { sum: string } | { mean: string } | { min: string } | { max: string };

/** What the server calls a statistic's figure. */
export function named(statistic: Statistic): string {
  if (statistic === 'count') return 'count';
  if (statistic === 'area') return 'area_m2';
  if (statistic === 'length') return 'length_m';
  const [[kind, field]] = Object.entries(statistic);
  return `${kind}_${field}`;
}

export interface SummaryWish {
  layer: string;
  filter?: string;
  zones: ZonesWish;
  statistics: Statistic[];
  by?: string;
  assign?: 'centre' | 'intersects' | 'share';
}

/** The figures of a zone, or of a category in it. */
export interface Cell {
  /** Empty where the field is; undefined where none was asked for. */
  category?: string;
  figures: Record<string, number | null>;
  /** Too few to be told. */
  withheld: boolean;
}

export interface SummaryZone {
  id: string;
  label: string;
  outline: Feature;
  cells: Cell[];
}

export interface Summary {
  zones: SummaryZone[];
  /** Features in none of the zones. */
  outside: number;
}

function cellOf(value: unknown, names: string[], categories: boolean): Cell {
  const raw = object(value);
  return {
    ...(categories ? { category: text(raw.category) } : {}),
    figures: Object.fromEntries(names.map((name) => [name, number(raw[name])])),
    withheld: raw.suppressed === true,
  };
}

export function summaryOf(body: unknown, statistics: Statistic[], by: string | undefined): Summary {
  const raw = object(body);
  const names = statistics.map(named);
  const zones = list(raw.features).map((one): SummaryZone => {
    const feature = object(one);
    const properties = object(feature.properties);
    const id = text(properties.zone) || text(feature.id);
    const outline: Feature = { type: 'Feature', properties: null, geometry: (feature.geometry ?? null) as GeoJSON.Geometry | null };
    const cells = by ? list(properties.categories).map((cell) => cellOf(cell, names, true)) : [cellOf(properties, names, false)];
    return { id, label: text(properties.label), outline, cells };
  });
  return { zones, outside: number(raw.outside) ?? 0 };
}

export const summary = (wish: SummaryWish, signal?: AbortSignal): Promise<Summary> =>
  request<unknown>('POST', '/api/v1/summary', { query: { f: 'geojson' }, body: wish, signal }).then((body) => summaryOf(body, wish.statistics, wish.by));

export interface Near {
  layer: string;
  feature: Feature;
  /** Metres. */
  distance: number;
}

export function nearOf(body: unknown): Near[] {
  const [first] = list(object(body).results);
  return list(object(first).layers)
    .flatMap((one) => {
      const raw = object(one);
      return list(raw.features).map((feature): Near => ({ layer: text(raw.layer), feature: feature as Feature, distance: number(object(feature).distance) ?? 0 }));
    })
    .sort((a, b) => a.distance - b.distance);
}

export interface NearestWish {
  points: [number, number][];
  layers: string[];
  k: number;
  max_distance: number;
}

export const nearest = (wish: NearestWish, signal?: AbortSignal): Promise<Near[]> => request<unknown>('POST', '/api/v1/nearest', { body: wish, signal }).then(nearOf);

export type Format = 'csv' | 'xlsx' | 'geojson' | 'geojsonseq';

export interface OverlayWish {
  layers: string[];
  predicate: 'intersects' | 'within' | 'nearest';
  max_distance?: number;
  crs?: string;
  lon?: string;
  lat?: string;
  address?: string;
  format: Format;
}

const MEDIA: Record<Format, string> = {
  csv: 'text/csv',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  geojson: 'application/geo+json',
  geojsonseq: 'application/geo+json-seq',
};

const query = (wish: OverlayWish) => ({ ...wish, layers: wish.layers.join(','), f: wish.format === 'csv' || wish.format === 'xlsx' ? 'csv' : wish.format });

/** The file goes through the server and comes back with what the layers say of its rows; nothing of it stays there. */
export async function overlay(file: File, wish: OverlayWish, received: (bytes: number) => void, signal?: AbortSignal): Promise<Blob> {
  const response = await exchange('/api/v1/overlay', { method: 'POST', body: file, signal, headers: { 'Content-Type': MEDIA[wish.format] } }, query(wish));
  const reader = response.body?.getReader();
  if (!reader) return response.blob();
  const pieces: BlobPart[] = [];
  let size = 0;
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    pieces.push(read.value);
    size += read.value.byteLength;
    received(size);
  }
  return new Blob(pieces, { type: response.headers.get('content-type') ?? '' });
}

/** The same as a job: what it holds is wiped when it is fetched, discarded, or after an hour. */
export const overlayJob = (file: File, wish: OverlayWish, signal?: AbortSignal): Promise<string> =>
  exchange('/api/v1/overlay/jobs', { method: 'POST', body: file, signal, headers: { 'Content-Type': MEDIA[wish.format] } }, query(wish))
    .then((response) => response.json())
    .then((body: unknown) => text(object(body).job));

export const overlayAddress = (job: string): string => address(`/api/v1/jobs/${encodeURIComponent(job)}/overlay`);
export const discardOverlay = (job: string) => request<null>('DELETE', overlayAddress(job));
