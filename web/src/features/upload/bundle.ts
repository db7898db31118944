/** A file as dropped: its path tells the folder it came from, which matters for FileGDB. */
export interface Dropped {
  file: File;
  path: string;
}

/** What is sent as one upload: a file as it is, or parts that belong together and travel as one zip. */
export interface Parcel {
  name: string;
  parts: Dropped[];
  zipped: boolean;
}

export type Complaint = { kind: 'missingShp' | 'emptyFile'; name: string } | { kind: 'missingParts'; name: string; parts: string };

const SHAPEFILE = new Set(['shp', 'dbf', 'shx', 'prj', 'cpg', 'sbn', 'sbx', 'qix', 'qpj', 'cst']);
const MAPINFO = new Set(['tab', 'dat', 'map', 'id', 'ind', 'mif', 'mid']);
/** The member that gives a family of files its name; a family without one is not a family. */
const HEADS = ['shp', 'tab', 'mif'];

const base = (path: string) => path.slice(path.lastIndexOf('/') + 1);

function split(path: string): { stem: string; extension: string } {
  const name = base(path);
  if (/\.shp\.xml$/i.test(name)) return { stem: path.slice(0, -8), extension: 'shp.xml' };
  const dot = name.lastIndexOf('.');
  if (dot <= 0) return { stem: path, extension: '' };
  return { stem: path.slice(0, path.length - (name.length - dot)), extension: name.slice(dot + 1).toLowerCase() };
}

/** The .gdb folder a path lies in, or null. */
const geodatabase = (path: string): string | null => /^(.*?[^/]+\.gdb)\//i.exec(path)?.[1] ?? null;

/** Sorts dropped files into uploads, and says which cannot be sent and why. */
export function parcels(dropped: Dropped[]): { parcels: Parcel[]; complaints: Complaint[] } {
  const made: Parcel[] = [];
  const complaints: Complaint[] = [];
  const families = new Map<string, Dropped[]>();
  const folders = new Map<string, Dropped[]>();
  const add = (map: Map<string, Dropped[]>, key: string, one: Dropped) => map.set(key, [...(map.get(key) ?? []), one]);

  for (const one of dropped) {
    const name = base(one.path);
    if (name.startsWith('.') || name === 'Thumbs.db') continue;
    const folder = geodatabase(one.path);
    const { stem, extension } = split(one.path);
    if (folder) add(folders, folder, one);
    else if (SHAPEFILE.has(extension) || MAPINFO.has(extension) || extension === 'shp.xml') add(families, stem.toLowerCase(), one);
    else if (one.file.size === 0) complaints.push({ kind: 'emptyFile', name });
    else made.push({ name, parts: [{ file: one.file, path: name }], zipped: false });
  }
  for (const [folder, parts] of folders) {
    const from = folder.length - base(folder).length;
    made.push({ name: `${base(folder)}.zip`, parts: parts.map((one) => ({ ...one, path: one.path.slice(from) })), zipped: true });
  }
  for (const parts of families.values()) family(parts, made, complaints);
  return { parcels: made, complaints };
}

function family(parts: Dropped[], made: Parcel[], complaints: Complaint[]): void {
  const extensions = new Set(parts.map((one) => split(one.path).extension));
  const name = base(split(parts[0].path).stem);
  const head = HEADS.find((extension) => extensions.has(extension));
  if (!head) {
    complaints.push({ kind: 'missingShp', name });
    return;
  }
  if (head === 'shp') {
    // Without .dbf there are no attributes, and without .shx some readers fail: better said before sending than after.
    const missing = ['dbf', 'shx'].filter((extension) => !extensions.has(extension));
    if (missing.length > 0) {
      complaints.push({ kind: 'missingParts', name: `${name}.shp`, parts: missing.map((extension) => `.${extension}`).join(' ') });
      return;
    }
  }
  made.push({ name: `${name}.zip`, parts: parts.map((one) => ({ ...one, path: base(one.path) })), zipped: true });
}

interface Entry {
  isFile: boolean;
  isDirectory: boolean;
  fullPath: string;
  file(done: (file: File) => void, failed: (thrown: unknown) => void): void;
  createReader(): { readEntries(done: (entries: Entry[]) => void, failed: (thrown: unknown) => void): void };
}

async function walk(entry: Entry, found: Dropped[]): Promise<void> {
  if (entry.isFile) {
    const file = await new Promise<File>((done, failed) => entry.file(done, failed));
    found.push({ file, path: entry.fullPath.replace(/^\//, '') });
    return;
  }
  const reader = entry.createReader();
  for (;;) {
    // A reader gives a hundred entries at a time, and none when done.
    const some = await new Promise<Entry[]>((done, failed) => reader.readEntries(done, failed));
    if (some.length === 0) return;
    for (const inner of some) await walk(inner, found);
  }
}

/** The files of a drop, folders opened. The entries must be taken at once: the event's list empties after it. */
export async function filesOf(transfer: DataTransfer): Promise<Dropped[]> {
  const entries = [...transfer.items].flatMap((item) => {
    const entry = item.webkitGetAsEntry?.() as unknown as Entry | null;
    return entry ? [entry] : [];
  });
  if (entries.length === 0) return [...transfer.files].map((file) => ({ file, path: file.name }));
  const found: Dropped[] = [];
  for (const entry of entries) await walk(entry, found);
  return found;
}
