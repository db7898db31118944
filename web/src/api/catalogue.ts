import { get, post } from './client';
import type { Feature, FeatureCollection, Identified, Layer, LayerDetail, LegendEntry, Named, Revision } from './types';

const path = (id: string) => `/api/v1/layers/${encodeURIComponent(id)}`;

export const layers = () => get<{ layers: Layer[] }>('/api/v1/layers').then((body) => body.layers ?? []);
export const themes = () => get<{ topics: Named[] }>('/api/v1/topics').then((body) => body.topics ?? []);
export const departments = () => get<{ departments: Named[] }>('/api/v1/departments').then((body) => body.departments ?? []);
export const layer = (id: string) => get<LayerDetail>(path(id));
export const legend = (id: string) => get<{ entries: LegendEntry[] }>(`${path(id)}/legend`).then((body) => body.entries ?? []);

/** One feature, asked for only to hear how the layer may be requested. */
export const sample = (id: string) => get<FeatureCollection>(`/ogc/collections/${encodeURIComponent(id)}/items`, { limit: 1 });

/** The reference systems that a layer's files may be in, by their URIs. */
export const systems = (id: string) => get<{ crs?: string[] }>(`/ogc/collections/${encodeURIComponent(id)}`).then((body) => body.crs ?? []);

/** The server looks no farther. */
const MOST_METRES = 10_000;

export interface Place {
  lon: number;
  lat: number;
  /** Metres around the place. */
  tolerance: number;
  layers: string[];
}

export function identify(place: Place, signal?: AbortSignal): Promise<Identified[]> {
  const query = {
    lon: place.lon.toFixed(7),
    lat: place.lat.toFixed(7),
    tolerance: Math.min(MOST_METRES, Math.max(1, Math.ceil(place.tolerance))),
    layers: place.layers.join(','),
  };
  return get<{ results: Identified[] }>('/api/v1/identify', query, signal).then((body) => body.results ?? []);
}

export const revisions = (id: string) => get<{ revisions: Revision[] }>(`${path(id)}/revisions`).then((body) => body.revisions ?? []);
export const publish = (id: string, number: number) => post<unknown>(`${path(id)}/revisions/${number}/publish`);
export const rollback = (id: string, revision: number) => post<unknown>(`${path(id)}/rollback`, { revision });
export const preview = (id: string, number: number) =>
  get<{ features?: Feature[] }>(`${path(id)}/revisions/${number}/preview`).then((body) => body.features ?? []);
