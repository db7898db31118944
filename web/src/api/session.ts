import { get, post, remove } from './client';
import type { Session } from './types';

export const current = () => get<Session>('/api/v1/session');
export const open = (user: string, password: string) => post<Session>('/api/v1/session', { user, password });
export const close = () => remove('/api/v1/session');
