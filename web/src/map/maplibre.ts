/**
 * MapLibre as the portal uses it: the build whose worker is a file of our own origin (a page policy
 * that forbids blob: workers still lets it run).
 */
import maplibregl from 'maplibre-gl/dist/maplibre-gl-csp';
import worker from 'maplibre-gl/dist/maplibre-gl-csp-worker.js?url';
import 'maplibre-gl/dist/maplibre-gl.css';

maplibregl.setWorkerUrl(worker);

export default maplibregl;

/** Whether this browser can draw the map at all. */
export function drawable(): boolean {
  const canvas = document.createElement('canvas');
  const context = canvas.getContext('webgl2') ?? canvas.getContext('webgl');
  // Browsers allow few contexts at a time; this one must not count.
  (context as WebGLRenderingContext | null)?.getExtension('WEBGL_lose_context')?.loseContext();
  return context !== null;
}

/**
 * Everything a map loads comes from where the page comes from: styles name their parts by path, or by the address the
 * server believes it has, which behind a gateway is not the reader's.
 */
export function own(url: string): { url: string } {
  if (/^(?:blob|data):/.test(url)) return { url };
  const { pathname, search } = new URL(url, window.location.origin);
  return { url: window.location.origin + pathname + search };
}
