import { expect, test } from 'vitest';
import { KINDS, snippet, type Ingredients } from './snippets';

const words = {
  title: '示例', map: '样式', tiles: '瓦片', all: '全部', window: '窗口', list: '列出', items: '要素',
  qgisFeatures: '要素', qgisFeaturesSteps: '步骤', qgisTiles: '瓦片', qgisTilesSteps: '步骤',
};
const parts: Ingredients = { origin: 'http://map.test:8080', layer: 'civil-affairs-communities', title: '</script><b>社区', key: 'om_k"1', bbox: [120.1, 36, 120.5, 36.4], words };

test('every snippet names this origin and the layer, and no other host', () => {
  for (const kind of KINDS) {
    const code = snippet(kind, { ...parts, key: 'YOUR_KEY' });
    expect(code).toContain('civil-affairs-communities');
    expect(code).toContain('YOUR_KEY');
    const hosts = new Set([...code.matchAll(/https?:\/\/([^/"'\s]+)/g)].map((found) => found[1]));
    expect([...hosts]).toEqual(['map.test:8080']);
  }
});

test('the page survives odd titles and keys, and its script parses', () => {
  const page = snippet('maplibre', parts);
  expect(page).toContain('&lt;/script>&lt;b>社区');
  const script = /<script>\n([\s\S]*?)<\/script>/.exec(page)?.[1] ?? '';
  expect(() => new Function(script)).not.toThrow();
  expect(script).toContain(String.raw`"om_k\"1"`);
});

test('a tile address keeps its placeholders through the key', () => {
  const script = /transformRequest: (\(url\) => \{[\s\S]*?\n {6}\}),/.exec(snippet('maplibre', parts))?.[1] ?? '';
  const request = new Function('ORIGIN', 'KEY', `return ${script}`)('http://map.test:8080', 'k1') as (url: string) => { url: string };
  expect(request('/tiles/a/{z}/{x}/{y}').url).toBe('http://map.test:8080/tiles/a/{z}/{x}/{y}?key=k1');
  expect(request('http://elsewhere.test/x').url).toBe('http://elsewhere.test/x');
});
