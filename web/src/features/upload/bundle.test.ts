import { execFileSync, spawnSync } from 'node:child_process';
import { File as BufferFile } from 'node:buffer';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parcels, type Dropped } from './bundle';
import { crc32, zip } from '@/tables/zip';

// Node 18 has the class but not the global.
globalThis.File ??= BufferFile as unknown as typeof File;

const dropped = (path: string, text = 'x'): Dropped => ({ path, file: new File([text], path.split('/').pop() ?? path, { lastModified: 1000 }) });

test('files that belong together become one parcel', () => {
  const { parcels: made, complaints } = parcels(['社区.shp', '社区.dbf', '社区.SHX', '社区.shp.xml', 'a.geojson', 'b.csv', '.DS_Store'].map((path) => dropped(path)));
  expect(complaints).toEqual([]);
  expect(made.map((one) => [one.name, one.zipped, one.parts.length])).toEqual([
    ['a.geojson', false, 1],
    ['b.csv', false, 1],
    ['社区.zip', true, 4],
  ]);
});

test('a geodatabase folder keeps its own name inside', () => {
  const { parcels: made } = parcels(['data/city.gdb/a00000001.gdbtable', 'data/city.gdb/gdb', 'data/notes.csv'].map((path) => dropped(path)));
  const folder = made.find((one) => one.zipped);
  expect(folder?.name).toBe('city.gdb.zip');
  expect(folder?.parts.map((one) => one.path)).toEqual(['city.gdb/a00000001.gdbtable', 'city.gdb/gdb']);
  expect(made).toHaveLength(2);
});

test('what cannot be read is said before it is sent', () => {
  const { parcels: made, complaints } = parcels([dropped('a.shp'), dropped('a.dbf'), dropped('b.dbf'), dropped('c.csv', '')]);
  expect(made).toEqual([]);
  expect(complaints).toEqual([
    { kind: 'emptyFile', name: 'c.csv' },
    { kind: 'missingParts', name: 'a.shp', parts: '.shx' },
    { kind: 'missingShp', name: 'b' },
  ]);
});

test('the checksum is the known one', () => {
  expect(crc32(new TextEncoder().encode('123456789'))).toBe(0xcbf4_3926);
});

const python = spawnSync('python3', ['--version']).status === 0;

test.skipIf(!python)('another program opens the archive and finds the files whole', async () => {
  const parts = [dropped('社区.dbf', '属性'), dropped('社区.shp', 'shape'.repeat(1000))];
  const packed = await zip('社区.zip', parts);
  const again = await zip('社区.zip', [...parts].reverse());
  expect(Buffer.from(await again.arrayBuffer()).equals(Buffer.from(await packed.arrayBuffer()))).toBe(true);
  const folder = mkdtempSync(join(tmpdir(), 'onemap-zip-'));
  try {
    const path = join(folder, 'out.zip');
    writeFileSync(path, Buffer.from(await packed.arrayBuffer()));
    const script = 'import sys,zipfile,json; z=zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; print(json.dumps({n: len(z.read(n)) for n in z.namelist()}))';
    const listed = JSON.parse(execFileSync('python3', ['-c', script, path], { encoding: 'utf8' }));
    expect(listed).toEqual({ '社区.dbf': 6, '社区.shp': 5000 });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
