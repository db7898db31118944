import { get, post } from './client';
import { list, number, numbers, object, text, texts, type Loose } from './read';
import type { Said } from './types';

/** How precisely a text named a place, from the door to nothing. */
export const LEVELS = ['room', 'unit', 'building', 'compound', 'number', 'poi', 'interpolated', 'intersection', 'road', 'village', 'street', 'district', 'none'] as const;
export type Level = (typeof LEVELS)[number];

export const VERDICTS = ['agree', 'similar', 'absent', 'conflict'] as const;
export type Verdict = (typeof VERDICTS)[number];

/** One element of an address as the register writes it, and what the text says to it. */
export interface Element {
  name: string;
  text: string;
  verdict: Verdict | null;
}

export interface Candidate {
  /** The layer it comes from. */
  source: string;
  /** Its row there; null for a place that no single row stands for. */
  feature: number | string | null;
  label: string;
  score: number | null;
  match_level: Level;
  coordinate_level: Level;
  lon: number;
  lat: number;
  elements: Element[];
  parts: Record<string, number>;
  /** Metres, where it was looked up by place. */
  distance: number | null;
}

export interface Answer {
  candidates: Candidate[];
  faults: string[];
  remainder: string;
  /** Layers that could not be searched yet. */
  notReady: string[];
}

export interface Around {
  candidates: Candidate[];
  /** From the widest division to the narrowest. */
  divisions: string[];
}

/** A piece of the given text: characters, not bytes. */
export interface Piece {
  element: string;
  text: string;
  start: number;
  end: number;
}

export interface Parsed {
  pieces: Piece[];
  standard: string;
  remainder: string;
}

export const levelOf = (value: unknown): Level => ((LEVELS as readonly unknown[]).includes(value) ? (value as Level) : 'none');
const verdict = (value: unknown): Verdict | null => ((VERDICTS as readonly unknown[]).includes(value) ? (value as Verdict) : null);

/** From the province to the room, as addresses are written; maps come in no order. */
const WRITTEN = 'province city district devzone town community village_group road lane roadno intersection compound poi subpoi houseno cellno floorno roomno assist distance redundant'.split(' ');

function inOrder(a: Element, b: Element): number {
  const place = (one: Element) => (WRITTEN.indexOf(one.name) + WRITTEN.length + 1) % (WRITTEN.length + 1);
  return place(a) - place(b);
}

/** Elements come as a list, or as two maps of names. */
function elementsOf(raw: Loose): Element[] {
  const verdicts = object(raw.verdicts);
  if (Array.isArray(raw.elements)) {
    return raw.elements.map(object).map((one) => ({ name: text(one.element) || text(one.name), text: text(one.text), verdict: verdict(one.verdict) ?? verdict(verdicts[text(one.element)]) }));
  }
  return Object.entries(object(raw.elements)).map(([name, said]) => ({ name, text: text(said), verdict: verdict(verdicts[name]) })).sort(inOrder);
}

/** A candidate from the members of a job's row, or of a feature with its point. */
export function candidateOf(raw: Loose, point?: unknown): Candidate | null {
  const [x, y] = list(object(point).coordinates);
  const lon = number(raw.lon) ?? number(x);
  const lat = number(raw.lat) ?? number(y);
  const label = text(raw.label);
  if (lon === null || lat === null || label === '') return null;
  const matched = levelOf(raw.match_level);
  const { feature } = raw;
  return {
    source: text(raw.source),
    feature: typeof feature === 'number' || typeof feature === 'string' ? feature : null,
    label,
    score: number(raw.score),
    match_level: matched,
    coordinate_level: raw.coordinate_level === undefined ? matched : levelOf(raw.coordinate_level),
    lon,
    lat,
    elements: elementsOf(raw).filter((one) => one.name !== '' && one.text !== ''),
    parts: numbers(raw.parts),
    distance: number(raw.distance),
  };
}

export function candidatesOf(body: unknown): Candidate[] {
  return list(object(body).features).flatMap((one) => candidateOf({ ...object(object(one).properties) }, object(one).geometry) ?? []);
}

export function answerOf(body: unknown): Answer {
  const raw = object(body);
  return { candidates: candidatesOf(body), faults: texts(raw.faults), remainder: text(raw.remainder), notReady: texts(raw.not_ready) };
}

/** The chain of divisions: names, or objects that have one. */
export function aroundOf(body: unknown): Around {
  const raw = object(body);
  const chain = raw.divisions ?? raw.division;
  const parts = Array.isArray(chain) ? chain : Object.values(object(chain));
  const names = parts.map((one) => text(one) || text(object(one).text) || text(object(one).name));
  return { candidates: candidatesOf(body), divisions: names.filter(Boolean) };
}

export function parsedOf(body: unknown): Parsed {
  const raw = object(body);
  const one = object(Array.isArray(body) ? body[0] : (list(raw.results)[0] ?? body));
  const pieces = list(one.elements ?? one.parts).map(object);
  return {
    pieces: pieces.flatMap((piece) => {
      const [start, end] = [number(piece.start), number(piece.end)];
      return start === null || end === null || end <= start ? [] : [{ element: text(piece.element), text: text(piece.text), start, end }];
    }),
    standard: text(one.standard),
    remainder: text(one.remainder),
  };
}

export const search = (q: string, limit: number, signal?: AbortSignal) => get<unknown>('/address/search', { q, limit }, signal).then(answerOf);
export const suggest = (q: string, limit: number, signal?: AbortSignal) => get<unknown>('/address/suggest', { q, limit }, signal).then(candidatesOf);
export const parse = (q: string) => post<unknown>('/address/parse', { q }).then(parsedOf);

export function reverse(lon: number, lat: number, signal?: AbortSignal): Promise<Around> {
  return get<unknown>('/address/reverse', { lon: lon.toFixed(7), lat: lat.toFixed(7), limit: 5 }, signal).then(aroundOf);
}

/** Tells candidates of one list apart; those that no row stands for, by what they say. */
export const keyOf = (one: Candidate): string => `${one.source}/${one.feature ?? `${one.lon},${one.lat},${one.label}`}`;

/** A layer that addresses are looked up in. */
export interface AddressSource {
  layer: string;
  title: Said | string | null;
}

export function sourcesOf(body: unknown): AddressSource[] {
  const raw = object(body);
  const entries = Array.isArray(body) ? body : list(raw.sources ?? raw.address_sources);
  return entries.map(object).flatMap((one) => {
    const layer = text(one.layer) || text(one.id);
    // One whose fields this reader may not all see is not searched.
    return layer === '' || one.searched === false ? [] : [{ layer, title: (one.title as Said | string | undefined) ?? null }];
  });
}

export const sources = () => get<unknown>('/api/v1/address-sources').then(sourcesOf);
