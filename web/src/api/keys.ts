import { get, post, remove } from './client';
import type { Key } from './types';

export const list = () => get<{ keys?: Key[] } | Key[]>('/api/v1/keys').then((body) => (Array.isArray(body) ? body : (body.keys ?? [])));
export const create = (label: string, days: number) => post<Key>('/api/v1/keys', { label, days });
export const revoke = (id: string) => remove(`/api/v1/keys/${encodeURIComponent(id)}`);
