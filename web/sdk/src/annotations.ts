import type { Map as Canvas } from 'maplibre-gl';
import { type Client, part } from './client';
import { type Drawn, draw } from './draw';
import type { AddOptions, Layers, Shown } from './layers';
import type { AddressProperties } from './address';
import type { Asking, Feature, LayerInfo, Said } from './types';

/** What a mark says and how it looks. Author and times are the server's to write. */
export interface MarkProperties {
  text?: string | null;
  /** Follows from the geometry; a point may be `text`, which is drawn as letters alone. */
  kind?: 'point' | 'text' | 'line' | 'area';
  /** As #1f6feb; `fill` is an area's inside. */
  color?: string | null;
  fill?: string | null;
  /** Pixels: of a disc or of letters, 4 to 64. */
  size?: number | null;
  /** Pixels, 0.5 to 20. */
  line_width?: number | null;
  icon?: string | null;
  [own: string]: unknown;
}

export interface WrittenProperties extends MarkProperties {
  author: string;
  created_at: string;
  edited_by: string | null;
  edited_at: string | null;
  /** Ids with blanks between. */
  photos: string | null;
}

export type Mark = Feature<WrittenProperties> & { id: number };
/** A mark with the state it was read in: a change of it fails when somebody was faster. */
export type Held = Mark & { etag: string };

export interface Photo {
  id: string;
  width: number;
  height: number;
  bytes: number;
  created_by: string;
  created: string;
}

/** Annotation layers: which there are, and one opened to draw on. */
export class Annotations {
  constructor(
    private readonly canvas: Canvas,
    private readonly client: Client,
    private readonly layers: Layers,
  ) {}

  async list(asking: Asking = {}): Promise<LayerInfo[]> {
    return (await this.client.get<{ annotations: LayerInfo[] }>('/api/v1/annotations', {}, asking)).annotations;
  }

  /** Makes a layer to draw on, of the visitor's department; its id. For publishers. */
  async create(title: Said, more: { id?: string; fields?: { name: string; type: string; title?: Said }[] } & Asking = {}): Promise<string> {
    const { signal, ...own } = more;
    return (await this.client.post<{ layer: string }>('/api/v1/annotations', { title, ...own }, { signal })).layer;
  }

  /** Shows an annotation layer; who may draws on it. */
  async open(id: string, options: AddOptions = {}): Promise<Annotation> {
    const info = await this.layers.describe(id, options);
    const shown = await this.layers.add(id, { popup: (feature) => String(feature.properties.text ?? ''), ...options });
    return new Annotation(this.canvas, this.client, shown, info.access === 'edit' || info.access === 'annotate');
  }
}

/** An annotation layer on the map. */
export class Annotation {
  private readonly items: string;

  constructor(
    private readonly canvas: Canvas,
    private readonly client: Client,
    readonly shown: Shown,
    /** Whether the visitor may draw here. */
    readonly writable: boolean,
  ) {
    this.items = `/ogc/collections/${part(shown.id)}/items`;
  }

  /** The marks, newest first. */
  async marks({ limit = 100, filter, signal }: Asking & { limit?: number; filter?: string } = {}): Promise<Mark[]> {
    const query = { limit, filter, sortby: '-created_at' };
    return (await this.client.get<{ features: Mark[] }>(this.items, query, { signal })).features;
  }

  async get(mark: number, { signal }: Asking = {}): Promise<Held> {
    const response = await this.client.response('GET', `${this.items}/${mark}`, { signal });
    return { ...((await response.json()) as Mark), etag: response.headers.get('etag') ?? '*' };
  }

  /** Lets the visitor draw a mark and keeps it; null when it was given up. */
  async draw(kind: 'point' | 'text' | 'line' | 'area', properties: MarkProperties = {}, { signal }: Asking = {}): Promise<number | null> {
    const shape: Drawn = kind === 'text' ? 'point' : kind;
    const geometry = await draw(this.canvas, shape, { signal, color: properties.color ?? undefined });
    return geometry && this.add(geometry, { kind, ...properties }, { signal });
  }

  /** Keeps a mark; its id. */
  async add(geometry: GeoJSON.Geometry, properties: MarkProperties = {}, { signal }: Asking = {}): Promise<number> {
    const body = { type: 'Feature', geometry, properties };
    const response = await this.client.response('POST', this.items, { body, signal });
    this.shown.refresh();
    return Number(response.headers.get('location')?.split('/').pop());
  }

  /** Keeps a mark where an address is. A Problem of status 409 has the `candidates` when it may mean several places. */
  async place(address: string, properties: MarkProperties = {}, { signal }: Asking = {}): Promise<Mark & { match: AddressProperties }> {
    const path = `/api/v1/annotations/${part(this.shown.id)}/marks`;
    const mark = await this.client.post<Mark & { match: AddressProperties }>(path, { address, properties }, { signal });
    this.shown.refresh();
    return mark;
  }

  /** Changes what is named of a mark. With a mark from `get` it fails with 412 when somebody was faster. */
  async update(mark: Held | number, change: { geometry?: GeoJSON.Geometry; properties?: MarkProperties }, { signal }: Asking = {}): Promise<void> {
    await this.write('PATCH', mark, { signal, body: { type: 'Feature', ...change } });
  }

  async remove(mark: Held | number, { signal }: Asking = {}): Promise<void> {
    await this.write('DELETE', mark, { signal });
  }

  private async write(method: string, mark: Held | number, call: { body?: unknown; signal?: AbortSignal }): Promise<void> {
    const [id, etag] = typeof mark === 'number' ? [mark, '*'] : [mark.id, mark.etag];
    await this.client.response(method, `${this.items}/${id}`, { ...call, headers: { 'If-Match': etag } });
    this.shown.refresh();
  }

  private photosOf(mark: number): string {
    return `/api/v1/annotations/${part(this.shown.id)}/marks/${mark}/photos`;
  }

  async photos(mark: number, asking: Asking = {}): Promise<Photo[]> {
    return (await this.client.get<{ photos: Photo[] }>(this.photosOf(mark), {}, asking)).photos;
  }

  /** Adds a JPEG, PNG or WebP of at most 10 MB; its id. What the camera noted is not kept. */
  async addPhoto(mark: number, file: Blob, { signal }: Asking = {}): Promise<string> {
    const call = { body: file, headers: { 'Content-Type': file.type || 'application/octet-stream' }, signal };
    const { id } = await this.client.json<{ id: string }>('POST', this.photosOf(mark), call);
    this.shown.refresh();
    return id;
  }

  /** A photo's file: an address alone would not carry the key. */
  async photo(mark: number, photo: string, { thumbnail = false, signal }: Asking & { thumbnail?: boolean } = {}): Promise<Blob> {
    const query = { size: thumbnail ? 'thumbnail' : undefined };
    return (await this.client.response('GET', `${this.photosOf(mark)}/${part(photo)}`, { query, signal })).blob();
  }

  async removePhoto(mark: number, photo: string, { signal }: Asking = {}): Promise<void> {
    await this.client.response('DELETE', `${this.photosOf(mark)}/${part(photo)}`, { signal });
    this.shown.refresh();
  }

  /** Takes the layer off the map. */
  close(): void {
    this.shown.remove();
  }
}
