import { post } from './client';

/** Layers of one question at most. */
const MOST = 20;

interface Printed {
  layers: { purpose: string | null }[];
}

/**
 * Says that layers are about to be printed: refused where that is not granted, recorded where it is. Tells for which purposes
 * they are granted.
 */
export async function mayPrint(layers: string[]): Promise<string[]> {
  const purposes = new Set<string>();
  for (let at = 0; at < layers.length; at += MOST) {
    const told = await post<Printed>('/api/v1/print', { layers: layers.slice(at, at + MOST) });
    for (const { purpose } of told.layers) if (purpose) purposes.add(purpose);
  }
  return [...purposes];
}
