import { get, post, remove, request } from './client';
import type { Feature, Layer, Said } from './types';

export type MarkKind = 'point' | 'text' | 'line' | 'area';

/** What one writes of a mark; who and when are the server's. */
export interface Look {
  text: string | null;
  color: string | null;
  fill: string | null;
  size: number | null;
  line_width: number | null;
  /** A sign of the map's, on the disc of a point. */
  icon: string | null;
}

export interface Mark extends Look {
  id: number;
  kind: MarkKind;
  author: string;
  created_at: string;
  edited_by: string | null;
  edited_at: string | null;
  /** Ids of its photos, oldest first. */
  photos: string[];
  geometry: Feature['geometry'];
}

/** A mark with the state that it was read in. */
export interface Held extends Mark {
  etag: string;
}

const items = (layer: string) => `/ogc/collections/${encodeURIComponent(layer)}/items`;
const marksOf = (layer: string) => `/api/v1/annotations/${encodeURIComponent(layer)}/marks`;
const photosOf = (layer: string, mark: number) => `${marksOf(layer)}/${mark}/photos`;

/** A feature as the server has it, as a mark. */
export function markOf(feature: Feature): Mark {
  const said = (feature.properties ?? {}) as Record<string, unknown>;
  const text = (name: string) => (typeof said[name] === 'string' ? (said[name] as string) : null);
  const number = (name: string) => (typeof said[name] === 'number' ? (said[name] as number) : null);
  return {
    id: Number(feature.id),
    kind: (text('kind') ?? 'point') as MarkKind,
    text: text('text'),
    color: text('color'),
    fill: text('fill'),
    size: number('size'),
    line_width: number('line_width'),
    icon: text('icon'),
    author: text('author') ?? '',
    created_at: text('created_at') ?? '',
    edited_by: text('edited_by'),
    edited_at: text('edited_at'),
    photos: (text('photos') ?? '').split(' ').filter(Boolean),
    geometry: feature.geometry,
  };
}

export const annotations = () => get<{ annotations: Layer[] }>('/api/v1/annotations').then((body) => body.annotations ?? []);
export const create = (title: Said) => post<{ layer: string }>('/api/v1/annotations', { title }).then((body) => body.layer);
export const removeLayer = (layer: string) => remove(`/api/v1/annotations/${encodeURIComponent(layer)}`);

/** The newest marks. */
export const marks = (layer: string, limit: number, signal?: AbortSignal) =>
  get<{ features: Feature[]; numberMatched?: number }>(items(layer), { limit, sortby: '-created_at' }, signal).then((body) => ({
    marks: body.features.map(markOf),
    all: body.numberMatched ?? body.features.length,
  }));

export async function hold(layer: string, mark: number): Promise<Held> {
  let etag = '*';
  const seen = (response: Response) => (etag = response.headers.get('etag') ?? '*');
  return { ...markOf(await request<Feature>('GET', `${items(layer)}/${mark}`, { seen })), etag };
}

export async function add(layer: string, geometry: GeoJSON.Geometry, properties: Partial<Look> & { kind: MarkKind }): Promise<number> {
  let made = '';
  const seen = (response: Response) => (made = response.headers.get('location') ?? '');
  await request('POST', items(layer), { body: { type: 'Feature', geometry, properties }, seen });
  return Number(made.split('/').pop());
}

/** Sets what is named; 412 when somebody was faster. */
export const change = (layer: string, mark: Held, to: { properties?: Partial<Look>; geometry?: GeoJSON.Geometry }) =>
  request<null>('PATCH', `${items(layer)}/${mark.id}`, { body: { type: 'Feature', ...to }, headers: { 'If-Match': mark.etag } });

export const erase = (layer: string, mark: number) => request<null>('DELETE', `${items(layer)}/${mark}`, { headers: { 'If-Match': '*' } });

/** Places a mark where an address is; a Problem of status 409 has the places to choose from. */
export const place = (layer: string, address: string, properties: Partial<Look>) => post<Feature>(marksOf(layer), { address, properties }).then(markOf);

export const photo = (layer: string, mark: number, id: string, thumbnail = false) => `${photosOf(layer, mark)}/${id}${thumbnail ? '?size=thumbnail' : ''}`;
export const addPhoto = (layer: string, mark: number, file: File) =>
  request<{ id: string }>('POST', photosOf(layer, mark), { body: file, headers: { 'Content-Type': file.type || 'application/octet-stream' } });
export const removePhoto = (layer: string, mark: number, id: string) => remove(photo(layer, mark, id));
