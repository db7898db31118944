import { get, post, remove } from './client';
import type { Session } from './types';

export const current = () => get<Session>('/api/v1/session');
export const open = (user: string, password: string, code?: string) => post<Session>('/api/v1/session', { user, password, ...(code ? { code } : {}) });
export const close = () => remove('/api/v1/session');
