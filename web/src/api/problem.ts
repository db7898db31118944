import { spoken } from './language';

/** What the server says when it refuses (RFC 9457), or what we say when it cannot be reached. */
export class Problem extends Error {
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  readonly hint?: string;
  readonly parameter?: string;
  /** What kind it is, as a path: `/problems/…`. */
  readonly type?: string;
  readonly requestId?: string;
  /** Features to choose from, where an address means several places. */
  readonly candidates?: unknown[];

  constructor(fields: { status: number; title: string; detail?: string; hint?: string; parameter?: string; type?: string; requestId?: string; candidates?: unknown[] }) {
    super(fields.detail || fields.title);
    this.name = 'Problem';
    this.status = fields.status;
    this.title = fields.title;
    this.detail = fields.detail ?? '';
    this.hint = fields.hint;
    this.parameter = fields.parameter;
    this.type = fields.type;
    this.requestId = fields.requestId;
    this.candidates = fields.candidates;
  }

  /** The server did not answer at all. */
  get offline(): boolean {
    return this.status === 0;
  }
}

/** Makes a Problem of a refused answer, whatever its body is. */
export function problemOf(status: number, body: unknown, requestId?: string | null): Problem {
  const said = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>;
  const detail = spoken(said.detail);
  return new Problem({
    status,
    // What is kept with a job has no title: the cause itself is the heading then.
    title: spoken(said.title) ?? detail ?? `HTTP ${status}`,
    detail,
    hint: spoken(said.hint),
    parameter: spoken(said.parameter),
    type: spoken(said.type),
    requestId: spoken(said.request_id) ?? requestId ?? undefined,
    candidates: Array.isArray(said.candidates) ? said.candidates : undefined,
  });
}

/** Anything thrown, as a Problem. */
export function asProblem(thrown: unknown): Problem {
  if (thrown instanceof Problem) return thrown;
  return new Problem({ status: 0, title: thrown instanceof Error ? thrown.message : String(thrown) });
}
