import type { Active } from '@/state/mapState';

export interface Sides {
  left: string;
  right: string;
}

/** The two uppermost layers, to begin with. */
export const begin = (active: Active[]): Sides => ({ left: active[0]?.id ?? '', right: active[1]?.id ?? '' });

/** What one side shows: all but the layer of the other. Without two layers there is nothing to compare. */
export function sideOf(active: Active[], sides: Sides | null, side: 'left' | 'right'): Active[] {
  const there = (id: string) => active.some((one) => one.id === id);
  if (!sides || !there(sides.left) || !there(sides.right)) return active;
  const other = side === 'left' ? sides.right : sides.left;
  return active.filter((one) => one.id !== other);
}

export const comparing = (active: Active[], sides: Sides | null): boolean => sides !== null && sideOf(active, sides, 'left').length < active.length;
