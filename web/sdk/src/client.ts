import { Problem } from './problem';
import type { Asking, Language } from './types';

export interface Access {
  /** The server's address, such as https://map.example.gov.cn; the page's own when it is left out. */
  url?: string;
  /** The department's application key. Without one the visitor's session counts, which a page of the server's own origin has. */
  key?: string;
  /** The language of messages; the page's own when it is left out. */
  language?: Language;
}

type Query = Record<string, string | number | boolean | undefined | null>;

export interface Call extends Asking {
  query?: Query;
  /** Sent as JSON; a Blob, a FormData or a text as it is. */
  body?: unknown;
  headers?: Record<string, string>;
}

function pageLanguage(): Language {
  const said = typeof document === 'undefined' ? '' : document.documentElement.lang;
  return said.toLowerCase().startsWith('en') ? 'en' : 'zh-CN';
}

/** Requests to one server: the key, the language, problems as exceptions. */
export class Client {
  readonly url: string;
  readonly language: Language;
  private readonly key?: string;

  constructor(access: Access = {}) {
    const page = typeof location === 'undefined' ? undefined : location.href;
    this.url = new URL(access.url ?? '/', page).href.replace(/\/+$/, '');
    this.key = access.key;
    this.language = access.language ?? pageLanguage();
  }

  /** One of the two languages' texts. */
  say(zh: string, en: string): string {
    return this.language === 'en' ? en : zh;
  }

  address(path: string, query: Query = {}): string {
    const search = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined && value !== null && value !== '') search.set(name, String(value));
    }
    const tail = search.toString();
    return this.url + path + (tail ? (path.includes('?') ? '&' : '?') + tail : '');
  }

  /** The headers of a request to this server: the key never goes anywhere else. */
  headers(url: string): Record<string, string> {
    const ours = url === this.url || url.startsWith(`${this.url}/`);
    return { 'Accept-Language': this.language, ...(this.key && ours ? { Authorization: `Bearer ${this.key}` } : {}) };
  }

  async response(method: string, path: string, { query, body, headers, signal }: Call = {}): Promise<Response> {
    const plain = body === undefined || typeof body === 'string' || body instanceof Blob || body instanceof FormData;
    const url = this.address(path, query);
    let response: Response;
    try {
      response = await fetch(url, {
        method,
        signal,
        credentials: 'same-origin',
        headers: {
          ...this.headers(url),
          Accept: 'application/json, application/geo+json;q=0.9, */*;q=0.1',
          ...(plain ? {} : { 'Content-Type': 'application/json' }),
          ...headers,
        },
        body: plain ? (body as BodyInit | undefined) : JSON.stringify(body),
      });
    } catch (thrown) {
      if ((thrown as Error).name === 'AbortError') throw thrown;
      throw new Problem(0, { title: this.say('无法连接服务器', 'the server cannot be reached') });
    }
    if (!response.ok) throw new Problem(response.status, await response.json().catch(() => null));
    return response;
  }

  async json<T>(method: string, path: string, call?: Call): Promise<T> {
    const response = await this.response(method, path, call);
    return (response.status === 204 ? undefined : await response.json()) as T;
  }

  get<T>(path: string, query?: Query, { signal }: Asking = {}): Promise<T> {
    return this.json('GET', path, { query, signal });
  }

  post<T>(path: string, body: unknown, { signal }: Asking = {}): Promise<T> {
    return this.json('POST', path, { body, signal });
  }
}

/** A name as a part of a path. */
export const part = (name: string | number): string => encodeURIComponent(String(name));
