import type { Feature } from './types';

/** What the server says when it refuses (RFC 9457), in the page's language; or that it could not be reached. */
export class Problem extends Error {
  /** HTTP's status; 0 when there was no answer. */
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  /** What to do next. */
  readonly hint?: string;
  /** The parameter that is wrong. */
  readonly parameter?: string;
  /** What an administrator finds the request by. */
  readonly requestId?: string;
  /** The places of which one is to be chosen, when an address means several. */
  readonly candidates?: Feature[];

  constructor(status: number, body: unknown = null) {
    const said = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>;
    const text = (name: string) => (typeof said[name] === 'string' ? (said[name] as string) : undefined);
    const title = text('title') ?? (status === 0 ? 'offline' : `HTTP ${status}`);
    super(text('detail') ?? title);
    this.name = 'Problem';
    this.status = status;
    this.title = title;
    this.detail = text('detail') ?? '';
    this.hint = text('hint');
    this.parameter = text('parameter');
    this.requestId = text('request_id');
    if (Array.isArray(said.candidates)) this.candidates = said.candidates as Feature[];
  }
}
