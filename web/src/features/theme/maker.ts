import { computed, markRaw, reactive, ref, shallowRef, watch } from 'vue';
import { formerCodes } from '@/api/divisions';
import { features } from '@/api/features';
import { asProblem, type Problem } from '@/api/problem';
import type { Feature, Field, Layer } from '@/api/types';
import { said } from '@/i18n';
import { detail, layerOf, readable } from '@/state/catalogue';
import type { Measure } from '@/statistics/aggregate';
import { histogram, type Method } from '@/statistics/classify';
import { areaOf } from '@/statistics/geodesic';
import { innerPoint, strewn, Zones } from '@/statistics/inside';
import { join, type Former, type Joined, type Unmatched, type Zone } from '@/statistics/join';
import type { Palette } from '@/statistics/palette';
import { numberOf, type Table } from '@/tables/table';
import { guess, placesOf, rowsOf, zonesOf, type Guess } from './columns';
import { bothOf, categorised, dotValue, mostFrequent, radii, seriesOf, shownOf, type Series, type Shown } from './result';
import { slicesOf } from '@/statistics/slices';

export const KINDS = ['choropleth', 'symbols', 'dots', 'heat', 'categories', 'bivariate'] as const;
export type Kind = (typeof KINDS)[number];

/** Where the rows come from: a file of the reader's, which stays here, or a layer. */
export type Source = { kind: 'file'; name: string } | { kind: 'layer'; id: string };

/** How many rows of a layer a page can hold. */
const MOST_ROWS = 60_000;
const MOST_ZONES = 10_000;
const MOSTLY = 0.8;

/** A figure of a zone: what is reckoned, and of which columns. */
export interface Part {
  measure: Measure;
  value: number | null;
  below: number | null;
  people: string;
}

/** The kind of figure, or that the most frequent text is shown instead of one. */
export type Wanted = Measure | 'category';

export interface Wish extends Omit<Part, 'measure'> {
  zoneLayer: string;
  placing: 'join' | 'place';
  join: number | null;
  parent: number | null;
  lon: number | null;
  lat: number | null;
  measure: Wanted;
  /** Of a map of two figures, the other one. */
  second: Part;
  time: number | null;
  kind: Kind;
  method: Method;
  classes: number;
  breaks: number[];
  palette: Palette;
  reversed: boolean;
  title: string;
}

const begin = (): Wish => ({
  zoneLayer: '',
  placing: 'join',
  join: null,
  parent: null,
  lon: null,
  lat: null,
  measure: 'count',
  value: null,
  below: null,
  people: '',
  second: { measure: 'sum', value: null, below: null, people: '' },
  time: null,
  kind: 'choropleth',
  method: 'natural_breaks',
  classes: 5,
  breaks: [],
  palette: 'blues',
  reversed: false,
  title: '',
});

/** Layers whose areas have a code and a name may be divisions; those filed as such come first. */
export function divisionLayers(layers: Layer[]): Layer[] {
  return layers
    .filter((layer) => readable(layer) && !layer.tiles_only && /polygon/i.test(layer.geometry ?? '') && (layer.feature_count ?? 0) > 1 && (layer.feature_count ?? 0) <= MOST_ZONES)
    .sort((a, b) => Number(b.theme === 'divisions') - Number(a.theme === 'divisions') || (a.feature_count ?? 0) - (b.feature_count ?? 0));
}

/** Kinds of map whose areas have colours. */
const AREAS: ReadonlySet<Kind> = new Set(['choropleth', 'categories', 'bivariate']);

const complete = (part: Part): boolean =>
  (part.value !== null || part.measure === 'count' || part.measure === 'per_km2' || part.measure === 'per_capita') && (part.measure !== 'ratio' || part.below !== null) && (part.measure !== 'per_capita' || part.people !== '');

interface Division {
  layer: string;
  features: Feature[];
  zones: Zone[];
  fields: Field[];
}

