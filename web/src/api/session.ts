import { get, post, remove } from './client';
import { object, saying, text } from './read';
import type { Said, Session } from './types';

export const current = () => get<Session>('/api/v1/session');
export const open = (user: string, password: string, code?: string) => post<Session>('/api/v1/session', { user, password, ...(code ? { code } : {}) });
/** Shows the second factor in a session that an identity provider opened without it. */
export const prove = (code: string) => post<Session>('/api/v1/session/second-factor', { code });
export const close = () => remove('/api/v1/session');

/** An identity provider at which one may sign in. */
export interface Provider {
  label: Said;
  href: string;
}

/** The ways to sign in beside a password. */
export interface Ways {
  provider: Provider | null;
  /** Whether certificates are taken as second factors. */
  certificates: boolean;
}

export const ways = () =>
  get<unknown>('/api/v1/session/options').then((body): Ways => {
    const all = object(body);
    const said = object(all.oidc);
    const label = saying(said.label);
    return { provider: label && text(said.href) ? { label, href: text(said.href) } : null, certificates: all.certificates === true };
  });
