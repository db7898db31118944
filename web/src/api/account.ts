import { get, post, remove, request as send } from './client';
import { list, object, text, texts, when } from './read';

/** What an authenticator application is told: the address holds the secret. */
export interface Enrolment {
  uri: string;
  secret: string;
}

export interface OpenSession {
  id: string;
  created: string | null;
  expires: string | null;
  address: string;
  agent: string;
  current: boolean;
}

export const changePassword = (old: string, wanted: string) => post<unknown>('/api/v1/me/password', { old, new: wanted });

export const enrol = () => post<unknown>('/api/v1/me/second-factor').then((body): Enrolment => ({ uri: text(object(body).uri), secret: text(object(body).secret) }));
/** Shows by a first code that the device has the secret; the recovery codes are told this once. */
export const confirm = (code: string) => post<unknown>('/api/v1/me/second-factor/confirm', { code }).then((body) => texts(object(body).recovery_codes));
export const disenrol = (password: string) => send<null>('DELETE', '/api/v1/me/second-factor', { body: { password } });

export const sessions = () =>
  get<unknown>('/api/v1/me/sessions').then((body) =>
    list(object(body).sessions).map((one): OpenSession => {
      const said = object(one);
      return { id: text(said.id), created: when(said.created), expires: when(said.expires), address: text(said.address), agent: text(said.agent), current: said.current === true };
    }),
  );
export const endSession = (id: string) => remove(`/api/v1/me/sessions/${encodeURIComponent(id)}`);