/** A thematic map in the making: from rows and divisions to figures, classes and what the map draws. */
export function useMaker() {
  const source = ref<Source | null>(null);
  const table = shallowRef<Table | null>(null);
  const own = shallowRef<([number, number] | null)[] | null>(null);
  const division = shallowRef<Division | null>(null);
  const guessed = shallowRef<Guess | null>(null);
  const wish = reactive<Wish>(begin());
  /** What the reader decided for texts that no division has. */
  const fixed = shallowRef<ReadonlyMap<string, number>>(new Map());
  /** Codes of earlier years; asked for when some row has one that no division has. */
  const former = shallowRef<Former | undefined>(undefined);
  const slice = ref(0);
  const busy = ref('');
  const problem = shallowRef<Problem | null>(null);
  const known = new Map<string, Division>();
  let asking: AbortController | null = null;

  async function fetching(name: string, act: (signal: AbortSignal) => Promise<void>): Promise<boolean> {
    asking?.abort();
    const mine = new AbortController();
    asking = mine;
    busy.value = name;
    problem.value = null;
    try {
      await act(mine.signal);
      return true;
    } catch (thrown) {
      if (asking === mine && !mine.signal.aborted) problem.value = asProblem(thrown);
      return false;
    } finally {
      if (asking === mine) busy.value = '';
    }
  }

  function take(from: Source, rows: Table, places: ([number, number] | null)[] | null): void {
    const layer = wish.zoneLayer;
    Object.assign(wish, begin(), { zoneLayer: layer });
    source.value = from;
    table.value = markRaw(rows);
    own.value = places;
    fixed.value = new Map();
    slice.value = 0;
    suppose();
  }

  /** Fills in what can be guessed; asked again when other divisions are chosen. */
  function suppose(): void {
    if (!table.value) return;
    const found = guess(table.value, division.value?.zones ?? []);
    guessed.value = found;
    Object.assign(wish, { join: found.join, parent: found.parent, lon: found.lon, lat: found.lat, time: found.time });
    wish.placing = own.value || (found.lon !== null && found.lat !== null) ? 'place' : 'join';
    if (wish.value === null && found.value !== null) {
      wish.value = found.value;
      wish.measure = wish.placing === 'place' ? 'count' : 'sum';
    }
  }

  const takeFile = (rows: Table) => take({ kind: 'file', name: rows.name }, rows, null);

  async function takeLayer(id: string): Promise<boolean> {
    return fetching('rows', async (signal) => {
      const about = await detail(id);
      const fields = (about.fields ?? []).filter((field) => field.readable !== false);
      const { features: found, more } = await features(id, {}, MOST_ROWS, undefined, signal);
      const rows = rowsOf(said(about.title) || id, fields, found, (field) => said(field.title));
      take({ kind: 'layer', id }, rows.table, rows.places);
      partial.value = more;
    });
  }

  async function takeZones(id: string): Promise<boolean> {
    wish.zoneLayer = id;
    if (division.value?.layer === id) return true;
    const use = (one: Division) => {
      known.set(id, one);
      division.value = one;
      fixed.value = new Map();
      suppose();
    };
    const there = known.get(id);
    if (there) {
      use(there);
      return true;
    }
    return fetching('zones', async (signal) => {
      const [about, found] = await Promise.all([detail(id), features(id, {}, MOST_ZONES, undefined, signal)]);
      use({ layer: id, features: markRaw(found.features), zones: zonesOf(found.features), fields: (about.fields ?? []).filter((field) => field.readable !== false) });
    });
  }

  /** The finest of these layers, from coarse to fine, that most rows find their division in; the best where none does. */
  async function supposeZones(layers: Layer[]): Promise<void> {
    let best: { id: string; share: number } | null = null;
    for (const layer of layers) {
      if (!(await takeZones(layer.id))) return;
      const zones = joined.value?.zones ?? [];
      // By place all levels fit: then one that leaves some rows for each division.
      const crowded = wish.placing === 'place' && (layer.feature_count ?? 0) * 3 > zones.length;
      const share = crowded ? 0 : zones.filter((zone) => zone !== null).length / (zones.length || 1);
      if (!best || share > best.share || share > MOSTLY) best = { id: layer.id, share };
      if (best.share > MOSTLY && share <= MOSTLY) break;
    }
    if (best) await takeZones(best.id);
  }

  /** Not all rows of the layer found room. */
  const partial = ref(false);
  const columns = computed(() => table.value?.columns ?? []);
  const cells = (index: number | null) => (table.value && index !== null ? table.value.rows.map((row) => row[index]) : null);
  const numbers = (index: number | null) => cells(index)?.map(numberOf) ?? null;

  const places = computed(() => {
    if (!table.value || wish.placing !== 'place') return null;
    return own.value ?? (wish.lon !== null && wish.lat !== null ? placesOf(table.value, wish.lon, wish.lat) : null);
  });
  const zoneIndex = computed(() => (division.value ? new Zones(division.value.features.map((one) => one.geometry)) : null));

  /** Which division each row belongs to, and which rows to none. */
  const joined = computed<Joined | null>(() => {
    if (!table.value || !division.value) return null;
    if (wish.placing === 'join') return wish.join === null ? null : join(cells(wish.join) ?? [], division.value.zones, cells(wish.parent), fixed.value, former.value);
    if (!places.value || !zoneIndex.value) return null;
    const index = zoneIndex.value;
    const zones = places.value.map((at) => (at ? index.of(at[0], at[1]) : null));
    const unmatched: Unmatched[] = zones.flatMap((zone, row) => (zone === null ? [{ row, text: places.value?.[row]?.map((one) => one.toFixed(5)).join(', ') ?? '', reason: places.value?.[row] ? 'unknown' : 'empty', suggestions: [] }] : []));
    return { by: 'name', zones, unmatched };
  });

  const areas = computed(() => division.value?.features.map((one) => areaOf(one.geometry) / 1e6));
  const people = (field: string) => (field ? division.value?.features.map((one) => Number(one.properties?.[field] ?? NaN)) : undefined);
  const slices = computed(() => {
    const found = cells(wish.time);
    return found ? slicesOf(found) : null;
  });
  const ready = computed(() => joined.value !== null && (wish.measure === 'category' ? wish.value !== null : complete(wish as Part)));
  const counted = computed(() => wish.measure === 'count' || ((wish.measure === 'per_km2' || wish.measure === 'per_capita') && wish.value === null));

  function figuresOf(part: Part): Series | null {
    if (!joined.value || !division.value) return null;
    return seriesOf({
      zones: joined.value.zones,
      count: division.value.zones.length,
      measure: part.measure,
      values: part.measure === 'count' ? null : numbers(part.value),
      below: part.measure === 'ratio' ? numbers(part.below) : null,
      areas: part.measure === 'per_km2' ? areas.value : undefined,
      people: part.measure === 'per_capita' ? people(part.people) : undefined,
      slices: slices.value,
    });
  }
  /** The most frequent text of each zone, for each time. */
  const texts = computed<(string | null)[][] | null>(() => {
    const found = cells(wish.value);
    if (!ready.value || wish.measure !== 'category' || !joined.value || !division.value || !found) return null;
    const { zones } = joined.value;
    const count = division.value.zones.length;
    const times = slices.value;
    if (!times || times.names.length === 0) return [mostFrequent(zones, count, found)];
    return times.names.map((_, at) => mostFrequent(zones.map((zone, row) => (times.of[row] === at ? zone : null)), count, found));
  });
  const categories = computed(() => (texts.value ? categorised(texts.value, slice.value) : null));
  /** Of categories, the places of the texts among them. */
  const series = computed<Series | null>(() => {
    if (!ready.value) return null;
    if (wish.measure !== 'category') return figuresOf(wish as Part);
    return texts.value?.map((_, at) => categorised(texts.value ?? [], at).of) ?? null;
  });
  /** Until it is chosen, the map shows the first figure alone. */
  const second = computed(() => (ready.value && wish.kind === 'bivariate' && complete(wish.second) ? figuresOf(wish.second) : null));
  const values = computed(() => series.value?.[Math.min(slice.value, series.value.length - 1)] ?? []);
  const shown = computed<Shown | null>(() => {
    if (!series.value) return null;
    if (categories.value) return categories.value;
    return second.value ? bothOf(series.value, second.value, slice.value, wish) : shownOf(series.value, slice.value, wish);
  });
  const bars = computed(() => (series.value && !categories.value ? histogram(series.value.flat()) : []));
  const anchors = computed(() => division.value?.features.map((one) => innerPoint(one.geometry)) ?? []);

  const symbols = computed(() => {
    if (wish.kind !== 'symbols' || !series.value || !shown.value) return [];
    const most = series.value.flat().reduce<number>((top, value) => Math.max(top, value ?? 0), 0);
    const sizes = radii(values.value, most);
    return anchors.value.flatMap((at, zone) => (at && sizes[zone] > 0 ? [{ at, radius: sizes[zone], colour: shown.value?.fills[zone] ?? '#888', zone }] : []));
  });
  const perDot = computed(() => (series.value ? Math.max(...series.value.map((one) => dotValue(one))) : 1));
  const dots = computed<[number, number][]>(() => {
    if (wish.kind !== 'dots') return [];
    return values.value.flatMap((value, zone) => strewn(division.value?.features[zone].geometry ?? null, Math.round((value ?? 0) / perDot.value), zone + 1));
  });
  const heat = computed<[number, number, number][]>(() => {
    if (wish.kind !== 'heat' || !places.value) return [];
    const weights = counted.value ? null : numbers(wish.value);
    const most = weights?.reduce<number>((top, value) => Math.max(top, value ?? 0), 0) || 1;
    return places.value.flatMap((at, row): [number, number, number][] => {
      if (!at || (slices.value && slices.value.names.length > 0 && slices.value.of[row] !== slice.value)) return [];
      const weight = weights ? Math.max(0, weights[row] ?? 0) / most : 1;
      return weight > 0 ? [[at[0], at[1], weight]] : [];
    });
  });
  /** Colours of the areas where these carry the figures; else only their edges are drawn. */
  const fills = computed<(string | null)[]>(() => (AREAS.has(wish.kind) ? (shown.value?.fills ?? []) : []));

  // Texts have no classes, and figures no categories; two figures have no breaks in common.
  watch([() => wish.measure, () => wish.kind], () => {
    if (wish.measure === 'category') wish.kind = 'categories';
    else if (wish.kind === 'categories') wish.kind = 'choropleth';
    if (wish.kind === 'bivariate' && wish.method === 'manual') wish.method = 'natural_breaks';
  });
  watch(joined, (now) => {
    // Without the list those rows stay unmatched, which the page shows anyway.
    if (!former.value && now?.by === 'code' && wish.placing === 'join' && now.unmatched.some((one) => one.reason === 'unknown')) void formerCodes().then((list) => (former.value = list), () => undefined);
  });
  watch([() => wish.measure, () => wish.value, () => wish.below, () => wish.people], () => {
    if (wish.method === 'manual') wish.method = 'natural_breaks';
    wish.breaks = [];
  });
  watch(slices, (now) => (slice.value = Math.max(0, (now?.names.length ?? 1) - 1)));

  function decide(text: string, zone: number | null): void {
    const next = new Map(fixed.value);
    if (zone === null) next.delete(text);
    else next.set(text, zone);
    fixed.value = next;
  }

  const sourceTitle = computed(() => {
    const from = source.value;
    if (!from) return '';
    return from.kind === 'file' ? from.name : said(layerOf(from.id)?.title) || from.id;
  });

  // Parts of the screen read it as plain values.
  return reactive({
    source,
    table,
    division,
    guessed,
    wish,
    fixed,
    slice,
    busy,
    problem,
    partial,
    columns,
    places,
    joined,
    slices,
    ready,
    series,
    second,
    texts,
    categories,
    values,
    shown,
    bars,
    symbols,
    dots,
    perDot,
    heat,
    fills,
    sourceTitle,
    takeFile,
    takeLayer,
    takeZones,
    supposeZones,
    decide,
    stop: () => asking?.abort(),
  });
}

export type Maker = ReturnType<typeof useMaker>;
