import { list, number, object, texts, text, when } from './read';

/** What a grant lets its holder do with a layer, from looking to changing. */
export const RIGHTS = ['view', 'query', 'print', 'export', 'write'] as const;
export type Right = (typeof RIGHTS)[number];

/** What of a layer is asked for, or given. */
export interface Terms {
  /** Null is every field. */
  fields: string[] | null;
  /** Which rows, as a CQL2 text; empty is all. */
  filter: string;
  /** EPSG:4490, longitude first; null with no divisions is everywhere. */
  area: GeoJSON.Geometry | null;
  /** Square kilometres, which lists tell without the area itself. */
  areaKm2: number | null;
  /** Codes of administrative divisions. */
  divisions: string[];
  rights: Right[];
  from: string | null;
  until: string | null;
}

const isRight = (value: string): value is Right => (RIGHTS as readonly string[]).includes(value);
const isGeometry = (value: unknown): value is GeoJSON.Geometry => typeof object(value).type === 'string';

/** `area` is the geometry where it does not stand among the terms; `km2` where only its size is told. */
export function termsOf(value: unknown, area?: unknown, km2?: unknown): Terms {
  const said = object(value);
  return {
    fields: Array.isArray(said.fields) ? texts(said.fields) : null,
    filter: text(said.filter),
    area: isGeometry(area) ? area : isGeometry(said.area) ? said.area : null,
    areaKm2: number(km2) ?? number(said.area_km2),
    divisions: texts(said.divisions),
    rights: list(said.rights).map(text).filter(isRight),
    from: when(said.valid_from) ?? when(said.from),
    until: when(said.valid_until) ?? when(said.until),
  };
}
