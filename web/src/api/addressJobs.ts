import { address, get, post, remove, sendForm } from './client';
import { candidateOf, levelOf, type Candidate, type Level } from './addresses';
import { list, number, numbers, object, text, texts, type Loose } from './read';

const ENDPOINT = '/address/jobs';
const path = (id: string, tail = '') => `${ENDPOINT}/${encodeURIComponent(id)}${tail}`;

export const BANDS = ['auto', 'review', 'reject'] as const;
export type Band = (typeof BANDS)[number];

export const STATES = ['draft', 'queued', 'running', 'paused', 'succeeded', 'failed', 'cancelled'] as const;
export type State = (typeof STATES)[number];

/** A column of the file, with what stands in its first rows. */
export interface Column {
  name: string;
  sample: string[];
  guess: 'address' | 'division' | 'id' | null;
}

export interface AddressJob {
  id: string;
  state: State;
  filename: string;
  /** All columns of the file, where they are still known. */
  columns: Column[];
  /** The columns that make the address, in order. */
  chosen: string[];
  total: number | null;
  done: number;
  rate: number | null;
  remaining_seconds: number | null;
  bands: Record<Band, number>;
  decided: number;
  levels: Record<string, number>;
  faults: Record<string, number>;
  compare_to: string | null;
  created_at: string;
  finished_at: string;
  problem: unknown;
}

export interface Decision {
  kind: 'pick' | 'place' | 'reject';
  by: string;
  at: string;
  note: string;
  /** What holds by it; none for a rejection, or where the reader may not see it. */
  label: string;
  lon: number | null;
  lat: number | null;
  /** The row of the same text on which it was decided, when it was not this one. */
  follows: number | null;
}

/** A candidate with its place in the server's own list, where one that cannot be shown still counts. */
export type Ranked = Candidate & { index: number };

export interface Row {
  row: number;
  text: string;
  values: Record<string, string>;
  band: Band;
  score: number | null;
  match_level: Level;
  label: string;
  lon: number | null;
  lat: number | null;
  faults: string[];
  remainder: string;
  /** Answered by what somebody decided for this text before. */
  alias: boolean;
  /** Its answer is out of a layer that this reader may not see. */
  withheld: boolean;
  candidates: Ranked[];
  decision: Decision | null;
}

export type Wish = { kind: 'pick'; candidate: number | { source: string; feature: number | string } } | { kind: 'place'; lon: number; lat: number; label?: string } | { kind: 'reject' } | { kind: 'undo' };

function columnsOf(value: unknown): Column[] {
  return list(value).flatMap((one) => {
    if (typeof one === 'string') return [];
    const raw = object(one);
    const name = text(raw.name);
    const { guess } = raw;
    return name === '' ? [] : [{ name, sample: list(raw.sample).map(text), guess: guess === 'address' || guess === 'division' || guess === 'id' ? guess : null }];
  });
}

export function jobOf(value: unknown): AddressJob {
  const raw = object(value);
  const bands = numbers(raw.bands);
  return {
    id: text(raw.id),
    state: (STATES as readonly unknown[]).includes(raw.state) ? (raw.state as State) : 'failed',
    filename: text(raw.filename) || text(raw.layer),
    columns: columnsOf(raw.columns),
    // A job that was started names them; a draft has a guess.
    chosen: list(raw.columns).every((one) => typeof one === 'string') && list(raw.columns).length > 0 ? texts(raw.columns) : texts(raw.chosen ?? object(raw.guess).address),
    total: number(raw.total) ?? number(raw.rows),
    done: number(raw.done) ?? 0,
    rate: number(raw.rate),
    remaining_seconds: number(raw.remaining_seconds),
    bands: { auto: bands.auto ?? 0, review: bands.review ?? 0, reject: bands.reject ?? 0 },
    decided: number(raw.decided) ?? 0,
    levels: numbers(raw.levels),
    faults: numbers(raw.faults),
    compare_to: text(raw.compare_to) || null,
    created_at: text(raw.created_at),
    finished_at: text(raw.finished_at),
    problem: raw.problem ?? null,
  };
}

/** Who it was, without the kind of account that the server puts before the name. */
const who = (value: unknown): string => text(value).replace(/^(?:person|key):/, '');

export function decisionOf(value: unknown): Decision | null {
  const raw = object(value);
  const kind = raw.kind;
  if (kind !== 'pick' && kind !== 'place' && kind !== 'reject') return null;
  return { kind, by: who(raw.by), at: text(raw.at), note: text(raw.note), label: text(raw.label), lon: number(raw.lon), lat: number(raw.lat), follows: number(raw.follows) };
}

/** The server lists candidates where somebody has to choose; elsewhere the answer itself is the only one. */
function candidatesOf(raw: Loose): Ranked[] {
  const listed = list(raw.candidates);
  return (listed.length > 0 ? listed : [raw]).flatMap((one, index) => {
    const found = candidateOf(object(one));
    return found ? [{ ...found, index }] : [];
  });
}

