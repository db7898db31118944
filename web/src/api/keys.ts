import { get, post, remove } from './client';
import type { Key } from './types';

/** A key as it is wanted; null is without a bound. */
export interface NewKey {
  label: string;
  days: number;
  origins: string[] | null;
  addresses: string[] | null;
  daily_quota: number | null;
  rate_limit: number | null;
}

const path = (id: string, more = '') => `/api/v1/keys/${encodeURIComponent(id)}${more}`;

export const list = () => get<{ keys?: Key[] } | Key[]>('/api/v1/keys').then((body) => (Array.isArray(body) ? body : (body.keys ?? [])));
export const create = (wanted: NewKey) => post<Key>('/api/v1/keys', Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== null)));
/** Another key with the same bounds; the old one goes on for some hours. */
export const rotate = (id: string, hours: number) => post<Key>(path(id, '/rotate'), { hours });
export const revoke = (id: string) => remove(path(id));
