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

/** The worker has no page address to resolve `/tiles/…` against. */
export function absolute(url: string): { url: string } {
  return { url: new URL(url, window.location.origin).href };
}
