import { get, post, remove, request as send } from './client';
import { list, object, text, texts, when } from './read';

/** What an authenticator application is told: the address holds the secret. */
export interface Enrolment {
  uri: string;
  secret: string;
}

export interface Certificate {
  id: string;
  fingerprint: string;
  label: string;
  subject: string;
  until: string | null;
  used: string | null;
  revoked: boolean;
}

export interface Certificates {
  certificates: Certificate[];
  /** The one with which one is here. */
  shown: { fingerprint: string; subject: string; until: string | null } | null;
  /** Whether they are taken here at all. */
  taken: boolean;
}

export interface OpenSession {
  id: string;
  created: string | null;
  expires: string | null;
  used: string | null;
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
      return { id: text(said.id), created: when(said.created), expires: when(said.expires), used: when(said.last_used), address: text(said.address), agent: text(said.agent), current: said.current === true };
    }),
  );
export const endSession = (id: string) => remove(`/api/v1/me/sessions/${encodeURIComponent(id)}`);

export function certificateOf(value: unknown): Certificate {
  const said = object(value);
  return { id: text(said.id), fingerprint: text(said.fingerprint), label: text(said.label), subject: text(said.subject), until: when(said.valid_until), used: when(said.last_used), revoked: when(said.revoked) !== null };
}
export const certificates = () =>
  get<unknown>('/api/v1/me/certificates').then((body): Certificates => {
    const all = object(body);
    const shown = object(all.shown);
    return {
      certificates: list(all.certificates).map(certificateOf),
      shown: text(shown.fingerprint) ? { fingerprint: text(shown.fingerprint), subject: text(shown.subject), until: when(shown.valid_until) } : null,
      taken: all.taken === true,
    };
  });
export const registerCertificate = (label: string) => post<unknown>('/api/v1/me/certificates', { label });
export const revokeCertificate = (id: string, password: string) => send<null>('DELETE', `/api/v1/me/certificates/${encodeURIComponent(id)}`, { body: { password } });