export function rowOf(value: unknown): Row {
  const raw = object(value);
  const { band } = raw;
  return {
    row: number(raw.row) ?? 0,
    text: text(raw.text),
    values: Object.fromEntries(Object.entries(object(raw.values)).map(([name, one]) => [name, text(one)])),
    band: band === 'auto' || band === 'reject' ? band : 'review',
    score: number(raw.score),
    match_level: levelOf(raw.match_level),
    label: text(raw.label),
    lon: number(raw.lon),
    lat: number(raw.lat),
    faults: texts(raw.faults),
    remainder: text(raw.remainder),
    alias: raw.alias === true,
    withheld: raw.withheld === true,
    candidates: candidatesOf(raw),
    decision: decisionOf(raw.decision),
  };
}

export interface Page<T> {
  rows: T[];
  next: string | null;
}

export interface Ask {
  band: Band;
  decided?: boolean;
  q?: string;
  after?: string;
  limit: number;
}

export const jobs = () => get<unknown>(ENDPOINT).then((body) => (Array.isArray(body) ? body : list(object(body).jobs)).map(jobOf));
export const job = (id: string) => get<unknown>(path(id)).then(jobOf);
export const discard = (id: string) => remove(path(id));

export function send(file: File, progress: (sent: number, total: number) => void, signal?: AbortSignal): Promise<AddressJob> {
  const form = new FormData();
  form.append('data', file, file.name);
  return sendForm<unknown>(ENDPOINT, form, progress, signal).then(jobOf);
}

export const ofLayer = (layer: string, columns: string[]) => post<unknown>(ENDPOINT, { layer, columns }).then(jobOf);

export interface Start {
  columns: string[];
  sources?: string[];
  auto?: number;
  reject?: number;
}

export const start = (id: string, wish: Start) => post<unknown>(path(id, '/start'), wish).then(jobOf);
export const pause = (id: string) => post<unknown>(path(id, '/pause')).then(jobOf);
export const resume = (id: string) => post<unknown>(path(id, '/resume')).then(jobOf);
export const cancel = (id: string) => post<unknown>(path(id, '/cancel')).then(jobOf);
export const rerun = (id: string) => post<unknown>(path(id, '/rerun')).then(jobOf);

export async function rows(id: string, ask: Ask): Promise<Page<Row>> {
  const raw = object(await get<unknown>(path(id, '/rows'), { ...ask }));
  return { rows: list(raw.rows).map(rowOf), next: text(raw.next) || null };
}

/** A row as it is after a decision, and which others of the same text went with it. */
export interface Decided extends Row {
  also: { count: number; rows: number[] };
}

export function decidedOf(value: unknown): Decided {
  const also = object(object(value).also);
  return { ...rowOf(value), also: { count: number(also.count) ?? 0, rows: list(also.rows).flatMap((row) => number(row) ?? []) } };
}

export function decide(id: string, row: number, wish: Wish, note?: string): Promise<Decided> {
  return post<unknown>(path(id, `/rows/${row}/decision`), { ...wish, ...(note ? { note } : {}) }).then(decidedOf);
}

export type Division = 'community' | 'town' | 'district';

export interface Count {
  name: string;
  /** What lies around it: two communities may have one name. */
  within: string;
  count: number;
  /** Rows that may lie there once somebody has looked. */
  review: number;
}

/** The divisions with their rows; those that lie in none come last, without a name. */
export function countsOf(body: unknown): Count[] {
  const raw = object(body);
  const entries = list(raw.counts).map(object).map((one) => {
    const name = text(one.name);
    return { name, within: [text(one.district), text(one.town)].filter((part) => part !== '' && part !== name).join(' '), count: number(one.count) ?? 0, review: number(one.review) ?? 0 };
  });
  const { count = 0, review = 0 } = numbers(raw.unknown);
  return count + review > 0 ? [...entries, { name: '', within: '', count, review }] : entries;
}

export const counts = (id: string, by: Division) => get<unknown>(path(id, '/counts'), { by }).then(countsOf);

export interface Outcome {
  label: string;
  match_level: Level;
}

export interface Changed {
  row: number;
  text: string;
  change: 'better' | 'worse' | 'changed';
  before: Outcome;
  after: Outcome;
}

export interface Comparison {
  same: number;
  better: number;
  worse: number;
  changed: number;
  rows: Changed[];
  next: string | null;
}

const outcome = (value: unknown): Outcome => ({ label: text(object(value).label), match_level: levelOf(object(value).match_level) });

export function comparisonOf(body: unknown): Comparison {
  const raw = object(body);
  const { same = 0, better = 0, worse = 0, changed = 0 } = numbers(raw);
  return {
    same,
    better,
    worse,
    changed,
    rows: list(raw.rows)
      .map(object)
      .map((one) => ({ row: number(one.row) ?? 0, text: text(one.text), change: one.change === 'better' || one.change === 'worse' ? one.change : 'changed', before: outcome(one.before), after: outcome(one.after) })),
    next: text(raw.next) || null,
  };
}

export const comparison = (id: string, after?: string) => get<unknown>(path(id, '/comparison'), { after }).then(comparisonOf);

export type Format = 'xlsx' | 'csv' | 'geojson';

/** Where the browser itself fetches the finished table: it may be larger than a page can hold. */
export const exportAddress = (id: string, format: Format, band?: Band) => address(path(id, '/export'), { format, band });

export const moving = (one: AddressJob): boolean => one.state === 'queued' || one.state === 'running';
