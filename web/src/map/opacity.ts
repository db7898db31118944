/** The opacity properties of each kind of style layer. */
const PROPERTIES: Record<string, string[]> = {
  fill: ['fill-opacity'],
  line: ['line-opacity'],
  circle: ['circle-opacity', 'circle-stroke-opacity'],
  symbol: ['icon-opacity', 'text-opacity'],
  heatmap: ['heatmap-opacity'],
  'fill-extrusion': ['fill-extrusion-opacity'],
  raster: ['raster-opacity'],
  background: ['background-opacity'],
};

/**
 * Multiplies a style value by a factor. `zoom` may only stand in an outermost interpolate or step,
 * so there the outputs are multiplied instead of the whole; old-style stops likewise.
 */
export function scaled(value: unknown, factor: number): unknown {
  if (value === undefined || value === null) return factor;
  if (typeof value === 'number') return value * factor;
  if (Array.isArray(value)) {
    const [operator] = value;
    if (operator === 'interpolate') return value.map((part, index) => (index >= 4 && index % 2 === 0 ? scaled(part, factor) : part));
    if (operator === 'step') return value.map((part, index) => (index >= 2 && index % 2 === 0 ? scaled(part, factor) : part));
    return ['*', factor, value];
  }
  if (typeof value === 'object' && Array.isArray((value as { stops?: unknown }).stops)) {
    const stops = (value as { stops: [unknown, unknown][] }).stops;
    return { ...value, stops: stops.map(([at, output]) => [at, scaled(output, factor)]) };
  }
  return value;
}

/** The paint properties that give one style layer the wished opacity. */
export function opacities(type: string, paint: Record<string, unknown> | undefined, factor: number): [string, unknown][] {
  return (PROPERTIES[type] ?? []).map((property) => [property, scaled(paint?.[property], factor)]);
}
