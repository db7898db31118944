import { type Map as Canvas, type MapGeoJSONFeature, type MapMouseEvent, Popup, type StyleSpecification, type VectorTileSource } from 'maplibre-gl';
import { type Client, part } from './client';
import type { Legend } from './legend';
import type { Asking, Bounds, LayerInfo, LegendEntry } from './types';

type StyleLayer = StyleSpecification['layers'][number];

export interface AddOptions extends Asking {
  /** CQL2: only features that meet it are drawn. */
  filter?: string;
  /** Style layers in the place of the layer's own; of `source` and `source-layer` the layer is filled in. */
  style?: Partial<StyleLayer>[];
  /** 0 to 1. */
  opacity?: number;
  /** Shows a feature's fields when it is clicked; a function says what of it. */
  popup?: boolean | ((feature: MapGeoJSONFeature) => string | Node);
  /** Shows the layer's legend in the map's corner. */
  legend?: boolean;
}

const OPACITY: Record<string, string[]> = {
  fill: ['fill-opacity'],
  line: ['line-opacity'],
  circle: ['circle-opacity', 'circle-stroke-opacity'],
  symbol: ['text-opacity', 'icon-opacity'],
  heatmap: ['heatmap-opacity'],
};

/** A layer on the map. */
export class Shown {
  /** The ids of its style layers on the map. */
  readonly styleLayers: string[] = [];
  private readonly source: string;
  private readonly listening: (() => void)[] = [];

  constructor(
    readonly id: string,
    private readonly canvas: Canvas,
    private readonly client: Client,
    private readonly legendBox: Legend,
    private filtered: string | undefined,
  ) {
    this.source = `onemap:${id}`;
  }

  /** @internal */
  draw(layers: Partial<StyleLayer>[], { opacity, popup }: AddOptions): void {
    this.canvas.addSource(this.source, { type: 'vector', url: this.tiles() });
    // Shapes lie under the base map's names, so that these stay readable.
    const names = this.canvas.getStyle().layers.find((layer) => layer.type === 'symbol' && !layer.id.startsWith('onemap:'))?.id;
    for (const [at, layer] of layers.entries()) {
      if (layer.type === 'background') continue;
      const id = `${this.source}:${layer.id ?? at}`;
      const tiles = (layer as { 'source-layer'?: string })['source-layer'] ?? this.id;
      this.canvas.addLayer({ ...layer, id, source: this.source, 'source-layer': tiles } as StyleLayer, layer.type === 'symbol' ? undefined : names);
      this.styleLayers.push(id);
    }
    if (opacity !== undefined) this.setOpacity(opacity);
    if (popup) this.listen(popup);
  }

  private tiles(): string {
    return this.client.address(`/tiles/${part(this.id)}.json`, { filter: this.filtered });
  }

  private listen(popup: true | ((feature: MapGeoJSONFeature) => string | Node)): void {
    const show = (event: MapMouseEvent & { features?: MapGeoJSONFeature[] }) => {
      const feature = event.features?.[0];
      if (!feature) return;
      const content = popup === true ? fields(feature.properties) : popup(feature);
      const node = document.createElement('div');
      node.append(content);
      new Popup({ maxWidth: '320px' }).setLngLat(event.lngLat).setDOMContent(node).addTo(this.canvas);
    };
    for (const layer of this.styleLayers) {
      this.canvas.on('click', layer, show);
      this.listening.push(() => this.canvas.off('click', layer, show));
    }
  }

  /** Draws only what meets a CQL2 condition; all without one. */
  setFilter(filter?: string): void {
    this.filtered = filter;
    this.refresh();
  }

  setVisible(visible: boolean): void {
    for (const layer of this.styleLayers) this.canvas.setLayoutProperty(layer, 'visibility', visible ? 'visible' : 'none');
  }

  /** Fades the layer as a whole; 1 is how its style has it. */
  setOpacity(opacity: number): void {
    for (const layer of this.styleLayers) {
      for (const property of OPACITY[this.canvas.getLayer(layer)?.type ?? ''] ?? []) this.canvas.setPaintProperty(layer, property, opacity);
    }
  }

  /** Asks for the tiles anew, after an edit. */
  refresh(): void {
    this.canvas.getSource<VectorTileSource>(this.source)?.setUrl(this.tiles());
  }

  remove(): void {
    for (const stop of this.listening) stop();
    this.legendBox.set(this.id, null);
    for (const layer of this.styleLayers) if (this.canvas.getLayer(layer)) this.canvas.removeLayer(layer);
    if (this.canvas.getSource(this.source)) this.canvas.removeSource(this.source);
  }
}

/** A feature's fields as a table; what is null is left out. */
function fields(properties: Record<string, unknown>): Node {
  const table = document.createElement('table');
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === '') continue;
    const row = table.insertRow();
    row.insertCell().textContent = name;
    row.insertCell().textContent = String(value);
  }
  return table;
}

/** Layers: which there are, and those on the map. */
export class Layers {
  private readonly shown = new Map<string, Shown>();

  constructor(
    private readonly canvas: Canvas,
    private readonly client: Client,
    private readonly legend: Legend,
    private readonly ready: Promise<void>,
  ) {}

  /** The layers that one may know of; those with `access` other than `request` may be added. */
  async list({ q, department, theme, signal }: Asking & { q?: string; department?: string; theme?: string } = {}): Promise<LayerInfo[]> {
    return (await this.client.get<{ layers: LayerInfo[] }>('/api/v1/layers', { q, department, theme }, { signal })).layers;
  }

  describe(id: string, asking: Asking = {}): Promise<LayerInfo> {
    return this.client.get(`/api/v1/layers/${part(id)}`, {}, asking);
  }

  /** Adds a layer with its own style, or another; what was there of it is replaced. */
  async add(id: string, options: AddOptions = {}): Promise<Shown> {
    const { signal, style, filter, legend } = options;
    const [own, entries] = await Promise.all([
      style ? null : this.client.get<StyleSpecification>(`/styles/${part(id)}.json`, {}, { signal }),
      legend ? this.entries(id, { signal }) : null,
      this.ready,
    ]);
    this.remove(id);
    const shown = new Shown(id, this.canvas, this.client, this.legend, filter);
    shown.draw(style ?? own?.layers ?? [], options);
    this.shown.set(id, shown);
    if (entries) this.legend.set(id, entries);
    return shown;
  }

  /** A layer's legend, as its style has it. */
  async entries(id: string, asking: Asking = {}): Promise<{ title: { zh: string; en: string }; entries: LegendEntry[] }> {
    const [info, legend] = await Promise.all([
      this.describe(id, asking),
      this.client.get<{ entries: LegendEntry[] }>(`/api/v1/layers/${part(id)}/legend`, {}, asking),
    ]);
    return { title: info.title, entries: legend.entries };
  }

  get(id: string): Shown | undefined {
    return this.shown.get(id);
  }

  /** The ids of what is on the map. */
  ids(): string[] {
    return [...this.shown.keys()];
  }

  remove(id: string): void {
    this.shown.get(id)?.remove();
    this.shown.delete(id);
  }

  /** Moves the map to where a layer is. */
  async fit(id: string, asking: Asking = {}): Promise<void> {
    const box: Bounds | null = (await this.describe(id, asking)).bbox;
    if (box) this.canvas.fitBounds(box, { padding: 40, maxZoom: 17 });
  }
}
