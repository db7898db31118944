import { get } from './client';
import type { Feature, FeatureCollection } from './types';

interface Page extends FeatureCollection {
  links?: { rel: string; href: string }[];
}

export interface Wish {
  /** Leaves out where features are. */
  skipGeometry?: boolean;
  properties?: string[];
  /** CQL2 text. */
  filter?: string;
  bbox?: string;
}

/** The server gives no more at once. */
const PAGE = 10_000;

/** Reads a layer's features page by page, as far as `most`; `more` tells whether some were left. */
export async function features(layer: string, wish: Wish, most: number, read: (count: number) => void = () => undefined, signal?: AbortSignal): Promise<{ features: Feature[]; more: boolean }> {
  const all: Feature[] = [];
  let path: string | null = `/ogc/collections/${encodeURIComponent(layer)}/items`;
  let query: Record<string, string | number | boolean | undefined> | undefined = {
    limit: Math.min(PAGE, most),
    skipGeometry: wish.skipGeometry || undefined,
    properties: wish.properties?.join(','),
    filter: wish.filter,
    bbox: wish.bbox,
  };
  while (path) {
    const page: Page = await get<Page>(path, query, signal);
    for (const feature of page.features ?? []) {
      if (all.length >= most) return { features: all, more: true };
      all.push(feature);
    }
    read(all.length);
    const next = page.links?.find((link) => link.rel === 'next')?.href;
    const url: URL | null = next ? new URL(next, window.location.origin) : null;
    if (url && all.length >= most) return { features: all, more: true };
    path = url ? url.pathname + url.search : null;
    query = undefined;
  }
  return { features: all, more: false };
}
