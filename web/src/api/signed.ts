import { get, post, remove } from './client';
import { list, object, text, texts, when, who } from './read';

/** What a signed address may lead to. */
export const SERVICES = ['styles', 'tiles', 'wmts'] as const;
export type Service = (typeof SERVICES)[number];

/** The longest that one is good for. */
export const LONGEST_DAYS = 30;
export const MOST_LAYERS = 20;

export interface Signed {
  kid: string;
  label: string;
  layers: string[];
  services: Service[];
  /** The one page it may stand in; empty is any. */
  origin: string;
  expires: string | null;
  created: string | null;
  createdBy: string;
  revoked: boolean;
}

export interface NewSigned {
  label: string;
  layers: string[];
  services: Service[];
  until: string;
  origin: string | null;
}

/** Shown once: the server does not keep what is signed. */
export interface Fresh {
  kid: string;
  /** What every other address needs in its query. */
  query: string;
  urls: { name: string; url: string }[];
}

/** The server tells the paths that an address opens; styles name tiles, so they hold theirs. */
function servicesOf(paths: string[]): Service[] {
  const styles = paths.includes('/styles/');
  return SERVICES.filter((one) => (one === 'styles' ? styles : one === 'wmts' ? paths.some((path) => path.startsWith('/ogc/wmts')) : !styles && paths.includes('/tiles/')));
}

export const signed = () =>
  get<unknown>('/api/v1/signed-urls').then((body) =>
    list(object(body).signed).map((value): Signed => {
      const said = object(value);
      return {
        kid: text(said.kid),
        label: text(said.label),
        layers: texts(said.layers),
        services: servicesOf(texts(said.paths)),
        origin: text(said.origin),
        expires: when(said.expires),
        created: when(said.created),
        createdBy: who(said.created_by),
        revoked: said.revoked === true,
      };
    }),
  );

export const sign = (wanted: NewSigned) =>
  post<unknown>('/api/v1/signed-urls', wanted).then((body): Fresh => {
    const said = object(body);
    return { kid: text(said.kid), query: text(said.query), urls: Object.entries(object(said.urls)).map(([name, url]) => ({ name, url: text(url) })) };
  });

export const revoke = (kid: string) => remove(`/api/v1/signed-urls/${encodeURIComponent(kid)}`);
