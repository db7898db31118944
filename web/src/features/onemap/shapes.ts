import type { Layer } from '@/api/types';

export type Shape = 'point' | 'line' | 'polygon' | 'mixed' | 'none';

/** The kind of shape behind a geometry type's name, for its mark and its word. */
export function shapeOf(layer: Pick<Layer, 'geometry'>): Shape {
  const name = (layer.geometry ?? '').toLowerCase();
  if (name === '') return 'none';
  if (name.includes('point')) return 'point';
  if (name.includes('line') || name.includes('curve')) return 'line';
  if (name.includes('polygon') || name.includes('surface')) return 'polygon';
  return 'mixed';
}
