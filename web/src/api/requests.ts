import { get, headers, post, request as send } from './client';
import { problemOf } from './problem';
import { list, number, object, saying, text, texts, when, who } from './read';
import { termsOf, type Terms } from './terms';
import type { Said } from './types';

export const STATES = ['draft', 'submitted', 'returned', 'approved', 'rejected', 'active', 'expired', 'revoked', 'surrendered'] as const;
export type RequestState = (typeof STATES)[number];

/** Whose decision a step of the approval is. */
export type Approver = 'requester' | 'owner' | 'platform';

export interface Step {
  position: number;
  approver: Approver;
  /** Whose people decide; empty for the platform's administrators. */
  department: string;
  state: 'pending' | 'approved' | 'returned' | 'rejected';
  /** The last day for the decision; null while an earlier step is open. */
  due: string | null;
  decidedBy: string;
  decidedAt: string | null;
  note: string;
}

export interface Attachment {
  filename: string;
  size: number | null;
  sha256: string;
}

/** A department's wish to use a layer of another, and what became of it. */
export interface UseRequest {
  id: string;
  /** Sent back with every change: who decides says which state of the request was read. */
  version: number;
  state: RequestState;
  layer: string;
  title: Said;
  owner: string;
  department: string;
  person: string;
  purpose: string;
  legalBasis: string;
  caseNumber: string;
  asked: Terms;
  granted: Terms | null;
  grant: string | null;
  steps: Step[];
  due: string | null;
  attachment: Attachment | null;
  created: string | null;
  updated: string | null;
  submitted: string | null;
  decided: string | null;
  /** What the reader may do with it now. */
  actions: string[];
}

export interface Event {
  at: string | null;
  name: string;
  department: string;
  action: string;
  from: RequestState | null;
  to: RequestState | null;
  note: string;
}

const isState = (value: string): value is RequestState => (STATES as readonly string[]).includes(value);
const stateOf = (value: unknown): RequestState | null => {
  const name = text(value);
  return isState(name) ? name : null;
};

function stepOf(value: unknown, index: number): Step {
  const said = object(value);
  return {
    position: number(said.position) ?? index + 1,
    approver: (text(said.approver) || 'owner') as Approver,
    department: text(said.department),
    state: (text(said.state) || 'pending') as Step['state'],
    due: when(said.due),
    decidedBy: who(said.decided_by),
    decidedAt: when(said.decided),
    note: text(said.note),
  };
}

function attachmentOf(value: unknown): Attachment | null {
  const said = object(value);
  const filename = text(said.filename);
  return filename ? { filename, size: number(said.size), sha256: text(said.sha256) } : null;
}

export function requestOf(value: unknown): UseRequest {
  const said = object(value);
  const id = text(said.layer);
  const person = object(said.person);
  const steps = list(said.steps).map(stepOf);
  return {
    id: text(said.id),
    version: number(said.version) ?? 1,
    state: stateOf(said.state) ?? 'draft',
    layer: id,
    title: saying(said.layer_title) ?? { zh: id, en: id },
    owner: text(said.owner),
    department: text(said.department),
    person: text(person.name) || text(person.login),
    purpose: text(said.purpose),
    legalBasis: text(said.legal_basis),
    caseNumber: text(said.case_number),
    asked: termsOf(said.asked, said.asked_area, said.asked_area_km2),
    granted: said.granted ? termsOf(said.granted, said.granted_area, said.granted_area_km2) : null,
    grant: text(said.grant) || null,
    steps,
    due: steps.find((step) => step.state === 'pending')?.due ?? null,
    attachment: attachmentOf(said.attachment),
    created: when(said.created),
    updated: when(said.updated),
    submitted: when(said.submitted),
    decided: when(said.decided),
    actions: texts(said.actions),
  };
}

function eventOf(value: unknown): Event {
  const said = object(value);
  return {
    at: when(said.at),
    name: text(said.name) || (text(said.by) === 'system' ? '' : text(said.by)),
    department: text(said.department),
    action: text(said.action),
    from: stateOf(said.from),
    to: stateOf(said.to),
    note: text(said.note),
  };
}

const path = (id: string, more = '') => `/api/v1/requests/${encodeURIComponent(id)}${more}`;

/** Which requests: one's own, one's department's, those that wait for one's decision, those one has decided. */
export type Box = 'mine' | 'department' | 'to_decide' | 'decided';

export interface Page<T> {
  items: T[];
  next: string | null;
}

export async function requests(box: Box, filter: { state?: string; layer?: string } = {}, after?: string | null): Promise<Page<UseRequest>> {
  const body = await get<unknown>('/api/v1/requests', { view: box, ...filter, after: after ?? undefined });
  return { items: list(object(body).requests).map(requestOf), next: text(object(body).next) || null };
}
export const one = (id: string) => get<unknown>(path(id)).then(requestOf);
export const history = (id: string) => get<unknown>(path(id, '/history')).then((body) => list(object(body).events).map(eventOf));

/** What is asked for, as it is sent. */
export interface Wish {
  layer: string;
  purpose: string;
  legal_basis: string;
  case_number: string;
  rights: string[];
  fields: string[] | null;
  filter: string | null;
  divisions: string[];
  area: GeoJSON.Geometry | null;
  from: string | null;
  until: string | null;
}

/** A refusal with 412 says that somebody else has changed it since. */
function versioned(version: number): Record<string, string> {
  return { 'If-Match': `"${version}"` };
}

export const create = (wish: Wish) => post<unknown>('/api/v1/requests', wish).then(requestOf);
export const change = (id: string, version: number, wish: Wish) => send<unknown>('PATCH', path(id), { body: wish, headers: versioned(version) }).then(requestOf);

export type Move = 'submit' | 'withdraw' | 'return' | 'approve' | 'reject' | 'revoke' | 'surrender';

/** Throws away a draft that was never submitted. */
export const discard = (id: string, version: number): Promise<unknown> => send('DELETE', path(id), { headers: versioned(version) });

/** An approval may give less than was asked for: `granted` says of what, `area` where. */
export interface Deed {
  note?: string;
  granted?: Record<string, unknown>;
  area?: GeoJSON.Geometry;
}

export function move(id: string, version: number, what: Move, body: Deed = {}): Promise<UseRequest> {
  return send<unknown>('POST', path(id, `/${what}`), { body, headers: versioned(version) }).then(requestOf);
}

export interface Decided {
  id: string;
  problem: unknown;
}

/** Decides several at once; each stands or falls by itself. */
export async function decide(decision: 'approve' | 'reject' | 'return', chosen: { id: string; version: number }[], note: string): Promise<Decided[]> {
  const body = await post<unknown>('/api/v1/requests/decisions', { decisions: chosen.map((one) => ({ id: one.id, version: one.version, action: decision, note })) });
  return list(object(body).results).map((value) => {
    const said = object(value);
    return { id: text(said.id), problem: said.done === true ? null : problemOf(400, { detail: said.problem }) };
  });
}

export const attachmentAddress = (id: string) => path(id, '/attachment');

export async function attach(id: string, version: number, file: File): Promise<UseRequest> {
  const response = await fetch(path(id, `/attachment?filename=${encodeURIComponent(file.name)}`), {
    method: 'PUT',
    credentials: 'same-origin',
    headers: { ...headers(), ...versioned(version), 'Content-Type': file.type || 'application/octet-stream' },
    body: file,
  });
  const body: unknown = await response.json().catch(() => null);
  if (response.ok) return requestOf(body);
  throw problemOf(response.status, body, response.headers.get('x-request-id'));
}
