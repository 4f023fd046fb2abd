import type { Random } from "../../random.js";

/** At `position`, `deleted` code units give way to `inserted`. */
export interface RandomSplice {
  readonly position: number;
  readonly deleted: number;
  readonly inserted: string;
}

/** A change somewhere in `text` that splits no surrogate pair. */
export function randomSplice(random: Random, text: string, more: readonly string[] = []): RandomSplice {
  const position = wholeAt(text, random.below(text.length + 1));
  const end = wholeAt(text, Math.min(text.length, position + random.below(5)));
  const deleted = Math.max(0, end - position);
  return { position, deleted, inserted: random.pick(["", "", "a", "b", "lorem", "\n", "x\ny", "é漢", "😀", ...more]) };
}

/** `position`, or the one in front of it if that would be inside a surrogate pair. */
export function wholeAt(text: string, position: number): number {
  return (text.charCodeAt(position) & 0xfc00) === 0xdc00 ? position - 1 : position;
}
