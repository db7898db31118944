/** Where somebody wanted to go who has to sign in first; it outlives the way to an identity provider and back. */
const KEY = 'onemap.onward';

/** Only places of this page; a link must not lead elsewhere after signing in. */
export const within = (to: unknown): string => (typeof to === 'string' && to.startsWith('/') && !to.startsWith('//') ? to : '/');

export function remember(to: string): void {
  try {
    sessionStorage.setItem(KEY, to);
  } catch {
    // Without storage the way leads to the map.
  }
}

/** Where they wanted to go; told once. */
export function recall(): string {
  try {
    const to = sessionStorage.getItem(KEY);
    sessionStorage.removeItem(KEY);
    return within(to);
  } catch {
    return '/';
  }
}
