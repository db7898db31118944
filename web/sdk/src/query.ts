import { type Client, part } from './client';
import type { Asking, Bounds, Feature, FeatureCollection, Position, Said } from './types';

export interface Identified {
  layer: string;
  title: Said;
  features: Feature[];
}

export interface FilterOptions extends Asking {
  /** Features of a page; `all` asks for every page. */
  limit?: number;
  bbox?: Bounds;
  properties?: string[];
  /** A field, with `-` before it for descending. */
  sortby?: string;
  geometry?: boolean;
}

/** A layer as spatial queries name it: with the fields that are wanted and a CQL2 filter. */
export type Named = string | { layer: string; fields?: string[]; filter?: string };

export interface NearestOptions extends Asking {
  /** Of each layer; 1 when it is left out. */
  k?: number;
  /** Metres. */
  maxDistance?: number;
}

export interface Nearest {
  results: { index: number; layers: { layer: string; features: (Feature & { distance: number })[] }[] }[];
}

export interface OverlayOptions extends Asking {
  layers: unknown[];
  [name: string]: unknown;
}

/** Questions over layers: what is here, which features meet a condition, what lies where mine lie, what is nearest. */
export class Queries {
  constructor(private readonly client: Client) {}

  /** What of the layers is at a point; `tolerance` in metres. */
  async identify([lon, lat]: Position, layers: string[], { tolerance = 10, signal }: Asking & { tolerance?: number } = {}): Promise<Identified[]> {
    const query = { lon, lat, tolerance: Math.round(tolerance), layers: layers.join(',') };
    return (await this.client.get<{ results: Identified[] }>('/api/v1/identify', query, { signal })).results;
  }

  /** The first page of the features that meet a CQL2 condition, such as `floors > 7 AND kind = '住宅'`. */
  filter(layer: string, filter: string | null = null, options: FilterOptions = {}): Promise<FeatureCollection & { numberMatched?: number }> {
    const { limit = 100, bbox, properties, sortby, geometry = true, signal } = options;
    const query = {
      filter,
      limit,
      bbox: bbox?.join(','),
      properties: properties?.join(','),
      sortby,
      skipGeometry: geometry ? undefined : true,
    };
    return this.client.get(`/ogc/collections/${part(layer)}/items`, query, { signal });
  }

  /** Every feature that meets the condition, page by page. */
  async *all(layer: string, filter: string | null = null, options: FilterOptions = {}): AsyncGenerator<Feature> {
    type Page = FeatureCollection & { links?: { rel: string; href: string }[] };
    let page: Page = await this.filter(layer, filter, { limit: 1000, ...options });
    for (;;) {
      yield* page.features;
      const next = page.links?.find((link) => link.rel === 'next')?.href;
      if (!next) return;
      // The server's address as this page knows it: behind a gateway the server may know another.
      const { pathname, search } = new URL(next);
      page = await this.client.get(pathname + search, {}, options);
    }
  }

  /** The features nearest to points (at most 1,000) or to a geometry, with their distances in metres on the ellipsoid. */
  nearest(places: Position[] | GeoJSON.Geometry, layers: Named[], { k, maxDistance, signal }: NearestOptions = {}): Promise<Nearest> {
    const where = Array.isArray(places) ? { points: places } : { geometry: places };
    return this.client.post('/api/v1/nearest', { ...where, layers, k, max_distance: maxDistance }, { signal });
  }

  /**
   * One's own features with the attributes of shared layers. What is sent is streamed through and kept nowhere. The options go into the
   * address, as docs/spatial.md says.
   */
  async overlay(features: FeatureCollection | Blob, { layers, signal, ...rest }: OverlayOptions): Promise<FeatureCollection> {
    const query: Record<string, string> = {};
    for (const [name, value] of Object.entries({ layers, ...rest })) {
      query[name] = typeof value === 'string' ? value : Array.isArray(value) && value.every((one) => typeof one === 'string') ? value.join(',') : JSON.stringify(value);
    }
    const body = features instanceof Blob ? features : new Blob([JSON.stringify(features)], { type: 'application/geo+json' });
    return this.client.json('POST', '/api/v1/overlay', { query, body, headers: { 'Content-Type': body.type || 'application/geo+json' }, signal });
  }
}
