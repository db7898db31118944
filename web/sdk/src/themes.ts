import type { StyleSpecification } from 'maplibre-gl';
import { type Client, part } from './client';
import type { AddOptions, Layers, Shown } from './layers';
import type { Legend } from './legend';
import type { Asking, LayerInfo, LegendEntry, Said } from './types';

export type Method = 'equal_interval' | 'quantile' | 'natural_breaks' | 'head_tail' | 'standard_deviation' | 'manual';

export interface ClassifyOptions extends Asking {
  /** The field of numbers. */
  field: string;
  /** CQL2: the values of which features. */
  filter?: string;
  /** Natural breaks when it is left out. */
  method?: Method;
  /** Five when it is left out. */
  classes?: number;
  /** Upper bounds, for the method `manual`. */
  breaks?: number[];
  palette?: string;
  reverse?: boolean;
}

export interface Class {
  from: number;
  to: number;
  /** Of how many features. */
  count?: number | null;
  label: string;
  color: string;
}

/** Classes with their colours, legend and map style, of one computation. */
export interface Classified {
  method: string;
  classes: Class[];
  breaks: number[];
  colors: string[];
  histogram?: unknown;
  summary?: unknown;
  legend: { entries: LegendEntry[] };
  style: StyleSpecification;
}

/** A theme that a department keeps. */
export interface KeptTheme extends LayerInfo {
  kind: 'choropleth' | 'graduated_symbols' | 'dot_density' | 'heat' | 'categories' | 'bivariate';
  indicator: string;
  /** Whether it has a value for each of several periods. */
  periods: boolean;
}

/** Thematic layers: those that departments keep, and layers that are coloured on the spot by a field. */
export class Themes {
  private last: string | null = null;

  constructor(
    private readonly client: Client,
    private readonly layers: Layers,
    private readonly legend: Legend,
  ) {}

  /** The kept themes that one may know of; of one of the catalogue's topics, where it is named. */
  async list({ topic, signal }: Asking & { topic?: string } = {}): Promise<KeptTheme[]> {
    const { themes } = await this.client.get<{ themes: KeptTheme[] }>('/api/v1/themes', {}, { signal });
    return topic === undefined ? themes : themes.filter((theme) => theme.theme === topic);
  }

  /** Shows a kept theme in the place of the one that was shown last. */
  async show(id: string, options: AddOptions = {}): Promise<Shown> {
    if (this.last !== null) this.layers.remove(this.last);
    this.last = id;
    const shown = await this.add(id, options);
    // Another was asked for meanwhile.
    if (this.last !== id) this.layers.remove(id);
    return shown;
  }

  /** Adds a kept theme with its style and legend. A theme is a layer: `layers` knows it by the same id. */
  add(id: string, options: AddOptions = {}): Promise<Shown> {
    return this.layers.add(id, { legend: true, popup: true, ...options });
  }

  /** Classes of a layer's field. */
  classify(layer: string, { signal, ...wanted }: ClassifyOptions): Promise<Classified> {
    return this.client.post('/api/v1/classify', { layer, ...wanted }, { signal });
  }

  /** Adds a layer in classes of one of its fields, with their legend. */
  async color(layer: string, wanted: ClassifyOptions & { title?: Said; opacity?: number; popup?: AddOptions['popup'] }): Promise<Shown & { classified: Classified }> {
    const { title, opacity, popup = true, ...classes } = wanted;
    const classified = await this.classify(layer, classes);
    const style = classified.style.layers;
    const shown = await this.layers.add(layer, { style, filter: classes.filter, opacity, popup, signal: classes.signal });
    this.legend.set(layer, { title: title ?? (await this.layers.describe(layer, classes)).title, entries: classified.legend.entries });
    return Object.assign(shown, { classified });
  }

  remove(id: string): void {
    this.layers.remove(id);
  }

  /** The figures of a kept theme, zone by zone. */
  table(id: string, asking: Asking = {}): Promise<Record<string, unknown>> {
    return this.client.get(`/api/v1/themes/${part(id)}/table`, {}, asking);
  }
}
