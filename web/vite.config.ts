import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import vue from '@vitejs/plugin-vue';
import { defineConfig, type Plugin } from 'vite';

const require = createRequire(import.meta.url);

/** Adds the style sheet of each Element Plus component that a file imports, so that only those in use are shipped. */
function elementStyles(): Plugin {
  const imports = /import\s*\{([^}]+)\}\s*from\s*['"]element-plus['"]/g;
  const sheet = (name: string) => name.slice(2).replace(/\B([A-Z])/g, '-$1').toLowerCase();
  return {
    name: 'element-styles',
    enforce: 'post',
    transform(code, id) {
      if (id.includes('node_modules') || !/\.(vue|ts)(\?|$)/.test(id)) return null;
      const names = new Set<string>();
      for (const found of code.matchAll(imports)) {
        for (const part of found[1].split(',')) {
          const name = part.trim().split(/\s+as\s+/)[0];
          if (/^El[A-Z]\w+$/.test(name) && name !== 'ElLoadingDirective') names.add(sheet(name));
        }
      }
      if (names.size === 0) return null;
      const lines = [...names].map((name) => `import 'element-plus/es/components/${name}/style/css';`);
      return { code: `${code}\n${lines.join('\n')}`, map: null };
    },
  };
}

/**
 * Puts the stock MapLibre build under a fixed address, so that the page a developer copies from the
 * developer centre runs on a network without internet.
 */
function sdk(): Plugin {
  return {
    name: 'sdk',
    apply: 'build',
    generateBundle() {
      for (const file of ['maplibre-gl.js', 'maplibre-gl.css']) {
        const source = readFileSync(require.resolve(`maplibre-gl/dist/${file}`), 'utf8');
        this.emitFile({ type: 'asset', fileName: `sdk/${file}`, source: source.replace(/\/\/# sourceMappingURL=.*\n?$/, '') });
      }
    },
  };
}

/** The binary embeds dist/, so the folder is kept in git by a .gitkeep that a build must not lose. */
function keepFolder(): Plugin {
  return {
    name: 'keep-folder',
    apply: 'build',
    closeBundle() {
      writeFileSync(fileURLToPath(new URL('./dist/.gitkeep', import.meta.url)), '');
    },
  };
}

const backend = process.env.ONEMAP_BACKEND ?? 'http://127.0.0.1:8080';
const proxied = ['/api', '/ogc', '/tiles', '/styles', '/sprites', '/fonts', '/address', '/healthz', '/sdk', '/examples'];
const proxy = Object.fromEntries(proxied.map((path) => [path, { target: backend, changeOrigin: false }]));

export default defineConfig({
  plugins: [vue(), elementStyles(), sdk(), keepFolder()],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  define: {
    __VUE_I18N_FULL_INSTALL__: false,
    __VUE_I18N_LEGACY_API__: false,
    __INTLIFY_PROD_DEVTOOLS__: false,
  },
  build: {
    target: 'es2020',
    chunkSizeWarningLimit: 1200,
    // A data: address is refused by a strict content policy, and small files compress well anyway.
    assetsInlineLimit: 0,
    rollupOptions: {
      output: {
        manualChunks(id) {
          if (id.includes('maplibre-gl')) return 'maplibre';
          if (/node_modules\/(@vue|vue|vue-router|vue-i18n|@intlify)\//.test(id)) return 'vue';
          return undefined;
        },
      },
    },
  },
  server: { proxy },
  preview: { proxy },
  test: { environment: 'node', include: ['src/**/*.test.ts', 'sdk/test/**/*.test.ts'] },
} as Parameters<typeof defineConfig>[0]);
