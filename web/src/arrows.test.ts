import { readFileSync, readdirSync } from 'node:fs';
import { join, relative, resolve, dirname } from 'node:path';
import { expect, test } from 'vitest';

const root = resolve('src');
const files = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return files(path);
    return /\.(vue|ts)$/.test(entry.name) && !entry.name.endsWith('.test.ts') ? [path] : [];
  });

/** Imports of one file, inside ones as paths under src. */
function imports(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  return [...text.matchAll(/(?:from\s+|import\s*\(?\s*)['"]([^'"]+)['"]/g)].map(([, target]) => {
    if (target.startsWith('@/')) return target.slice(2);
    if (target.startsWith('.')) return relative(root, resolve(dirname(file), target));
    return target;
  });
}

const part = (path: string) => (path.startsWith('features/') ? path.split('/').slice(0, 2).join('/') : path.split('/')[0]);

// What each part may import, besides itself and packages. Main (the files at the top) may import all.
const allowed: Record<string, string[]> = {
  features: ['map', 'state', 'api', 'ui', 'i18n', 'statistics', 'tables'],
  map: ['state', 'api', 'ui', 'i18n', 'statistics'],
  state: ['api', 'i18n'],
  ui: ['api', 'i18n', 'statistics'],
  api: [],
  i18n: ['api'],
  statistics: [],
  tables: [],
};

test('the parts import each other only along the arrows', () => {
  const wrong: string[] = [];
  for (const file of files(root)) {
    const own = part(relative(root, file));
    const rule = allowed[own.split('/')[0]];
    if (!rule) continue;
    for (const target of imports(file)) {
      const other = part(target);
      if (!(other.split('/')[0] in allowed) || other === own) continue;
      if (!rule.includes(other.split('/')[0])) wrong.push(`${relative(root, file)} → ${target}`);
    }
  }
  expect(wrong).toEqual([]);
});

test('only map/ imports MapLibre', () => {
  const wrong = files(root)
    .map((file) => relative(root, file))
    .filter((file) => !file.startsWith('map/') && file !== 'env.d.ts' && imports(join(root, file)).some((target) => target.startsWith('maplibre-gl')));
  expect(wrong).toEqual([]);
});
