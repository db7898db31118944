/** The polygons of a geometry, whatever else it holds. */
export function polygonsOf(geometry: GeoJSON.Geometry | null): GeoJSON.Position[][][] {
  if (!geometry) return [];
  if (geometry.type === 'Polygon') return [geometry.coordinates];
  if (geometry.type === 'MultiPolygon') return geometry.coordinates;
  if (geometry.type === 'GeometryCollection') return geometry.geometries.flatMap(polygonsOf);
  return [];
}

/** One geometry of several polygons; null of none. */
export function areaOf(polygons: GeoJSON.Position[][][]): GeoJSON.Geometry | null {
  if (polygons.length === 0) return null;
  return polygons.length === 1 ? { type: 'Polygon', coordinates: polygons[0] } : { type: 'MultiPolygon', coordinates: polygons };
}

export function boxArea(box: [number, number, number, number]): GeoJSON.Position[][] {
  const [w, s, e, n] = box;
  return [[[w, s], [e, s], [e, n], [w, n], [w, s]]];
}

/** Authalic radius of GRS 80, the ellipsoid of CGCS2000. */
const RADIUS_KM = 6371.0072;

/** Twice the area under a ring on the sphere, by the trapezoids between its edges and the equator. */
function ringArea(ring: GeoJSON.Position[]): number {
  const radians = (degrees: number) => (degrees * Math.PI) / 180;
  let sum = 0;
  for (let i = 0; i + 1 < ring.length; i += 1) {
    const [a, b] = [ring[i], ring[i + 1]];
    sum += radians(b[0] - a[0]) * (2 + Math.sin(radians(a[1])) + Math.sin(radians(b[1])));
  }
  return Math.abs(sum / 2) * RADIUS_KM ** 2;
}

/** Square kilometres on a sphere as large as the Earth: to show how much was drawn, not to measure land by. */
export function squareKilometres(geometry: GeoJSON.Geometry | null): number {
  let sum = 0;
  for (const [outer, ...holes] of polygonsOf(geometry)) sum += ringArea(outer) - holes.reduce((all, hole) => all + ringArea(hole), 0);
  return sum;
}
