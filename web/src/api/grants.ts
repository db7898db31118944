import { get, post, request as send } from './client';
import { list, object, text, when } from './read';
import { termsOf, type Right, type Terms } from './terms';

export type GrantState = 'pending' | 'active' | 'expired' | 'revoked' | 'surrendered';

/** What a department has been given of a layer. */
export interface Grant {
  id: string;
  state: GrantState;
  layer: string;
  owner: string;
  department: string;
  purpose: string;
  legalBasis: string;
  caseNumber: string;
  terms: Terms;
  grantedBy: string;
  created: string | null;
  revoked: string | null;
  revokeReason: string;
  request: string | null;
}

function grantOf(value: unknown): Grant {
  const said = object(value);
  return {
    id: text(said.id),
    state: (text(said.state) || 'active') as GrantState,
    layer: text(said.layer),
    owner: text(said.owner),
    department: text(said.department),
    purpose: text(said.purpose),
    legalBasis: text(said.legal_basis),
    caseNumber: text(said.case_number),
    terms: termsOf(said),
    grantedBy: text(said.granted_by),
    created: when(said.created),
    revoked: when(said.revoked),
    revokeReason: text(said.revoke_reason),
    request: text(said.request) || null,
  };
}

export interface Grants {
  given: Grant[];
  held: Grant[];
}

export async function grants(): Promise<Grants> {
  const body = object(await get<unknown>('/api/v1/grants'));
  return { given: list(body.given).map(grantOf), held: list(body.held).map(grantOf) };
}

/** A grant as it is written by the layer's owner. */
export interface NewGrant {
  layer: string;
  department: string;
  rights: Right[];
  fields: string[] | null;
  filter: string | null;
  divisions: string[];
  area: GeoJSON.Geometry | null;
  purpose: string;
  legal_basis: string;
  case_number: string;
  valid_from: string | null;
  valid_until: string | null;
}

/** Gives a grant that nobody asked for. */
export const give = (wanted: NewGrant) => post<{ id: number }>('/api/v1/grants', wanted);

/** Ends a grant: its owner revokes it, its holder gives it back. */
export const end = (id: string, reason: string) => send<null>('DELETE', `/api/v1/grants/${encodeURIComponent(id)}`, { body: { reason } });

/** One grant with its area. */
export const grant = (id: string) => get<unknown>(`/api/v1/grants/${encodeURIComponent(id)}`).then(grantOf);
