/** A text in both languages. */
export interface Said {
  zh: string;
  en: string;
}

export interface Named {
  id: string;
  title: Said;
}

export interface Session {
  user: string;
  name: string;
  role: string;
  department: Named;
  /** One has a second factor. */
  second_factor?: boolean;
  /** It is codes by time, or codes too. */
  codes?: boolean;
  /** What has to be done before the session is good for anything else. */
  pending?: { change_password?: boolean; second_factor?: boolean; code?: boolean };
}

export type ShareClass = 'unconditional' | 'conditional' | 'not_shared';
export type Access = 'edit' | 'annotate' | 'read' | 'request';
export type Bounds = [number, number, number, number];

export interface Layer {
  id: string;
  title: Said;
  abstract?: Said | null;
  department: string;
  theme: string | null;
  share_class: ShareClass;
  anonymous: boolean;
  geometry: string | null;
  access: Access;
  feature_count: number | null;
  bbox: Bounds | null;
  revision: number | null;
  updated: string | null;
  synthetic: boolean;
  /** One reads only some of its rows. */
  partial?: boolean;
  /** It is an archive of finished tiles and has no features. */
  tiles_only?: boolean;
  /** Its department's people draw on it. */
  annotation?: boolean;
}

export interface Field {
  name: string;
  type: string;
  title: Said;
  readable?: boolean;
}

export interface LayerDetail extends Layer {
  fields: Field[];
  crs?: string | number | null;
  source?: Said | string | null;
  current_revision?: unknown;
  view?: string | null;
}

export interface LegendEntry {
  label: Said;
  kind: 'fill' | 'line' | 'circle';
  color: string;
  outline?: string | null;
}

export type Feature = GeoJSON.Feature<GeoJSON.Geometry | null, Record<string, unknown> | null>;

export interface FeatureCollection {
  type: 'FeatureCollection';
  features: Feature[];
}

export interface Identified {
  layer: string;
  title: Said;
  features: Feature[];
}

export type JobState = 'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled';

export interface Job<Result = unknown> {
  id: string;
  kind: string;
  state: JobState;
  stage: string | Said | null;
  done: number | null;
  total: number | null;
  rate: number | null;
  remaining_s: number | null;
  result: Result | null;
  problem: unknown;
}

export interface Diff {
  added: number;
  removed: number;
  changed: number;
  unchanged: number;
  key: string | null;
  unmatched?: number;
  fields_added?: string[];
  fields_removed?: string[];
}

export interface LoadResult {
  layer: string;
  revision: number;
  report?: Record<string, unknown> | null;
  /** For an archive of finished tiles, which has no features to show. */
  tiles?: { tiles: number; minzoom: number; maxzoom: number };
  /** Null where there was nothing to compare with; missing where the figures are no longer known. */
  diff?: Diff | null;
}

export type UploadState = 'receiving' | 'received' | 'inspecting' | 'inspected' | 'loading' | 'loaded' | 'published' | 'failed';

export interface Upload {
  id: string;
  filename: string;
  size: number;
  offset: number;
  state: UploadState;
  job: string | null;
  layer?: string | null;
  revision?: number | null;
  inspection?: unknown;
  problem?: unknown;
}

export interface LoadRequest {
  source_layer: string;
  layer: string;
  title: Said;
  theme: string;
  share_class: ShareClass;
  crs?: number;
  datum?: 'none' | 'gcj02' | 'bd09';
  swap_axes?: boolean;
  encoding?: string;
  key?: string;
}

export interface Revision {
  number: number;
  state: 'staged' | 'published' | 'superseded';
  feature_count: number | null;
  /** Of an archive of finished tiles. */
  tiles?: number | null;
  created: string;
  published: string | null;
  note?: string | Said | null;
}

export interface Key {
  id: string;
  label: string;
  prefix: string;
  created: string;
  expires: string | null;
  revoked?: boolean;
  key?: string;
  /** Pages that may use it, and networks it may come from; null is any. */
  origins?: string[] | null;
  addresses?: string[] | null;
  daily_quota?: number | null;
  /** Requests a second. */
  rate_limit?: number | null;
  used_today?: number;
  replaces?: string | null;
}
