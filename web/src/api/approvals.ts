import { get, post, remove, request as send } from './client';
import { list, number, object, text, when } from './read';
import type { Approver } from './requests';

/** A step of approval as a department sets it. */
export interface StepSetting {
  approver: Approver;
  working_days: number;
}

const stepsOf = (body: unknown): StepSetting[] =>
  list(object(body).steps).map((one) => ({ approver: (text(object(one).approver) || 'owner') as Approver, working_days: number(object(one).working_days) ?? 10 }));

const stepsPath = (layer: string) => (layer ? `/api/v1/approval-steps?layer=${encodeURIComponent(layer)}` : '/api/v1/approval-steps');
/** Of one layer, or of all the department's; none means that the owner alone decides. */
export const steps = (layer: string) => get<unknown>(stepsPath(layer)).then(stepsOf);
export const setSteps = (layer: string, wanted: StepSetting[]) => send<unknown>('PUT', stepsPath(layer), { body: { steps: wanted } }).then(stepsOf);

/** A day that is not as the week has it. */
export interface Day {
  day: string;
  working: boolean;
  note: string;
}

const daysOf = (body: unknown): Day[] => list(object(body).days).map((one) => ({ day: text(object(one).day), working: object(one).working === true, note: text(object(one).note) }));
export const days = (year: number) => get<unknown>(`/api/v1/calendar/${year}`).then(daysOf);
export const setDays = (year: number, wanted: Day[]) => send<unknown>('PUT', `/api/v1/calendar/${year}`, { body: { days: wanted } }).then(daysOf);

export interface Webhook {
  id: string;
  url: string;
  created: string | null;
  pending: number;
  failed: number;
  /** What became of the last delivery. */
  last: { kind: string; state: string; status: number | null; problem: string } | null;
}

export const webhooks = () =>
  get<unknown>('/api/v1/webhooks').then((body) =>
    list(object(body).webhooks).map((one): Webhook => {
      const said = object(one);
      const last = object(said.last);
      return {
        id: text(said.id),
        url: text(said.url),
        created: when(said.created),
        pending: number(said.pending) ?? 0,
        failed: number(said.failed) ?? 0,
        last: said.last ? { kind: text(last.kind), state: text(last.state), status: number(last.status), problem: text(last.problem) } : null,
      };
    }),
  );
/** The secret that signs what is sent is told this once. */
export const addWebhook = (url: string) => post<unknown>('/api/v1/webhooks', { url }).then((body) => text(object(body).secret));
export const removeWebhook = (id: string) => remove(`/api/v1/webhooks/${encodeURIComponent(id)}`);
