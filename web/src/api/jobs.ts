import { get, remove } from './client';
import type { Job } from './types';

const path = (id: string) => `/api/v1/jobs/${encodeURIComponent(id)}`;

export const job = <R>(id: string) => get<Job<R>>(path(id));
export const cancel = (id: string) => remove(path(id));

export const ended = (one: Job): boolean => one.state === 'succeeded' || one.state === 'failed' || one.state === 'cancelled';

const POLL_MS = 2000;

/**
 * Follows a job to its end: by server-sent events, and by asking again where these do not come through
 * (some gateways hold event streams back). Returns what stops it.
 */
export function follow<R>(id: string, seen: (one: Job<R>) => void, failed: (thrown: unknown) => void): () => void {
  let stopped = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const events = new EventSource(`${path(id)}/events`);

  const stop = () => {
    stopped = true;
    events.close();
    clearTimeout(timer);
  };
  const take = (one: Job<R>) => {
    if (stopped) return;
    seen(one);
    if (ended(one)) stop();
  };
  const ask = async () => {
    try {
      take(await job<R>(id));
    } catch (thrown) {
      if (stopped) return;
      stop();
      failed(thrown);
      return;
    }
    if (!stopped) timer = setTimeout(ask, POLL_MS);
  };
  const told = (event: MessageEvent<string>) => {
    try {
      take(JSON.parse(event.data) as Job<R>);
    } catch {
      // A keep-alive or a cut line: the next event, or asking, brings the state.
    }
  };
  for (const name of ['message', 'job', 'progress']) events.addEventListener(name, told as EventListener);
  events.onerror = () => {
    if (stopped) return;
    events.close();
    clearTimeout(timer);
    void ask();
  };
  void job<R>(id).then(take, () => {});
  return stop;
}
