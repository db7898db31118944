import { get, request as send, sendForm } from './client';
import { list, number, object, saying, text, texts, when } from './read';
import type { Page } from './requests';
import type { Access, Said, ShareClass } from './types';

/** A field as the catalogue describes it. */
export interface Item {
  name: string;
  title: Said | null;
  type: string;
  length: number | null;
  sensitivity: string;
}

export interface Score {
  total: number | null;
  completeness: number | null;
  timeliness: number | null;
  use: number | null;
}

/** One resource of the catalogue, after the 2017 compilation guide. */
export interface CatalogueRecord {
  code: string;
  /** The layer that it describes; null for what is offline or planned. */
  layer: string | null;
  title: Said;
  abstract: Said | null;
  department: string;
  providerCode: string;
  theme: string;
  type: string;
  category: string;
  format: string;
  shareClass: ShareClass;
  condition: string;
  mode: string;
  openness: string;
  cycle: string;
  published: string | null;
  updated: string | null;
  access: Access | null;
  items: Item[];
  related: { code: string; title: Said }[];
  keywords: string[];
  score: Score | null;
  flags: string[];
  /** The reader may change what it says. */
  editable: boolean;
  version: number | null;
}

const idOf = (value: unknown): string => text(value) || text(object(value).id) || text(object(value).code);

function scoreOf(value: unknown): Score | null {
  if (number(value) !== null) return { total: number(value), completeness: null, timeliness: null, use: null };
  const said = object(value);
  const score = { total: number(said.total) ?? number(said.score), completeness: number(said.completeness), timeliness: number(said.timeliness), use: number(said.use) };
  return Object.values(score).every((part) => part === null) ? null : score;
}

function itemOf(value: unknown): Item {
  const said = object(value);
  return { name: text(said.name), title: saying(said.title), type: text(said.type), length: number(said.length), sensitivity: text(said.sensitivity) };
}

/** A text in two languages, as one. */
const plain = (value: unknown): string => saying(value)?.zh ?? '';

export function recordOf(value: unknown): CatalogueRecord {
  const said = object(value);
  const code = text(said.code);
  return {
    code,
    layer: idOf(said.layer) || null,
    title: saying(said.title) ?? saying(said.name) ?? { zh: code, en: code },
    abstract: saying(said.abstract),
    department: idOf(said.department) || idOf(said.provider),
    providerCode: text(said.provider_code) || text(object(said.provider).code),
    theme: idOf(said.theme),
    type: text(said.type) || text(said.kind),
    category: plain(said.category),
    format: plain(said.format),
    shareClass: (text(said.share_class) || 'conditional') as ShareClass,
    condition: plain(said.share_condition) || plain(said.condition),
    mode: plain(said.share_mode) || plain(said.mode),
    openness: text(said.openness),
    cycle: text(said.update_cycle) || text(said.cycle),
    published: when(said.published_at) ?? when(said.published),
    updated: when(said.updated_at) ?? when(said.updated),
    access: (text(said.access) || null) as Access | null,
    items: list(said.items ?? said.fields).map(itemOf),
    related: list(said.related).map((one) => ({ code: idOf(one), title: saying(object(one).title) ?? { zh: idOf(one), en: idOf(one) } })),
    keywords: texts(said.keywords),
    score: scoreOf(said.score),
    flags: list(said.flags ?? said.drift).map((one) => text(one) || text(object(one).flag) || text(object(one).kind)).filter(Boolean),
    editable: said.editable === true,
    version: number(said.version),
  };
}

export interface Facet {
  id: string;
  title: Said | null;
  count: number;
}

export type FacetName = 'theme' | 'department' | 'type' | 'share_class';
export type Facets = Record<FacetName, Facet[]>;

const facetOf = (value: unknown): Facet => {
  const said = object(value);
  return { id: text(said.id) || text(said.value), title: saying(said.title), count: number(said.count) ?? 0 };
};

export interface Found extends Page<CatalogueRecord> {
  matched: number | null;
  facets: Facets;
}

export interface Search {
  q: string;
  theme: string;
  department: string;
  type: string;
  share_class: string;
}

export async function search(wanted: Search, after?: string | null, signal?: AbortSignal): Promise<Found> {
  const body = object(await get<unknown>('/api/v1/catalogue', { ...wanted, limit: 30, after: after ?? undefined }, signal));
  const facets = object(body.facets);
  const of = (...names: string[]) => list(names.map((name) => facets[name]).find((value) => value !== undefined)).map(facetOf);
  return {
    items: list(body.records ?? body.items).map(recordOf),
    matched: number(body.matched) ?? number(body.total) ?? number(body.count),
    next: text(body.next) || null,
    facets: { theme: of('theme', 'themes'), department: of('department', 'departments'), type: of('type', 'types'), share_class: of('share_class', 'share_classes') },
  };
}

const path = (code: string) => `/api/v1/catalogue/${encodeURIComponent(code)}`;
export const record = (code: string) => get<unknown>(path(code)).then(recordOf);
export const describe = (code: string, change: Record<string, unknown>) => send<unknown>('PATCH', path(code), { body: change }).then(recordOf);

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
}

export async function scores(): Promise<Scores> {
  const body = object(await get<unknown>('/api/v1/catalogue/scores'));
  return {
    departments: list(body.departments).map((one) => {
      const said = object(one);
      return { ...(scoreOf(said.score ?? said) ?? { total: null, completeness: null, timeliness: null, use: null }), department: idOf(said.department) || text(said.id), records: number(said.records) };
    }),
    rates: list(body.rates ?? body.figures ?? body.three_counts).map((one) => {
      const said = object(one);
      return { name: text(said.name) || text(said.id), definition: saying(said.definition), value: number(said.value), numerator: number(said.numerator), denominator: number(said.denominator) };
    }),
  };
}

export const exportAddress = (format: 'csv' | 'xlsx') => `/api/v1/catalogue/export?format=${format}`;

export interface Imported {
  rows: number | null;
  added: number | null;
  changed: number | null;
  faults: { row: number | null; field: string; message: Said | null }[];
}

export async function importFile(file: File, progress: (sent: number, total: number) => void): Promise<Imported> {
  const form = new FormData();
  form.append('file', file);
  const body = object(await sendForm<unknown>('/api/v1/catalogue/import', form, progress));
  return {
    rows: number(body.rows),
    added: number(body.added) ?? number(body.created),
    changed: number(body.changed) ?? number(body.updated),
    faults: list(body.errors ?? body.faults).map((one) => {
      const said = object(one);
      return { row: number(said.row), field: text(said.field) || text(said.column), message: saying(said.message) ?? saying(said.detail) };
    }),
  };
}
