import type { Client } from './client';
import type { Asking, FeatureCollection, Position } from './types';

export type Statistic = 'count' | 'area' | 'length' | { sum: string } | { mean: string } | { min: string } | { max: string };

/** One of its members says what the zones are. */
export interface Zones {
  /** A layer of areas. */
  layer?: string;
  divisions?: 'city' | 'district' | 'street' | 'community';
  geometry?: GeoJSON.GeoJSON;
  buffers?: { distances_m: number[]; points?: Position[]; geometry?: GeoJSON.Geometry; layer?: string; filter?: string; label?: string };
  grid?: { size_m: number };
  h3?: { resolution: number };
  /** Which of the layer's zones, in CQL2. */
  filter?: string;
  /** The field that zones are called by. */
  label?: string;
}

export interface SummaryOptions extends Asking {
  layer: string;
  zones: Zones;
  /** The number of features when it is left out. */
  statistics?: Statistic[];
  /** The field whose values are the categories. */
  by?: string;
  filter?: string;
  /** How what crosses a zone's edge counts. */
  assign?: 'centre' | 'intersects' | 'share';
}

export interface Summary {
  layer: string;
  features: number;
  outside: number;
  rows: ({ zone: string; label?: string | null; category?: string | null } & Record<string, unknown>)[];
}

/** Figures of a layer's features by zone and category. */
export class Statistics {
  constructor(private readonly client: Client) {}

  summary({ signal, ...wanted }: SummaryOptions): Promise<Summary> {
    return this.client.post('/api/v1/summary', wanted, { signal });
  }

  /** The same as features: each zone with its outline and its figures. */
  summaryFeatures({ signal, ...wanted }: SummaryOptions): Promise<FeatureCollection> {
    return this.client.json('POST', '/api/v1/summary', { query: { f: 'geojson' }, body: wanted, signal });
  }
}
