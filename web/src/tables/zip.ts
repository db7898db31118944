/** A file and where it lies in the archive. */
export interface Part {
  path: string;
  file: File;
}

/** The largest archive without the 64-bit extension. */
export const MOST = 0xffff_ffff;

const TABLE = new Uint32Array(256).map((_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? 0xedb8_8320 ^ (value >>> 1) : value >>> 1;
  return value;
});

export function crc32(bytes: Uint8Array, before = 0): number {
  let value = ~before;
  for (let index = 0; index < bytes.length; index += 1) value = TABLE[(value ^ bytes[index]) & 0xff] ^ (value >>> 8);
  return ~value >>> 0;
}

const PIECE = 4 * 1024 * 1024;

async function checksum(file: Blob): Promise<number> {
  let value = 0;
  for (let at = 0; at < file.size; at += PIECE) {
    value = crc32(new Uint8Array(await file.slice(at, at + PIECE).arrayBuffer()), value);
  }
  return value;
}

/** Little-endian numbers in a row: [value, bytes]. */
function record(...fields: [number, 2 | 4][]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(fields.reduce((sum, [, size]) => sum + size, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [value, size] of fields) {
    if (size === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += size;
  }
  return bytes;
}

const UTF8_NAMES = 0x0800;
const VERSION = 20;
/** 1980-01-01: the same files must give the same archive, or an interrupted upload could not be taken up again. */
const DATE = 0x0021;

/**
 * Puts files into one archive, stored as they are. The archive refers to the files on disk instead of
 * copying them, so its size costs no memory.
 */
export async function zip(name: string, parts: Part[]): Promise<File> {
  const sorted = [...parts].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
  const body: BlobPart[] = [];
  const directory: BlobPart[] = [];
  let offset = 0;
  let listed = 0;
  for (const { file, path } of sorted) {
    const title = new TextEncoder().encode(path);
    const sum = await checksum(file);
    const common: [number, 2 | 4][] = [[UTF8_NAMES, 2], [0, 2], [0, 2], [DATE, 2], [sum, 4], [file.size, 4], [file.size, 4], [title.length, 2], [0, 2]];
    const head = record([0x0403_4b50, 4], [VERSION, 2], ...common);
    const entry = record([0x0201_4b50, 4], [VERSION, 2], [VERSION, 2], ...common, [0, 2], [0, 2], [0, 2], [0, 4], [offset, 4]);
    body.push(head, title, file);
    directory.push(entry, title);
    offset += head.length + title.length + file.size;
    listed += entry.length + title.length;
  }
  const end = record([0x0605_4b50, 4], [0, 2], [0, 2], [sorted.length, 2], [sorted.length, 2], [listed, 4], [offset, 4], [0, 2]);
  const newest = Math.max(0, ...parts.map((one) => one.file.lastModified));
  return new File([...body, ...directory, end], name, { type: 'application/zip', lastModified: newest });
}

export const packedSize = (parts: Part[]): number => parts.reduce((sum, one) => sum + one.file.size + 2 * one.path.length + 200, 22);
