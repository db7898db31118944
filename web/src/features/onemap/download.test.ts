import { describe, expect, it } from 'vitest';
import { codeOf, href, zoneOf } from './download';

describe('the address of a file', () => {
  it('asks for a system by its URI and for a shifted one by its name', () => {
    const crs = 'http://www.opengis.net/def/crs/EPSG/0/4549';
    expect(href('a b', { format: 'gpkg', system: crs, encoding: 'gbk' })).toBe(
      '/ogc/collections/a%20b/items?f=gpkg&crs=http%3A%2F%2Fwww.opengis.net%2Fdef%2Fcrs%2FEPSG%2F0%2F4549',
    );
    expect(href('a', { format: 'shp', system: 'gcj02', encoding: 'gbk' })).toBe('/ogc/collections/a/items?f=shp&datum=gcj02&encoding=gbk');
  });
});

describe('zones', () => {
  it('are known by their codes', () => {
    expect(zoneOf(4549)).toEqual({ width: 3, number: null, meridian: 120 });
    expect(zoneOf(4528)).toEqual({ width: 3, number: 40, meridian: 120 });
    expect(zoneOf(4498)).toEqual({ width: 6, number: 20, meridian: 117 });
    expect(zoneOf(4490)).toBeNull();
    expect(codeOf('http://www.opengis.net/def/crs/EPSG/0/4490')).toBe(4490);
    expect(codeOf('http://www.opengis.net/def/crs/OGC/1.3/CRS84')).toBeNull();
  });
});
