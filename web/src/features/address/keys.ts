/** What a key means while one reviews. */
export type Action = { kind: 'move' | 'choose'; by: number } | { kind: 'pick'; at: number } | { kind: 'reject' | 'place' | 'undo' | 'note' | 'accept' | 'look' | 'help' | 'leave' };

export interface Pressed {
  key: string;
  ctrlKey?: boolean;
  metaKey?: boolean;
  altKey?: boolean;
  isComposing?: boolean;
}

export interface Situation {
  /** The focus is in a box that takes text. */
  typing: boolean;
  /** The next click on the map places the row. */
  placing: boolean;
  /** The focus is on the map, whose arrows move it. */
  onMap: boolean;
  /** The focus is on a button or link, which Enter and the space bar press. */
  onControl: boolean;
  candidates: number;
}

const PLAIN: Record<string, Action> = {
  j: { kind: 'move', by: 1 },
  k: { kind: 'move', by: -1 },
  ArrowDown: { kind: 'move', by: 1 },
  ArrowUp: { kind: 'move', by: -1 },
  l: { kind: 'choose', by: 1 },
  h: { kind: 'choose', by: -1 },
  ArrowRight: { kind: 'choose', by: 1 },
  ArrowLeft: { kind: 'choose', by: -1 },
  PageDown: { kind: 'move', by: 10 },
  PageUp: { kind: 'move', by: -10 },
  '0': { kind: 'reject' },
  x: { kind: 'reject' },
  p: { kind: 'place' },
  u: { kind: 'undo' },
  n: { kind: 'note' },
  '/': { kind: 'look' },
  '?': { kind: 'help' },
  Enter: { kind: 'accept' },
  Escape: { kind: 'leave' },
};

export function actionOf(pressed: Pressed, now: Situation): Action | null {
  if (pressed.ctrlKey || pressed.metaKey || pressed.altKey || pressed.isComposing) return null;
  if (pressed.key === 'Escape') return PLAIN.Escape;
  if (now.typing) return null;
  // Keyboards for Chinese may send full-width signs, and shift or caps lock is no other wish.
  const key = pressed.key.length === 1 ? pressed.key.normalize('NFKC').toLowerCase() : pressed.key;
  if (now.onMap && (key.startsWith('Arrow') || key === 'Enter' || key.startsWith('Page'))) return null;
  if (now.onControl && key === 'Enter') return null;
  if (/^[1-9]$/.test(key)) return Number(key) <= now.candidates ? { kind: 'pick', at: Number(key) - 1 } : null;
  if (key === 'Enter' && now.candidates === 0) return null;
  return PLAIN[key] ?? null;
}
