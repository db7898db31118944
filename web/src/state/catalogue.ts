import { computed, reactive, ref } from 'vue';
import * as api from '@/api/catalogue';
import { asProblem, type Problem } from '@/api/problem';
import type { Bounds, Layer, LayerDetail, LegendEntry, Named } from '@/api/types';

const layers = ref<Layer[]>([]);
const themes = ref<Named[]>([]);
const departments = ref<Named[]>([]);
const state = reactive<{ loading: boolean; loaded: boolean; problem: Problem | null }>({ loading: false, loaded: false, problem: null });
let asking: Promise<void> | null = null;
/** Counts readers: an answer for the one before must not reach the next. */
let reader = 0;
const details = new Map<string, Promise<LayerDetail>>();
const legends = new Map<string, Promise<LegendEntry[]>>();

export const catalogue = { layers, themes, departments, state };

const byId = computed(() => new Map(layers.value.map((layer) => [layer.id, layer])));
export const layerOf = (id: string): Layer | undefined => byId.value.get(id);
export const readable = (layer: Layer | undefined): boolean => layer !== undefined && layer.access !== 'request';
export const editable = computed(() => layers.value.filter((layer) => layer.access === 'edit'));
export const named = (list: Named[], id: string): Named => list.find((one) => one.id === id) ?? { id, title: { zh: id, en: id } };

/** Loads the catalogue; `again` asks the server even if it is there already. */
export async function load(again = false): Promise<void> {
  if (state.loaded && !again) return;
  if (!asking) {
    const mine = ask().finally(() => {
      if (asking === mine) asking = null;
    });
    asking = mine;
  }
  await asking;
}

async function ask(): Promise<void> {
  const mine = reader;
  state.loading = true;
  state.problem = null;
  try {
    const [all, ofThemes, ofDepartments] = await Promise.all([api.layers(), api.themes(), api.departments()]);
    if (mine !== reader) return;
    layers.value = all;
    themes.value = ofThemes;
    departments.value = ofDepartments;
    details.clear();
    legends.clear();
    state.loaded = true;
  } catch (thrown) {
    if (mine === reader) state.problem = asProblem(thrown);
  } finally {
    if (mine === reader) state.loading = false;
  }
}

/** Another reader sees another catalogue. */
export function forget(): void {
  reader += 1;
  asking = null;
  state.loading = false;
  layers.value = [];
  details.clear();
  legends.clear();
  state.loaded = false;
  state.problem = null;
}

/** Asks once and remembers, but never remembers a failure. */
function once<T>(kept: Map<string, Promise<T>>, id: string, ask: (id: string) => Promise<T>): Promise<T> {
  let found = kept.get(id);
  if (!found) {
    found = ask(id);
    kept.set(id, found);
    found.catch(() => kept.delete(id));
  }
  return found;
}

export const detail = (id: string): Promise<LayerDetail> => once(details, id, api.layer);
export const legend = (id: string): Promise<LegendEntry[]> => once(legends, id, api.legend);

/** Where the readable data is, so that the first map shows it. */
export const extent = computed<Bounds | null>(() => {
  const boxes = layers.value.flatMap((layer) => (layer.bbox && layer.bbox.every(Number.isFinite) ? [layer.bbox] : []));
  if (boxes.length === 0) return null;
  // The median of each edge: one layer with a stray point must not shrink the city to a dot.
  const edge = (index: number) => boxes.map((box) => box[index]).sort((a, b) => a - b)[boxes.length >> 1];
  return [edge(0), edge(1), edge(2), edge(3)];
});
