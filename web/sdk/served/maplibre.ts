/** MapLibre from beside this file, unless the page has brought one: its script and its style sheet. */
type MapLibre = typeof import('maplibre-gl');

const beside = (file: string) => new URL(file, import.meta.url).href;

async function load(): Promise<MapLibre> {
  const page = globalThis as { maplibregl?: MapLibre };
  if (!page.maplibregl) {
    const sheet = document.createElement('link');
    sheet.rel = 'stylesheet';
    sheet.href = beside('./maplibre-gl.css');
    const script = document.createElement('script');
    script.src = beside('./maplibre-gl.js');
    const loaded = [sheet, script].map(
      (element) =>
        new Promise<void>((resolve, reject) => {
          element.onload = () => resolve();
          element.onerror = () => reject(new Error(`onemap: ${script.src} could not be loaded`));
        }),
    );
    document.head.append(sheet, script);
    await Promise.all(loaded);
  }
  if (!page.maplibregl) throw new Error('onemap: MapLibre is missing');
  return page.maplibregl;
}

const maplibre = await load();

export const { Map, Marker, NavigationControl, Popup, ScaleControl } = maplibre;
