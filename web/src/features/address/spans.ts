import type { Element, Piece, Verdict } from '@/api/addresses';

/** A stretch of the given text and what became of it. */
export interface Span {
  text: string;
  element: string;
  verdict: Verdict | 'unused' | 'other';
}

/** What people write between the parts of an address: no part of it, and nothing left over. */
const BETWEEN = /^[\s,，、;；.。/\\()（）\-—_]*$/u;

/** Divisions and names may stand under a neighbouring element in the register. */
function verdictOf(piece: Piece, elements: Element[]): Span['verdict'] {
  if (piece.element === 'redundant') return 'unused';
  const named = elements.filter((one) => one.name === piece.element && one.verdict !== null);
  return named[0]?.verdict ?? 'other';
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
