/** Which of many polygons a point lies in. */
type Ring = GeoJSON.Position[];

interface Shape {
  zone: number;
  rings: Ring[];
  box: [number, number, number, number];
}

const polygonsOf = (geometry: GeoJSON.Geometry | null): Ring[][] => (geometry?.type === 'Polygon' ? [geometry.coordinates] : geometry?.type === 'MultiPolygon' ? geometry.coordinates : []);

/** Counts how often a ray to the east meets the rings: odd is inside; holes are met like any ring. */
function inside(rings: Ring[], x: number, y: number): boolean {
  let odd = false;
  for (const ring of rings) {
    for (let at = 0, before = ring.length - 1; at < ring.length; before = at, at += 1) {
      const [ax, ay] = ring[at];
      const [bx, by] = ring[before];
      if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) odd = !odd;
    }
  }
  return odd;
}

const CELLS = 64;

/** Polygons in a grid of boxes, so that a point is tried against the few that are near. */
export class Zones {
  private readonly cells = new Map<number, Shape[]>();
  private readonly box: [number, number, number, number];

  constructor(geometries: (GeoJSON.Geometry | null)[]) {
    const shapes = geometries.flatMap((geometry, zone) =>
      polygonsOf(geometry).map((rings): Shape => {
        const box: Shape['box'] = [Infinity, Infinity, -Infinity, -Infinity];
        for (const [x, y] of rings[0] ?? []) {
          box[0] = Math.min(box[0], x);
          box[1] = Math.min(box[1], y);
          box[2] = Math.max(box[2], x);
          box[3] = Math.max(box[3], y);
        }
        return { zone, rings, box };
      }),
    );
    this.box = [Infinity, Infinity, -Infinity, -Infinity];
    for (const { box } of shapes) {
      this.box = [Math.min(this.box[0], box[0]), Math.min(this.box[1], box[1]), Math.max(this.box[2], box[2]), Math.max(this.box[3], box[3])];
    }
    for (const shape of shapes) {
      const [from, below] = this.cell(shape.box[0], shape.box[1]);
      const [to, above] = this.cell(shape.box[2], shape.box[3]);
      for (let row = below; row <= above; row += 1) {
        for (let column = from; column <= to; column += 1) {
          const key = row * CELLS + column;
          const there = this.cells.get(key);
          if (there) there.push(shape);
          else this.cells.set(key, [shape]);
        }
      }
    }
  }

  private cell(x: number, y: number): [number, number] {
    const at = (value: number, low: number, high: number) => Math.min(CELLS - 1, Math.max(0, Math.floor(((value - low) / (high - low || 1)) * CELLS)));
    return [at(x, this.box[0], this.box[2]), at(y, this.box[1], this.box[3])];
  }

  /** The place of the polygon in the list, or null. */
  of(x: number, y: number): number | null {
    if (!(x >= this.box[0] && x <= this.box[2] && y >= this.box[1] && y <= this.box[3])) return null;
    const [column, row] = this.cell(x, y);
    for (const { zone, rings, box } of this.cells.get(row * CELLS + column) ?? []) {
      if (x >= box[0] && x <= box[2] && y >= box[1] && y <= box[3] && inside(rings, x, y)) return zone;
    }
    return null;
  }
}

/** A point within a polygon to put a symbol on: the middle of the widest stretch inside at half its height. */
export function innerPoint(geometry: GeoJSON.Geometry | null): [number, number] | null {
  let best: { width: number; at: [number, number] } | null = null;
  for (const rings of polygonsOf(geometry)) {
    const heights = (rings[0] ?? []).map(([, y]) => y);
    if (heights.length === 0) continue;
    // Not quite the half: it would often run through corners.
    const y = Math.min(...heights) + (Math.max(...heights) - Math.min(...heights)) * 0.4987;
    const crossings = rings.flatMap((ring) => ring.flatMap(([ax, ay], at) => {
      const [bx, by] = ring[(at + 1) % ring.length];
      return ay > y !== by > y ? [((bx - ax) * (y - ay)) / (by - ay) + ax] : [];
    })).sort((a, b) => a - b);
    for (let at = 0; at + 1 < crossings.length; at += 2) {
      const width = crossings[at + 1] - crossings[at];
      if (!best || width > best.width) best = { width, at: [(crossings[at] + crossings[at + 1]) / 2, y] };
    }
  }
  return best?.at ?? null;
}

/** Points strewn within a polygon, always the same for the same seed. */
export function strewn(geometry: GeoJSON.Geometry | null, count: number, seed: number): [number, number][] {
  const parts = polygonsOf(geometry);
  if (parts.length === 0 || count <= 0) return [];
  const zones = new Zones([geometry]);
  const all = parts.flatMap((rings) => rings[0]);
  const [west, south, east, north] = all.reduce((box, [x, y]) => [Math.min(box[0], x), Math.min(box[1], y), Math.max(box[2], x), Math.max(box[3], y)], [Infinity, Infinity, -Infinity, -Infinity]);
  let state = (seed * 2654435761) >>> 0;
  const next = () => {
    // Mulberry32.
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const made: [number, number][] = [];
  // A sliver in a large box may miss often; it must not hold the page up.
  for (let tries = count * 60; made.length < count && tries > 0; tries -= 1) {
    const [x, y] = [west + (east - west) * next(), south + (north - south) * next()];
    if (zones.of(x, y) !== null) made.push([x, y]);
  }
  return made;
}
