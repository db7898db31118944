/** The lines of a box, or what commas part; null is none. */
export function linesOf(text: string): string[] | null {
  const lines = text.split(/[\n,，;；\s]+/).filter(Boolean);
  return lines.length > 0 ? [...new Set(lines)] : null;
}

/** An origin of web pages: scheme, host and port, without a path. */
export function isOrigin(text: string): boolean {
  try {
    const url = new URL(text);
    return /^https?:$/.test(url.protocol) && url.origin === text.replace(/\/$/, '');
  } catch {
    return false;
  }
}

/** An address, or a network in CIDR notation. */
export function isNetwork(text: string): boolean {
  const [address, length, ...rest] = text.split('/');
  if (rest.length > 0) return false;
  const four = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(address);
  if (four) return four.slice(1).every((part) => Number(part) <= 255) && (length === undefined || (/^\d{1,2}$/.test(length) && Number(length) <= 32));
  return /^[0-9a-fA-F:]*:[0-9a-fA-F:.]*$/.test(address) && address.length >= 2 && (length === undefined || (/^\d{1,3}$/.test(length) && Number(length) <= 128));
}

/** Which bounds cannot be read, as keys of texts. */
export function faults(bounds: { origins: string; addresses: string }): string[] {
  const found: string[] = [];
  if (!(linesOf(bounds.origins) ?? []).every(isOrigin)) found.push('origins');
  if (!(linesOf(bounds.addresses) ?? []).every(isNetwork)) found.push('addresses');
  return found;
}
