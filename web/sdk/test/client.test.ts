import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Client } from '../src/client';
import { Problem } from '../src/problem';
import { Queries } from '../src/query';
import { Statistics } from '../src/statistics';
import { Themes } from '../src/themes';
import { Addresses, table } from '../src/address';

let asked: { url: string; init: RequestInit }[] = [];
let answers: Response[] = [];

beforeEach(() => {
  asked = [];
  answers = [];
  vi.stubGlobal('fetch', (url: string, init: RequestInit) => {
    asked.push({ url, init });
    if (init.signal?.aborted) return Promise.reject(new DOMException('stopped', 'AbortError'));
    const answer = answers.shift();
    return answer ? Promise.resolve(answer) : Promise.reject(new TypeError('network'));
  });
});
afterEach(() => vi.unstubAllGlobals());

const client = (language: 'zh-CN' | 'en' = 'en') => new Client({ url: 'https://map.example/', key: 'om_1', language });
const json = (body: unknown, status = 200) => new Response(JSON.stringify(body), { status });
const sent = (at = 0) => JSON.parse(String(asked[at].init.body));

test('the key goes to the server and nowhere else', () => {
  const mine = client();
  expect(mine.headers('https://map.example/tiles/a/1/2/3')).toMatchObject({ Authorization: 'Bearer om_1', 'Accept-Language': 'en' });
  for (const other of ['https://map.example.evil/tiles', 'https://other.example/', 'https://map.example:444/']) {
    expect(mine.headers(other)).not.toHaveProperty('Authorization');
  }
});

test('a refusal is a Problem with what the server said', async () => {
  answers = [json({ title: '冲突', detail: '可能指几个地点', hint: '请选择', parameter: 'address', request_id: 'r1', candidates: [{ type: 'Feature' }] }, 409)];
  const thrown = await client('zh-CN').get('/x').catch((error: unknown) => error);
  expect(thrown).toBeInstanceOf(Problem);
  expect(thrown).toMatchObject({ status: 409, message: '可能指几个地点', hint: '请选择', parameter: 'address', requestId: 'r1' });
  expect((thrown as Problem).candidates).toHaveLength(1);
  expect(asked[0].init.headers).toMatchObject({ 'Accept-Language': 'zh-CN' });
});

test('what is no problem document, and no answer at all, are Problems too', async () => {
  answers = [new Response('<html>bad gateway</html>', { status: 502 })];
  await expect(client().get('/x')).rejects.toMatchObject({ name: 'Problem', status: 502, title: 'HTTP 502' });
  await expect(client().get('/x')).rejects.toMatchObject({ name: 'Problem', status: 0, title: 'the server cannot be reached' });
});

test('what is aborted ends as an AbortError', async () => {
  const stop = new AbortController();
  stop.abort();
  await expect(client().get('/x', {}, { signal: stop.signal })).rejects.toMatchObject({ name: 'AbortError' });
});

test('every page of a filter is read, at the address that this page knows the server by', async () => {
  const page = (id: number, next?: string) => json({ features: [{ id }], links: next ? [{ rel: 'next', href: next }] : [] });
  answers = [page(1, 'http://inside:8080/ogc/collections/a/items?cursor=7'), page(2)];
  const ids: unknown[] = [];
  for await (const feature of new Queries(client()).all('a', "kind = '住宅'")) ids.push(feature.id);
  expect(ids).toEqual([1, 2]);
  expect(asked[0].url).toBe(`https://map.example/ogc/collections/a/items?${new URLSearchParams({ filter: "kind = '住宅'", limit: '1000' })}`);
  expect(asked[1].url).toBe('https://map.example/ogc/collections/a/items?cursor=7');
});

test('questions are sent as the interface has them', async () => {
  answers = [json({ results: [] }), json({ results: [] }), json({ rows: [] })];
  const query = new Queries(client());
  await query.identify([120.1, 36.2], ['a', 'b'], { tolerance: 12.6 });
  expect(asked[0].url).toContain('lon=120.1&lat=36.2&tolerance=13&layers=a%2Cb');
  await query.nearest([[120, 36]], ['a'], { k: 3, maxDistance: 500 });
  expect(sent(1)).toEqual({ points: [[120, 36]], layers: ['a'], k: 3, max_distance: 500 });
  await new Statistics(client()).summary({ layer: 'a', zones: { divisions: 'street' }, statistics: ['count', { sum: 'n' }] });
  expect(sent(2)).toEqual({ layer: 'a', zones: { divisions: 'street' }, statistics: ['count', { sum: 'n' }] });
});

test('an overlay names its layers in the address and sends the rows as they are', async () => {
  answers = [json({ features: [{ onemap: { problem: 'self-crossing' } }] })];
  const layers = ['districts', { layer: 'schools', fields: ['name'], filter: 'pupils > 9' }];
  const rows = await new Queries(client()).overlay({ type: 'FeatureCollection', features: [] }, { layers, predicate: 'nearest', maxDistance: 500 });
  expect(rows[0].onemap?.problem).toBe('self-crossing');
  const asking = new URL(asked[0].url).searchParams;
  expect(Object.fromEntries(asking)).toEqual({ predicate: 'nearest', max_distance: '500', f: 'geojson', layers: 'districts,schools', 'fields.schools': 'name', 'filter.schools': 'pupils > 9' });
  expect(asked[0].init.headers).toMatchObject({ 'Content-Type': 'application/geo+json' });
});

test('a batch is a csv there and back', async () => {
  answers = [new Response('\ufeffq,result_label,latitude\r\n"a, ""b""","路\n1号",36.1\r\n')];
  const rows = await new Addresses(client()).batch(['a, "b"']);
  expect(rows).toEqual([{ q: 'a, "b"', result_label: '路\n1号', latitude: '36.1' }]);
  const form = asked[0].init.body as FormData;
  expect(await (form.get('data') as Blob).text()).toBe('q\n"a, ""b"""\n');
});

test('tables keep empty cells and short rows', () => {
  expect(table('a,b\n1,\n2\n')).toEqual([{ a: '1', b: '' }, { a: '2', b: '' }]);
});

test('kept themes are listed, all or those of a topic', async () => {
  const themes = [{ id: 'a', theme: 'health' }, { id: 'b', theme: 'housing' }, { id: 'c', theme: null }];
  answers = [json({ themes }), json({ themes })];
  const kept = new Themes(client(), {} as never, {} as never);
  expect((await kept.list()).map(({ id }) => id)).toEqual(['a', 'b', 'c']);
  expect((await kept.list({ topic: 'housing' })).map(({ id }) => id)).toEqual(['b']);
  expect(asked[0].url).toBe('https://map.example/api/v1/themes');
});

test('a theme is shown in the place of the last one, however they arrive', async () => {
  const on: string[] = [];
  const waiting: (() => void)[] = [];
  const layers = {
    add: (id: string) => new Promise<void>((resolve) => waiting.push(() => (on.push(id), resolve()))),
    remove: (id: string) => on.includes(id) && on.splice(on.indexOf(id), 1),
  };
  const kept = new Themes(client(), layers as never, {} as never);
  const first = kept.show('a');
  const second = kept.show('b');
  waiting[1]();
  waiting[0]();
  await Promise.all([first, second]);
  expect(on).toEqual(['b']);
});
