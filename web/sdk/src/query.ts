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
  /** At most 20, each with the fields that are wanted and a filter. */
  layers: Named[];
  /** `intersects` when it is left out. */
  predicate?: 'intersects' | 'within' | 'nearest';
  /** Metres, for `nearest`. */
  maxDistance?: number;
  /** Of what is sent: `EPSG:4490` and others, `gcj02`, `bd09`. */
  crs?: string;
  /** The columns of a table that say where a row is; found by their usual names otherwise. */
  lon?: string;
  lat?: string;
  wkt?: string;
  address?: string;
}

/** A row of one's own with what the layers say of its place. */
export type Overlaid = Feature & { onemap?: { problem?: string; [layer: string]: unknown } };

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
   * One's own rows with the attributes of shared layers, in their order: features, or a table as a file (csv, xlsx). They are streamed
   * through the server and kept nowhere. A row that is wrong has its problem in `onemap.problem`.
   */
  async overlay(rows: FeatureCollection | Blob, { layers, maxDistance, signal, ...rest }: OverlayOptions): Promise<Overlaid[]> {
    const query: Record<string, string | number | undefined> = { ...rest, max_distance: maxDistance, f: 'geojson' };
    query.layers = layers.map((named) => (typeof named === 'string' ? named : named.layer)).join(',');
    for (const named of layers) {
      if (typeof named === 'string') continue;
      if (named.fields) query[`fields.${named.layer}`] = named.fields.join(',');
      if (named.filter) query[`filter.${named.layer}`] = named.filter;
    }
    const body = rows instanceof Blob ? rows : new Blob([JSON.stringify(rows)], { type: 'application/geo+json' });
    const headers = { 'Content-Type': body.type || 'application/geo+json' };
    return (await this.client.json<{ features: Overlaid[] }>('POST', '/api/v1/overlay', { query, body, headers, signal })).features;
  }
}
