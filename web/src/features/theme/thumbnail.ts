import { address } from '@/api/client';
import type { Layer } from '@/api/types';

const WIDTH = 320;
const HEIGHT = 200;

/** A small picture of the layer in its own style, drawn by the map service; none where one may not see it. */
export function pictureOf(layer: Pick<Layer, 'id' | 'bbox' | 'access' | 'revision'>): string | null {
  const { bbox } = layer;
  if (!bbox || layer.access === 'request' || !bbox.every(Number.isFinite)) return null;
  // As wide as the picture, so that nothing is stretched: a degree of longitude is shorter than one of latitude.
  const [lon, lat] = [(bbox[0] + bbox[2]) / 2, (bbox[1] + bbox[3]) / 2];
  const squeeze = Math.cos((lat * Math.PI) / 180);
  const tall = Math.max((bbox[3] - bbox[1]) * 1.06, ((bbox[2] - bbox[0]) * 1.06 * squeeze * HEIGHT) / WIDTH, 0.01);
  const wide = (tall * WIDTH) / HEIGHT / squeeze;
  const box = [lon - wide / 2, lat - tall / 2, lon + wide / 2, lat + tall / 2].map((one) => one.toFixed(5)).join(',');
  // The revision is there so that a new one is fetched anew.
  return address('/ogc/wms', { SERVICE: 'WMS', VERSION: '1.3.0', REQUEST: 'GetMap', LAYERS: layer.id, STYLES: '', CRS: 'CRS:84', BBOX: box, WIDTH, HEIGHT, FORMAT: 'image/png', TRANSPARENT: 'TRUE', V: layer.revision ?? 0 });
}
