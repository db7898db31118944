/**
 * Lengths and areas on the ellipsoid of CGCS2000 (semi-major axis 6378137 m, flattening 1/298.257222101; GB 22021),
 * by Karney's series ("Algorithms for geodesics", 2013): exact to nanometres at any distance.
 */
import { Geodesic } from 'geographiclib-geodesic';

const CGCS2000 = new Geodesic.Geodesic(6378137, 1 / 298.257222101);

/** Metres along the way. */
export function lengthOf(line: GeoJSON.Position[]): number {
  let sum = 0;
  for (let at = 1; at < line.length; at += 1) {
    sum += CGCS2000.Inverse(line[at - 1][1], line[at - 1][0], line[at][1], line[at][0]).s12 ?? 0;
  }
  return sum;
}

/** Square metres and metres round a ring, closed or not, whichever way it turns. */
export function ringOf(ring: GeoJSON.Position[]): { area: number; perimeter: number } {
  const polygon = CGCS2000.Polygon(false);
  const last = ring.length - 1;
  const closed = last > 0 && ring[0][0] === ring[last][0] && ring[0][1] === ring[last][1];
  for (const [lon, lat] of closed ? ring.slice(0, -1) : ring) polygon.AddPoint(lat, lon);
  const { area, perimeter } = polygon.Compute(false, true);
  return { area: Math.abs(area ?? 0), perimeter };
}

/** Square metres of polygons without their holes; 0 of what is none. */
export function areaOf(geometry: GeoJSON.Geometry | null): number {
  const polygons = geometry?.type === 'Polygon' ? [geometry.coordinates] : geometry?.type === 'MultiPolygon' ? geometry.coordinates : [];
  return polygons.reduce((sum, [outer = [], ...holes]) => sum + ringOf(outer).area - holes.reduce((out, hole) => out + ringOf(hole).area, 0), 0);
}

/** The place so many metres away; azimuth in degrees from north over east. */
export function from(lon: number, lat: number, azimuth: number, metres: number): [number, number] {
  const { lon2 = lon, lat2 = lat } = CGCS2000.Direct(lat, lon, azimuth, metres);
  return [lon2, lat2];
}
