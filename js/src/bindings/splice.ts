import type { Splice } from "./lag.js";
import { insidePair } from "./text.js";

/**
 * What an input changed, given where the selection was before and where the caret is now.
 *
 * Typing, deleting, pasting and composing replace one stretch that ends at the caret; that it is so is
 * checked. For what the browser does elsewhere (undo, dragging, spelling) it is the stretch between the
 * first and the last difference.
 *
 * `selection` must be in front of or around the change; `undefined` if not known.
 */
export function spliceBetween(
  before: string,
  after: string,
  selection: { readonly start: number; readonly end: number } | undefined,
  caret: number,
): Splice | undefined {
  if (before === after) {
    return undefined;
  }
  return (selection && atCaret(before, after, selection, caret)) ?? betweenDifferences(before, after);
}

function atCaret(
  before: string,
  after: string,
  selection: { readonly start: number; readonly end: number },
  caret: number,
): Splice | undefined {
  const start = Math.min(selection.start, caret);
  const end = before.length - (after.length - caret);
  const fits =
    end >= Math.max(start, selection.end) &&
    before.slice(0, start) === after.slice(0, start) &&
    before.slice(end) === after.slice(caret) &&
    !splitsPair(before, start, end);
  return fits ? { position: start, deleted: end - start, inserted: after.slice(start, caret) } : undefined;
}

function betweenDifferences(before: string, after: string): Splice {
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && before.charCodeAt(start) === after.charCodeAt(start)) {
    start++;
  }
  if (insidePair(before, start) || insidePair(after, start)) {
    start--;
  }
  let tail = 0;
  while (
    tail < shorter - start &&
    before.charCodeAt(before.length - 1 - tail) === after.charCodeAt(after.length - 1 - tail)
  ) {
    tail++;
  }
  if (insidePair(before, before.length - tail) || insidePair(after, after.length - tail)) {
    tail--;
  }
  const end = before.length - tail;
  return { position: start, deleted: end - start, inserted: after.slice(start, after.length - tail) };
}

function splitsPair(text: string, start: number, end: number): boolean {
  return insidePair(text, start) || insidePair(text, end);
}
