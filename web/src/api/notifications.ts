import { get, post } from './client';
import { list, number, object, saying, text, when } from './read';
import type { Said } from './types';

export interface Notice {
  id: string;
  kind: string;
  title: Said;
  request: string | null;
  at: string | null;
  read: boolean;
}

export interface Notices {
  items: Notice[];
  unread: number;
  next: string | null;
}

function noticeOf(value: unknown): Notice {
  const said = object(value);
  return {
    id: text(said.id),
    kind: text(said.kind),
    title: saying(said.title) ?? { zh: text(said.kind), en: text(said.kind) },
    request: text(said.request) || null,
    at: when(said.created),
    read: said.read === true,
  };
}

export async function notices(limit = 20, before?: string | null): Promise<Notices> {
  const body = object(await get<unknown>('/api/v1/notifications', { limit, before: before ?? undefined }));
  const items = list(body.notifications).map(noticeOf);
  return { items, unread: number(body.unread) ?? items.filter((one) => !one.read).length, next: text(body.next) || null };
}

/** Marks these as read; the server says how many are left. */
const read = (body: { ids?: number[]; up_to?: number }) => post<unknown>('/api/v1/notifications/read', body).then((answer) => number(object(answer).unread) ?? 0);
export const markRead = (id: string) => read({ ids: [Number(id)] });
/** Marks all as read up to this one: what comes meanwhile stays unread. */
export const markAll = (newest: string) => read({ up_to: Number(newest) });

const POLL_MS = 30_000;

/**
 * Says when there may be news: by server-sent events, and every half minute where these do not come through. Returns what stops it.
 */
export function onNews(ask: () => void): () => void {
  const events = new EventSource('/api/v1/notifications/events');
  let timer: ReturnType<typeof setInterval> | undefined;
  const poll = () => {
    timer ??= setInterval(() => document.visibilityState === 'visible' && ask(), POLL_MS);
  };
  events.onmessage = ask;
  events.onerror = () => {
    // The browser tries again by itself unless the server said no.
    if (events.readyState === EventSource.CLOSED) poll();
  };
  return () => {
    events.close();
    clearInterval(timer);
  };
}
