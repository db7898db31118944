import { ref } from 'vue';

/** The page of the portal that could not be fetched, or empty. */
export const lost = ref('');

const TRIED = 'onemap.reloaded';

/**
 * A page's code did not arrive: the line is down, or the server has a newer portal whose files have other names.
 * The second is mended by loading anew — once, or a broken server would make the page turn in circles.
 */
export function notArrived(path: string): void {
  let tried = true;
  try {
    tried = sessionStorage.getItem(TRIED) === path;
    sessionStorage.setItem(TRIED, path);
  } catch {
    // Without storage there is no telling whether it was tried; the reader may.
  }
  if (tried || !navigator.onLine) {
    lost.value = path;
    return;
  }
  window.location.hash = path;
  window.location.reload();
}

export function arrived(): void {
  lost.value = '';
  try {
    sessionStorage.removeItem(TRIED);
  } catch {
    // See notArrived().
  }
}
