import type {
  ExpressionSpecification,
  FilterSpecification,
  LayerSpecification,
  Map as Canvas,
  SourceSpecification,
  StyleSpecification,
  VectorTileSource,
} from 'maplibre-gl';
import { get } from '@/api/client';
import type { Active } from '@/state/mapState';
import { anchored } from './base';
import { HIGHLIGHT_LAYERS } from './highlight';
import { SKETCH_LAYERS } from './sketch';
import { opacities } from './opacity';

const SEPARATOR = '::';

/** Of which time a layer is shown: what a field of it begins with, or what comes before too. */
export type Times = Record<string, { field: string; at: string; until: boolean }>;

/** Dates stand in tiles as ISO 8601 writes them, so that times are compared by their letters. */
function during({ field, at, until }: Times[string]): ExpressionSpecification {
  const value: ExpressionSpecification = ['slice', ['to-string', ['get', field]], 0, at.length];
  return until ? ['all', ['has', field], ['<=', value, at]] : ['==', value, at];
}

interface Drawn {
  sources: string[];
  /** The style layers as the server gave them, with our ids. */
  layers: LayerSpecification[];
}

/** The catalogue layer that a map source belongs to, or null for the base map. */
export function ownerOf(source: string | undefined): string | null {
  return source?.includes(SEPARATOR) ? source.split(SEPARATOR)[0] : null;
}

/** The catalogue layers on a map: added, removed, ordered and faded as the list says. */
export class LayerStack {
  private drawn = new Map<string, Drawn>();
  private wanted: Active[] = [];
  private asked = new Set<string>();
  private times: Times = {};

  /** The lowest label of the base map. */
  private readonly firstName: string | undefined;

  constructor(
    private readonly canvas: Canvas,
    private readonly failed: (layer: string, thrown: unknown) => void,
  ) {
    this.firstName = canvas.getStyle().layers.find((layer) => layer.type === 'symbol')?.id;
  }

  /** Shows exactly these layers, the first on top. */
  show(active: Active[]): void {
    this.wanted = active.map((one) => ({ ...one }));
    for (const id of [...this.drawn.keys()]) {
      if (!this.wanted.some((one) => one.id === id)) this.drop(id);
    }
    for (const one of this.wanted) {
      if (this.drawn.has(one.id)) this.fade(one);
      else void this.fetch(one.id);
    }
    this.order();
  }

  /** Shows of these layers only what is of a time; of all others everything. */
  time(times: Times): void {
    this.times = times;
    for (const id of this.drawn.keys()) this.limit(id);
  }

  private limit(id: string): void {
    const time = this.times[id];
    for (const layer of this.drawn.get(id)?.layers ?? []) {
      const own = 'filter' in layer ? layer.filter : undefined;
      this.canvas.setFilter(layer.id, (time ? (own ? ['all', own, during(time)] : during(time)) : (own ?? null)) as FilterSpecification | null);
    }
  }

  /** Forgets a layer's style and tiles and asks for them again. */
  renew(id: string): void {
    this.drop(id);
    this.show(this.wanted);
  }

  /** Asks for a layer's tiles anew, after an edit: what is drawn stays until they are there. */
  refresh(id: string): void {
    for (const name of this.drawn.get(id)?.sources ?? []) {
      const source = this.canvas.getSource<VectorTileSource>(name);
      if (source?.url) source.setUrl(source.url);
    }
  }

  private async fetch(id: string): Promise<void> {
    if (this.asked.has(id)) return;
    this.asked.add(id);
    try {
      const style = anchored(await get<StyleSpecification>(`/styles/${encodeURIComponent(id)}.json`));
      const one = this.wanted.find((wish) => wish.id === id);
      // The reader may have unticked it meanwhile.
      if (one && !this.drawn.has(id)) {
        this.draw(id, style);
        this.fade(one);
        if (this.times[id]) this.limit(id);
        this.order();
      }
    } catch (thrown) {
      this.failed(id, thrown);
    } finally {
      this.asked.delete(id);
    }
  }

  private draw(id: string, style: StyleSpecification): void {
    const name = (inner: string) => `${id}${SEPARATOR}${inner}`;
    const drawn: Drawn = { sources: [], layers: [] };
    this.drawn.set(id, drawn);
    if (style.glyphs && !this.canvas.getGlyphs()) this.canvas.setGlyphs(style.glyphs);
    if (typeof style.sprite === 'string' && this.canvas.getSprite().length === 0) this.canvas.setSprite(style.sprite);
    for (const [inner, source] of Object.entries(style.sources ?? {})) {
      this.canvas.addSource(name(inner), source as SourceSpecification);
      drawn.sources.push(name(inner));
    }
    for (const layer of style.layers ?? []) {
      if (layer.type === 'background') continue;
      const own = { ...layer, id: name(layer.id), source: name(layer.source as string) } as LayerSpecification;
      this.canvas.addLayer(own);
      drawn.layers.push(own);
    }
  }

  private drop(id: string): void {
    const drawn = this.drawn.get(id);
    if (!drawn) return;
    for (const layer of drawn.layers) if (this.canvas.getLayer(layer.id)) this.canvas.removeLayer(layer.id);
    for (const source of drawn.sources) if (this.canvas.getSource(source)) this.canvas.removeSource(source);
    this.drawn.delete(id);
  }

  private fade(one: Active): void {
    for (const layer of this.drawn.get(one.id)?.layers ?? []) {
      for (const [property, value] of opacities(layer.type, layer.paint as Record<string, unknown> | undefined, one.opacity)) {
        this.canvas.setPaintProperty(layer.id, property, value);
      }
    }
  }

  /** Shapes lie under the base map's names, so that these stay readable; the layers' own labels above all. */
  private order(): void {
    const names = this.canvas.getLayer(this.firstName ?? '') ? this.firstName : undefined;
    for (const one of [...this.wanted].reverse()) {
      for (const layer of this.drawn.get(one.id)?.layers ?? []) this.canvas.moveLayer(layer.id, layer.type === 'symbol' ? undefined : names);
    }
    for (const layer of [...HIGHLIGHT_LAYERS, ...SKETCH_LAYERS]) if (this.canvas.getLayer(layer)) this.canvas.moveLayer(layer);
  }
}
