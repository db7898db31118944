import { Upload as Tus, type DetailedError } from 'tus-js-client';
import { get, headers, post, remove } from './client';
import { asProblem, problemOf, type Problem } from './problem';
import type { LoadRequest, Upload } from './types';

const ENDPOINT = '/api/v1/uploads';
const path = (id: string) => `${ENDPOINT}/${encodeURIComponent(id)}`;

export const list = () => get<{ uploads: Upload[] }>(ENDPOINT).then((body) => body.uploads ?? []);
export const one = (id: string) => get<Upload>(path(id));
export const discard = (id: string) => remove(path(id));
export const load = (id: string, wish: LoadRequest) => post<{ job: string }>(`${path(id)}/load`, wish);

export interface Sending {
  pause(): void;
  resume(): void;
}

export interface Watch {
  /** The server has given the upload its id. */
  begun(id: string): void;
  progress(sent: number, total: number): void;
  done(id: string): void;
  failed(problem: Problem): void;
}

const idOf = (url: string | null | undefined): string => decodeURIComponent((url ?? '').replace(/\/+$/, '').split('/').pop() ?? '');

function tusProblem(thrown: Error | DetailedError): Problem {
  const response = 'originalResponse' in thrown ? thrown.originalResponse : null;
  if (!response) return asProblem(thrown);
  let body: unknown = null;
  try {
    body = JSON.parse(response.getBody());
  } catch {
    // Not our server's answer; the status has to do.
  }
  return problemOf(response.getStatus(), body, response.getHeader('x-request-id'));
}

/** Sends a file in pieces; a lost line or a reloaded page goes on where the server stopped receiving. */
export async function send(file: File, watch: Watch): Promise<Sending> {
  let known = '';
  const announce = () => {
    // The server names the upload by the address it believes it has; the page speaks to its own origin only.
    if (tus.url) tus.url = window.location.origin + new URL(tus.url, window.location.href).pathname;
    const id = idOf(tus.url);
    if (id && id !== known) {
      known = id;
      watch.begun(id);
    }
  };
  const tus = new Tus(file, {
    endpoint: ENDPOINT,
    // Small enough to resume nearly without loss, large enough not to wait between pieces.
    chunkSize: 8 * 1024 * 1024,
    retryDelays: [0, 1000, 3000, 5000, 10_000, 20_000, 30_000],
    removeFingerprintOnSuccess: true,
    metadata: { filename: file.name, filetype: file.type || 'application/octet-stream' },
    headers: headers(),
    onUploadUrlAvailable: announce,
    onProgress: (sent, total) => watch.progress(sent, total ?? file.size),
    onSuccess: () => {
      announce();
      watch.done(known);
    },
    onError: (thrown) => watch.failed(tusProblem(thrown)),
  });
  const earlier = await tus.findPreviousUploads();
  if (earlier.length > 0) tus.resumeFromPreviousUpload(earlier[0]);
  tus.start();
  return { pause: () => void tus.abort(), resume: () => tus.start() };
}
