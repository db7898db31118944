import { certificateOf } from './account';
import { get, patch, post, remove } from './client';
import { list, object, text, when } from './read';

export const ROLES = ['user', 'publisher', 'approver', 'department_administrator', 'auditor', 'platform_administrator'] as const;
export type RoleName = (typeof ROLES)[number];

export interface Person {
  id: string;
  login: string;
  name: string;
  department: string;
  role: string;
  active: boolean;
  secondFactor: boolean;
  /** The password was chosen by somebody else. */
  mustChange: boolean;
  locked: boolean;
  created: string | null;
}

function personOf(value: unknown): Person {
  const said = object(value);
  return {
    id: text(said.id),
    login: text(said.login),
    name: text(said.name),
    department: text(said.department),
    role: text(said.role),
    active: said.active !== false,
    secondFactor: said.second_factor === true,
    mustChange: said.must_change_password === true,
    locked: said.locked === true,
    created: when(said.created),
  };
}

export interface NewPerson {
  login: string;
  name: string;
  department: string;
  role: string;
}

const path = (id: string, more = '') => `/api/v1/people/${encodeURIComponent(id)}${more}`;

export const people = () => get<unknown>('/api/v1/people').then((body) => list(object(body).people).map(personOf));

/** The password is told this once. */
export const create = (one: NewPerson) => post<unknown>('/api/v1/people', one).then((body) => text(object(body).password));
export const change = (id: string, to: { name?: string; role?: string; department?: string; active?: boolean }) => patch<unknown>(path(id), to);
export const resetPassword = (id: string) => post<unknown>(path(id, '/password')).then((body) => text(object(body).password));
export const removeFactor = (id: string) => remove(path(id, '/second-factor'));
export const signOutEverywhere = (id: string) => remove(path(id, '/sessions'));

/** An account at the identity provider. */
export interface Account {
  id: string;
  subject: string;
  name: string;
  used: string | null;
}

export const accounts = (id: string) =>
  get<unknown>(path(id, '/accounts')).then((body) =>
    list(object(body).accounts).map((one): Account => {
      const said = object(one);
      return { id: text(said.id), subject: text(said.subject), name: text(said.name), used: when(said.last_used) };
    }),
  );
export const linkAccount = (id: string, by: { subject: string } | { name: string }) => post<unknown>(path(id, '/accounts'), by);
export const unlinkAccount = (id: string, account: string) => remove(path(id, `/accounts/${encodeURIComponent(account)}`));

export const certificatesOf = (id: string) => get<unknown>(path(id, '/certificates')).then((body) => list(object(body).certificates).map(certificateOf));
export const registerCertificateOf = (id: string, fingerprint: string) => post<unknown>(path(id, '/certificates'), { fingerprint });
export const revokeCertificateOf = (id: string, certificate: string) => remove(path(id, `/certificates/${encodeURIComponent(certificate)}`));

export const createDepartment = (one: { id: string; code: string; title: { zh: string; en: string } }) => post<unknown>('/api/v1/departments', one);
