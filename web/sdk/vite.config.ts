import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/**
 * Two builds of the one source. `package` is what an npm package holds: maplibre-gl stays an import. `served` is what the server gives
 * out at /sdk/onemap.js: a page imports it by that address alone, and MapLibre comes from beside it.
 */
export default defineConfig(({ mode }) => {
  const served = mode === 'served';
  return {
    publicDir: false,
    resolve: { alias: served ? { 'maplibre-gl': here('./served/maplibre.ts') } : {} },
    build: {
      target: 'es2022',
      outDir: here(served ? '../dist/sdk' : './dist'),
      // Beside it lies MapLibre, which the portal's build has put there.
      emptyOutDir: !served,
      minify: served,
      lib: { entry: here('./src/index.ts'), formats: ['es'], fileName: () => 'onemap.js' },
      rollupOptions: { external: served ? [] : ['maplibre-gl'] },
    },
  };
});
