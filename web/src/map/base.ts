import type { StyleSpecification } from 'maplibre-gl';
import { get } from '@/api/client';

const PAPER = '#eef1f4';

/** The map without a base: a calm ground, and glyphs so that layers may still be labelled. */
export function bare(): StyleSpecification {
  return {
    version: 8,
    glyphs: `${window.location.origin}/fonts/{fontstack}/{range}.pbf`,
    sources: {},
    layers: [{ id: 'ground', type: 'background', paint: { 'background-color': PAPER } }],
  };
}

/** A style may name its parts by path alone; MapLibre wants whole addresses for some of them. */
export function anchored<S extends Partial<StyleSpecification>>(style: S): S {
  const whole = (url: string) => (url.startsWith('/') ? window.location.origin + url : url);
  const out = { ...style };
  if (typeof out.glyphs === 'string') out.glyphs = whole(out.glyphs);
  if (typeof out.sprite === 'string') out.sprite = whole(out.sprite);
  return out;
}

let base: Promise<StyleSpecification> | null = null;

/** The base style of this reader; asked once, a failure is asked again. */
export function baseStyle(): Promise<StyleSpecification> {
  if (!base) {
    base = get<StyleSpecification>('/styles/base.json').then(anchored);
    base.catch(() => {
      base = null;
    });
  }
  return base;
}

/** Another reader may have another base map. */
export function forgetBase(): void {
  base = null;
}
