import type { Bounds, Feature, Said } from '@/api/types';

/** The server's report, as far as this page reads it. Any part may be missing. */
export interface SourceLayer {
  dataset: string;
  index: number;
  name: string;
  format: string;
  geometry_types: [string, number][];
  feature_count: number;
  has_z: boolean;
  has_m: boolean;
  encoding: { name: string; reason: Said | null };
  crs: {
    epsg: number | null;
    wkt: string | null;
    name: string;
    confidence: 'declared' | 'recognised' | 'guessed' | 'unknown';
    reasons: Said[];
    candidates: { epsg: number; name: string; reason: Said | null }[];
    needs_confirmation: boolean;
  };
  bbox: Bounds | null;
  bbox_4490: Bounds | null;
  axes: { swapped: boolean; reason: Said | null };
  datum_suspicion: { datum: Datum; reason: Said | null };
  fields: FieldFound[];
  key_candidates: string[];
  geometry: Partial<GeometryFound>;
  sample: Feature[];
  notes: Said[];
}

export type Datum = 'none' | 'gcj02' | 'bd09';

export interface FieldFound {
  source: number;
  source_name: string;
  name: string;
  type: string;
  original_type: string;
  nulls: number;
  samples: string[];
  is_geometry: boolean;
  notes: Said[];
}

export interface Listed {
  count: number;
  rows: number[];
}

export interface GeometryFound {
  valid: number;
  invalid: Listed;
  reasons: { text: string; count: number }[];
  curves: number;
  empty: number;
  null: number;
  degenerate: Listed;
  not_finite: Listed;
  unreadable: Listed;
  failed_rows: Listed;
  mixed: boolean;
}

export interface Inspection {
  format: string;
  files: { path: string; bytes: number }[];
  layers: SourceLayer[];
  problems: Said[];
}

type Loose = Record<string, unknown>;
const object = (value: unknown): Loose => (typeof value === 'object' && value !== null ? (value as Loose) : {});
const list = <T>(value: unknown): T[] => (Array.isArray(value) ? (value as T[]) : []);
const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const number = (value: unknown): number => (typeof value === 'number' && Number.isFinite(value) ? value : 0);
const said = (value: unknown): Said | null => {
  if (typeof value === 'string' && value !== '') return { zh: value, en: value };
  const note = object(value);
  return typeof note.zh === 'string' || typeof note.en === 'string' ? { zh: text(note.zh), en: text(note.en) } : null;
};
const notes = (value: unknown): Said[] => list<unknown>(value).flatMap((one) => said(one) ?? []);

function layer(value: unknown, index: number): SourceLayer {
  const raw = object(value);
  const crs = object(raw.crs);
  const axes = object(raw.axes);
  const datum = object(raw.datum_suspicion);
  const encoding = object(raw.encoding);
  const epsg = typeof crs.epsg === 'number' ? crs.epsg : null;
  return {
    dataset: text(raw.dataset),
    index: typeof raw.index === 'number' ? raw.index : index,
    name: text(raw.name) || String(index + 1),
    format: text(raw.format),
    geometry_types: list<[string, number]>(raw.geometry_types).filter(Array.isArray),
    feature_count: number(raw.feature_count),
    has_z: raw.has_z === true,
    has_m: raw.has_m === true,
    encoding: { name: text(encoding.name), reason: said(encoding.reason) },
    crs: {
      epsg,
      wkt: text(crs.wkt) || null,
      name: text(crs.name) || (epsg ? `EPSG:${epsg}` : ''),
      confidence: (text(crs.confidence) || (epsg ? 'declared' : 'unknown')) as SourceLayer['crs']['confidence'],
      reasons: notes(crs.reasons),
      candidates: list<Loose>(crs.candidates).flatMap((one) =>
        typeof one?.epsg === 'number' ? [{ epsg: one.epsg, name: text(one.name) || `EPSG:${one.epsg}`, reason: said(one.reason) }] : [],
      ),
      needs_confirmation: crs.needs_confirmation === true,
    },
    bbox: (raw.bbox as Bounds | null) ?? null,
    bbox_4490: (raw.bbox_4490 as Bounds | null) ?? null,
    axes: { swapped: axes.swapped === true, reason: said(axes.reason) },
    datum_suspicion: { datum: datum.datum === 'gcj02' || datum.datum === 'bd09' ? datum.datum : 'none', reason: said(datum.reason) },
    fields: list<Loose>(raw.fields).map((field, at) => ({
      source: typeof field.source === 'number' ? field.source : at,
      source_name: text(field.source_name) || text(field.name),
      name: text(field.name),
      type: text(field.type),
      original_type: text(field.original_type),
      nulls: number(field.nulls),
      samples: list<unknown>(field.samples).map(String),
      is_geometry: field.is_geometry === true,
      notes: notes(field.notes),
    })),
    key_candidates: list<unknown>(raw.key_candidates).map(String),
    geometry: object(raw.geometry) as Partial<GeometryFound>,
    sample: list<Feature>(raw.sample).filter((one) => one?.type === 'Feature'),
    notes: notes(raw.notes),
  };
}

export function inspectionOf(value: unknown): Inspection | null {
  const raw = object(value);
  if (Object.keys(raw).length === 0) return null;
  return {
    format: text(raw.format),
    files: list<{ path: string; bytes: number }>(raw.files),
    layers: list<unknown>(raw.layers).map(layer),
    problems: notes(raw.problems),
  };
}

/** What the reader corrects before loading. */
export interface Corrections {
  /** Null: as the file says. */
  crs: number | null;
  datum: Datum;
  swap_axes: boolean;
  /** Empty: as found. */
  encoding: string;
  confirmed: { crs: boolean; datum: boolean; axes: boolean };
}

/** The report's own proposals; what is only a guess is not yet confirmed. */
export function proposed(found: SourceLayer | null): Corrections {
  const guess = found?.crs.needs_confirmation ?? false;
  return {
    crs: guess ? (found?.crs.epsg ?? null) : null,
    datum: found?.datum_suspicion.datum ?? 'none',
    swap_axes: found?.axes.swapped ?? false,
    encoding: '',
    confirmed: {
      crs: !guess && found?.crs.confidence !== 'unknown',
      datum: (found?.datum_suspicion.datum ?? 'none') === 'none',
      axes: !(found?.axes.swapped ?? false),
    },
  };
}

/** An identifier from a file's or layer's name, as far as it has latin letters. */
export function identifier(name: string): string {
  const slug = name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9_]+/g, '-')
    .replace(/^[^a-z]+|[-_]+$/g, '');
  return slug.slice(0, 63);
}

export const LAYER_ID = /^[a-z](?:[a-z0-9_-]{0,61}[a-z0-9])?$/;
