import type { Map as Canvas } from 'maplibre-gl';
import { metresPerPixel } from './geometry';

/** What a map shows, for a sheet of paper. */
export interface Picture {
  /** An address of the picture within this page. */
  url: string;
  width: number;
  height: number;
  /** Metres on the ground under one pixel of the width, in the middle. */
  metresPerPixel: number;
}

/** The drawing is gone once the browser has shown it, so it is taken while the map draws. */
export function picture(map: Canvas): Promise<Picture> {
  return new Promise((resolve) => {
    map.once('render', () => {
      const { clientWidth: width, clientHeight: height } = map.getContainer();
      resolve({ url: map.getCanvas().toDataURL('image/png'), width, height, metresPerPixel: metresPerPixel(map.getCenter().lat, map.getZoom()) });
    });
    map.triggerRepaint();
  });
}
