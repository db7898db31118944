import { get, post, remove } from './client';
import { list, number, object, text, texts, type Loose } from './read';
import type { Layer, Said } from './types';

const ENDPOINT = '/api/v1/themes';
const path = (id: string, tail = '') => `${ENDPOINT}/${encodeURIComponent(id)}${tail}`;

export interface Indicator {
  kind: 'count' | 'sum' | 'mean' | 'ratio' | 'per_capita' | 'per_km2' | 'category';
  field?: string;
  denominator?: string;
  /** What the figure is called; its readers are told this, not its columns. */
  label?: string;
}

export interface Definition {
  data: { rows: Record<string, string | number | null>[] } | { layer: string };
  zones: { layer: string; code?: string; name?: string; parent?: string };
  join: { by: 'code' | 'name'; field: string; parent?: string } | { by: 'location'; lon?: string; lat?: string };
  indicator: Indicator;
  /** Of a bivariate map. */
  second?: Indicator;
  kind: 'choropleth' | 'graduated_symbols' | 'dot_density' | 'heat' | 'categories' | 'bivariate';
  method?: string;
  classes?: number;
  breaks?: number[];
  palette?: string;
  reverse?: boolean;
  time?: { field: string; unit?: 'year' | 'month' | 'day' };
}

export type NewTheme = Definition & { id: string; title: Said; theme?: string; share_class?: string };

/** Characters of what a figure is called. */
export const LONGEST_LABEL = 60;

/** The server takes no more rows with a request. */
export const MOST_ROWS = 50_000;
export const LONGEST_ID = 57;

export const create = (wish: NewTheme) => post<unknown>(ENDPOINT, wish).then((body) => ({ id: text(object(body).id), job: text(object(body).job) }));

/** A thematic layer in the list: a layer, and what it shows. */
export type Theme = Layer & { kind?: string; indicator?: string; periods?: unknown };

export const themes = () => get<{ themes: Theme[] }>(ENDPOINT).then((body) => body.themes ?? []);
export const refresh = (id: string) => post<unknown>(path(id, '/refresh')).then((body) => text(object(body).job));
export const discard = (id: string) => remove(path(id));

export interface ClassOf {
  from: number;
  to: number;
  count: number | null;
  label: string;
  colour: string;
}

export interface About {
  id: string;
  title: Said;
  kind: string;
  updated: string;
  revision: number | null;
  periods: string[];
  classes: ClassOf[];
  /** Of a bivariate map, the other figure's. */
  second: ClassOf[];
  /** What the figures are called; empty where nobody said so. */
  labels: string[];
  /** Texts with a colour of their own, the most frequent first. */
  categories: string[];
  /** What a dot stands for. */
  perDot: number | null;
  histogram: { from: number; to: number; count: number }[];
  suppressed: number | null;
  /** Only its editors see them. */
  editable: boolean;
  job: string;
  unmatched: { key: string; rows: number; suggestions: string[] }[];
}

const classesOf = (classification: Loose): ClassOf[] =>
  list(classification.classes)
    .map(object)
    .map((one) => ({ from: number(one.from) ?? 0, to: number(one.to) ?? 0, count: number(one.count), label: text(one.label), colour: text(one.color) }));

export function aboutOf(body: unknown): About {
  const raw = object(body);
  const figures = object(raw.figures);
  const classification = object(figures.classification);
  const histogram = object(classification.histogram);
  const edges = list(histogram.edges).map((edge) => number(edge) ?? 0);
  const title = object(raw.title);
  const report = object(raw.report);
  return {
    id: text(raw.id),
    title: { zh: text(title.zh), en: text(title.en) },
    kind: text(raw.kind),
    updated: text(raw.updated),
    revision: number(raw.revision),
    periods: texts(figures.periods),
    classes: classesOf(classification),
    second: classesOf(object(figures.second)),
    labels: list(raw.labels).map(text),
    categories: texts(figures.categories),
    perDot: number(figures.per_dot),
    histogram: list(histogram.counts).map((count, index) => ({ from: edges[index] ?? 0, to: edges[index + 1] ?? 0, count: number(count) ?? 0 })),
    suppressed: number(figures.suppressed),
    editable: raw.definition !== undefined,
    job: text(raw.job),
    unmatched: list(report.unmatched)
      .map(object)
      .map((one) => ({ key: text(one.key), rows: number(one.rows) ?? number(one.count) ?? list(one.rows).length, suggestions: list(one.suggestions).map((each) => (typeof each === 'string' ? each : text(object(each).name))).filter(Boolean) })),
  };
}

export const about = (id: string) => get<unknown>(path(id)).then(aboutOf);

export interface Row {
  code: string;
  name: string;
  period: string;
  value: number | null;
  /** From 0; null where there is none. */
  class: number | null;
  /** Of a bivariate map. */
  second: number | null;
  /** Of a map of categories. */
  category: string;
  withheld: boolean;
}

const rowOf = (value: unknown): Row => {
  const raw = object(value);
  return { code: text(raw.code), name: text(raw.name), period: text(raw.period), value: number(raw.value), class: number(raw.class), second: number(raw.second), category: text(raw.category), withheld: raw.suppressed === true };
};

/** The numbers of all zones and periods. */
export async function table(id: string, signal?: AbortSignal): Promise<Row[]> {
  const all: Row[] = [];
  for (let after: number | undefined; ; ) {
    const page: unknown = await get<unknown>(path(id, '/table'), { limit: 10_000, after }, signal);
    all.push(...list(object(page).rows).map(rowOf));
    const next = number(object(page).next);
    if (next === null) return all;
    after = next;
  }
}
