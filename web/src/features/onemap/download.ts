import { address } from '@/api/client';

/** The formats of files, the best for desktop programs first. */
export const FORMATS = ['gpkg', 'shp', 'xlsx', 'csv', 'fgb', 'geojsonseq'] as const;
export type Format = (typeof FORMATS)[number];

/** Systems that are shifted on purpose. */
export const DATUMS = ['gcj02', 'bd09'] as const;

export interface Wanted {
  format: Format;
  /** A URI of the collection's list, or the name of a shifted system. */
  system: string;
  encoding: 'utf-8' | 'gbk';
}

const isDatum = (system: string) => (DATUMS as readonly string[]).includes(system);

export function href(layer: string, wanted: Wanted): string {
  const shifted = isDatum(wanted.system);
  return address(`/ogc/collections/${encodeURIComponent(layer)}/items`, {
    f: wanted.format,
    crs: shifted ? undefined : wanted.system,
    datum: shifted ? wanted.system : undefined,
    encoding: wanted.format === 'shp' && wanted.encoding === 'gbk' ? 'gbk' : undefined,
  });
}

/** What is known of a Gauss-Krüger zone of CGCS2000 by its EPSG code: its width, its number or its middle meridian. */
export interface Zone {
  width: 3 | 6;
  number: number | null;
  meridian: number;
}

export function zoneOf(code: number): Zone | null {
  const rows: [number, number, 3 | 6, boolean][] = [
    [4513, 21, 3, true],
    [4534, 21, 3, false],
    [4491, 11, 6, true],
    [4502, 11, 6, false],
  ];
  for (const [first, count, width, numbered] of rows) {
    const k = code - first;
    if (k < 0 || k >= count) continue;
    return { width, number: numbered ? (width === 3 ? 25 : 13) + k : null, meridian: 75 + width * k };
  }
  return null;
}

/** The code of a URI, or null for one that is not EPSG's. */
export function codeOf(uri: string): number | null {
  const found = /\/EPSG\/[^/]*\/(\d+)$/.exec(uri);
  return found ? Number(found[1]) : null;
}
