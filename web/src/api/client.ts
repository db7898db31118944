import { language } from './language';
import { Problem, problemOf } from './problem';

export interface Options {
  query?: Record<string, string | number | boolean | undefined>;
  /** Sent as JSON; a file as it is. */
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
  /** Looks at an answer that is no refusal: its headers say more than its body. */
  seen?: (response: Response) => void;
}

let unauthorized: () => void = () => {};

/** The one answer to "your session has ended", wherever it happens. */
export function onUnauthorized(act: () => void): void {
  unauthorized = act;
}

export function address(path: string, query?: Options['query']): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined && value !== '') search.set(name, String(value));
  }
  const tail = search.toString();
  return tail ? `${path}?${tail}` : path;
}

/** Headers every request carries; the resumable upload sends its own requests and needs them too. */
export function headers(): Record<string, string> {
  return { 'Accept-Language': language() };
}

async function parsed(response: Response): Promise<unknown> {
  const raw = await response.text();
  if (raw === '') return null;
  try {
    return JSON.parse(raw);
  } catch {
    return null;
  }
}

/** Sends a request and returns the answer if it is none of refusal; its body is still to be read. */
export async function exchange(path: string, init: RequestInit, query?: Options['query']): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(address(path, query), { credentials: 'same-origin', ...init, headers: { ...headers(), ...(init.headers as Record<string, string>) } });
  } catch (thrown) {
    if (thrown instanceof DOMException && thrown.name === 'AbortError') throw thrown;
    throw new Problem({ status: 0, title: 'offline' });
  }
  if (response.ok) return response;
  if (response.status === 401 && !path.startsWith('/api/v1/session')) unauthorized();
  throw problemOf(response.status, await parsed(response), response.headers.get('x-request-id'));
}

export async function request<T>(method: string, path: string, options: Options = {}): Promise<T> {
  const file = options.body instanceof Blob;
  const response = await exchange(
    path,
    {
      method,
      signal: options.signal,
      headers: { Accept: 'application/json, application/geo+json;q=0.9, */*;q=0.1', ...(options.body === undefined || file ? {} : { 'Content-Type': 'application/json' }), ...options.headers },
      body: options.body === undefined ? undefined : file ? (options.body as Blob) : JSON.stringify(options.body),
    },
    options.query,
  );
  const body = await parsed(response);
  options.seen?.(response);
  if (body === null && response.status !== 204 && response.status !== 205 && method === 'GET') {
    throw new Problem({ status: response.status, title: 'unreadable' });
  }
  return body as T;
}

export const get = <T>(path: string, query?: Options['query'], signal?: AbortSignal) => request<T>('GET', path, { query, signal });
export const post = <T>(path: string, body?: unknown) => request<T>('POST', path, { body });
export const patch = <T>(path: string, body: unknown) => request<T>('PATCH', path, { body });
export const remove = (path: string) => request<null>('DELETE', path);

/**
 * Sends a form whose file may be large, and tells how much of it has gone: fetch cannot.
 */
export function sendForm<T>(path: string, form: FormData, progress: (sent: number, total: number) => void, signal?: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const sending = new XMLHttpRequest();
    sending.open('POST', path);
    for (const [name, value] of Object.entries(headers())) sending.setRequestHeader(name, value);
    sending.setRequestHeader('Accept', 'application/json');
    sending.upload.onprogress = (event) => progress(event.loaded, event.total);
    sending.onload = () => {
      let body: unknown = null;
      try {
        body = JSON.parse(sending.responseText);
      } catch {
        // Not our server's answer; the status has to do.
      }
      if (sending.status >= 200 && sending.status < 300) return resolve(body as T);
      if (sending.status === 401) unauthorized();
      reject(problemOf(sending.status, body, sending.getResponseHeader('x-request-id')));
    };
    sending.onerror = () => reject(new Problem({ status: 0, title: 'offline' }));
    sending.onabort = () => reject(new DOMException('stopped', 'AbortError'));
    signal?.addEventListener('abort', () => sending.abort(), { once: true });
    sending.send(form);
  });
}
