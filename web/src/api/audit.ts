import { get, post } from './client';
import { list, number, object, text, texts, when } from './read';

/** What is looked for among the records of accesses; empty is anything. */
export interface Search {
  department: string;
  who: string;
  layer: string;
  operation: string;
  feature: string;
  from: string;
  to: string;
  status: string;
  request: string;
}

/** One access: who, when, from where, what, under which grant, with which outcome. */
export interface Access {
  id: string;
  at: string | null;
  department: string;
  /** `person:login`, `key:id`, `operator` or `anonymous`. */
  who: string;
  address: string;
  origin: string;
  operation: string;
  layer: string;
  owner: string;
  revision: number | null;
  grant: string;
  purpose: string;
  request: string;
  status: number | null;
  complete: boolean;
  requests: number;
  rows: number | null;
  bytes: number | null;
  extent: number[] | null;
  filter: string;
  fields: string[] | null;
  features: string[];
  tiles: string[];
  /** Whether a feature that was searched for was surely among what was given. */
  match: 'certain' | 'possible' | null;
  written: unknown;
}

function accessOf(value: unknown): Access {
  const said = object(value);
  const match = text(said.match);
  return {
    id: text(said.id),
    at: when(said.at),
    department: text(said.department),
    who: text(said.who),
    address: text(said.address),
    origin: text(said.origin),
    operation: text(said.operation),
    layer: text(said.layer),
    owner: text(said.owner),
    revision: number(said.revision),
    grant: text(said.grant),
    purpose: text(said.purpose),
    request: text(said.request_id),
    status: number(said.status),
    complete: said.complete !== false,
    requests: number(said.requests) ?? 1,
    rows: number(said.rows),
    bytes: number(said.bytes),
    extent: Array.isArray(said.extent) ? list(said.extent).map(Number) : null,
    filter: text(said.filter),
    fields: Array.isArray(said.fields) ? texts(said.fields) : null,
    features: texts(said.features),
    tiles: texts(said.tiles),
    match: match === 'certain' || match === 'possible' ? match : null,
    written: said.written ?? null,
  };
}

export interface Page {
  records: Access[];
  next: string | null;
}

export async function accesses(search: Search, after?: string | null): Promise<Page> {
  const body = object(await get<unknown>('/api/v1/audit', { ...search, limit: 50, after: after ?? undefined }));
  return { records: list(body.records).map(accessOf), next: text(body.next) || null };
}

export interface Figure {
  day: string;
  layer: string;
  department: string;
  requests: number;
  refused: number;
  rows: number;
  bytes: number;
}

/** Figures by day, layer and department; days are those of China's calendar, the last is included. */
export async function figures(from: string, to: string, department: string): Promise<Figure[]> {
  const body = object(await get<unknown>('/api/v1/audit/summary', { by: 'day,layer,department', from, to, department }));
  return list(body.figures).map((one) => {
    const said = object(one);
    return {
      day: text(said.day),
      layer: text(said.layer),
      department: text(said.department),
      requests: number(said.requests) ?? 0,
      refused: number(said.refused) ?? 0,
      rows: number(said.rows) ?? 0,
      bytes: number(said.bytes) ?? 0,
    };
  });
}

/** A node's chain of records: where it ends, and until where it is sealed. */
export interface Chain {
  chain: number;
  node: string;
  key: string;
  records: number;
  last: { block: number; at: string | null; digest: string } | null;
  sealed: { block: number; at: string | null; file: string } | null;
  /** Blocks after the last seal. */
  open: number;
}

export interface Verification {
  at: string | null;
  by: string;
  records: number;
  faults: number;
}

export interface Chains {
  chains: Chain[];
  /** The last time that all chains were read again. */
  verified: Verification | null;
}

function chainOf(value: unknown): Chain {
  const said = object(value);
  const last = said.last ? object(said.last) : null;
  const sealed = said.sealed ? object(said.sealed) : null;
  return {
    chain: number(said.chain) ?? 0,
    node: text(said.node),
    key: text(said.public_key),
    records: number(said.records) ?? 0,
    last: last && { block: number(last.block) ?? 0, at: when(last.at), digest: text(last.digest) },
    sealed: sealed && { block: number(sealed.block) ?? 0, at: when(sealed.at), file: text(sealed.file) },
    open: number(said.not_sealed) ?? 0,
  };
}

/** How the chains stand; for auditors alone. */
export async function chains(): Promise<Chains> {
  const body = object(await get<unknown>('/api/v1/audit/chains'));
  const verified = body.verified ? object(body.verified) : null;
  return {
    chains: list(body.chains).map(chainOf),
    verified: verified && { at: when(verified.at), by: text(verified.by), records: number(verified.records) ?? 0, faults: number(verified.faults) ?? 0 },
  };
}

/** Begins an export of what a search finds; its job's id. */
export function beginExport(search: Search): Promise<string> {
  const { feature, status, ...rest } = search;
  const given = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== ''));
  const body = { ...given, ...(feature === '' ? {} : { feature: Number(feature) }), ...(status === '' ? {} : { status: Number(status) }) };
  return post<unknown>('/api/v1/audit/exports', body).then((answer) => text(object(answer).job));
}

export const exportAddress = (job: string) => `/api/v1/audit/exports/${encodeURIComponent(job)}`;
