import type { Layer, Named } from '@/api/types';

const fold = (text: string): string => text.normalize('NFKC').toLowerCase();

/** Whether every word of the query occurs in one of the layer's names. */
export function matches(layer: Layer, query: string): boolean {
  const words = fold(query).split(/\s+/).filter(Boolean);
  const names = fold(`${layer.title.zh} ${layer.title.en} ${layer.id}`);
  return words.every((word) => names.includes(word));
}

export interface Group {
  id: string;
  title: Named['title'] | null;
  layers: Layer[];
  readable: number;
}

/** Layers under their groups, in the groups' order; layers of an unknown group come last under no title. */
export function grouped(layers: Layer[], groups: Named[], of: (layer: Layer) => string | null): Group[] {
  const under = new Map<string, Layer[]>(groups.map((group) => [group.id, []]));
  const rest: Layer[] = [];
  for (const layer of layers) (under.get(of(layer) ?? '') ?? rest).push(layer);
  const made: Group[] = groups.map((group) => ({ id: group.id, title: group.title, layers: under.get(group.id) ?? [], readable: 0 }));
  made.push({ id: '', title: null, layers: rest, readable: 0 });
  for (const group of made) group.readable = group.layers.filter((layer) => layer.access !== 'request').length;
  return made.filter((group) => group.layers.length > 0);
}
