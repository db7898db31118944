import { post } from './client';

/** Layers of one question at most. */
const MOST = 20;

/** Says that layers are about to be printed: refused where that is not granted, recorded where it is. */
export async function mayPrint(layers: string[]): Promise<void> {
  for (let at = 0; at < layers.length; at += MOST) await post<unknown>('/api/v1/print', { layers: layers.slice(at, at + MOST) });
}
