import { get, remove } from './client';
import { decisionOf, type Decision } from './addressJobs';
import { list, object, text } from './read';

const ENDPOINT = '/api/v1/address-aliases';

/** What a department decided for a text; the text is answered by it from then on. */
export interface Alias extends Decision {
  id: string;
  given: string;
}

export interface Aliases {
  aliases: Alias[];
  next: string | null;
}

export function aliasesOf(body: unknown): Aliases {
  const raw = object(body);
  const aliases = list(raw.aliases).flatMap((one) => {
    const decision = decisionOf(one);
    const id = text(object(one).id);
    return decision && id ? [{ ...decision, id, given: text(object(one).text) }] : [];
  });
  return { aliases, next: text(raw.next) || null };
}

export const aliases = (q: string, after?: string) => get<unknown>(ENDPOINT, { q: q.trim() || undefined, after, limit: 50 }).then(aliasesOf);
export const forget = (id: string) => remove(`${ENDPOINT}/${encodeURIComponent(id)}`);
