/** Longitude and latitude in degrees (CGCS2000, which is WGS 84 to a few centimetres). */
export type Position = [number, number];
/** West, south, east, north. */
export type Bounds = [number, number, number, number];

export type Feature<P = Record<string, unknown>> = GeoJSON.Feature<GeoJSON.Geometry | null, P>;
export interface FeatureCollection<P = Record<string, unknown>> {
  type: 'FeatureCollection';
  features: Feature<P>[];
}

/** A text in Chinese and English. */
export interface Said {
  zh: string;
  en: string;
}

export type Language = 'zh-CN' | 'en';

/** What every question takes beside its own parameters. */
export interface Asking {
  signal?: AbortSignal;
}

export interface LayerInfo {
  id: string;
  title: Said;
  abstract: Said;
  department: string;
  theme: string | null;
  geometry: string | null;
  access: 'edit' | 'annotate' | 'read' | 'request';
  annotation: boolean;
  feature_count: number | null;
  bbox: Bounds | null;
  updated: string;
  synthetic: boolean;
  fields?: { name: string; type: string; title: Said; readable: boolean }[];
}

export interface LegendEntry {
  label: Said;
  kind: 'fill' | 'line' | 'circle';
  color: string;
  outline?: string | null;
}
