import { get, headers, post, request as send } from './client';
import { problemOf } from './problem';
import { list, number, object, saying, text, texts, when } from './read';
import type { Page } from './requests';
import type { Said, ShareClass } from './types';

/** A field as the catalogue describes it. */
export interface Item {
  name: string;
  title: string;
  type: string;
  length: number | null;
  sensitivity: string;
}

/** Of 100; a part that does not apply is null. */
export interface Score {
  total: number | null;
  completeness: number | null;
  timeliness: number | null;
  use: number | null;
}

/** How a record deviates from what it describes. */
export const DRIFTS = ['fields_changed', 'update_overdue', 'unused'] as const;
export type Drift = (typeof DRIFTS)[number];

/** One resource of the catalogue, after the 2017 compilation guide. */
export interface CatalogueRecord {
  code: string;
  /** The code as it stands in a path. */
  path: string;
  kind: string;
  /** The layer that it describes; null for what is offline, elsewhere or planned. */
  layer: string | null;
  title: Said;
  abstract: string;
  department: string;
  departmentTitle: Said | null;
  departmentCode: string;
  theme: string;
  format: string;
  shareClass: ShareClass;
  condition: string;
  mode: string;
  openness: string;
  openCondition: string;
  cycle: string;
  published: string | null;
  /** When the data were last updated, and when the record was. */
  dataUpdated: string | null;
  updated: string | null;
  items: Item[];
  /** Codes of others. */
  related: string[];
  score: Score;
  drift: Drift[];
  version: number;
}

const hundredth = (part: unknown): number | null => {
  const value = number(part);
  return value === null ? null : value * 100;
};

function scoreOf(value: unknown): Score {
  const said = object(value);
  return { total: number(said.total), completeness: hundredth(said.completeness), timeliness: hundredth(said.timeliness), use: hundredth(said.usage) };
}

function itemOf(value: unknown): Item {
  const said = object(value);
  return { name: text(said.name), title: text(said.title), type: text(said.type), length: number(said.length), sensitivity: text(said.sensitivity) };
}

/** A resource's code has a stroke, which in a path is a hyphen. */
export const pathOf = (code: string): string => code.replace('/', '-');

export function recordOf(value: unknown): CatalogueRecord {
  const said = object(value);
  const code = text(said.code);
  const drift = object(said.drift);
  return {
    code,
    path: text(said.link).split('/').pop() || pathOf(code),
    kind: text(said.kind),
    layer: text(said.layer) || null,
    title: saying(said.name) ?? { zh: code, en: code },
    abstract: text(said.abstract),
    department: text(said.department),
    departmentTitle: saying(said.department_title),
    departmentCode: text(said.department_code),
    theme: text(said.theme),
    format: text(said.format),
    shareClass: (text(said.share_class) || 'conditional') as ShareClass,
    condition: text(said.share_condition),
    mode: text(said.share_mode),
    openness: text(said.openness),
    openCondition: text(said.open_condition),
    cycle: text(said.update_cycle),
    published: when(said.published),
    dataUpdated: when(said.data_updated),
    updated: when(said.updated),
    items: list(said.items).map(itemOf),
    related: texts(said.related),
    score: scoreOf(said.score),
    drift: DRIFTS.filter((name) => drift[name] === true),
    version: number(said.version) ?? 1,
  };
}

export interface Facet {
  id: string;
  title: Said | null;
  count: number;
}

export type FacetName = 'theme' | 'department' | 'kind' | 'share_class' | 'openness';
export type Facets = Record<FacetName, Facet[]>;

const facetOf = (value: unknown): Facet => {
  const said = object(value);
  return { id: text(said.value) || text(said.id), title: saying(said.title), count: number(said.count) ?? 0 };
};

export interface Found extends Page<CatalogueRecord> {
  matched: number | null;
  facets: Facets;
}

export interface Search {
  q: string;
  theme: string;
  department: string;
  kind: string;
  share_class: string;
  openness: string;
  drift: string;
}

export async function search(wanted: Search, after?: string | null, signal?: AbortSignal): Promise<Found> {
  const body = object(await get<unknown>('/api/v1/catalogue', { ...wanted, limit: 30, after: after ?? undefined }, signal));
  const facets = object(body.facets);
  const of = (name: FacetName) => list(facets[name]).map(facetOf);
  return {
    items: list(body.records).map(recordOf),
    matched: number(body.matched),
    next: text(body.next) || null,
    facets: { theme: of('theme'), department: of('department'), kind: of('kind'), share_class: of('share_class'), openness: of('openness') },
  };
}

const path = (code: string) => `/api/v1/catalogue/${encodeURIComponent(pathOf(code))}`;
export const record = (code: string) => get<unknown>(path(code)).then(recordOf);
/** Changes a record by a merge patch of what its department writes. */
export const describe = (one: CatalogueRecord, change: Record<string, unknown>) =>
  send<unknown>('PATCH', path(one.code), { body: change, headers: { 'If-Match': `"${one.version}"` } }).then(recordOf);
/** Takes over the fields of the layer's published revision. */
export const acceptFields = (code: string) => post<unknown>(`${path(code)}/fields`).then(recordOf);

/** A rate with what it is made of. */
export interface Rate {
  name: string;
  definition: Said | null;
  value: number | null;
  numerator: number | null;
  denominator: number | null;
}

export interface DepartmentScore extends Score {
  department: string;
  records: number | null;
}

export interface Scores {
  departments: DepartmentScore[];
  rates: Rate[];
  /** What each part of a score means. */
  definitions: Record<string, Said | null>;
}

const RATES = ['integrated_systems', 'shared_items', 'cooperating_applications', 'connection_rate'];

export async function scores(): Promise<Scores> {
  const body = object(await get<unknown>('/api/v1/catalogue/scores'));
  const figures = object(body.figures);
  const definitions = object(body.definitions);
  return {
    departments: list(body.departments).map((one) => {
      const said = object(one);
      return { ...scoreOf(said.score), department: text(said.department), records: number(said.records) };
    }),
    rates: RATES.filter((name) => figures[name] !== undefined).map((name) => {
      const rate = object(figures[name]);
      return { name, definition: saying(definitions[name]), value: number(rate.value) ?? number(figures[name]), numerator: number(rate.numerator), denominator: number(rate.denominator) };
    }),
    definitions: { completeness: saying(definitions.completeness), timeliness: saying(definitions.timeliness), use: saying(definitions.usage), total: saying(definitions.total) },
  };
}

export const exportAddress = (format: 'csv' | 'xlsx') => `/api/v1/catalogue/export?format=${format}`;

export interface Imported {
  rows: number | null;
  created: number | null;
  changed: number | null;
  kept: boolean;
  faults: { row: number | null; column: string; problem: Said | null }[];
  moreFaults: boolean;
}

/** The file is sent as it is; with a fault in any row nothing of it is kept. */
export async function importFile(file: File): Promise<Imported> {
  const response = await fetch('/api/v1/catalogue/import', { method: 'POST', credentials: 'same-origin', headers: { ...headers(), 'Content-Type': file.type || 'application/octet-stream' }, body: file });
  const answer: unknown = await response.json().catch(() => null);
  if (!response.ok) throw problemOf(response.status, answer, response.headers.get('x-request-id'));
  const body = object(answer);
  return {
    rows: number(body.rows),
    created: number(body.created),
    changed: number(body.changed),
    kept: body.kept === true,
    faults: list(body.faults).map((one) => ({ row: number(object(one).row), column: text(object(one).column), problem: saying(object(one).problem) })),
    moreFaults: body.more_faults === true,
  };
}
