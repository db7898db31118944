import { Map as MapLibre, Marker, NavigationControl, ScaleControl, type StyleSpecification } from 'maplibre-gl';
import { Addresses, type AddressProperties, type SearchOptions } from './address';
import { Annotations } from './annotations';
import { type Access, Client } from './client';
import { Layers } from './layers';
import { Legend } from './legend';
import { Problem } from './problem';
import { Queries } from './query';
import { Statistics } from './statistics';
import { Themes } from './themes';
import type { Bounds, Feature, Position } from './types';

export interface Options extends Access {
  /** The element that the map fills, or its id. */
  container: HTMLElement | string;
  center?: Position;
  zoom?: number;
  /** In the place of centre and zoom. */
  bounds?: Bounds;
  /** A MapLibre style, or the id of one of the server's; the server's base map when it is left out, none when it is false. */
  base?: string | StyleSpecification | false;
}

const GROUND: StyleSpecification = { version: 8, sources: {}, layers: [{ id: 'ground', type: 'background', paint: { 'background-color': '#eef1f4' } }] };

/** A map of a onemap server. */
export class OneMap {
  /** The MapLibre map, for all that this does not wrap. */
  readonly map: MapLibre;
  readonly client: Client;
  /** Resolves when layers can be added; `add` and `open` wait for it by themselves. */
  readonly ready: Promise<void>;
  readonly layers: Layers;
  readonly themes: Themes;
  readonly statistics: Statistics;
  readonly query: Queries;
  readonly annotations: Annotations;
  readonly address: Addresses;
  private pin: Marker | null = null;

  constructor({ container, center, zoom, bounds, base = 'base', ...access }: Options) {
    const client = new Client(access);
    this.client = client;
    const style = base === false ? bare(client) : typeof base === 'string' ? client.address(`/styles/${encodeURIComponent(base)}.json`) : base;
    this.map = new MapLibre({
      container,
      style,
      // What is left out here, the style says.
      ...(bounds ? { bounds } : { ...(center && { center }), ...(zoom !== undefined && { zoom }) }),
      attributionControl: { compact: true },
      transformRequest: (url) => ({ url, headers: client.headers(url), credentials: 'same-origin' }),
    });
    this.map.addControl(new NavigationControl(), 'top-right');
    this.map.addControl(new ScaleControl(), 'bottom-left');
    const legend = new Legend(client);
    this.map.addControl(legend, 'bottom-right');
    this.ready = new Promise((resolve) => this.map.once('style.load', () => resolve()));
    this.layers = new Layers(this.map, client, legend, this.ready);
    this.themes = new Themes(client, this.layers, legend);
    this.statistics = new Statistics(client);
    this.query = new Queries(client);
    this.annotations = new Annotations(this.map, client, this.layers);
    this.address = new Addresses(client);
  }

  /** Moves the map to a place and sets a pin there. */
  goTo(place: Position | { geometry: GeoJSON.Geometry | null }, zoom = 16): void {
    const at = Array.isArray(place) ? place : place.geometry?.type === 'Point' ? (place.geometry.coordinates as Position) : null;
    if (!at) return;
    this.pin?.remove();
    this.pin = new Marker().setLngLat(at).addTo(this.map);
    this.map.flyTo({ center: at, zoom });
  }

  /** Moves the map to what an address most probably means. */
  async find(address: string, options: SearchOptions = {}): Promise<Feature<AddressProperties>> {
    const [place] = (await this.address.search(address, { limit: 1, ...options })).features;
    if (!place) {
      const said = this.client.say(`没有找到“${address}”`, `“${address}” was not found`);
      throw new Problem(404, { title: said, detail: said, parameter: 'q' });
    }
    this.goTo(place);
    return place;
  }

  /** Takes the map out of the page. */
  remove(): void {
    this.map.remove();
  }
}

function bare(client: Client): StyleSpecification {
  return { ...GROUND, glyphs: client.address('/fonts/{fontstack}/{range}.pbf'), sprite: client.address('/sprites/onemap') };
}
