import type { Element, Piece, Verdict } from '@/api/addresses';

/** A stretch of the given text and what became of it. */
export interface Span {
  text: string;
  element: string;
  /** Besides the verdicts: not used at all; not in the register; not compared. */
  verdict: Verdict | 'unused' | 'unregistered' | 'other';
}

/** What people write between the parts of an address: no part of it, and nothing left over. */
const BETWEEN = /^[\s,，、;；.。/\\()（）\-—_]*$/u;

/** Elements that say where among others, and name nothing that a register would hold. */
const RELATIVE = ['assist', 'distance'];

/** Whether most characters of the shorter are in the longer, as after a slip of the pen. */
function alike(a: string, b: string): boolean {
  const [short, long] = [Array.from(a), Array.from(b)].sort((x, y) => x.length - y.length);
  return short.length > 1 && short.filter((one) => long.includes(one)).length * 2 >= short.length;
}

/**
 * The element of the register that a piece of the text speaks of: of the same kind; or, as kinds are a matter of reading, of the same
 * words; or one that was found in spite of a slip.
 */
function elementOf(piece: Piece, elements: Element[]): Element | undefined {
  const written = elements.filter((one) => one.verdict !== 'absent');
  return (
    written.find((one) => one.name === piece.element) ??
    elements.find((one) => one.text.includes(piece.text) || piece.text.includes(one.text)) ??
    written.find((one) => one.verdict === 'similar' && alike(one.text, piece.text)) ??
    elements.find((one) => one.name === piece.element)
  );
}

function verdictOf(piece: Piece, elements: Element[]): Span['verdict'] {
  if (piece.element === 'redundant') return 'unused';
  if (RELATIVE.includes(piece.element)) return 'other';
  const found = elementOf(piece, elements);
  if (!found) return elements.length > 0 ? 'unregistered' : 'other';
  // It was written, only under another name.
  return found.verdict === 'absent' ? 'other' : (found.verdict ?? 'other');
}

/** The given text in stretches, so that the reader sees which of it agreed with a candidate, was mended, or contradicts it. */
export function spans(given: string, pieces: Piece[], elements: Element[]): Span[] {
  const characters = Array.from(given);
  const out: Span[] = [];
  let at = 0;
  const rest = (to: number) => {
    if (to <= at) return;
    const text = characters.slice(at, to).join('');
    out.push({ text, element: '', verdict: BETWEEN.test(text) ? 'other' : 'unused' });
  };
  for (const piece of [...pieces].sort((a, b) => a.start - b.start)) {
    // A piece that overlaps the one before, or lies outside of the text, says nothing that can be shown.
    if (piece.start < at || piece.end > characters.length) continue;
    rest(piece.start);
    out.push({ text: characters.slice(piece.start, piece.end).join(''), element: piece.element, verdict: verdictOf(piece, elements) });
    at = piece.end;
  }
  rest(characters.length);
  return out;
}
